"""Pools: some pieces from all over a sample, in memory together, so that their rows can be mixed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np

from calotools.images import DraftStore, ImageStore, image_spec, is_draft, join_pieces, pad_tracks, without_cells
from calotools.ntuple import index_of
from calotools.training.loading.batches import StoreBatches
from calotools.training.loading.input_scalers import InputScalers
from calotools.training.loading.order import count_kept, keep_some, mix_pieces, shuffle_pool
from calotools.training.loading.stored import sample_pieces
from calotools.training.sample.labels import PARTS, label
from calotools.training.sample.parallel_reading import PieceArrays
from calotools.training.sample.pieces import Piece, PieceReader, store_columns
from calotools.training.sample.weighing import Weighing, class_numbers, kept_fractions

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig
    from calotools.training.sample.survey import Survey

__all__ = ["Pool", "Pools", "fit_scalers", "in_memory", "together"]


@dataclass(frozen=True)
class Pool:
    """Candidates in memory, and the order in which an epoch uses those for training.

    Attributes
    ----------
    store : ImageStore or DraftStore
    make_batch : StoreBatches
    order : (n_train,) int64
        Rows of `store`.
    rows : (n,) int64
        Number of each candidate of `store` in the whole sample.
    """

    store: ImageStore | DraftStore
    make_batch: StoreBatches
    order: np.ndarray
    rows: np.ndarray


class Pools:
    """The pools of an epoch.

    Parameters
    ----------
    config : TrainConfig
    known : Survey
    scalers : InputScalers
    weighing : Weighing
    epoch : int
    """

    def __init__(
        self, config: TrainConfig, known: Survey, *, scalers: InputScalers, weighing: Weighing, epoch: int
    ) -> None:
        self._config, self._scalers, self._weighing, self._epoch = config, scalers, weighing, epoch
        pieces = known.pieces
        self._fractions = kept_fractions(config, known.tally.n[PARTS["train"]])
        n_train = np.array([piece.n_train for piece in pieces])
        self._before = dict(zip((one.number for one in pieces), np.cumsum(n_train, axis=0) - n_train, strict=True))
        self._shuffle = (config.own_seed, epoch)
        dealt = mix_pieces([one.n for one in pieces], buffer=config.shuffle_buffer, shuffle=self._shuffle)
        self._members = [[pieces[k] for k in pool] for pool in dealt]

    def __len__(self) -> int:
        return len(self._members)

    def ends(self) -> list[int]:
        """Training candidates in each pool and all before it."""
        return list(accumulate(sum(map(self._n_kept, members)) for members in self._members))

    def read(
        self, first: int, *, arrays: PieceArrays, seen: Callable[[int, dict[str, np.ndarray]], None], paint: bool
    ) -> Iterator[Pool]:
        """Pools from number `first` on.

        Parameters
        ----------
        first : int
        arrays : PieceArrays
        seen : callable
            Gets the number of each piece, and what `PieceArrays` gives of it.
        paint : bool
            All images now, for a store that is to be made; without, each when a batch wants it.

        Yields
        ------
        Pool
        """
        pieces = (piece for members in self._members[first:] for piece in members)
        with closing(arrays(pieces, paint=paint)) as read:
            for number, members in enumerate(self._members[first:], start=first):
                parts = []
                for piece, part in islice(read, len(members)):
                    parts.append(part)
                    seen(piece.number, part)
                yield self._pool(number, members, together(self._config, parts))

    def _n_kept(self, piece: Piece) -> int:
        ends = zip(self._before[piece.number], piece.n_train, self._fractions, strict=True)
        return sum(
            count_kept(int(start + n), fraction=fraction, epoch=self._epoch)
            - count_kept(int(start), fraction=fraction, epoch=self._epoch)
            for start, n, fraction in ends
        )

    def _pool(self, number: int, members: Sequence[Piece], store: ImageStore | DraftStore) -> Pool:
        config = self._config
        sample = self._weighing.apply(config, label(config, store.column, store.index), store.column)
        numbers, train = class_numbers(config, sample), sample.split == PARTS["train"]
        ends = np.cumsum([piece.n for piece in members])
        chosen = np.zeros(len(store), dtype=bool)
        for piece, end in zip(members, ends, strict=True):
            inside = slice(end - piece.n, end)
            chosen[inside] = self._choose(numbers[inside], train[inside], self._before[piece.number])
        rows = np.concatenate([np.arange(piece.first, piece.first + piece.n) for piece in members])
        make = StoreBatches(store, sample=sample, scalers=self._scalers, config=config, rows=rows)
        order = np.flatnonzero(chosen)
        return Pool(store, make, order[shuffle_pool(len(order), number=number, shuffle=self._shuffle)], rows)

    def _choose(self, numbers: np.ndarray, train: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Training rows of a piece that this epoch uses."""
        chosen = train.copy()
        for number, fraction in enumerate(self._fractions):
            own = np.flatnonzero(train & (numbers == number))
            chosen[own] = keep_some(before[number] + np.arange(len(own)), fraction=fraction, epoch=self._epoch)
        return chosen


def together(config: TrainConfig, pieces: Sequence[dict[str, np.ndarray]]) -> ImageStore | DraftStore:
    """Pieces of `PieceArrays` as something that batches can be made of."""
    drafts = [is_draft(one) for one in pieces]
    if all(drafts):
        return DraftStore(pieces, in_memory(config, join_pieces([without_cells(one) for one in pieces])))
    painted = [
        together(config, [one]).take(np.arange(len(one["status"]))) if draft else one
        for one, draft in zip(pieces, drafts, strict=True)
    ]
    return in_memory(config, join_pieces(painted))


def in_memory(config: TrainConfig, arrays: dict[str, np.ndarray]) -> ImageStore:
    """A store of a recipe that is on no disk."""
    return ImageStore.in_memory(
        arrays,
        image_spec(config.images),
        columns=store_columns(config),
        tracks=config.tracks,
        max_tracks=config.max_tracks,
    )


def fit_scalers(config: TrainConfig, known: Survey) -> InputScalers:
    """Fit on the training candidates of some pieces, those that `StoreData` would look at.

    Parameters
    ----------
    config : TrainConfig
    known : Survey

    Returns
    -------
    InputScalers
    """
    if not config.scalars and not (config.tracks and config.max_tracks):
        return InputScalers()
    chosen = sample_pieces([piece.n for piece in known.pieces])
    with PieceReader(config, cells=False) as reader:
        parts = [_training_part(config, reader.candidates(known.pieces[k]).candidates) for k in chosen]
    inputs = _Inputs(config, ak.concatenate(parts))
    return InputScalers.fit(config, inputs, rows=np.arange(len(inputs.candidates)))


def _training_part(config: TrainConfig, candidates: ak.Array) -> ak.Array:
    sample = label(config, lambda name: ak.to_numpy(ak.fill_none(candidates[name], np.nan)), index_of(candidates))
    return candidates[sample.rows("train")]


@dataclass(frozen=True)
class _Inputs:
    """Candidates, asked as a store is."""

    config: TrainConfig
    candidates: ak.Array

    def column(self, name: str) -> np.ndarray:
        return ak.to_numpy(ak.fill_none(self.candidates[name], np.nan))

    def tracks(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return pad_tracks(self.candidates[rows], self.config.tracks, max_tracks=self.config.max_tracks)
