"""A part of the validation: what was measured, what it should be, and its figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from calotools.analysis import Estimate
from calotools.containers import Check

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Section", "name_region", "near", "quoted", "within"]


@dataclass(frozen=True)
class Section:
    """One heading of the page.

    Attributes
    ----------
    title, text : str
        Heading, and how the numbers were made.
    checks : tuple of Check
    results : dict of str to anything
        What the figures show, for numbers.json.
    figures : dict of str to (Figure, str)
        Figure and caption by file name.
    """

    title: str
    text: str
    checks: tuple[Check, ...]
    results: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, tuple[Figure, str]] = field(default_factory=dict)


def name_region(region: tuple[float, float]) -> str:
    """A range of |eta| in words.

    Examples
    --------
    >>> name_region((0.0, 0.8))
    '0 < |η| < 0.8'
    """
    return f"{region[0]:g} < |η| < {region[1]:g}"


def near(
    name: str,
    measured: Estimate,
    target: float,
    *,
    relative: float = 0.0,
    absolute: float = 0.0,
    unit: str = "",
    source: str = "",
) -> Check:
    """A number that must agree with a target.

    Parameters
    ----------
    name : str
    measured : Estimate
    target : float
    relative, absolute : float
        Allowed distance: the larger of a part of the target and a number.
    unit, source : str

    Returns
    -------
    Check

    Examples
    --------
    >>> near("width", Estimate(0.011, 0.001), 0.010, relative=0.2).verdict
    'pass'
    """
    reach = max(relative * abs(target), absolute)
    return Check(name, measured.value, measured.error, target - reach, target + reach, target, unit, source)


def within(name: str, measured: Estimate, low: float, high: float, *, unit: str = "", source: str = "") -> Check:
    """A number that must be in a range, ends included; an end may be infinite.

    Examples
    --------
    >>> within("auc", Estimate(0.8, 0.01), 0.5, 0.75).verdict
    'fail'
    """
    return Check(name, measured.value, measured.error, low, high, math.nan, unit, source)


def quoted(name: str, measured: Estimate, *, unit: str = "", source: str = "") -> Check:
    """A number without a target.

    Examples
    --------
    >>> quoted("auc", Estimate(0.8, 0.01)).verdict
    'quoted'
    """
    return Check(name, measured.value, measured.error, unit=unit, source=source)
