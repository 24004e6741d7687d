"""Numbers as text: a value rounded to what its uncertainty allows."""

from __future__ import annotations

import math

__all__ = ["format_interval", "format_number", "format_range", "format_value"]


def format_number(value: float | None, digits: int = 4) -> str:
    """A number with significant digits; an em dash when there is none, which is not the same as infinity.

    Examples
    --------
    >>> format_number(1234.567), format_number(0.00012345), format_number(float("nan")), format_number(float("inf"))
    ('1235', '0.0001234', '—', '∞')
    """
    if value is None or math.isnan(value):
        return "—"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"


def format_value(value: float | None, error: float | None = None, unit: str = "") -> str:
    """Value ± error, both rounded to two digits of the error (to one from 0.95 of a decade, as the PDG does).

    Parameters
    ----------
    value : float or None
        None or NaN is shown as an em dash.
    error : float or None
        None or NaN: the value alone.
    unit : str

    Returns
    -------
    str

    Examples
    --------
    >>> format_value(91.18764, 0.0213, "GeV")
    '91.188 ± 0.021 GeV'
    >>> format_value(0.98765, None), format_value(1234.5, 96.0), format_value(float("nan"), 0.1)
    ('0.9877', '1230 ± 100', '—')
    """
    text = format_number(value)
    if value is not None and error is not None and math.isfinite(value) and math.isfinite(error) and error > 0:
        decimals = _decimals(error)
        text = f"{_round(value, decimals)} ± {_round(error, decimals)}"
    return f"{text} {unit}" if unit and text != "—" else text


def format_interval(value: float, low: float, high: float) -> str:
    """Value with the distances to both ends of its interval; value ± error where they round to the same.

    Examples
    --------
    >>> format_interval(0.95, 0.93, 0.96), format_interval(0.5, 0.49, 0.51)
    ('0.950 +0.010 -0.020', '0.500 ± 0.010')
    >>> format_interval(1.0, 0.97, 1.0)
    '1.000 +0.000 -0.030'
    """
    down, up = value - low, high - value
    if not (math.isfinite(down) and math.isfinite(up) and max(down, up) > 0):
        return format_number(value)
    decimals = min(_decimals(one) for one in (down, up) if one > 0)
    first, second = _round(up, decimals), _round(down, decimals)
    ends = f"± {first}" if first == second else f"+{first} -{second}"
    return f"{_round(value, decimals)} {ends}"


def format_range(low: float, high: float) -> str:
    """Both ends of an interval, with the digits that a value has whose error is half of its length.

    Examples
    --------
    >>> format_range(1.23456, 1.3), format_range(0.0, 0.5), format_range(2.0, 2.0)
    ('1.235 to 1.300', '0.00 to 0.50', '2 to 2')
    """
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return f"{format_number(low)} to {format_number(high)}"
    decimals = _decimals((high - low) / 2)
    return f"{_round(low, decimals)} to {_round(high, decimals)}"


def _decimals(error: float) -> int:
    exponent = math.floor(math.log10(error))
    return -exponent if error / 10.0**exponent >= 9.5 else 1 - exponent


def _round(number: float, decimals: int) -> str:
    return f"{round(number, decimals):.{max(decimals, 0)}f}"
