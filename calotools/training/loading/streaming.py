"""Training from ROOT files: pieces from all over the sample are read, mixed and drawn while the network learns."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calotools.containers import Batch, Index
from calotools.errors import InputFileError
from calotools.images import DraftStore, ImageStore, default_threads
from calotools.training.loading.batches import StoreBatches, join_batches
from calotools.training.loading.candidate_names import name_rows
from calotools.training.loading.order import batch_edges
from calotools.training.loading.pools import Pool, Pools, fit_scalers, in_memory, together
from calotools.training.loading.prefetching import map_ahead, prefetch
from calotools.training.loading.stored import StoreData, count_batches
from calotools.training.sample.labels import PARTS, label
from calotools.training.sample.parallel_reading import PieceArrays
from calotools.training.sample.preparation import store_digest, store_path
from calotools.training.sample.store_builder import StoreBuilder
from calotools.training.sample.weighing import Weighing, kept_fractions

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig
    from calotools.training.sample.survey import Survey

__all__ = ["StreamData"]

_TOGETHER = 20  # batches of the validation part that are in memory
_REMEMBERED = 4  # pools whose candidates can be named


class StreamData:
    """What a fit learns from, in ROOT files.

    On the way through the first epoch it keeps what later ones need: with ``source = "store"`` the whole image store,
    from which they are then served; with ``source = "stream"`` a store of the validation part.

    Parameters
    ----------
    config : TrainConfig
    known : Survey
        Of the recipe's sample.

    Raises
    ------
    ConfigError
        Impossible shares.
    EmptyInputError
        A class, or everything, is missing from the training or validation part.
    """

    def __init__(self, config: TrainConfig, known: Survey) -> None:
        self.config, self.tally, self._known = config, known.tally, known
        self.cutflow = list(known.cutflow)
        self.tally.check()
        self._fractions = kept_fractions(config, self.tally.n[PARTS["train"]])
        self._weighing = Weighing.fit(self.tally)
        self.scalers = fit_scalers(config, known)
        self.digest = store_digest(config)
        self._streams = config.source == "stream"
        self._path = config.output / "validation" if self._streams else store_path(config)
        self._own_digest = _validation_digest(config, self.digest) if self._streams else self.digest
        self._lock = threading.Lock()
        self._builder: StoreBuilder | None = None
        self._recent: deque[tuple[np.ndarray, Index]] = deque(maxlen=_REMEMBERED)
        self._stored: StoreData | None = None
        self._arrays = PieceArrays(config, threads=1 if config.trainer.prefetch == 0 else None)
        self._held_out = _usable(self._path, self._own_digest) if self._streams else None

    def __len__(self) -> int:
        return count_batches(self.config, self.tally.n[PARTS["train"]], self._fractions)

    def batches(self, epoch: int, *, part: tuple[int, int] = (0, 1), skip: int = 0) -> Iterator[Batch]:
        """Part I of N of the training batches of an epoch, without the first `skip`."""
        if epoch > 0 and not self._streams:
            self.complete()
        if self._stored is not None:
            yield from self._stored.batches(epoch, part=part, skip=skip)
            return
        yield from self._stream(epoch, part=part, skip=skip)
        self.complete()

    def validation(self) -> _HeldOut:
        """Batches of the validation part; they are known when the first epoch has passed."""
        return _HeldOut(self)

    def held_out(self, *, part: tuple[int, int], skip: int) -> Iterator[Batch]:
        """Batches of the validation part, now."""
        self.complete()
        if self._stored is not None:
            yield from self._stored.validation().batches(0, part=part, skip=skip)
            return
        n, config = len(self._validation_store()), self.config
        edges = batch_edges(n, -(-n // config.trainer.batch_size))
        for first in range(skip, len(edges) - 1, _TOGETHER):
            own = edges[first : first + _TOGETHER + 1]
            # Opened anew each time, so that memory holds these rows, not all that was mapped.
            store = in_memory(config, ImageStore.open(self._path).take(np.arange(own[0], own[-1])))
            sample = self._weighing.apply(config, label(config, store.column, store.index), store.column)
            rows = len(self._known) + np.arange(own[0], own[-1])
            make = StoreBatches(store, sample=sample, scalers=self.scalers, config=config, rows=rows)
            for start, stop in pairwise(own - own[0]):
                yield make(np.arange(start, stop)[part[0] :: part[1]])

    def abs_eta(self) -> np.ndarray:
        """Of the validation part, in the order of its batches."""
        self.complete()
        if self._stored is not None:
            return self._stored.abs_eta()
        return np.abs(np.asarray(self._validation_store().column("eta")))

    def name_rows(self, rows: np.ndarray) -> str:
        """Run, event and candidate of the first few of some rows, of a batch that was served lately."""
        if self._stored is not None:
            return self._stored.name_rows(rows)
        if rows[0] >= len(self._known):
            return name_rows(self._validation_store().index, rows - len(self._known), sample=self.config.sample)
        known = [(index, np.flatnonzero(np.isin(numbers, rows))) for numbers, index in self._recent]
        return ", ".join(name_rows(index, own, sample=self.config.sample) for index, own in known if len(own))

    def close(self) -> None:
        """Give up what is half-built, and close the files."""
        self._arrays.close()
        with self._lock:
            if self._builder is not None:
                self._builder.close()
                self._builder = None

    def _stream(self, epoch: int, *, part: tuple[int, int], skip: int) -> Iterator[Batch]:
        threads = 1 if self.config.trainer.prefetch == 0 else default_threads()
        yield from map_ahead(lambda taken: _draw(taken, part), self._deal(epoch, skip=skip), threads=threads)

    def _deal(self, epoch: int, *, skip: int) -> Iterator[list[tuple[Pool, np.ndarray]]]:
        """The rows of each batch without the first `skip`, as soon as they are read."""
        pools = Pools(self.config, self._known, scalers=self.scalers, weighing=self._weighing, epoch=epoch)
        ends = pools.ends()
        edges = batch_edges(ends[-1], len(self)).tolist()
        # A pool that was used up before is not read again, unless it has to be kept.
        building = self._start_building()
        first = 0 if building else int(np.searchsorted(ends, edges[skip], side="right"))
        at = ends[first - 1] if first else 0
        pending: deque[tuple[Pool, np.ndarray]] = deque()
        ready = at
        paint = building and not self._streams
        read = pools.read(first, arrays=self._arrays, seen=self._keep, paint=paint)
        for pool in prefetch(read, depth=min(1, self.config.trainer.prefetch)):
            self._recent.append((pool.rows, pool.store.index))
            pending.append((pool, pool.order))
            ready += len(pool.order)
            while skip < len(self) and edges[skip + 1] <= ready:
                _take(pending, edges[skip] - at)
                yield _take(pending, edges[skip + 1] - edges[skip])
                at, skip = edges[skip + 1], skip + 1

    def _start_building(self) -> bool:
        with self._lock:
            if self._stored is not None or self._held_out is not None:
                return False
            if self._builder is None:
                wanted = self._is_validation if self._streams else None
                self._builder = StoreBuilder(
                    self.config,
                    self._path,
                    digest=self._own_digest,
                    cutflow=() if self._streams else self._known.cutflow,
                    wanted=wanted,
                )
            return True

    def _keep(self, number: int, arrays: dict[str, np.ndarray]) -> None:
        with self._lock:
            if self._builder is not None:
                self._builder.add(number, together(self.config, [arrays]))

    def _is_validation(self, piece: ImageStore | DraftStore) -> np.ndarray:
        return label(self.config, piece.column, piece.index).split == PARTS["validation"]

    def complete(self) -> None:
        """Read what the stream has not brought by, and put the store in order."""
        if not self._start_building():
            return
        with self._lock:
            if self._builder is None:
                return
            missing = [piece for piece in self._known.pieces if piece.number not in self._builder]
            for piece, arrays in self._arrays(missing):
                self._builder.add(piece.number, in_memory(self.config, arrays))
            store = self._builder.finish()
            self._builder = None
            if self._streams:
                self._held_out = store
            else:
                self._stored = StoreData(self.config, store)

    def _validation_store(self) -> ImageStore:
        if self._held_out is None:
            raise InputFileError(f"'{self._path}' has no validation part; it is made in the first epoch")
        return self._held_out


class _HeldOut:
    """The validation part of a stream."""

    def __init__(self, data: StreamData) -> None:
        self._data = data

    def __len__(self) -> int:
        n = int(self._data.tally.n[PARTS["validation"]].sum())
        return -(-n // self._data.config.trainer.batch_size)

    def batches(self, epoch: int, *, part: tuple[int, int] = (0, 1), skip: int = 0) -> Iterator[Batch]:  # noqa: ARG002
        """Part I of N of each of them."""
        return self._data.held_out(part=part, skip=skip)


def _take(pending: deque[tuple[Pool, np.ndarray]], n: int) -> list[tuple[Pool, np.ndarray]]:
    """The first n of the rows that are ready; they are taken off."""
    taken = []
    while n > 0:
        pool, rows = pending.popleft()
        taken.append((pool, rows[:n]))
        if len(rows) > n:
            pending.appendleft((pool, rows[n:]))
        n -= len(taken[-1][1])
    return taken


def _draw(taken: list[tuple[Pool, np.ndarray]], part: tuple[int, int]) -> Batch:
    """Part I of N of some rows, as one batch."""
    batches, before = [], 0
    for pool, rows in taken:
        own = rows[(part[0] - before) % part[1] :: part[1]]
        before += len(rows)
        if len(own):
            batches.append(pool.make_batch(own))
    return join_batches(batches or [taken[0][0].make_batch(taken[0][1][:0])])


def _usable(path: Path, digest: str) -> ImageStore | None:
    try:
        store = ImageStore.open(path)
    except InputFileError:
        return None
    return store if store.digest == digest else None


def _validation_digest(config: TrainConfig, digest: str) -> str:
    asked = (digest, config.task, config.classes, config.base_energy, config.seed, config.fold)
    return hashlib.sha256(repr((*asked, config.validation_fraction, config.test_fraction)).encode()).hexdigest()
