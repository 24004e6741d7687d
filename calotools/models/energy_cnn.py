"""A compact energy regression: layer images, conditioned on the scalars, correct a base energy.

The ideas are those of the Copenhagen regressions (F. Faye, L. Ehrke, T. Petersen, 2019-2020): the network learns a
factor on a known energy, and scalars modulate the convolutions (FiLM). The size is chosen for a CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from calotools.errors import ConfigError
from calotools.models.blocks import FiLM, ResidualBlock, TrackPool, dense
from calotools.models.heads import energies, energy_layer
from calotools.models.inputs import PIXEL_SCALE, ModelInputs, channels, finest_grid, log_energy

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["EnergyCNN"]

_TRACK_WIDTH = 32


class EnergyCNN(nn.Module):
    """Strided convolution to middle-layer cells, residual blocks with FiLM, pooling, and a correction.

    ``energy = base_energy * (1 + correction)``; the correction starts at zero, so an untrained network returns the
    base energy. The conditioning sees the scalars, the tracks (Deep Sets), ln E and each channel's sum, so the network
    is useful without any scalar.

    Parameters
    ----------
    inputs : ModelInputs
    maps : int
        Maps after the first convolution; twice as many in the second stage.
    blocks : int
        Residual blocks in each of the two stages.
    condition : int
        Width of the conditioning vector.

    Raises
    ------
    ConfigError
        The recipe asks for classes, or a setting is not a positive number.

    Examples
    --------
    >>> model = EnergyCNN(ModelInputs(shapes={"em": (4, 56, 11)}, n_scalars=3))
    >>> sum(parameter.numel() for parameter in model.parameters())
    147745
    """

    def __init__(self, inputs: ModelInputs, *, maps: int = 32, blocks: int = 1, condition: int = 64) -> None:
        super().__init__()
        _check(inputs, {"maps": maps, "blocks": blocks, "condition": condition})
        self.inputs = inputs
        # One step of the first convolution is one middle-layer cell: 8 strips wide on the 56 x 11 grid.
        self.stride = max(1, finest_grid(inputs)[0] // 7)
        self.tracks = TrackPool(inputs.n_track_features, _TRACK_WIDTH) if inputs.n_track_values else None
        n_condition = inputs.n_scalars + 1 + inputs.n_channels + (_TRACK_WIDTH if self.tracks else 0)
        self.condition = dense((n_condition, condition, condition))
        self.stem = nn.Conv2d(inputs.n_channels, maps, (self.stride, 3), stride=(self.stride, 1), padding=(0, 1))
        self.film = FiLM(condition, maps)
        self.fine = nn.ModuleList(ResidualBlock(maps, condition) for _ in range(blocks))
        self.down = nn.Conv2d(maps, 2 * maps, 3, stride=2, padding=1)
        self.coarse = nn.ModuleList(ResidualBlock(2 * maps, condition) for _ in range(blocks))
        self.hidden = dense((4 * maps + condition, 64))
        self.out = energy_layer(64, inputs, start=0.0)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> energies [GeV], as `calotools.models.heads.energies` gives them."""
        image = channels(batch, self.inputs)  # (n, channel, 56, 11)
        condition = self._condition(batch, image)  # (n, condition)
        # Pixels span five orders of magnitude; the root lifts the faint ones and keeps the sign of noise.
        image = torch.sign(image) * torch.sqrt(image.abs() + 1e-4)  # (n, channel, 56, 11)
        maps = functional.relu(self.film(self.stem(image), condition))  # (n, map, 7, 11)
        for block in self.fine:
            maps = block(maps, condition)  # (n, map, 7, 11)
        maps = functional.relu(self.down(maps))  # (n, 2 map, 4, 6)
        for block in self.coarse:
            maps = block(maps, condition)  # (n, 2 map, 4, 6)
        pooled = torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3)), condition], dim=1)  # (n, 4 map + condition)
        return energies(self.out(self.hidden(pooled)), batch.base_energy, offset=1.0)  # (n,)

    def _condition(self, batch: Batch, image: torch.Tensor) -> torch.Tensor:
        sums = image.sum(dim=(2, 3)) / PIXEL_SCALE  # (n, channel)
        parts = [batch.scalars, log_energy(batch), sums]  # (n, scalar), (n, 1), (n, channel)
        if self.tracks is not None:
            parts.append(self.tracks(batch.tracks, batch.track_mask))  # (n, 32)
        return self.condition(torch.cat(parts, dim=1))  # (n, condition)


def _check(inputs: ModelInputs, settings: dict[str, int]) -> None:
    if inputs.n_classes is not None:
        raise ConfigError("energy_cnn returns an energy; for classes choose model 'electron_cnn_2018'")
    for name, value in settings.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(f"energy_cnn setting '{name}' = {value!r} is not allowed; give a positive whole number")
