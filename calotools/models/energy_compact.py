"""The energy from a tenth of the published network's parameters: residual blocks on middle-layer cells, with FiLM.

Against `energy_cnn`: linear and root pixels side by side, all blocks at the size of middle-layer cells, and a pooling
in which each place counts as much as the energy that lies there, so that a correction cell by cell is a linear function
of what the network's last layers see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from calotools.models.blocks import Condition, FiLM, ResidualBlock, dense, signed_root
from calotools.models.checks import check_numbers, need_energy
from calotools.models.heads import energies, energy_layer
from calotools.models.inputs import PIXEL_SCALE, ModelInputs, channels, finest_grid

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

    Raises
    ------
    ConfigError
        The recipe asks for classes, or a setting is not a positive whole number.

    Notes
    -----
    A patch is a seventh of the image's height, 8 rows of 56: one
    middle-layer cell, whose 8 strips are beside each other as inputs of one convolution.

    Examples
    --------
    >>> inputs = ModelInputs(shapes={"em": (4, 56, 11)}, n_scalars=12, n_tracks=10, n_track_features=4)
    >>> sum(parameter.numel() for parameter in EnergyCompact(inputs).parameters())
    292289
    """

    def __init__(self, inputs: ModelInputs, *, maps: int = 64, blocks: int = 3, condition: int = 64) -> None:
        super().__init__()
        need_energy("energy_compact", inputs, instead="electron_compact")
        check_numbers("energy_compact", maps=maps, blocks=blocks, condition=condition)
        self.inputs = inputs
        self.n_layers = sum(shape[0] for shape in inputs.shapes.values())
        self.rows = max(1, finest_grid(inputs)[0] // 7)  # of a patch: 8 of 56
        self.condition = Condition(inputs, n_sums=self.n_layers, width=condition)
        self.stem = nn.Conv2d(2 * inputs.n_channels, maps, (self.rows, 3), stride=(self.rows, 1), padding=(0, 1))
        self.film = FiLM(condition, maps)
        self.blocks = nn.ModuleList(ResidualBlock(maps, condition) for _ in range(blocks))
        self.hidden = dense((3 * maps + condition, 64))
        self.out = energy_layer(64, inputs, start=0.0)
        nn.utils.convert_conv2d_weight_memory_format(self, torch.channels_last)  # faster on a CPU

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> energies [GeV], as `calotools.models.heads.energies` gives them."""
        image = channels(batch, self.inputs)  # (n, channel, 56, 11), energies first
        energy = image[:, : self.n_layers] / PIXEL_SCALE  # (n, layer, 56, 11), fractions
        condition = self.condition(batch, energy.sum(dim=(2, 3)))  # (n, condition)
        maps = self.stem(torch.cat([image, signed_root(image)], dim=1))  # (n, map, 7, 11)
        maps = functional.relu(self.film(maps, condition))
        for block in self.blocks:
            maps = block(maps, condition)  # (n, map, 7, 11)
        here = functional.avg_pool2d(energy.sum(dim=1, keepdim=True), (self.rows, 1), divisor_override=1)
        weighted = (maps * here).sum(dim=(2, 3))  # (n, map): as much as there is energy
        pooled = torch.cat([weighted, maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3)), condition], dim=1)
        return energies(self.out(self.hidden(pooled)), batch.base_energy, offset=1.0)
