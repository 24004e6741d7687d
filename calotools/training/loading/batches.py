"""From rows of a store to the batches a network sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import torch

from calotools.containers import Batch

if TYPE_CHECKING:
    from calotools.images import DraftStore, ImageStore
    from calotools.recipe import TrainConfig
    from calotools.training.loading.input_scalers import InputScalers
    from calotools.training.sample.labels import Sample

__all__ = ["StoreBatches", "join_batches", "make_batch"]


def make_batch(
    images: dict[str, np.ndarray],
    *,
    scalars: np.ndarray,
    tracks: tuple[np.ndarray, np.ndarray],
    base_energy: np.ndarray,
    target: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    row: np.ndarray | None = None,
) -> Batch:
    """Wrap arrays as tensors, without copying.

    Parameters
    ----------
    images : dict of str to (n, layer, eta, phi) float32
        As in `Images.values`.
    scalars : (n, scalar) float32
        Scaled.
    tracks : ((n, track, feature) float32, (n, track) bool)
        Scaled, and which of them are real.
    base_energy : (n,) float32 [GeV]
    target, weight, row : (n,) arrays, optional
        Zeros, ones and 0..n-1 when absent, as in prediction.

    Returns
    -------
    Batch
    """
    n = len(base_energy)
    return Batch(
        images={key: torch.from_numpy(image) for key, image in images.items()},
        scalars=torch.from_numpy(scalars),
        tracks=torch.from_numpy(tracks[0]),
        track_mask=torch.from_numpy(tracks[1]),
        base_energy=torch.from_numpy(base_energy),
        target=torch.zeros(n) if target is None else torch.from_numpy(target),
        weight=torch.ones(n) if weight is None else torch.from_numpy(weight),
        row=torch.arange(n) if row is None else torch.from_numpy(row),
    )


def join_batches(batches: Sequence[Batch]) -> Batch:
    """Several batches as one.

    Parameters
    ----------
    batches : sequence of Batch
        At least one.

    Returns
    -------
    Batch
    """
    if len(batches) == 1:
        return batches[0]
    plain = {one.name for one in fields(Batch)} - {"images"}
    return Batch(
        images={key: torch.cat([one.images[key] for one in batches]) for key in batches[0].images},
        **{name: torch.cat([getattr(one, name) for one in batches]) for name in plain},
    )


class StoreBatches:
    """Make batches of a store's rows; small columns are scaled once and kept in memory.

    Parameters
    ----------
    store : ImageStore or DraftStore
        On disk or in memory.
    sample : Sample
        Of its rows. One without usable cells gets weight 0.
    scalers : InputScalers
    config : TrainConfig
    rows : (n,) int64, optional
        What `Batch.row` says of each row; default: its number in the store.
    """

    def __init__(
        self,
        store: ImageStore | DraftStore,
        *,
        sample: Sample,
        scalers: InputScalers,
        config: TrainConfig,
        rows: np.ndarray | None = None,
    ) -> None:
        self._store = store
        self._sample = sample
        self._scalers = scalers
        self._weight = np.where(store.usable, sample.weight, np.float32(0))
        self._rows = np.arange(len(store), dtype=np.int64) if rows is None else rows
        self._has_tracks = bool(config.tracks) and config.max_tracks > 0
        columns = {name: np.asarray(store.column(name)) for name in config.scalars}
        self._scalars = scalers.scale_scalars(columns, n=len(store))

    def __call__(self, rows: np.ndarray) -> Batch:
        """Batch of some rows of the store, in their order."""
        n = len(rows)
        empty = np.zeros((n, 0, 0), np.float32), np.zeros((n, 0), bool)
        return make_batch(
            self._store.dense(rows),
            scalars=self._scalars[rows],
            tracks=self._scalers.scale_tracks(*self._store.tracks(rows)) if self._has_tracks else empty,
            base_energy=self._sample.base_energy[rows],
            target=self._sample.target[rows],
            weight=self._weight[rows],
            row=self._rows[rows],
        )
