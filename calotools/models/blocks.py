"""Pieces that networks share."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from calotools.models.inputs import log_energy

if TYPE_CHECKING:
    from calotools.containers import Batch
    from calotools.models.inputs import ModelInputs

__all__ = ["Condition", "FiLM", "ResidualBlock", "TrackPool", "dense", "signed_root", "waves"]

_TRACK_WIDTH = 32


def dense(widths: tuple[int, ...]) -> nn.Sequential:
    """Fully connected layers with a ReLU after each.

    Parameters
    ----------
    widths : tuple of int
        Input width, then one per layer.

    Examples
    --------
    >>> dense((3, 8, 4))(torch.zeros(5, 3)).shape
    torch.Size([5, 4])
    """
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers)


def signed_root(values: torch.Tensor) -> torch.Tensor:
    """Square root that keeps the sign: pixels span five orders of magnitude, and noise may be negative.

    Examples
    --------
    >>> [round(value, 2) for value in signed_root(torch.tensor([4.0, 0.0, -0.25])).tolist()]
    [2.0, 0.0, -0.5]
    """
    return torch.sign(values) * torch.sqrt(values.abs() + 1e-4)  # a finite slope at zero


def waves(values: torch.Tensor, octaves: int) -> torch.Tensor:
    """Values beside their sines and cosines, each octave half as long as the one before.

    A few dense layers learn a slope long before they learn a step: what happens within 0.1 in eta (the crack) comes as
    easily from the short waves as trees find it with two cuts.

    Parameters
    ----------
    values : (n, scalar) tensor
        Scaled: of order one.
    octaves : int
        The first wave is 4 units long; 0: none.

    Returns
    -------
    (n, scalar * (1 + 2 octave)) tensor

    References
    ----------
    Tancik et al., arXiv:2006.10739; for tabular data: Gorishniy et al., arXiv:2203.05556.

    Examples
    --------
    >>> [round(value, 2) for value in waves(torch.tensor([[1 / 3]]), 2)[0].tolist()]
    [0.33, 0.5, 0.87, 0.87, 0.5]
    """
    if octaves == 0:
        return values
    lengths = 2 * math.pi * 0.25 * 2.0 ** torch.arange(octaves, device=values.device)  # (octave,)
    phase = (values[:, :, None] * lengths).flatten(1)  # (n, scalar * octave)
    return torch.cat([values, torch.sin(phase), torch.cos(phase)], dim=1)


class Condition(nn.Module):
    """What is known of a candidate beside its pixels, as one vector: scalars, tracks, ln E, and the layers' sums.

    With ln E and the sums it is useful without any scalar.

    Parameters
    ----------
    inputs : ModelInputs
    n_sums, width : int
    octaves : int
        Of `waves` of the scalars.

    Examples
    --------
    >>> from calotools.models.inputs import ModelInputs
    >>> sum(
    ...     weight.numel() for weight in Condition(ModelInputs(shapes={}, n_scalars=3), n_sums=4, width=16).parameters()
    ... )
    416
    """

    def __init__(self, inputs: ModelInputs, *, n_sums: int, width: int, octaves: int = 0) -> None:
        super().__init__()
        self.octaves = octaves
        self.tracks = TrackPool(inputs.n_track_features, _TRACK_WIDTH) if inputs.n_track_values else None
        n_known = inputs.n_scalars * (1 + 2 * octaves) + 1 + n_sums + (_TRACK_WIDTH if self.tracks else 0)
        self.mix = dense((n_known, width, width))

    def forward(self, batch: Batch, sums: torch.Tensor) -> torch.Tensor:
        """Batch of n candidates and (n, sum) -> (n, width)."""
        parts = [waves(batch.scalars, self.octaves), log_energy(batch), sums]  # (n, scalar and waves), (n, 1), (n, sum)
        if self.tracks is not None:
            parts.append(self.tracks(batch.tracks, batch.track_mask))  # (n, 32)
        return self.mix(torch.cat(parts, dim=1))  # (n, width)


class FiLM(nn.Module):
    """Feature-wise linear modulation: maps are scaled and shifted by what the scalars say.

    It starts as the identity, so that the images are learnt first.

    Parameters
    ----------
    n_condition, n_maps : int

    References
    ----------
    Perez et al., "FiLM: visual reasoning with a general conditioning layer", arXiv:1709.07871.

    Examples
    --------
    >>> maps = torch.rand(2, 4, 7, 11)
    >>> bool((FiLM(3, 4)(maps, torch.rand(2, 3)) == maps).all())
    True
    """

    def __init__(self, n_condition: int, n_maps: int) -> None:
        super().__init__()
        self.generate = nn.Linear(n_condition, 2 * n_maps)
        nn.init.zeros_(self.generate.weight)
        nn.init.zeros_(self.generate.bias)

    def forward(self, maps: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(n, map, eta, phi) maps and (n, condition) -> (n, map, eta, phi)."""
        gamma, beta = self.generate(condition)[:, :, None, None].chunk(2, dim=1)  # (n, map, 1, 1) each
        return maps * (1 + gamma) + beta


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions, conditioned in between, added to their input.

    The second one starts at zero: the block starts as the identity and needs no normalisation of its maps.

    Parameters
    ----------
    n_maps, n_condition : int

    References
    ----------
    He et al., arXiv:1512.03385; the zero start: Goyal et al., arXiv:1706.02677, section 5.1.

    Examples
    --------
    >>> ResidualBlock(4, 3)(torch.rand(2, 4, 7, 11), torch.rand(2, 3)).shape
    torch.Size([2, 4, 7, 11])
    """

    def __init__(self, n_maps: int, n_condition: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(n_maps, n_maps, 3, padding=1)
        self.film = FiLM(n_condition, n_maps)
        self.second = nn.Conv2d(n_maps, n_maps, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, maps: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(n, map, eta, phi) maps and (n, condition) -> (n, map, eta, phi)."""
        inner = functional.relu(self.film(self.first(maps), condition))
        return functional.relu(maps + self.second(inner))


class TrackPool(nn.Module):
    """Deep Sets over the tracks: one network for each track, summed over the real ones.

    What is real comes from the mask alone: a track whose features are all zero counts, a padded one never does, and
    the order of tracks does not matter.

    Parameters
    ----------
    n_features : int
    width : int
        Of the sum.

    References
    ----------
    Zaheer et al., arXiv:1703.06114.

    Examples
    --------
    >>> _ = torch.manual_seed(1)
    >>> pool = TrackPool(4, 8)
    >>> one, two = torch.tensor([[True, False]]), torch.tensor([[True, True]])
    >>> bool((pool(torch.zeros(1, 2, 4), one) == pool(torch.zeros(1, 2, 4), two)).all())
    False
    """

    def __init__(self, n_features: int, width: int) -> None:
        super().__init__()
        self.each = dense((n_features, width, width))

    def forward(self, tracks: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(n, track, feature) and (n, track) bool -> (n, width)."""
        values = self.each(torch.where(mask[..., None], tracks, 0.0))  # (n, track, width)
        return torch.where(mask[..., None], values, 0.0).sum(dim=1)  # (n, width)
