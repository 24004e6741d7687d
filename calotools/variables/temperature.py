"""Probabilities whose logits are divided by a temperature, and the temperature that makes them what they say."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["TEMPERATURE_LIMITS", "find_temperature", "with_temperature"]

_TINY = 1e-38
_RANGE = (-4.0, 4.0)  # of the logarithm of the temperature
TEMPERATURE_LIMITS = (math.exp(_RANGE[0]), math.exp(_RANGE[1]))
"""What is tried; a value next to one of them is the edge of the fit and not where it is best."""


def with_temperature(probability: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities of a softmax whose logits are divided by a temperature.

    Parameters
    ----------
    probability : (n, class) float
    temperature : float
        Above 1 makes them less certain. The order of candidates in the probability of one of two classes stays.

    Returns
    -------
    (n, class) float64
        NaN where a probability is.

    Examples
    --------
    >>> with_temperature(np.array([[0.8, 0.2]]), 2.0).round(3)
    array([[0.667, 0.333]])
    """
    logit = np.log(np.maximum(np.asarray(probability, np.float64), _TINY)) / temperature
    logit -= logit.max(axis=1, keepdims=True)
    power = np.exp(logit)
    return power / power.sum(axis=1, keepdims=True)


def find_temperature(probability: np.ndarray, target: np.ndarray, *, weight: np.ndarray) -> tuple[float, float]:
    """The temperature with which probabilities are most likely, and its error.

    Parameters
    ----------
    probability : (n, class) float
    target : (n,) int
        True class.
    weight : (n,) float
        Their sum is positive.

    Returns
    -------
    value, error : float
        1 when nothing is to be corrected. The error is that of a weighted likelihood: curvature and scatter of the
        slope.

    References
    ----------
    C. Guo et al., ICML 2017, arXiv:1706.04599.

    Examples
    --------
    >>> p = np.tile([[0.9, 0.1]], (1000, 1))
    >>> value, error = find_temperature(p, np.arange(1000) % 4 == 0, weight=np.ones(1000))  # 75 %, not 90 %
    >>> round(value, 2), bool(abs(np.log(9) / np.log(3) - value) < error < 0.2)
    (2.0, True)
    """
    from scipy.optimize import minimize_scalar

    logit = np.log(np.maximum(np.asarray(probability, np.float64), _TINY))
    own = logit[np.arange(len(target)), np.asarray(target, np.int64)]

    def loss(log_temperature: float) -> float:
        scaled = logit / np.exp(log_temperature)
        top = scaled.max(axis=1)
        total = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
        return float(np.sum(weight * (total - own / np.exp(log_temperature))) / weight.sum())

    best = float(minimize_scalar(loss, bounds=_RANGE, method="bounded", options={"xatol": 1e-5}).x)
    beta = np.exp(-best)  # the likelihood's natural parameter: probability ^ beta
    share = with_temperature(probability, 1 / beta)
    mean = np.sum(share * logit, axis=1)
    slope = weight * (own - mean)
    curvature = float(np.sum(weight * (np.sum(share * logit**2, axis=1) - mean**2)))
    error = np.sqrt(float(np.sum(slope**2))) / max(curvature, 1e-300)
    return float(1 / beta), float(error / beta**2)
