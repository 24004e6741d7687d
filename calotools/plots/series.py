"""Measured points along an axis, with what is expected of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from calotools.errors import EmptyInputError, ShapeError
from calotools.plots.bins import MARKERS
from calotools.plots.canvas import one_panel
from calotools.plots.style import COLOURS, LABEL, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_series"]

Points = Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
Curves = Mapping[str, tuple[np.ndarray, np.ndarray]]
_SHORT = 300.0  # last over first of an axis
_SMALL_TICKS = 40


def draw_series(
    points: Points,
    *,
    axes: tuple[str, str],
    curves: Curves | None = None,
    scale: Literal["linear", "log", "logy", "loglog"] = "linear",
    whole: bool = False,
    label: str = LABEL,
    note: str = "",
) -> Figure:
    """Draw measured points with errors, and curves of what is expected.

    Parameters
    ----------
    points : dict of str to (x, y, error)
        Arrays of one length by name; a NaN is not drawn.
    axes : (str, str)
        Labels, which may hold mathematics.
    curves : dict of str to (x, y), optional
        A curve that is called as a series has that series' colour and no entry in the legend.
    scale : {"linear", "log", "logy", "loglog"}
        Whether x (log), y or both axes are logarithmic.
    whole : bool
        x counts something: ticks are at whole numbers alone. Of a linear axis.
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        No series has a finite point.
    ShapeError
        A series' arrays differ in length.

    Examples
    --------
    >>> x = np.array([10.0, 20.0, 50.0])
    >>> figure = draw_series({"electrons": (x, 0.1 / np.sqrt(x), 0.01 / x)}, axes=("E [GeV]", "width"), scale="log")
    >>> figure.axes[0].get_xscale()
    'log'
    """
    _check(points)
    with one_panel(label, note) as (figure, ax):
        if scale in ("log", "loglog"):
            ax.set_xscale("log")
        if scale in ("logy", "loglog"):
            ax.set_yscale("log")
        _draw_points(ax, points)
        _draw_curves(ax, curves or {}, names=list(points))
        ax.margins(x=0.05, y=0.12)
        _make_room(ax)
        if ax.get_xscale() == "log":
            _label_few(ax)
        elif whole:
            _count(ax)
        ax.set(xlabel=axes[0], ylabel=axes[1])
        ax.legend(fontsize="small", loc="upper right", ncols=2 if len(points) + len(curves or {}) > 3 else 1)
    return figure


def _label_few(ax: Axes) -> None:
    """Plain numbers at 1, 2 and 5 of each decade of a short logarithmic axis, where powers would overlap."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    low, high = ax.get_xlim()
    if high < _SHORT * low:
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())


def _count(ax: Axes) -> None:
    """Ticks at whole numbers, small ones too."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_minor_locator(MaxNLocator(_SMALL_TICKS, integer=True))


def _make_room(ax: Axes) -> None:
    """Space for the legend above everything that is drawn."""
    low, high = ax.get_ylim()
    if ax.get_yscale() == "log":
        ax.set_ylim(low, high * (high / low) ** 0.25)
    else:
        ax.set_ylim(low, high + 0.25 * (high - low))


def _check(points: Points) -> None:
    for name, columns in points.items():
        if len({len(np.atleast_1d(one)) for one in columns}) != 1:
            raise ShapeError(f"series '{name}' has arrays of lengths {[len(np.atleast_1d(one)) for one in columns]}")
    if not any(np.isfinite(y).any() for _, y, _ in points.values()):
        raise EmptyInputError(f"no point to draw in {len(points)} series: {', '.join(points) or 'none given'}")


def _draw_points(ax: Axes, points: Points) -> None:
    for which, (name, (x, y, error)) in enumerate(points.items()):
        there = np.isfinite(y)
        bars = np.nan_to_num(np.maximum(np.asarray(error, float), 0))
        ax.errorbar(
            np.asarray(x)[there],
            np.asarray(y)[there],
            bars[there],
            ls="none",
            marker=MARKERS[which % len(MARKERS)],
            color=COLOURS[which % len(COLOURS)],
            elinewidth=1.4,
            label=literal(name),
        )


def _draw_curves(ax: Axes, curves: Curves, *, names: list[str]) -> None:
    dashes = ("--", ":", "-.")
    others = 0
    for name, (x, y) in curves.items():
        if name in names:
            ax.plot(x, y, color=COLOURS[names.index(name) % len(COLOURS)], lw=1.2)
        else:
            ax.plot(x, y, color="black", lw=1.2, ls=dashes[others % len(dashes)], label=literal(name))
            others += 1
