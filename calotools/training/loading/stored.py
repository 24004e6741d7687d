"""Training from an image store: every row once per epoch, in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.containers import Batch
from calotools.training.loading.batches import StoreBatches
from calotools.training.loading.candidate_names import name_rows
from calotools.training.loading.input_scalers import InputScalers
from calotools.training.loading.order import batch_edges, keep_some, mix_pieces, shuffle_pool
from calotools.training.sample.labels import PARTS, check_inputs, label
from calotools.training.sample.pieces import PIECE
from calotools.training.sample.weighing import Tally, Weighing, class_numbers, kept_fractions

if TYPE_CHECKING:
    from calotools.images import ImageStore
    from calotools.recipe import TrainConfig

__all__ = ["InOrder", "StoreData", "count_batches", "sample_pieces"]

# Scalers are fitted on about this many candidates: enough for medians and quartiles.
_SCALED = 100_000


class InOrder:
    """Batches of some rows in their order.

    Parameters
    ----------
    make_batch : callable
        Rows -> `Batch`.
    rows : (n,) int array
    batch_size : int
    """

    def __init__(self, make_batch: Callable[[np.ndarray], Batch], rows: np.ndarray, *, batch_size: int) -> None:
        self._make_batch = make_batch
        self._rows = rows
        self._edges = batch_edges(len(rows), -(-len(rows) // batch_size))

    def __len__(self) -> int:
        return len(self._edges) - 1

    def batches(self, epoch: int, *, part: tuple[int, int] = (0, 1), skip: int = 0) -> Iterator[Batch]:  # noqa: ARG002
        """Part I of N of each of them, the same in every epoch."""
        for first, last in pairwise(self._edges[skip:]):
            yield self._make_batch(self._rows[first:last][part[0] :: part[1]])


class StoreData:
    """What a fit learns from, in a store.

    The first epoch has the order in which ROOT files are streamed, so that it is the same whether the store was there
    or is made by it; the others are shuffled over the whole sample.

    Parameters
    ----------
    config : TrainConfig
    store : ImageStore

    Raises
    ------
    ConfigError
        Truth as an input, classes that overlap, or impossible shares.
    EmptyInputError
        A class, or everything, is missing from the training or validation part.
    """

    def __init__(self, config: TrainConfig, store: ImageStore) -> None:
        check_inputs(config)
        self.config, self.store, self.digest = config, store, store.digest
        self.cutflow: list[dict[str, Any]] = store.record.get("cutflow", [])
        sample = label(config, store.column, store.index)
        self.tally = Tally(config)
        self.tally.add(sample, store.column, store.index.run)
        self.tally.check()
        sample = Weighing.fit(self.tally).apply(config, sample, store.column)
        self._edges = _piece_edges(store)
        self._rows, numbers = sample.rows("train"), class_numbers(config, sample)
        self._ordinal = _ordinals(numbers[self._rows])
        self._fractions = kept_fractions(config, self.tally.n[PARTS["train"]])
        self._fraction = self._fractions[numbers[self._rows]]
        self.scalers = InputScalers.fit(config, store, rows=self._scaled_rows())
        self._make = StoreBatches(store, sample=sample, scalers=self.scalers, config=config)
        self._held_out = sample.rows("validation")

    def __len__(self) -> int:
        return count_batches(self.config, self.tally.n[PARTS["train"]], self._fractions)

    def batches(self, epoch: int, *, part: tuple[int, int] = (0, 1), skip: int = 0) -> Iterator[Batch]:
        """Part I of N of the training batches of an epoch, without the first `skip`."""
        rows = self.rows(epoch)
        for first, last in pairwise(batch_edges(len(rows), len(self))[skip:]):
            yield self._make(rows[first:last][part[0] :: part[1]])

    def rows(self, epoch: int) -> np.ndarray:
        """The training rows of an epoch, in its order."""
        shuffle = (self.config.own_seed, epoch)
        chosen = np.ones(len(self._rows), dtype=bool)
        for fraction in set(self._fractions[self._fractions < 1].tolist()):
            own = self._fraction == fraction
            chosen[own] = keep_some(self._ordinal[own], fraction=fraction, epoch=epoch)
        rows = self._rows[chosen]
        if epoch > 0:
            return np.random.default_rng(shuffle).permutation(rows)
        bounds = np.searchsorted(rows, self._edges)
        pools = mix_pieces(np.diff(self._edges).tolist(), buffer=self.config.shuffle_buffer, shuffle=shuffle)
        mixed = [np.concatenate([rows[bounds[k] : bounds[k + 1]] for k in pool]) for pool in pools]
        order = [shuffle_pool(len(pool), number=number, shuffle=shuffle) for number, pool in enumerate(mixed)]
        return np.concatenate([pool[own] for pool, own in zip(mixed, order, strict=True)])

    def validation(self) -> InOrder:
        """Batches of the validation part."""
        return InOrder(self._make, self._held_out, batch_size=self.config.trainer.batch_size)

    def abs_eta(self) -> np.ndarray:
        """Of the validation part, in the order of its batches."""
        return np.abs(np.asarray(self.store.column("eta"))[self._held_out])

    def name_rows(self, rows: np.ndarray) -> str:
        """Run, event and candidate of the first few of some rows."""
        return name_rows(self.store.index, rows, sample=self.config.sample)

    def close(self) -> None:
        """Nothing: a store is only looked at."""

    def _scaled_rows(self) -> np.ndarray:
        bounds = np.searchsorted(self._rows, self._edges)
        chosen = sample_pieces(np.diff(self._edges).tolist())
        return np.concatenate([self._rows[bounds[k] : bounds[k + 1]] for k in chosen])


def sample_pieces(sizes: Sequence[int]) -> range:
    """Pieces, evenly spread, that hold enough candidates to fit scalers on."""
    return range(0, len(sizes), max(1, -(-sum(sizes) // _SCALED)))


def count_batches(config: TrainConfig, n_train: np.ndarray, fractions: np.ndarray) -> int:
    """Batches of every epoch, none larger than the recipe's batch size.

    Parameters
    ----------
    config : TrainConfig
    n_train : (n_class,) int
    fractions : (n_class,) float
        As `kept_fractions` gives them.

    Returns
    -------
    int
    """
    most = np.where(fractions < 1, np.floor(n_train * fractions) + 1, n_train)
    return int(-(-most.sum() // config.trainer.batch_size))


def _piece_edges(store: ImageStore) -> np.ndarray:
    """Where the pieces of a store begin and end; a store that knows of none is one piece."""
    if PIECE not in store.columns:
        return np.array([0, len(store)])
    changes = np.flatnonzero(np.diff(np.asarray(store.column(PIECE)))) + 1
    return np.concatenate([[0], changes, [len(store)]])


def _ordinals(numbers: np.ndarray) -> np.ndarray:
    """Number of each candidate within its class."""
    ordinal = np.empty(len(numbers), dtype=np.int64)
    for number in np.unique(numbers):
        own = numbers == number
        ordinal[own] = np.arange(own.sum())
    return ordinal
