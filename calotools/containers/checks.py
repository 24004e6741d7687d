"""A measured number beside what it should be."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Check"]

_DECIDES = 2.0  # errors outside the range that make a failure


@dataclass(frozen=True)
class Check:
    """A measured number, the range that it should be in, and whether it is.

    Attributes
    ----------
    name : str
        What was measured, where.
    value, error : float
        In `unit`; NaN when it could not be measured; the error is NaN for exact numbers.
    low, high : float
        Allowed range, ends included; NaN for both when the number is only quoted.
    target : float
        The number that the range is about; NaN when the target is a range.
    unit, source : str
        `source` says where the target comes from.
    """

    name: str
    value: float
    error: float
    low: float = math.nan
    high: float = math.nan
    target: float = math.nan
    unit: str = ""
    source: str = ""

    @property
    def verdict(self) -> str:
        """``pass``, ``fail`` or ``open``; ``quoted`` without a target, ``not measured`` for NaN.

        Inside the range is a pass; outside by two errors or more, or exact, a fail. Open is what the error does not
        decide: outside by less than two errors, or inside with an error larger than half of the range.

        Examples
        --------
        >>> [Check("Z peak", value, 0.1, 90.9, 91.5).verdict for value in (91.4, 91.6, 91.8)]
        ['pass', 'open', 'fail']
        """
        if math.isnan(self.value):
            return "not measured"
        if math.isnan(self.low):
            return "quoted"
        if self.low <= self.value <= self.high:
            return "open" if self.error > (self.high - self.low) / 2 else "pass"
        return "open" if self.outside < _DECIDES else "fail"

    @property
    def outside(self) -> float:
        """By how many of its errors the value is outside the range; 0 inside, NaN without error or range.

        Examples
        --------
        >>> round(Check("Z peak", 91.6, 0.1, 90.9, 91.5).outside, 1)
        1.0
        """
        if math.isnan(self.low) or not self.error > 0:
            return math.nan
        return max(0.0, self.low - self.value, self.value - self.high) / self.error
