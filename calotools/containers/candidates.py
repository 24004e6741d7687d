"""Per-candidate nouns: where a row came from, and what a model said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from calotools.errors import ShapeError

__all__ = ["Index", "Scores"]


@dataclass(frozen=True)
class Index:
    """Where each row came from; what a friend tree is checked against.

    Attributes
    ----------
    run : (n,) uint32
    event : (n,) uint64
    candidate : (n,) int32
        Number of the candidate in its event and tree, from 0.
    """

    run: np.ndarray
    event: np.ndarray
    candidate: np.ndarray

    def __post_init__(self) -> None:
        if not len(self.run) == len(self.event) == len(self.candidate):
            raise ShapeError(
                f"index columns differ in length: run {len(self.run)}, event {len(self.event)}, "
                f"candidate {len(self.candidate)}"
            )

    def __len__(self) -> int:
        return len(self.run)

    def take(self, rows: np.ndarray) -> Index:
        """The index of some rows (an integer or boolean array)."""
        return Index(self.run[rows], self.event[rows], self.candidate[rows])


@dataclass(frozen=True)
class Scores:
    """What a model says of each candidate, in the order of the input.

    Attributes
    ----------
    index : Index
    values : dict of str to (n,) array
        ``score_<class>`` probabilities, or ``e_network`` [GeV]; NaN for a candidate that was skipped.
    split : (n,) int8
        0 train, 1 validation, 2 test, by the hash of (run, event) that the model was trained with.
    record : dict
        Task, model, digest of the bundle, versions; written beside the values.
    """

    index: Index
    values: dict[str, np.ndarray]
    split: np.ndarray
    record: dict[str, Any] = field(default_factory=dict)
