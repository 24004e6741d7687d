"""What is watched on the validation part; quoted numbers, with uncertainties, are made by `calotools.analysis`."""

from __future__ import annotations

import numpy as np

__all__ = ["METRICS", "mean_auc", "relative_iqr", "weighted_auc"]

METRICS = {"identification": "val_auc", "energy": "val_iqr"}
"""Name of what is watched, by task."""


def weighted_auc(score: np.ndarray, signal: np.ndarray, *, weight: np.ndarray) -> float:
    """Probability that a signal candidate scores above a background one; a tie counts half.

    Parameters
    ----------
    score : (n,) float array
    signal : (n,) bool array
    weight : (n,) float array

    Returns
    -------
    float
        NaN when one of the two is absent.

    Examples
    --------
    >>> score, signal = np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True])
    >>> weighted_auc(score, signal, weight=np.ones(4))
    0.875
    """
    order = np.unique(score, return_inverse=True)[1]
    n_levels = int(order.max(initial=-1)) + 1
    above = np.bincount(order, weights=weight * signal, minlength=n_levels)
    below = np.bincount(order, weights=weight * ~signal, minlength=n_levels)
    if above.sum() <= 0 or below.sum() <= 0:
        return float("nan")
    beaten = np.cumsum(below) - 0.5 * below
    return float((above * beaten).sum() / (above.sum() * below.sum()))


def mean_auc(probability: np.ndarray, target: np.ndarray, *, weight: np.ndarray) -> float:
    """AUC of each class against the rest, averaged over the classes; for two classes, the usual AUC.

    Parameters
    ----------
    probability : (n, class) float array
        Softmax scores.
    target : (n,) int array
    weight : (n,) float array

    Returns
    -------
    float

    Examples
    --------
    >>> probability = np.array([[0.8, 0.2], [0.3, 0.7]])
    >>> mean_auc(probability, np.array([0, 1]), weight=np.ones(2))
    1.0
    """
    every = range(probability.shape[1])
    return float(np.mean([weighted_auc(probability[:, k], target == k, weight=weight) for k in every]))


def relative_iqr(energy: np.ndarray, target: np.ndarray) -> float:
    """Interquartile range of E / E_true - 1.

    Parameters
    ----------
    energy, target : (n,) float array [GeV]

    Returns
    -------
    float

    Examples
    --------
    >>> round(relative_iqr(np.array([90.0, 100.0, 110.0]), np.full(3, 100.0)), 3)
    0.1
    """
    low, high = np.percentile(energy / target - 1, [25, 75])
    return float(high - low)
