"""The temperature of a classifier, from the validation part, and what is to be said of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.variables import find_temperature
from calotools.variables.temperature import TEMPERATURE_LIMITS

__all__ = ["TEMPERATURE_WARNING", "Temperature", "fit_temperature_of"]

TEMPERATURE_WARNING = "temperature_warning"
"""Its key in the record of a training."""
_ENOUGH = 30
_VAGUE = 0.5  # relative error above which the validation part does not say what the temperature is
_SANE = (0.1, 10.0)  # calotools default: beyond it, trained models have something wrong with them


@dataclass(frozen=True)
class Temperature:
    """What logits are divided by.

    Attributes
    ----------
    value : float
    warning : str
        What may be wrong and where to look; empty where nothing is.
    """

    value: float = 1.0
    warning: str = ""

    @property
    def record(self) -> dict[str, str]:
        """What the record of a training says of it."""
        return {TEMPERATURE_WARNING: self.warning} if self.warning else {}


def fit_temperature_of(
    probability: np.ndarray, target: np.ndarray, *, weight: np.ndarray, equal_classes: bool = False
) -> Temperature:
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
    Temperature
        1, with a warning, where fewer than 30 candidates, a single class, or classes that never overlap do not say what
        it is. A value below 0.1 or above 10 has a warning, too.

    Examples
    --------
    >>> p = np.tile([[0.9, 0.1]], (1000, 1))
    >>> target = np.arange(1000) % 4 == 0  # 75 %, not 90 %
    >>> round(fit_temperature_of(p, target, weight=np.ones(1000)).value, 2)
    2.0
    >>> fit_temperature_of(p[:20], target[:20], weight=np.ones(20)).warning
    'not found, 1 is used: 20 validation candidates are too few'
    """
    used = np.asarray(weight) > 0
    probability, target, weight = probability[used], np.asarray(target, np.int64)[used], np.asarray(weight)[used]
    n = len(target)
    if n < _ENOUGH:
        return Temperature(warning=f"not found, 1 is used: {n} validation candidates are too few")
    if len(np.unique(target)) < 2:
        return Temperature(warning=f"not found, 1 is used: all {n} validation candidates are of one class")
    if equal_classes:
        sums = np.bincount(target, weight, minlength=probability.shape[1])
        weight = weight / sums[target]
    if np.all(probability.argmax(axis=1) == target):
        return Temperature(
            warning=f"not found, 1 is used: none of {n} validation candidates is taken for another class; look whether "
            "an input gives the class away"
        )
    value, error = find_temperature(probability, target, weight=weight)
    if not error < _VAGUE * value:
        return Temperature(warning=f"not found, 1 is used: {n} validation candidates do not say what it is")
    return Temperature(value, _doubt(value, n))


def _doubt(value: float, n: int) -> str:
    """What a value that no sound training gives may mean."""
    low, high = TEMPERATURE_LIMITS
    edge = "" if 1.001 * low < value < high / 1.001 else ", at the edge of its fit"
    if value > _SANE[1]:
        return (
            f"{value:.3g} is above {_SANE[1]:g}{edge}: scores are far too sure, as those of an overfitted model are "
            f"(compare the losses of training and validation), or the {n} validation candidates are too few or unlike "
            "those of training"
        )
    if value < _SANE[0]:
        return (
            f"{value:.3g} is below {_SANE[0]:g}{edge}: scores are far less sure than they come true, as those of a "
            f"model are that has hardly learnt (too few epochs, too low a learning rate), or the {n} validation "
            "candidates are too few or unlike those of training"
        )
    return ""
