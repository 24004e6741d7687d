"""A measured number beside what it should be."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Check"]


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
        """``pass`` or ``fail`` by the value alone, ``quoted`` without a target, ``not measured`` for NaN.

        Examples
        --------
        >>> Check("Z peak", 91.4, 0.1, 90.9, 91.5).verdict, Check("Z peak", 91.6, 0.1, 90.9, 91.5).verdict
        ('pass', 'fail')
        """
        if math.isnan(self.value):
            return "not measured"
        if math.isnan(self.low):
            return "quoted"
        return "pass" if self.low <= self.value <= self.high else "fail"

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
