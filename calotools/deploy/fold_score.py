"""What every scorer can do, and the one that asks several: each candidate's score is of the model that never saw it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import awkward as ak
import numpy as np

from calotools.containers import Index
from calotools.ntuple import index_of
from calotools.variables import fold_numbers

__all__ = ["AnyScorer", "FoldScorer"]


class AnyScorer(Protocol):
    """What applies a bundle, of whatever kind."""

    @property
    def names(self) -> list[str]:
        """Of the values."""
        ...

    def count_batches(self, n: int) -> int:
        """Passes that n candidates take: at least one."""
        ...

    def make_ready(self, candidates: ak.Array, *, source: str = "") -> Iterator[Any]:
        """What comes before the model, batch after batch; each has an ``index``."""
        ...

    def score(self, ready: Any) -> dict[str, np.ndarray]:
        """What the model says of a batch."""
        ...


@dataclass(frozen=True)
class ReadyFolds:
    """A batch, fold by fold.

    Attributes
    ----------
    index : Index
    parts : tuple of (fold, (n,) rows of the batch, what that fold's scorer made)
    """

    index: Index
    parts: tuple[tuple[int, np.ndarray, Any], ...]


class FoldScorer:
    """The models of a bundle of folds.

    Parameters
    ----------
    scorers : sequence of AnyScorer
        Of each fold.
    seed : int
        Of the split.
    batch_size : int
        Candidates at a time; not above that of the scorers.
    """

    def __init__(self, scorers: Sequence[AnyScorer], *, seed: int, batch_size: int) -> None:
        self._scorers, self._seed, self._batch_size = scorers, seed, batch_size

    @property
    def names(self) -> list[str]:
        """Of the values."""
        return self._scorers[0].names

    def count_batches(self, n: int) -> int:
        """Passes that n candidates take: at least one."""
        return max(1, -(-n // self._batch_size))

    def make_ready(self, candidates: ak.Array, *, source: str = "") -> Iterator[ReadyFolds]:
        """What comes before the models, batch after batch."""
        for number in range(self.count_batches(len(candidates))):
            some = candidates[number * self._batch_size : (number + 1) * self._batch_size]
            index = index_of(some)
            fold = fold_numbers(index.run, index.event, folds=len(self._scorers), seed=self._seed)
            parts = []
            for own, scorer in enumerate(self._scorers):
                rows = np.flatnonzero(fold == own)
                if len(rows):
                    parts += [(own, rows, ready) for ready in scorer.make_ready(some[rows], source=source)]
            yield ReadyFolds(index, tuple(parts))

    def score(self, ready: ReadyFolds) -> dict[str, np.ndarray]:
        """What each candidate's own model says."""
        values = {name: np.full(len(ready.index), np.nan, np.float32) for name in self.names}
        for own, rows, part in ready.parts:
            for name, one in self._scorers[own].score(part).items():
                values[name][rows] = one
        return values
