"""A gate on every pixel: what time, noise or gain say about how far to trust its energy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from calotools.errors import ConfigError, nearest
from calotools.models.convolutions import activation

__all__ = ["GATES", "Gate", "Gauss"]

GATES = ("none", "multiply", "concatenate")


class Gauss(nn.Module):
    """exp(-(x / sigma)^2) of every channel, sigma learned; flipped: one minus it.

    Parameters
    ----------
    n_channels : int
    sigma : float
        Where it starts.
    flipped : bool

    Examples
    --------
    >>> Gauss(1, sigma=0.5)(torch.zeros(1, 1, 2, 2)).sum().item()
    4.0
    """

    def __init__(self, n_channels: int, *, sigma: float = 0.5, flipped: bool = False) -> None:
        super().__init__()
        self.log_sigma = nn.Parameter(torch.full((n_channels, 1, 1), sigma).log())
        self.flipped = flipped

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, channel, eta, phi) -> the same shape, in [0, 1]."""
        value = torch.exp(-((x * torch.exp(-self.log_sigma)) ** 2))
        return 1 - value if self.flipped else value


class Gate(nn.Module):
    """The same small network on every pixel turns its other quantities into numbers between 0 and 1.

    Parameters
    ----------
    n_gate, n_energy : int
        Channels of the other quantities, and of the energy.
    how : {"multiply", "concatenate"}
        The gate scales the energies, or stands beside them as channels.
    widths : tuple of int
        Hidden widths of the network.
    final : {"sigmoid", "gauss", "gauss-flipped"}

    Raises
    ------
    ConfigError
        Unknown way or final activation, or nothing to gate with.

    References
    ----------
    F. Faye, L. Ehrke, T. Petersen (Niels Bohr Institute), deepcalo, 2019.

    Examples
    --------
    >>> gate = Gate(8, 4, how="multiply", widths=(16,), final="sigmoid")
    >>> gate(torch.ones(2, 4, 7, 11), torch.ones(2, 8, 7, 11)).shape
    torch.Size([2, 4, 7, 11])
    """

    def __init__(self, n_gate: int, n_energy: int, *, how: str, widths: tuple[int, ...], final: str) -> None:
        super().__init__()
        if how not in GATES[1:]:
            raise ConfigError(f"there is no gate '{how}'; {nearest(how, GATES)}")
        if n_gate == 0:
            raise ConfigError(
                "a gate needs a quantity beside the energy (time, gain or noise); the image spec has none: add it to "
                "'quantities', or set gate = 'none'"
            )
        self.multiplies = how == "multiply"
        self.n_out = n_energy if self.multiplies else 2 * n_energy
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise((n_gate, *widths)):
            layers += [nn.Conv2d(n_in, n_out, 1), activation("leaky-relu")]
        layers.append(nn.Conv2d((n_gate, *widths)[-1], n_energy, 1))
        self.each_pixel = nn.Sequential(*layers, _final(final, n_energy))

    def forward(self, energy: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """(n, energy, eta, phi), (n, gate, eta, phi) -> (n, n_out, eta, phi)."""
        gate = self.each_pixel(other)  # (n, energy, eta, phi)
        return energy * gate if self.multiplies else torch.cat([energy, gate], dim=1)


def _final(name: str, n_channels: int) -> nn.Module:
    choices: dict[str, Callable[[], nn.Module]] = {
        "sigmoid": nn.Sigmoid,
        "gauss": lambda: Gauss(n_channels),
        "gauss-flipped": lambda: Gauss(n_channels, flipped=True),
    }
    if name not in choices:
        raise ConfigError(f"there is no gate_activation '{name}'; {nearest(name, choices)}")
    return choices[name]()
