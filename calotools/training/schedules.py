"""Learning-rate schedules: pure functions of the step, so that a resumed fit goes on as if it had never stopped."""

from __future__ import annotations

import math

__all__ = ["learning_rate_factor"]

_WARM_UP = 0.25
_START = 0.1
_END = 1e-3


def learning_rate_factor(step: int, *, schedule: str, n_steps: int) -> float:
    """Learning rate at a step, over the peak one.

    Parameters
    ----------
    step : int
        From 0.
    schedule : {"constant", "cosine", "one-cycle"}
        ``cosine`` falls from 1; ``one-cycle`` climbs from 0.1 over the first quarter and then falls.
    n_steps : int
        Steps of the whole fit, all epochs.

    Returns
    -------
    float
        In (0, 1].

    References
    ----------
    Loshchilov and Hutter, arXiv:1608.03983; Smith and Topin, arXiv:1708.07120.

    Examples
    --------
    >>> [round(learning_rate_factor(s, schedule="one-cycle", n_steps=8), 3) for s in (0, 2, 5, 8)]
    [0.1, 1.0, 0.5, 0.001]
    >>> learning_rate_factor(3, schedule="constant", n_steps=8)
    1.0
    """
    if schedule == "constant":
        return 1.0
    start = _WARM_UP * n_steps if schedule == "one-cycle" else 0.0
    if step < start:
        return _START + (1 - _START) * step / start
    part = min(1.0, (step - start) / max(1.0, n_steps - start))
    return _END + (1 - _END) * 0.5 * (1 + math.cos(math.pi * part))
