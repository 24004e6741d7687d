"""Numbers of a sample with their statistical errors: medians, widths, fractions, correlations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from calotools.analysis.intervals import binomial_interval
from calotools.variables import IQR_OF_GAUSSIAN

__all__ = ["Estimate", "bootstrap_estimate", "correlation", "fraction", "mean_rows", "median", "robust_width"]

_FEW = 8


class Estimate(NamedTuple):
    """A number and its standard error."""

    value: float
    error: float


def median(values: np.ndarray) -> Estimate:
    """Median, with an error that assumes no distribution.

    Parameters
    ----------
    values : (n,) float
        Entries that are not finite are left out.

    Returns
    -------
    Estimate
        Half the distance between the order statistics sqrt(n) / 2 below and above; NaN for fewer than 8 entries.

    Examples
    --------
    >>> value, error = median(np.random.default_rng(1).normal(size=10_000))
    >>> abs(value) < 0.04, round(error, 3)
    (True, 0.012)
    """
    values = np.sort(values[np.isfinite(values)])
    n = len(values)
    if n < _FEW:
        return Estimate(math.nan, math.nan)
    step = max(1, round(math.sqrt(n) / 2))
    middle = n // 2
    error = (values[min(middle + step, n - 1)] - values[max(middle - step, 0)]) / 2
    return Estimate(float(np.median(values)), float(error))


def robust_width(values: np.ndarray, *, rng: np.random.Generator) -> Estimate:
    """Interquartile range over 1.349, which is the standard deviation of a Gaussian core.

    Parameters
    ----------
    values : (n,) float
        Entries that are not finite are left out.
    rng : numpy.random.Generator
        For the bootstrap error.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> value, error = robust_width(rng.normal(size=4000), rng=rng)
    >>> abs(value - 1) < 4 * error, 0.01 < error < 0.03
    (True, True)
    """
    return bootstrap_estimate(_core, values, rng=rng)


def _core(values: np.ndarray) -> float:
    low, high = np.percentile(values, [25, 75])
    return float((high - low) / IQR_OF_GAUSSIAN)


def bootstrap_estimate(
    statistic: Callable[..., float], *columns: np.ndarray, rng: np.random.Generator, replicas: int = 100
) -> Estimate:
    """A statistic of rows, with the standard deviation that drawing the rows again gives it.

    Parameters
    ----------
    statistic : callable
        Of as many arrays as there are columns.
    *columns : (n,) float
        Rows with an entry that is not finite are left out.
    rng : numpy.random.Generator
    replicas : int

    Returns
    -------
    Estimate
        NaN for fewer than 8 rows.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> estimate = bootstrap_estimate(lambda x: float(np.mean(x)), rng.normal(size=400), rng=rng)
    >>> 0.03 < estimate.error < 0.07
    True
    """
    finite = np.all([np.isfinite(one) for one in columns], axis=0)
    rows = [np.asarray(one)[finite] for one in columns]
    n = len(rows[0])
    if n < _FEW:
        return Estimate(math.nan, math.nan)
    drawn = [rng.integers(0, n, n) for _ in range(replicas)]
    values = [statistic(*(one[again] for one in rows)) for again in drawn]
    return Estimate(statistic(*rows), float(np.std(values, ddof=1)))


def fraction(passed: np.ndarray) -> Estimate:
    """Fraction of true entries, with half of its Clopper-Pearson interval.

    Parameters
    ----------
    passed : (n,) bool

    Returns
    -------
    Estimate
        NaN for no entries.

    Examples
    --------
    >>> value, error = fraction(np.arange(100) < 20)
    >>> value, round(error, 2)
    (0.2, 0.04)
    """
    passed = np.asarray(passed, bool)
    good = float(passed.sum())
    value, low, high = binomial_interval(np.array([good]), np.array([len(passed) - good]))
    return Estimate(float(value[0]), float(high[0] - low[0]) / 2)


def correlation(x: np.ndarray, y: np.ndarray, *, rng: np.random.Generator) -> Estimate:
    """Linear correlation of two columns, with a bootstrap error.

    Parameters
    ----------
    x, y : (n,) float
    rng : numpy.random.Generator

    Returns
    -------
    Estimate

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.normal(size=(2, 1000))
    >>> value, error = correlation(x, x + y, rng=rng)
    >>> abs(value - 0.707) < 4 * error
    True
    """
    return bootstrap_estimate(lambda a, b: float(np.corrcoef(a, b)[0, 1]), x, y, rng=rng)


def mean_rows(rows: np.ndarray, *, weight: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Mean over candidates of every column, and its standard error; NaN entries are left out.

    Parameters
    ----------
    rows : (n, k) float
    weight : (n,) float, optional
        Those of weight 0 are left out.

    Returns
    -------
    mean, error : (k,) float
        NaN where no row has a value, or none a weight; the error is NaN for a single one.

    Examples
    --------
    >>> mean, error = mean_rows(np.array([[1.0, np.nan], [3.0, 5.0]]))
    >>> mean.tolist(), error.round(2).tolist()
    ([2.0, 5.0], [1.0, nan])
    """
    own = np.ones(len(rows)) if weight is None else np.asarray(weight, float)
    there = np.isfinite(rows) & (own != 0)[:, None]
    own = np.where(there, own[:, None], 0.0)
    n = there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (own * np.where(there, rows, 0.0)).sum(axis=0) / own.sum(axis=0)
        variance = np.where(there, (own * (rows - mean)) ** 2, 0.0).sum(axis=0) / own.sum(axis=0) ** 2
        return mean, np.sqrt(variance * n / (n - 1))
