"""Efficiency and rejection in bins of one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from calotools.containers import Efficiency
from calotools.errors import EmptyInputError
from calotools.plots.bins import EMPTY, draw_points, finish_axis, look_of, mark_empty, one_axis, positions, show_legend
from calotools.plots.canvas import one_panel
from calotools.plots.style import LABEL, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_efficiency", "draw_rejection"]


def draw_efficiency(
    efficiencies: Sequence[Efficiency],
    *,
    truth: np.ndarray | None = None,
    ylabel: str = "Efficiency",
    label: str = LABEL,
    note: str = "",
    empty: str = EMPTY,
) -> Figure:
    """Draw efficiencies with their intervals along one axis.

    Parameters
    ----------
    efficiencies : sequence of Efficiency
        Each along the same single axis. Empty bins (NaN) are hatched, or crossed where only some are empty; bins
        that are not valid are open and grey.
    truth : (n_bin,) float, optional
        Known values, drawn as a dashed line.
    ylabel : str
    label, note : str
        Above the axes, left and right.
    empty : str
        What the legend calls bins without a value.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        Nothing was given.
    ShapeError
        A result has more than one axis.

    Examples
    --------
    >>> value, edges = np.array([0.9, np.nan]), {"eta": np.array([0.0, 1.37, 1.52])}
    >>> one = Efficiency(value, value - 0.02, value + 0.01, edges, np.array([99.0, 0.0]), np.isfinite(value), "tight")
    >>> draw_efficiency([one]).axes[0].get_ylabel()
    'Efficiency'
    """
    axis, edges = _common_axis(efficiencies, "draw_efficiency")
    with one_panel(label, note) as (figure, ax):
        if truth is not None:
            ax.stairs(truth, edges, baseline=None, color="black", ls="--", lw=1.2, label="truth")
        for which, one in enumerate(efficiencies):
            _draw_one(ax, one, (one.value, one.low, one.high), edges=edges, place=(which, len(efficiencies)))
        mark_empty(ax, edges, [one.value for one in efficiencies], name=empty)
        finish_axis(ax, axis, edges)
        _leave_headroom(ax)
        ax.set_ylabel(ylabel)
        show_legend(ax)
    return figure


def draw_rejection(
    efficiencies: Sequence[Efficiency], *, label: str = LABEL, note: str = "", empty: str = EMPTY
) -> Figure:
    """Draw background rejections, 1 / efficiency, along one axis.

    Parameters
    ----------
    efficiencies : sequence of Efficiency
        Background efficiencies along the same single axis. Where no background passed, an arrow starts at the
        lower limit, 1 / high.
    label, note : str
        Above the axes, left and right.
    empty : str
        What the legend calls bins without a value.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        Nothing was given.
    ShapeError
        A result has more than one axis.

    Examples
    --------
    >>> value, edges = np.array([0.01, 0.0]), {"mu": np.array([0.0, 30.0, 60.0])}
    >>> low, high = np.array([0.008, 0.0]), np.array([0.013, 0.004])
    >>> one = Efficiency(value, low, high, edges, np.array([900.0, 300.0]), np.array([True, True]), "network")
    >>> draw_rejection([one]).axes[0].get_yscale()
    'log'
    """
    axis, edges = _common_axis(efficiencies, "draw_rejection")
    with one_panel(label, note) as (figure, ax):
        for which, one in enumerate(efficiencies):
            _draw_one(ax, one, inverted(one), edges=edges, place=(which, len(efficiencies)))
            _draw_limits(ax, one, edges=edges, place=(which, len(efficiencies)))
        mark_empty(ax, edges, [one.value for one in efficiencies], name=empty)
        finish_axis(ax, axis, edges)
        ax.set(yscale="log", ylabel=r"Background rejection 1/$\varepsilon_\mathrm{b}$")
        bottom, top = ax.get_ylim() if any(np.isfinite(one.value).any() for one in efficiencies) else (1.5, 10.0)
        ax.set_ylim(bottom / 1.5, top * (top / bottom) ** 0.3)
        show_legend(ax)
    return figure


def inverted(one: Efficiency) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """1 / efficiency with its interval; NaN where the efficiency is 0 and only a limit is known.

    Returns
    -------
    value, low, high : (n_bin,) float
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(one.value > 0, 1 / one.value, np.nan)
        # An interval that reaches zero has no upper end: the bar goes as far up as it goes down in the logarithm.
        high = np.where(one.low > 0, 1 / one.low, value**2 * one.high)
        return value, 1 / one.high, high


def _common_axis(efficiencies: Sequence[Efficiency], asked_by: str) -> tuple[str, np.ndarray]:
    if not efficiencies:
        raise EmptyInputError(f"{asked_by} was given no efficiency; give at least one")
    found = [one_axis(one.edges, one.value, asked_by=asked_by, name=one.name) for one in efficiencies]
    return found[0]


def _draw_one(
    ax: Axes,
    one: Efficiency,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    *,
    edges: np.ndarray,
    place: tuple[int, int],
) -> None:
    value, low, high = points
    x, reach = positions(edges, *place)
    errors = np.stack([value - low, high - value])
    draw_points(ax, x, value, errors, reach=reach, style=look_of(place[0]), valid=one.valid, name=literal(one.name))


def _draw_limits(ax: Axes, one: Efficiency, *, edges: np.ndarray, place: tuple[int, int]) -> None:
    (x, _), (colour, _) = positions(edges, *place), look_of(place[0])
    limit = (one.value == 0) & (one.high > 0)
    for left, y in zip(x[limit], 1 / one.high[limit], strict=True):
        ax.plot(left, y, marker="_", ms=10, ls="none", color=colour, label="lower limit")
        arrow = {"arrowstyle": "->", "color": colour, "lw": 1.4}
        ax.annotate("", (left, y * 1.8), xytext=(left, y), arrowprops=arrow)
        ax.update_datalim([(left, y * 1.8)])


def _leave_headroom(ax: Axes) -> None:
    ax.margins(y=0.08)
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top + 0.3 * (top - bottom))
