"""Learning-rate schedules: pure functions of the step, so that a resumed fit goes on as if it had never stopped."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["learning_rate_factor", "plateau_factor"]

_WARM_UP = 0.25
_START = 0.1
_END = 1e-3


def learning_rate_factor(
    step: int, *, schedule: str, n_steps: int, cycle_steps: float = 1.0, growth: float = 1.0
) -> float:
    """Learning rate at a step, over the peak one.

    Parameters
    ----------
    step : int
        From 0.
    schedule : {"constant", "cosine", "one-cycle", "cyclical", "cosine-restarts", "plateau"}
        ``cosine`` falls from 1; ``one-cycle`` climbs from 0.1 over the first quarter and then falls; ``cyclical``
        climbs from 0.1 to 1 and back in every cycle; ``cosine-restarts`` falls from 1 in every cycle. ``plateau`` is
        1: what it does depends on the losses (`plateau_factor`).
    n_steps : int
        Steps of the whole fit, all epochs.
    cycle_steps : float
        Steps of a cycle, or of the first one.
    growth : float
        Length of a cycle over that of the one before (``cosine-restarts``).

    Returns
    -------
    float
        In (0, 1].

    References
    ----------
    Loshchilov and Hutter, arXiv:1608.03983; Smith, arXiv:1506.01186; Smith and Topin, arXiv:1708.07120.

    Examples
    --------
    >>> [round(learning_rate_factor(s, schedule="one-cycle", n_steps=8), 3) for s in (0, 2, 5, 8)]
    [0.1, 1.0, 0.5, 0.001]
    >>> [round(learning_rate_factor(s, schedule="cyclical", n_steps=8, cycle_steps=4), 2) for s in range(6)]
    [0.1, 0.55, 1.0, 0.55, 0.1, 0.55]
    """
    if schedule in ("constant", "plateau"):
        return 1.0
    if schedule == "cyclical":
        place = step / cycle_steps % 1
        return _START + (1 - _START) * (1 - abs(1 - 2 * place))
    if schedule == "cosine-restarts":
        return _fall(_place_in_cycle(step, cycle_steps, growth))
    start = _WARM_UP * n_steps if schedule == "one-cycle" else 0.0
    if step < start:
        return _START + (1 - _START) * step / start
    return _fall(min(1.0, (step - start) / max(1.0, n_steps - start)))


def _fall(part: float) -> float:
    """Half a cosine from 1 down to nearly 0."""
    return _END + (1 - _END) * 0.5 * (1 + math.cos(math.pi * part))


def _place_in_cycle(step: int, length: float, growth: float) -> float:
    left = float(step)
    while left >= length:
        left, length = left - length, length * growth
    return left / length


def plateau_factor(losses: Sequence[float], *, epochs: int, factor: float) -> float:
    """How much the learning rate was lowered because the validation loss did not fall.

    Parameters
    ----------
    losses : sequence of float
        Of the epochs so far.
    epochs : int
        So many in a row without a new lowest loss lower it once.
    factor : float
        What it is multiplied by each time.

    Returns
    -------
    float
        At least 0.001.

    Examples
    --------
    >>> plateau_factor([3.0, 2.0, 2.5, 2.2, 1.9, 2.0], epochs=2, factor=0.5)
    0.5
    """
    best, waited, result = math.inf, 0, 1.0
    for loss in losses:
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == epochs:
            waited, result = 0, result * factor
    return max(result, _END)
