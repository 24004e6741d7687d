"""Results in bins as points with error bars: where each point stands, and what an empty or failed bin looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.errors import ShapeError
from calotools.plots.style import COLOURS, INVALID, axis_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "EMPTY",
    "MARKERS",
    "TOO_FEW",
    "draw_band",
    "draw_points",
    "finish_axis",
    "look_of",
    "mark_empty",
    "one_axis",
    "ordered_legend",
    "positions",
    "show_legend",
]

EMPTY = "empty bin"
TOO_FEW = "too few candidates"
_EXTRAS = ("truth", "injected truth", "fit not valid", "lower limit")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h")


def one_axis(
    edges: Mapping[str, np.ndarray], values: np.ndarray, *, asked_by: str, name: str
) -> tuple[str, np.ndarray]:
    """Name and edges of a result's only axis.

    Raises
    ------
    ShapeError
        The result has another number of axes, or its values do not fit the edges.

    Examples
    --------
    >>> one_axis({"mu": np.array([0.0, 20.0, 40.0])}, np.ones(2), asked_by="draw_efficiency", name="tight")[0]
    'mu'
    """
    if len(edges) != 1:
        axes = ", ".join(edges) or "none"
        raise ShapeError(f"{asked_by} draws results along one axis; '{name}' has {len(edges)} axes ({axes})")
    axis, bounds = next(iter(edges.items()))
    if len(values) != len(bounds) - 1:
        raise ShapeError(f"{asked_by}: '{name}' has {len(values)} values for {len(bounds) - 1} bins of {axis}")
    return axis, np.asarray(bounds, float)


def positions(edges: np.ndarray, which: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the points of series `which` of `n` stand, side by side in each bin, and how far the bin goes.

    Returns
    -------
    x : (n_bin,) float
    reach : (2, n_bin) float
        Distance to the lower and upper edge of the bin.

    Examples
    --------
    >>> positions(np.array([0.0, 10.0]), 0, 1)
    (array([5.]), array([[5.],
           [5.]]))
    """
    width = np.diff(edges)
    x = edges[:-1] + width * (0.5 + 0.14 * (which - (n - 1) / 2) * min(1.0, 5 / n))
    return x, np.stack([x - edges[:-1], edges[1:] - x])


def look_of(which: int) -> tuple[str, str]:
    """Colour and marker of a series by its number.

    Examples
    --------
    >>> look_of(0)
    ('#3f90da', 'o')
    """
    return COLOURS[which % len(COLOURS)], MARKERS[which % len(MARKERS)]


def draw_band(
    ax: Axes, edges: np.ndarray, low: np.ndarray, high: np.ndarray, *, colour: str, alpha: float = 0.25
) -> None:
    """Shade what is between two values in each bin: (n_bin,) float each."""
    low, high = (np.append(one, one[-1]) for one in (low, high))
    ax.fill_between(edges, low, high, step="post", color=colour, alpha=alpha, lw=0)


def draw_points(
    ax: Axes,
    x: np.ndarray,
    y: np.ndarray,
    errors: np.ndarray,
    *,
    reach: np.ndarray,
    style: tuple[str, str],
    valid: np.ndarray | None = None,
    name: str = "",
) -> None:
    """Points with vertical and horizontal bars; open and grey where they are not valid, absent where they are NaN.

    Parameters
    ----------
    ax : Axes
    x, y : (n_bin,) float
    errors, reach : (2, n_bin) float
        Downward and upward, left and right lengths.
    style : (str, str)
        Colour and marker.
    valid : (n_bin,) bool, optional
    name : str
        Entry of the legend; one without any valid point says so.
    """
    valid = np.ones(len(x), bool) if valid is None else np.asarray(valid, bool)
    there = np.isfinite(y)
    errors = np.where(np.isfinite(errors), np.maximum(errors, 0), 0)
    colour, marker = style
    good, bad = there & valid, there & ~valid
    suffix = "" if good.any() else " (no valid bin)"
    bars = {"ls": "none", "marker": marker, "elinewidth": 1.4}
    ax.errorbar(x[good], y[good], errors[:, good], reach[:, good], color=colour, label=name + suffix, **bars)  # type: ignore[arg-type]
    if bad.any():
        ax.errorbar(x[bad], y[bad], errors[:, bad], color=INVALID, mfc="white", alpha=0.8, **bars)  # type: ignore[arg-type]
        _explain_once(ax, marker)


def _explain_once(ax: Axes, marker: str) -> None:
    name = "fit not valid"
    if name not in ax.get_legend_handles_labels()[1]:
        ax.plot([], [], ls="none", marker=marker, color=INVALID, mfc="white", label=name)


def mark_empty(ax: Axes, edges: np.ndarray, values: list[np.ndarray], *, name: str = EMPTY) -> None:
    """Hatch the bins in which no series has a value, and put a cross at the foot of those that some lack."""
    missing = np.array([~np.isfinite(one) for one in values])
    label = name
    for low, high in zip(edges[:-1][missing.all(0)], edges[1:][missing.all(0)], strict=True):
        ax.axvspan(low, high, facecolor="none", hatch="////", edgecolor="#c4c8cc", lw=0, zorder=0, label=label)
        label = ""
    for which, one in enumerate(missing):
        lone = one & ~missing.all(0)
        x, _ = positions(edges, which, len(values))
        colour = COLOURS[which % len(COLOURS)]
        ax.plot(x[lone], np.full(lone.sum(), 0.03), "x", color=colour, transform=ax.get_xaxis_transform(), ms=6)


def ordered_legend(axes: Sequence[Axes]) -> dict[str, Any]:
    """Handles by name of all axes, each once, what is not a series at the end."""
    pairs = [pair for ax in axes for pair in zip(*ax.get_legend_handles_labels(), strict=True)]
    handles = {name: handle for handle, name in reversed(pairs)}
    order = [name for _, name in pairs]
    last = {*_EXTRAS, *(name for name, handle in handles.items() if getattr(handle, "get_hatch", lambda: None)())}
    return {name: handles[name] for name in sorted(handles, key=lambda one: (one in last, order.index(one)))}


def show_legend(ax: Axes) -> None:
    """The legend of a binned plot: two columns at the upper right."""
    handles = ordered_legend([ax])
    ax.legend(list(handles.values()), list(handles), loc="upper right", ncols=2)


def finish_axis(ax: Axes, axis: str, edges: np.ndarray) -> None:
    """Limits and label of the binned axis; logarithmic when the bins span more than two decades."""
    if edges[0] > 0 and edges[-1] / edges[0] > 100:
        ax.set_xscale("log")
    ax.set_xlim(edges[0], edges[-1])
    ax.set_xlabel(axis_label(axis))
