"""Electron identification, compact: tracks by attention, and images that are looked at with what the tracks say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from calotools.errors import ConfigError
from calotools.models.attention import AttentionBlock
from calotools.models.blocks import dense
from calotools.models.checks import check_numbers, need_classes
from calotools.models.inputs import PIXEL_SCALE, ModelInputs, channels, finest_grid, log_energy
from calotools.models.patches import PatchTrunk

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["ElectronCompact"]


class ElectronCompact(nn.Module):
    """Patches of one middle-layer cell, residual blocks with FiLM, and a hidden layer; any number of classes.

    FiLM is generated from the candidate: its scalars, ln E and each layer's sum, and what it reads of the tracks by
    attention. The first track, the matched one, is marked; the order of the others does not matter.

    Parameters
    ----------
    inputs : ModelInputs
    maps : int
    blocks : int
        Residual blocks.
    width : int
        Of the candidate and of a track.
    track_blocks : int
        Of attention among candidate and tracks.
    heads : int
        Of attention; they share the width.
    dropout : float
        Before the hidden layer.

    Raises
    ------
    ConfigError
        The recipe asks for an energy, or a setting is out of range.

    Examples
    --------
    >>> shapes = {"em": (3, 56, 11), "had": (2, 7, 11)}
    >>> inputs = ModelInputs(shapes=shapes, n_tracks=5, n_track_features=8, n_classes=2)
    >>> sum(parameter.numel() for parameter in ElectronCompact(inputs).parameters())
    145778
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        maps: int = 48,
        blocks: int = 2,
        width: int = 48,
        track_blocks: int = 1,
        heads: int = 4,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        n_classes = need_classes("electron_compact", inputs, instead="energy_compact")
        check_numbers("electron_compact", maps=maps, blocks=blocks, width=width, heads=heads)
        check_numbers("electron_compact", least=0, track_blocks=track_blocks)
        if width % heads:
            raise ConfigError(f"electron_compact settings width = {width}, heads = {heads}: heads share the width")
        self.inputs = inputs
        self.n_layers = sum(shape[0] for shape in inputs.shapes.values())
        self.candidate = dense((inputs.n_scalars + 1 + self.n_layers, width, width))
        self.track = dense((inputs.n_track_features + 1, width, width)) if inputs.n_track_values else None
        n_blocks = track_blocks if inputs.n_track_values else 0
        self.attention = nn.ModuleList(AttentionBlock(width, heads) for _ in range(n_blocks))
        self.trunk = PatchTrunk(inputs.n_channels, finest_grid(inputs)[0], maps=maps, blocks=blocks, condition=width)
        self.hidden = nn.Sequential(nn.Dropout(dropout), dense((3 * maps + width, 64)))
        self.out = nn.Linear(64, n_classes)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> (n, class) logits."""
        image = channels(batch, self.inputs)  # (n, channel, 56, 11), energies first
        energy = image[:, : self.n_layers] / PIXEL_SCALE  # (n, layer, 56, 11), fractions
        candidate = self._candidate(batch, energy)  # (n, width)
        pooled = self.trunk(image, energy.sum(dim=1), candidate)  # (n, 3 map)
        return self.out(self.hidden(torch.cat([pooled, candidate], dim=1)))  # (n, class)

    def _candidate(self, batch: Batch, energy: torch.Tensor) -> torch.Tensor:
        """Scalars, sums and tracks, as one vector."""
        candidate = self.candidate(torch.cat([batch.scalars, log_energy(batch), energy.sum(dim=(2, 3))], dim=1))
        if self.track is None:
            return candidate
        known = torch.where(batch.track_mask[..., None], batch.tracks, 0.0)  # (n, track, feature)
        first = torch.zeros_like(known[..., :1])
        first[:, 0] = 1.0
        tokens = torch.cat([candidate[:, None], self.track(torch.cat([known, first], dim=2))], dim=1)
        mask = torch.cat([torch.ones_like(batch.track_mask[:, :1]), batch.track_mask], dim=1)
        for block in self.attention:
            tokens = block(tokens, mask)  # (n, 1 + track, width)
        return tokens[:, 0]
