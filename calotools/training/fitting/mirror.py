"""Training candidates as a mirror shows them: more to learn from, as far as the detector is its own mirror image."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from calotools.variables import sign_changes

if TYPE_CHECKING:
    from calotools.containers import Batch
    from calotools.training.loading.input_scalers import InputScalers
    from calotools.variables import MirrorAxis, Scaler

__all__ = ["Mirror"]

_AXES: tuple[MirrorAxis, ...] = ("eta", "phi")  # of an image, after candidate and layer


class Mirror:
    """Mirror candidates at random, each with probability 1/2 along each axis.

    Images are reversed along the axis; of the scalars and tracks, `sign_changes` says which change sign. Weights,
    targets and energies stay. A missing variable, which looks like the scaler's centre, looks like minus the centre.

    Parameters
    ----------
    axes : iterable of {"eta", "phi"}
    scalers : InputScalers
        Of the batches.
    keeps : collection of str
        As in `calotools.variables.sign_changes`.

    Raises
    ------
    ConfigError
        Whether a variable changes its sign is not known.

    Examples
    --------
    >>> import numpy as np
    >>> from calotools.training.loading.batches import make_batch
    >>> from calotools.training.loading.input_scalers import InputScalers
    >>> from calotools.variables import Scaler
    >>> batch = make_batch(
    ...     {"energy_em": np.arange(3, dtype=np.float32).reshape(1, 1, 3, 1)},
    ...     scalars=np.array([[0.5]], np.float32),
    ...     tracks=(np.zeros((1, 0, 0), np.float32), np.zeros((1, 0), bool)),
    ...     base_energy=np.ones(1, np.float32),
    ... )
    >>> mirror = Mirror(["eta"], InputScalers(scalars=Scaler(("eta",), (0.0,), (1.0,))))
    >>> seen = mirror.apply(batch, "eta", torch.tensor([True]))
    >>> seen.images["energy_em"].flatten().tolist(), seen.scalars.tolist()
    ([2.0, 1.0, 0.0], [[-0.5]])
    """

    def __init__(self, axes: Iterable[MirrorAxis], scalers: InputScalers, *, keeps: Collection[str] = ()) -> None:
        self._axes, self._scalers = tuple(axes), scalers
        self._changes = {
            axis: tuple(
                sign_changes(one.names if one else (), axis, keeps=keeps) for one in (scalers.scalars, scalers.tracks)
            )
            for axis in self._axes
        }

    def __call__(self, batch: Batch) -> Batch:
        """The batch, half of it mirrored along each axis; drawn from torch's generator."""
        for axis in self._axes:
            batch = self.apply(batch, axis, torch.rand(len(batch.row)) < 0.5)
        return batch

    def apply(self, batch: Batch, axis: MirrorAxis, chosen: torch.Tensor) -> Batch:
        """The batch with some of its candidates, (n,) bool, mirrored along one axis."""
        chosen = chosen.to(batch.row.device)
        along = 2 + _AXES.index(axis)
        images = {
            name: torch.where(chosen[:, None, None, None], image.flip(along), image)
            for name, image in batch.images.items()
        }
        of_scalars, of_tracks = self._changes[axis]
        return replace(
            batch,
            images=images,
            scalars=_reversed(batch.scalars, self._scalers.scalars, of_scalars, chosen[:, None]),
            tracks=_reversed(
                batch.tracks, self._scalers.tracks, of_tracks, (chosen[:, None] & batch.track_mask)[..., None]
            ),
        )


def _reversed(scaled: torch.Tensor, scaler: Scaler | None, changes: list[bool], chosen: torch.Tensor) -> torch.Tensor:
    """Scaled values of the variables with the other sign: s = (x - c) / w becomes -s - 2 c / w."""
    if scaler is None or not any(changes):
        return scaled
    twice = torch.tensor([2 * c / w for c, w in zip(scaler.centre, scaler.width, strict=True)])
    other = (-scaled - twice.to(scaled)).clamp(-scaler.clip, scaler.clip)
    return torch.where(chosen & torch.tensor(changes, device=scaled.device), other, scaled)
