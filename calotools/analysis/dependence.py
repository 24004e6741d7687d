"""How a discriminant depends on pile-up, E_T or mass, and whether a cut on it shapes a mass spectrum."""

from __future__ import annotations

import numpy as np

from calotools.analysis.estimates import Estimate, bootstrap_estimate
from calotools.errors import ShapeError

__all__ = ["profile", "rank_correlation", "sculpting"]


def rank_correlation(
    x: np.ndarray, y: np.ndarray, *, rng: np.random.Generator, weight: np.ndarray | None = None
) -> Estimate:
    """Correlation of the ranks of two columns (Spearman), which no monotonic change of either alters.

    Parameters
    ----------
    x, y : (n,) float
        Rows where one is missing are left out.
    rng : numpy.random.Generator
        Of the bootstrap.
    weight : (n,) float, optional
        A row counts so many times, in the ranks of the others too; those of weight 0 are left out.

    Returns
    -------
    Estimate
        NaN for fewer than 10 rows.

    Raises
    ------
    ShapeError
        The columns differ in length.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=500)
    >>> round(rank_correlation(x, np.exp(x), rng=rng).value, 3)
    1.0
    """
    weight = np.ones(len(x)) if weight is None else np.asarray(weight, float)
    if not len(x) == len(y) == len(weight):
        raise ShapeError(
            f"{len(x)} and {len(y)} values, {len(weight)} weights cannot be correlated; give one of each per candidate"
        )
    there = np.isfinite(x) & np.isfinite(y) & np.isfinite(weight) & (weight != 0)
    if there.sum() < 10:
        return Estimate(float("nan"), float("nan"))
    own = weight[there]
    return bootstrap_estimate(_weighted_correlation, _ranks(x[there], own), _ranks(y[there], own), own, rng=rng)


def _ranks(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weight of what is smaller, and half of that of what is equal."""
    _, place = np.unique(values, return_inverse=True)
    total = np.bincount(place, weight)
    return (np.cumsum(total) - 0.5 * total)[place]


def _weighted_correlation(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> float:
    """Linear correlation; NaN where one of the two does not vary."""
    total = weight.sum()
    if total <= 0:
        return float("nan")
    a, b = (one - np.sum(weight * one) / total for one in (a, b))
    square = np.sum(weight * a * a) * np.sum(weight * b * b)
    return float(np.sum(weight * a * b) / np.sqrt(square)) if square > 0 else float("nan")


def profile(
    x: np.ndarray, y: np.ndarray, *, edges: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of y in bins of x.

    Parameters
    ----------
    x, y : (n,) float
    edges : (bin + 1,) float
    weight : (n,) float, optional

    Returns
    -------
    x, y, error : (bin,) float
        Means and the standard error of y's; NaN in bins with fewer than 5 rows.

    Examples
    --------
    >>> x = np.arange(20.0)
    >>> profile(x, 2 * x, edges=np.array([0, 10, 20]))[1].tolist()
    [9.0, 29.0]
    """
    weight = np.ones(len(x)) if weight is None else np.asarray(weight, float)
    columns = np.full((3, len(edges) - 1), np.nan)
    for number in range(len(edges) - 1):
        here = (x >= edges[number]) & (x < edges[number + 1]) & np.isfinite(y) & (weight != 0)
        if here.sum() < 5 or weight[here].sum() <= 0:
            continue
        own = weight[here]
        mean = float(np.sum(own * y[here]) / own.sum())
        error = float(np.sqrt(np.sum((own * (y[here] - mean)) ** 2)) / own.sum())
        columns[:, number] = np.sum(own * x[here]) / own.sum(), mean, error
    return columns[0], columns[1], columns[2]


def sculpting(
    mass: np.ndarray, passing: np.ndarray, *, rng: np.random.Generator, weight: np.ndarray | None = None
) -> Estimate:
    """How much a cut shapes a mass spectrum: the largest distance of the cumulative spectra that pass and fail.

    Parameters
    ----------
    mass : (n,) float [GeV]
    passing : (n,) bool
    rng : numpy.random.Generator
        Of the permutations.
    weight : (n,) float, optional
        Those of weight 0 are left out.

    Returns
    -------
    Estimate
        The distance less what chance alone gives (its mean over permutations), and the spread of the latter; NaN
        with fewer than 10 on a side. A permutation gives other masses to candidates that keep their weight and
        whether they pass: each side has the statistics of its own weights.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> mass = rng.uniform(50, 150, 2000)
    >>> value, error = sculpting(mass, rng.random(2000) < 0.3, rng=rng)
    >>> abs(value) < 4 * error
    True
    """
    weight = np.ones(len(mass)) if weight is None else np.asarray(weight, float)
    used = np.flatnonzero(weight != 0)
    order = used[np.argsort(mass[used], kind="stable")]
    ordered, own = np.asarray(passing, bool)[order], weight[order]
    sides = own[ordered], own[~ordered]
    if any(len(one) < 10 or one.sum() <= 0 for one in sides):
        return Estimate(float("nan"), float("nan"))
    shuffles = (rng.permutation(len(order)) for _ in range(100))
    chance = np.array([_distance(ordered[other], own[other]) for other in shuffles])
    return Estimate(_distance(ordered, own) - float(chance.mean()), float(chance.std(ddof=1)))


def _distance(passing: np.ndarray, weight: np.ndarray) -> float:
    """Of the cumulative distributions of those that pass and fail, in the order of their mass."""
    up, down = np.cumsum(weight * passing), np.cumsum(weight * ~passing)
    return float(np.max(np.abs(up / up[-1] - down / down[-1])))
