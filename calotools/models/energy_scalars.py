"""The energy from scalars and tracks alone: what a network knows without looking at a single cell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import nn

from calotools.errors import ConfigError
from calotools.models.blocks import Condition, dense
from calotools.models.checks import check_numbers, need_energy
from calotools.models.heads import energies, energy_layer
from calotools.models.inputs import ModelInputs

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["EnergyScalars"]


class EnergyScalars(nn.Module):
    """Dense layers on the scalars, the tracks (Deep Sets) and ln E, and a correction.

    ``energy = base_energy * (1 + correction)``; the correction starts at zero. Images are not looked at: what a network
    with images is better by is what the cells add.

    Parameters
    ----------
    inputs : ModelInputs
    width : int
        Of every layer.
    layers : int
        Hidden ones after the two that bring scalars and tracks together.
    tracks : bool
        False: not even tracks are looked at.
    octaves : int
        Of waves of each scalar beside it (`calotools.models.blocks.waves`).

    Raises
    ------
    ConfigError
        The recipe asks for classes or names neither scalars nor tracks, or a setting is not a whole number in range.

    Examples
    --------
    >>> model = EnergyScalars(ModelInputs(shapes={}, n_scalars=14))
    >>> sum(parameter.numel() for parameter in model.parameters())
    51713
    """

    def __init__(
        self, inputs: ModelInputs, *, width: int = 128, layers: int = 2, tracks: bool = True, octaves: int = 0
    ) -> None:
        super().__init__()
        need_energy("energy_scalars", inputs, instead="electron_compact")
        check_numbers("energy_scalars", width=width)
        check_numbers("energy_scalars", least=0, layers=layers, octaves=octaves)
        inputs = inputs if tracks else replace(inputs, n_tracks=0)
        if not inputs.n_scalars and not inputs.n_track_values:
            raise ConfigError(
                "energy_scalars sees scalars and tracks alone; name some, such as scalars = ['f0', 'r12']"
            )
        self.condition = Condition(inputs, n_sums=0, width=width, octaves=octaves)
        self.hidden = dense((width,) * (layers + 1))
        self.out = energy_layer(width, inputs, start=0.0)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> energies [GeV], as `calotools.models.heads.energies` gives them."""
        known = self.condition(batch, batch.base_energy.new_zeros((len(batch.base_energy), 0)))  # (n, width)
        return energies(self.out(self.hidden(known)), batch.base_energy, offset=1.0)
