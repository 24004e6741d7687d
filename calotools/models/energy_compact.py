"""The energy from a tenth of the published network's parameters: residual blocks on middle-layer cells, with FiLM.

Against `energy_cnn`: linear and root pixels side by side, all blocks at the size of middle-layer cells, and a pooling
in which each place counts as much as the energy that lies there, so that a correction cell by cell is a linear function
of what the network's last layers see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from calotools.models.blocks import Condition, dense
from calotools.models.checks import check_numbers, need_energy
from calotools.models.heads import energies, energy_layer
from calotools.models.inputs import PIXEL_SCALE, ModelInputs, channels, finest_grid
from calotools.models.patches import PatchTrunk

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["EnergyCompact"]


class EnergyCompact(nn.Module):
    """Patches of one middle-layer cell, residual blocks with FiLM, energy-weighted pooling, and a correction.

    ``energy = base_energy * (1 + correction)``; the correction starts at zero. FiLM is generated from scalars, tracks
    (Deep Sets), ln E and each layer's sum.

    Parameters
    ----------
    inputs : ModelInputs
    maps : int
    blocks : int
        Residual blocks.
    condition : int
        Width of the vector that FiLM is generated from.
    octaves : int
        Of waves of each scalar beside it, for what happens within a short distance (`calotools.models.blocks.waves`).

    Raises
    ------
    ConfigError
        The recipe asks for classes, or a setting is not a positive whole number.

    Examples
    --------
    >>> inputs = ModelInputs(shapes={"em": (4, 56, 11)}, n_scalars=12, n_tracks=10, n_track_features=4)
    >>> sum(parameter.numel() for parameter in EnergyCompact(inputs).parameters())
    292289
    """

    def __init__(
        self, inputs: ModelInputs, *, maps: int = 64, blocks: int = 3, condition: int = 64, octaves: int = 0
    ) -> None:
        super().__init__()
        need_energy("energy_compact", inputs, instead="electron_compact")
        check_numbers("energy_compact", maps=maps, blocks=blocks, condition=condition)
        check_numbers("energy_compact", least=0, octaves=octaves)
        self.inputs = inputs
        self.n_layers = sum(shape[0] for shape in inputs.shapes.values())
        self.condition = Condition(inputs, n_sums=self.n_layers, width=condition, octaves=octaves)
        self.trunk = PatchTrunk(
            inputs.n_channels, finest_grid(inputs)[0], maps=maps, blocks=blocks, condition=condition
        )
        self.hidden = dense((3 * maps + condition, 64))
        self.out = energy_layer(64, inputs, start=0.0)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> energies [GeV], as `calotools.models.heads.energies` gives them."""
        image = channels(batch, self.inputs)  # (n, channel, 56, 11), energies first
        energy = image[:, : self.n_layers] / PIXEL_SCALE  # (n, layer, 56, 11), fractions
        condition = self.condition(batch, energy.sum(dim=(2, 3)))  # (n, condition)
        pooled = torch.cat([self.trunk(image, energy.sum(dim=1), condition), condition], dim=1)
        return energies(self.out(self.hidden(pooled)), batch.base_energy, offset=1.0)
