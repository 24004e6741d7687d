"""The temperature of a classifier, from the validation part."""

from __future__ import annotations

import numpy as np

from calotools.variables import find_temperature

__all__ = ["fit_temperature_of"]

_ENOUGH = 30
_VAGUE = 0.5  # relative error above which the validation part does not say what the temperature is


def fit_temperature_of(
    probability: np.ndarray, target: np.ndarray, *, weight: np.ndarray, equal_classes: bool = False
) -> float:
    """What the logits of a classifier are divided by, so that its probabilities are how often they come true.

    Parameters
    ----------
    probability : (n, class) float
        Of the validation part.
    target : (n,) int
    weight : (n,) float
        Of training; candidates that have none are left out.
    equal_classes : bool
        Probabilities are meant for classes of equal weight, whatever the sample has.

    Returns
    -------
    float
        1 where fewer than 30 candidates, a single class, or classes that never overlap do not say what it is.

    Examples
    --------
    >>> p = np.tile([[0.9, 0.1]], (1000, 1))
    >>> target = np.arange(1000) % 4 == 0  # 75 %, not 90 %
    >>> round(fit_temperature_of(p, target, weight=np.ones(1000)), 2)
    2.0
    """
    used = np.asarray(weight) > 0
    probability, target, weight = probability[used], np.asarray(target, np.int64)[used], np.asarray(weight)[used]
    if len(target) < _ENOUGH or len(np.unique(target)) < 2:
        return 1.0
    if equal_classes:
        sums = np.bincount(target, weight, minlength=probability.shape[1])
        weight = weight / sums[target]
    value, error = find_temperature(probability, target, weight=weight)
    return value if error < _VAGUE * value else 1.0
