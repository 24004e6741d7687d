"""The last layer of an energy network: the energy, and, where the recipe asks for it, how sure the network is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from calotools.models.inputs import ModelInputs

__all__ = ["energies", "energy_layer", "energy_of"]

# An untrained network is this unsure of its energy, relative to the base energy: that of a shower of some 30 GeV.
_SIGMA = 0.03
# Logarithms of relative uncertainties beyond these are cut: between 5e-5 and 7.
_LOG_SIGMA = (-10.0, 2.0)


def energy_layer(n_in: int, inputs: ModelInputs, *, start: float = 1.0) -> nn.Linear:
    """A last layer whose first output starts at one value whatever it is given, so that training starts there.

    Parameters
    ----------
    n_in : int
    inputs : ModelInputs
        Says how many numbers there are for each candidate (`n_outputs`).
    start : float
        Of the first output: 1 where it is a factor, 0 where it is a correction to 1.

    Returns
    -------
    torch.nn.Linear

    Examples
    --------
    >>> from calotools.models.inputs import ModelInputs
    >>> layer = energy_layer(4, ModelInputs(shapes={}, n_outputs=2))
    >>> energies(layer(torch.rand(1, 4)), torch.tensor([50.0])).round(decimals=2).tolist()
    [[50.0, 1.5]]
    """
    layer = nn.Linear(n_in, inputs.n_outputs)
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, math.log(_SIGMA))
    with torch.no_grad():
        layer.bias[0] = start
    return layer


def energies(
    raw: torch.Tensor, base_energy: torch.Tensor, *, offset: float = 0.0, positive: bool = False
) -> torch.Tensor:
    """Energies from the numbers of a last layer.

    Parameters
    ----------
    raw : (n, 1), (n, 2) or (n, 3) tensor
        Factor of the base energy, minus `offset`; and logarithms of the uncertainty, or of the distances to the lower
        and upper end of the interval, over the base energy.
    base_energy : (n,) tensor [GeV]
    offset : float
    positive : bool
        Negative factors become 0.

    Returns
    -------
    (n,) tensor [GeV]
        The energy; or (n, 2), the energy and its sigma; or (n, 3), the energy and the ends of its 68 % interval.
    """
    factor = raw[:, 0] + offset
    energy = base_energy * (torch.relu(factor) if positive else factor)
    if raw.shape[1] == 1:
        return energy
    widths = base_energy[:, None] * torch.exp(raw[:, 1:].float().clamp(*_LOG_SIGMA))  # (n, 1) or (n, 2)
    if raw.shape[1] == 2:
        return torch.stack([energy, widths[:, 0]], dim=1)
    return torch.stack([energy, energy - widths[:, 0], energy + widths[:, 1]], dim=1)


def energy_of(output: torch.Tensor) -> torch.Tensor:
    """The energy among what `energies` gave: (n,) [GeV].

    Examples
    --------
    >>> energy_of(torch.tensor([[50.0, 1.5]])).tolist()
    [50.0]
    """
    return output if output.ndim == 1 else output[:, 0]
