"""Are probabilities what they say? Temperature, reliability and the confusion matrix, with uncertainties."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calotools.analysis.estimates import Estimate
from calotools.analysis.intervals import binomial_interval
from calotools.containers import Confusion, Reliability
from calotools.errors import EmptyInputError, ShapeError
from calotools.variables import find_temperature, with_temperature

__all__ = ["confusion_matrix", "fit_temperature", "measure_reliability", "with_temperature"]


def fit_temperature(probability: np.ndarray, target: np.ndarray, *, weight: np.ndarray | None = None) -> Estimate:
    """The temperature with which probabilities are most likely.

    Parameters
    ----------
    probability : (n, class) float
    target : (n,) int
        True class.
    weight : (n,) float, optional

    Returns
    -------
    Estimate
        1 when nothing is to be corrected; see `calotools.variables.find_temperature`.

    Raises
    ------
    EmptyInputError
        No candidate, or no weight.
    ShapeError
        Lengths differ.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> p = rng.uniform(0.02, 0.98, 20_000)
    >>> target = (rng.random(20_000) < p).astype(int)
    >>> certain = with_temperature(np.column_stack([1 - p, p]), 0.5)
    >>> value, error = fit_temperature(certain, target)
    >>> abs(value - 2) < 4 * error < 0.2
    True
    """
    probability, target, weight = _checked(probability, target, weight)
    return Estimate(*find_temperature(probability, target, weight=weight))


def measure_reliability(
    probability: np.ndarray,
    happened: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    bins: int = 10,
    name: str = "",
) -> Reliability:
    """How often that happens to which a probability was given, in bins of it.

    Parameters
    ----------
    probability : (n,) float
        Of one class.
    happened : (n,) bool
        Candidates of that class.
    weight : (n,) float, optional
    bins : int
        Of equal width.
    name : str

    Returns
    -------
    Reliability

    Raises
    ------
    EmptyInputError, ShapeError

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> p = rng.random(50_000)
    >>> round(measure_reliability(p, rng.random(50_000) < p).expected_error, 2)
    0.0
    """
    columns, happened, weight = _checked(np.asarray(probability)[:, None], np.asarray(happened), weight)
    probability, happened = columns[:, 0], happened.astype(bool)
    edges = np.linspace(0, 1, bins + 1)
    number = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, bins - 1)

    def total(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.bincount(number[rows], values[rows], minlength=bins)

    everything = np.ones(len(number), bool)
    sums = total(weight, everything)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total(weight * probability, everything) / sums
    value, low, high = binomial_interval(
        total(weight, happened),
        total(weight, ~happened),
        passed_w2=total(weight**2, happened),
        failed_w2=total(weight**2, ~happened),
    )
    filled = sums > 0
    error = float(np.sum(sums[filled] * np.abs(mean - value)[filled]) / sums.sum())
    return Reliability(edges, mean, value, low, high, sums, error, name)


def confusion_matrix(
    probability: np.ndarray, target: np.ndarray, *, names: Sequence[str], weight: np.ndarray | None = None
) -> Confusion:
    """Which class candidates are taken for: the most probable one.

    Parameters
    ----------
    probability : (n, class) float
    target : (n,) int
        True class.
    names : sequence of str
        Of the classes.
    weight : (n,) float, optional

    Returns
    -------
    Confusion
        Rows sum to 1; NaN for a class without candidates.

    Raises
    ------
    EmptyInputError, ShapeError

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    >>> confusion_matrix(p, np.array([0, 0, 1]), names=("a", "b")).value.tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    probability, target, weight = _checked(probability, target, weight)
    n = len(names)
    if probability.shape[1] != n:
        raise ShapeError(f"{probability.shape[1]} probabilities for {n} classes: {', '.join(names)}")
    cell = target * n + probability.argmax(axis=1)
    sums, squares = (np.bincount(cell, weight**k, minlength=n * n).reshape(n, n) for k in (1, 2))
    rest, rest2 = (one.sum(axis=1, keepdims=True) - one for one in (sums, squares))
    flat = binomial_interval(sums.ravel(), rest.ravel(), passed_w2=squares.ravel(), failed_w2=rest2.ravel())
    value, low, high = (one.reshape(n, n) for one in flat)
    return Confusion(tuple(names), value, low, high, np.bincount(target, minlength=n))


def _checked(
    probability: np.ndarray, target: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    probability = np.asarray(probability, np.float64)
    weight = np.ones(len(target)) if weight is None else np.asarray(weight, np.float64)
    if not len(probability) == len(target) == len(weight):
        raise ShapeError(f"{len(probability)} probabilities, {len(target)} classes and {len(weight)} weights differ")
    if len(target) == 0 or weight.sum() <= 0:
        raise EmptyInputError(f"{len(target)} candidates of summed weight {weight.sum():g}: nothing to measure with")
    return probability, np.asarray(target), weight
