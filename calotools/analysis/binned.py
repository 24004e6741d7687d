"""Efficiency and rejection in bins of eta, E_T or pile-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from calotools.analysis.intervals import binomial_interval
from calotools.containers import Efficiency
from calotools.errors import ConfigError, ShapeError, nearest

__all__ = ["bin_numbers", "bin_ranges", "bins_of_rows", "cuts_in_bins", "efficiency_in_bins", "rejection"]

Arrays = Mapping[str, np.ndarray]


def bin_numbers(axes: Arrays, edges: Arrays) -> np.ndarray:
    """Number of the bin of each row, over all axes in C order; -1 outside.

    Parameters
    ----------
    axes : dict of str to (n,) float
        Value of each row by axis name; a NaN is outside.
    edges : dict of str to (bins + 1,) float
        Increasing edges; bins are [low, high), the last one [low, high].

    Returns
    -------
    (n,) int64

    Raises
    ------
    ConfigError
        An axis has edges and no values, or its edges do not increase.
    ShapeError
        The axes differ in length.

    Examples
    --------
    >>> bin_numbers({"et": np.array([5.0, 15.0, 20.0, np.nan])}, {"et": np.array([10.0, 20.0])}).tolist()
    [-1, 0, 0, -1]
    """
    if not edges:
        raise ConfigError("no axis to bin in; give the edges of at least one")
    indices = {name: _bin_of(name, axes, np.asarray(edge, float)) for name, edge in edges.items()}
    lengths = {name: len(index) for name, index in indices.items()}
    if len(set(lengths.values())) != 1:
        raise ShapeError(f"axes need one value per row in all, but the lengths are {lengths}")
    number = np.zeros(max(lengths.values()), dtype=np.int64)
    outside = np.zeros(len(number), dtype=bool)
    for name, index in indices.items():
        number = number * (len(edges[name]) - 1) + np.maximum(index, 0)
        outside |= index < 0
    return np.where(outside, -1, number)


def bins_of_rows(axes: Arrays | None, edges: Arrays | None, rows: np.ndarray) -> tuple[np.ndarray, int]:
    """Bin of each of some rows, and how many bins there are; without axes, all rows are in the only one.

    Parameters
    ----------
    axes, edges : dict, optional
        As of `bin_numbers`.
    rows : (k,) int

    Returns
    -------
    number : (k,) int64
    size : int

    Examples
    --------
    >>> bins_of_rows(None, None, np.array([3, 5]))
    (array([0, 0]), 1)
    """
    if not edges:
        return np.zeros(len(rows), dtype=np.int64), 1
    taken = {name: np.asarray(values)[rows] for name, values in (axes or {}).items()}
    return bin_numbers(taken, edges), int(np.prod([len(edge) - 1 for edge in edges.values()]))


def _bin_of(name: str, axes: Arrays, edge: np.ndarray) -> np.ndarray:
    if name not in axes:
        raise ConfigError(f"edges are given for '{name}', which has no values; {nearest(name, axes)}")
    if edge.ndim != 1 or len(edge) < 2 or not np.all(np.diff(edge) > 0):
        raise ConfigError(f"the edges of '{name}' must increase and be at least two, not {edge.tolist()}")
    values = np.asarray(axes[name], float)
    index = np.searchsorted(edge, values, side="right") - 1
    index[values == edge[-1]] = len(edge) - 2
    return np.where(np.isfinite(values) & (index >= 0) & (index < len(edge) - 1), index, -1)


def bin_ranges(edges: Arrays) -> list[dict[str, tuple[float, float]]]:
    """Low and high edge by axis name of every bin, in C order.

    Examples
    --------
    >>> bin_ranges({"et": np.array([10.0, 20.0, 30.0])})[1]
    {'et': (20.0, 30.0)}
    """
    shape = tuple(len(edge) - 1 for edge in edges.values())
    return [
        {name: (float(edge[i]), float(edge[i + 1])) for (name, edge), i in zip(edges.items(), where, strict=True)}
        for where in np.ndindex(shape)
    ]


def efficiency_in_bins(
    passing: np.ndarray, *, axes: Arrays, edges: Arrays, weight: np.ndarray | None = None, name: str = ""
) -> Efficiency:
    """Fraction of rows that pass, in bins, with Clopper-Pearson intervals.

    Parameters
    ----------
    passing : (n,) bool
    axes : dict of str to (n,) float
        Value of each row by axis name.
    edges : dict of str to (bins + 1,) float
        Increasing edges of the axes to bin in; rows outside are not counted.
    weight : (n,) float, optional
    name : str
        What is measured.

    Returns
    -------
    Efficiency
        NaN and not valid in empty bins.

    Raises
    ------
    ConfigError
        As `bin_numbers`.
    ShapeError
        The arrays differ in length.

    Examples
    --------
    >>> et = np.array([12.0, 14.0, 25.0])
    >>> edges = {"et": np.array([10.0, 20.0, 30.0, 40.0])}
    >>> efficiency_in_bins(np.array([True, False, True]), axes={"et": et}, edges=edges).value
    array([0.5, 1. , nan])
    """
    passing = np.asarray(passing, bool)
    number = bin_numbers(axes, edges)
    weight = np.ones(len(passing)) if weight is None else np.asarray(weight, float)
    if not len(passing) == len(number) == len(weight):
        raise ShapeError(f"{len(passing)} flags, {len(number)} axis values and {len(weight)} weights: lengths differ")
    size = int(np.prod([len(edge) - 1 for edge in edges.values()]))

    def total(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.bincount(number[rows], values[rows], minlength=size)

    inside = number >= 0
    good, bad = inside & passing, inside & ~passing
    passed, failed = total(good, weight), total(bad, weight)
    value, low, high = binomial_interval(
        passed, failed, passed_w2=total(good, weight**2), failed_w2=total(bad, weight**2)
    )
    kept = {axis: np.asarray(edge, float) for axis, edge in edges.items()}
    return Efficiency(value, low, high, kept, passed + failed, np.isfinite(value), name)


def rejection(efficiency: Efficiency) -> Efficiency:
    """One over a background efficiency, with its interval turned around.

    Parameters
    ----------
    efficiency : Efficiency
        Of the background.

    Returns
    -------
    Efficiency
        inf where nothing passes (`low` is then a lower limit), NaN in empty bins.

    Examples
    --------
    >>> flags, et = np.array([True, False, False, False]), np.full(4, 15.0)
    >>> background = efficiency_in_bins(flags, axes={"et": et}, edges={"et": np.array([10.0, 20.0])})
    >>> rejection(background).value
    array([4.])
    """
    with np.errstate(divide="ignore"):
        value, low, high = 1 / efficiency.value, 1 / efficiency.high, 1 / efficiency.low
    return replace(efficiency, value=value, low=low, high=high)


def cuts_in_bins(
    score: np.ndarray, *, target: float, axes: Arrays, edges: Arrays, weight: np.ndarray | None = None
) -> np.ndarray:
    """The cut in each bin that keeps a given fraction of the (signal) rows: a working point flat in the axes.

    Parameters
    ----------
    score : (n,) float
        Of the signal.
    target : float
        Fraction to keep, between 0 and 1.
    axes, edges
        As for `efficiency_in_bins`.
    weight : (n,) float, optional

    Returns
    -------
    (n_bin,) float
        A row passes when its score is at least this; NaN in empty bins.

    Examples
    --------
    >>> cuts_in_bins(np.arange(10.0), target=0.8, axes={"mu": np.full(10, 30.0)}, edges={"mu": np.array([0.0, 80.0])})
    array([2.])
    """
    number = bin_numbers(axes, edges)
    weight = np.ones(len(score)) if weight is None else np.asarray(weight, float)
    size = int(np.prod([len(edge) - 1 for edge in edges.values()]))
    return np.array([score_cut(score[number == one], weight[number == one], target) for one in range(size)])


def score_cut(score: np.ndarray, weight: np.ndarray, target: float) -> float:
    """Largest observed score such that scores at or above it hold at least `target` of the weight; NaN when empty."""
    if not 0 < target <= 1:
        raise ConfigError(f"a signal efficiency of {target} cannot be asked for; give a number above 0 and up to 1")
    if len(score) == 0:
        return float("nan")
    order = np.argsort(score)[::-1]
    kept = np.cumsum(weight[order]) / weight.sum()
    return float(score[order][min(int(np.searchsorted(kept, target - 1e-12)), len(score) - 1)])
