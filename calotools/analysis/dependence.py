"""How a discriminant depends on pile-up, E_T or mass, and whether a cut on it shapes a mass spectrum."""

from __future__ import annotations

import numpy as np

from calotools.analysis.estimates import Estimate, bootstrap_estimate
from calotools.errors import ShapeError

__all__ = ["profile", "rank_correlation", "sculpting"]


def rank_correlation(x: np.ndarray, y: np.ndarray, *, rng: np.random.Generator) -> Estimate:
    """Correlation of the ranks of two columns (Spearman), which no monotonic change of either alters.

    Parameters
    ----------
    x, y : (n,) float
        Rows where one is missing are left out.
    rng : numpy.random.Generator
        Of the bootstrap.

    Returns
    -------
    Estimate
        NaN for fewer than 10 rows.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=500)
    >>> round(rank_correlation(x, np.exp(x), rng=rng).value, 3)
    1.0
    """
    from scipy.stats import rankdata

    if len(x) != len(y):
        raise ShapeError(f"{len(x)} and {len(y)} values cannot be correlated; give one of each per candidate")
    there = np.isfinite(x) & np.isfinite(y)
    if there.sum() < 10:
        return Estimate(float("nan"), float("nan"))
    return bootstrap_estimate(
        lambda a, b: float(np.corrcoef(a, b)[0, 1]), rankdata(x[there]), rankdata(y[there]), rng=rng
    )


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


def sculpting(mass: np.ndarray, passing: np.ndarray, *, rng: np.random.Generator) -> Estimate:
    """How much a cut shapes a mass spectrum: the largest distance of the cumulative spectra that pass and fail.

    Parameters
    ----------
    mass : (n,) float [GeV]
    passing : (n,) bool
    rng : numpy.random.Generator
        Of the permutations.

    Returns
    -------
    Estimate
        The distance less what chance alone gives (its mean over permutations), and the spread of the latter; NaN
        with fewer than 10 on a side.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> mass = rng.uniform(50, 150, 2000)
    >>> value, error = sculpting(mass, rng.random(2000) < 0.3, rng=rng)
    >>> abs(value) < 4 * error
    True
    """
    passing = np.asarray(passing, bool)
    if min(passing.sum(), (~passing).sum()) < 10:
        return Estimate(float("nan"), float("nan"))
    ordered = passing[np.argsort(mass, kind="stable")]
    chance = np.array([_distance(rng.permutation(ordered)) for _ in range(100)])
    return Estimate(_distance(ordered) - float(chance.mean()), float(chance.std(ddof=1)))


def _distance(passing: np.ndarray) -> float:
    """Of the cumulative distributions of those that pass and fail, in the order of their mass."""
    up, down = np.cumsum(passing) / passing.sum(), np.cumsum(~passing) / (~passing).sum()
    return float(np.max(np.abs(up - down)))
