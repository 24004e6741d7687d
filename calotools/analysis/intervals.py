"""Intervals of efficiencies, weighted or not."""

from __future__ import annotations

import numpy as np

from calotools.errors import ShapeError

__all__ = ["binomial_interval"]


def binomial_interval(
    passed: np.ndarray,
    failed: np.ndarray,
    *,
    passed_w2: np.ndarray | None = None,
    failed_w2: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Efficiency and its central 68.3 % Clopper-Pearson interval, with effective numbers when weighted.

    Parameters
    ----------
    passed, failed : (n,) float
        Sums of weights (or counts) that pass and fail.
    passed_w2, failed_w2 : (n,) float, optional
        Sums of squared weights; without them the sums are counts.

    Returns
    -------
    value, low, high : (n,) float
        NaN where nothing is there or where negative weights leave no positive sum; low <= value <= high.

    Raises
    ------
    ShapeError
        The arrays differ in shape.

    Notes
    -----
    The effective number is the one whose binomial variance equals the weighted variance
    [F^2 sum w_P^2 + P^2 sum w_F^2] / (P + F)^4, and (sum w)^2 / sum w^2 where all pass or all fail. C. Clopper and
    E. Pearson, Biometrika 26 (1934) 404; coverage is at least nominal.

    Examples
    --------
    >>> value, low, high = binomial_interval(np.array([9.0, 0.0]), np.array([1.0, 0.0]))
    >>> value.round(2), low.round(2), high.round(2)
    (array([0.9, nan]), array([0.71,  nan]), array([0.98,  nan]))
    """
    from hist.intervals import clopper_pearson_interval

    passed, failed = np.atleast_1d(np.asarray(passed, float)), np.atleast_1d(np.asarray(failed, float))
    passed_w2 = passed if passed_w2 is None else np.atleast_1d(np.asarray(passed_w2, float))
    failed_w2 = failed if failed_w2 is None else np.atleast_1d(np.asarray(failed_w2, float))
    if not passed.shape == failed.shape == passed_w2.shape == failed_w2.shape:
        raise ShapeError(f"passed {passed.shape} and failed {failed.shape}, or their squares, differ in shape")
    total = passed + failed
    there = np.isfinite(total) & (total > 0) & (passed_w2 + failed_w2 > 0)
    value, low, high = (np.full(total.shape, np.nan) for _ in range(3))
    value[there] = passed[there] / total[there]
    # Negative weights can put the value outside [0, 1]; the interval then starts from the nearest allowed value.
    inside = np.clip(value[there], 0.0, 1.0)
    effective = _effective_number(inside, total[there], passed_w2[there], failed_w2[there])
    bounds = clopper_pearson_interval(np.minimum(inside * effective, effective), effective)
    low[there] = np.minimum(bounds[0], value[there])
    high[there] = np.maximum(bounds[1], value[there])
    return value, low, high


def _effective_number(value: np.ndarray, total: np.ndarray, passed_w2: np.ndarray, failed_w2: np.ndarray) -> np.ndarray:
    variance = ((1 - value) ** 2 * passed_w2 + value**2 * failed_w2) / total**2
    binomial = value * (1 - value)
    whole = total**2 / (passed_w2 + failed_w2)
    usable = (binomial > 0) & (variance > 0)
    return np.where(usable, binomial / np.where(usable, variance, 1.0), whole)
