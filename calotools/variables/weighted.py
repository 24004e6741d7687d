"""Candidates as points with weights, and what a reweighter does to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from calotools.errors import EmptyInputError, NumericalError, ShapeError

__all__ = ["Reweighter", "WeightedSample"]


@dataclass(frozen=True)
class WeightedSample:
    """Variables and weights of some candidates.

    Attributes
    ----------
    values : (n, variable) float
        Finite.
    weight : (n,) float
        May be negative.
    fold : (n,) int
        Number of the fold: the same for all candidates of an event.

    Raises
    ------
    ShapeError
        Lengths differ.
    NumericalError
        A value or weight is not finite.
    EmptyInputError
        The weights sum to nothing.
    """

    values: np.ndarray
    weight: np.ndarray
    fold: np.ndarray

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or not len(self.values) == len(self.weight) == len(self.fold):
            raise ShapeError(
                f"values of shape {self.values.shape}, {len(self.weight)} weights and {len(self.fold)} folds: give one "
                "row, weight and fold for each candidate"
            )
        for name, array in (("values", self.values), ("weights", self.weight)):
            bad = int(np.count_nonzero(~np.isfinite(array)))
            if bad:
                raise NumericalError(f"{bad} {name} of a sample are not finite; select candidates that have them all")
        if self.weight.sum() <= 0:
            raise EmptyInputError(f"{len(self.weight)} candidates have a summed weight of {self.weight.sum():g}")

    def take(self, rows: np.ndarray) -> WeightedSample:
        """Some of them (an integer or boolean array)."""
        return WeightedSample(self.values[rows], self.weight[rows], self.fold[rows])


class Reweighter(Protocol):
    """What has been fitted to two samples."""

    def factor(self, values: np.ndarray) -> np.ndarray:
        """What the weight of a source candidate is multiplied by: (n,) float64, not negative."""
        ...
