"""Scores with working points applied to them: branches that say who passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np

from calotools.containers import Index
from calotools.deploy.fold_score import AnyScorer
from calotools.errors import ConfigError
from calotools.variables import CutTable

__all__ = ["PassingScorer", "cut_fields", "pass_names"]


def pass_names(table: CutTable) -> list[str]:
    """Branches of working points: ``id_<name>``.

    An ntuple may have flags of its own, ``pass_...``; these are others.
    """
    return [f"id_{name}" for name in table.names]


def cut_fields(table: CutTable) -> tuple[str, ...]:
    """Fields that the cuts are binned in."""
    return ("eta", "et", "mu") if table.needs_mu else ("eta", "et")


@dataclass(frozen=True)
class ReadyToPass:
    """A batch, and what the cuts need of it.

    Attributes
    ----------
    index : Index
    ready : what the inner scorer made
    columns : dict of str to (n,) float
    """

    index: Index
    ready: Any
    columns: dict[str, np.ndarray]


class PassingScorer:
    """Another scorer, with a branch for each working point: 1 passes, 0 does not, -1 not known.

    Parameters
    ----------
    inner : AnyScorer
        Of class probabilities.
    table : CutTable

    Raises
    ------
    ConfigError
        The scores are energies.
    """

    def __init__(self, inner: AnyScorer, table: CutTable) -> None:
        if not all(name.startswith("score_") for name in inner.names):
            raise ConfigError("working points are cuts on class scores; this model gives an energy")
        self._inner, self._table = inner, table

    @property
    def names(self) -> list[str]:
        """Of the values."""
        return [*self._inner.names, *pass_names(self._table)]

    def count_batches(self, n: int) -> int:
        """Passes that n candidates take."""
        return self._inner.count_batches(n)

    def make_ready(self, candidates: ak.Array, *, source: str = "") -> Iterator[ReadyToPass]:
        """What comes before the model, and the columns that cuts are binned in."""
        columns = {name: ak.to_numpy(candidates[name]) for name in cut_fields(self._table)}
        start = 0
        for ready in self._inner.make_ready(candidates, source=source):
            stop = start + len(ready.index)
            yield ReadyToPass(ready.index, ready, {name: one[start:stop] for name, one in columns.items()})
            start = stop

    def score(self, ready: ReadyToPass) -> dict[str, np.ndarray]:
        """Scores, and who passes."""
        values = self._inner.score(ready.ready)
        scores = {name.removeprefix("score_"): one for name, one in values.items()}
        value = self._table.discriminant(scores, eta=ready.columns["eta"])
        columns = ready.columns
        passes = self._table.passes(value, eta=columns["eta"], et=columns["et"], mu=columns.get("mu"))
        return values | {f"id_{name}": one.astype(np.float32) for name, one in passes.items()}
