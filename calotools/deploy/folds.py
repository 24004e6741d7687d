"""Models of cross-validation in one bundle: every candidate is scored by the one that has never seen its event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.containers import Index
from calotools.errors import ModelError
from calotools.ntuple import index_of
from calotools.variables import fold_numbers

if TYPE_CHECKING:
    from calotools.deploy.bundle import ModelBundle
    from calotools.deploy.score import AnyScorer
    from calotools.recipe import TrainConfig

__all__ = ["FoldScorer", "combine_folds", "fold_name"]


def fold_name(number: int) -> str:
    """What the weights of a fold's model begin with."""
    return f"fold_{number:02d}/"


def combine_folds(config: TrainConfig, bundles: Sequence[ModelBundle]) -> ModelBundle:
    """One bundle of the models of all folds.

    Parameters
    ----------
    config : TrainConfig
        With ``folds``.
    bundles : sequence of ModelBundle
        Model k was tested on fold k.

    Returns
    -------
    ModelBundle

    Raises
    ------
    ModelError
        They are not as many as there are folds.
    """
    if len(bundles) != config.folds:
        raise ModelError(f"{len(bundles)} models are given for folds = {config.folds}; there must be one for each")
    records = [one.record for one in bundles]
    best = {name: float(np.mean([one["best"][name] for one in records])) for name in records[0].get("best", {})}
    runs = sorted({run for one in records for run in one["runs"]})
    return replace(
        bundles[0],
        state_dict={
            f"{fold_name(number)}{name}": weight
            for number, one in enumerate(bundles)
            for name, weight in one.state_dict.items()
        },
        config=config,
        record=records[0] | {"best": best, "runs": runs, "folds": records},
        bias=None,
        sigma_scale=1.0,
        temperature=1.0,
        folds=tuple(bundles),
    )


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
