"""Efficiencies and scale factors in two dimensions: one small plot per bin of the second axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from calotools.containers import Efficiency, ScaleFactors
from calotools.errors import EmptyInputError, ShapeError
from calotools.plots.bins import draw_points, finish_axis, look_of, mark_empty, ordered_legend, positions
from calotools.plots.style import COLOURS, LABEL, axis_label, literal, new_figure, stamp_ends, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_efficiency_map", "draw_scale_factors"]


def draw_efficiency_map(
    efficiencies: Sequence[Efficiency],
    *,
    truth: np.ndarray | None = None,
    x: str = "et",
    ylabel: str = "Efficiency",
    label: str = LABEL,
    note: str = "",
) -> Figure:
    """Draw efficiencies with two axes: one small plot per bin of the other axis, along `x`.

    Parameters
    ----------
    efficiencies : sequence of Efficiency
        With the same two axes; empty bins are hatched, bins that are not valid open and grey.
    truth : (n_bin,) float, optional
        Known values in the same flattened order, drawn as a dashed line.
    x : str
        Name of the axis drawn horizontally; the first axis when there is none of that name.
    ylabel : str
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        Nothing was given.
    ShapeError
        A result has not two axes.

    Examples
    --------
    >>> edges = {"et": np.array([20.0, 40.0, 60.0]), "eta": np.array([0.0, 0.8, 1.37, 2.47])}
    >>> value = np.linspace(0.8, 0.95, 6)
    >>> one = Efficiency(value, value - 0.01, value + 0.01, edges, np.full(6, 100.0), np.full(6, True), "tight")
    >>> len(draw_efficiency_map([one]).axes)
    3
    """
    if not efficiencies:
        raise EmptyInputError("draw_efficiency_map was given no efficiency; give at least one")
    grid = _Grid(efficiencies[0].edges, x, asked_by="draw_efficiency_map")
    with style():
        figure, axes = _small_plots(grid)
        for panel, ax in enumerate(axes):
            if truth is not None:
                ax.stairs(
                    grid.row(truth, panel), grid.edges, baseline=None, color="black", ls="--", lw=1.2, label="truth"
                )
            for which, one in enumerate(efficiencies):
                errors = np.stack([one.value - one.low, one.high - one.value])
                _draw_row(
                    ax, grid, panel, (one.value, errors, one.valid), place=(which, len(efficiencies)), name=one.name
                )
            mark_empty(ax, grid.edges, [grid.row(one.value, panel) for one in efficiencies])
            _title(ax, grid, panel)
        _finish(figure, axes, grid, ylabel=ylabel, stamps=(label, note))
    return figure


def draw_scale_factors(factors: ScaleFactors, *, x: str = "et", label: str = LABEL, note: str = "") -> Figure:
    """Draw scale factors with two axes: statistical error bars, total ones behind them, and the injected truth.

    Parameters
    ----------
    factors : ScaleFactors
        Bins that are not valid are open and grey, empty ones hatched.
    x : str
        Name of the axis drawn horizontally; the first axis when there is none of that name.
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    ShapeError
        The result has not two axes.

    Examples
    --------
    >>> edges = {"et": np.array([20.0, 40.0, 60.0]), "eta": np.array([0.0, 1.37, 2.47])}
    >>> value, small = np.linspace(0.95, 1.01, 4), np.full(4, 0.01)
    >>> one = Efficiency(value, value - 0.01, value + 0.01, edges, np.full(4, 100.0), np.full(4, True), "data")
    >>> factors = ScaleFactors(value, small, small, one, one, edges, np.full(4, True), injected=value + 0.005)
    >>> len(draw_scale_factors(factors).axes)
    2
    """
    grid = _Grid(factors.edges, x, asked_by="draw_scale_factors")
    with style():
        figure, axes = _small_plots(grid)
        for panel, ax in enumerate(axes):
            _draw_factors(ax, grid, panel, factors)
            _title(ax, grid, panel)
        _finish(figure, axes, grid, ylabel="Scale factor", stamps=(label, note))
    return figure


class _Grid:
    """A flattened two-axis result, seen as rows along x, one for each bin of the panel axis."""

    def __init__(self, edges: Mapping[str, np.ndarray], x: str, *, asked_by: str) -> None:
        if len(edges) != 2:
            axes = ", ".join(edges) or "none"
            raise ShapeError(f"{asked_by} draws results with two axes; this one has {len(edges)} ({axes})")
        names = list(edges)
        self.x = x if x in edges else names[0]
        self.panel = next(name for name in names if name != self.x)
        self.edges = np.asarray(edges[self.x], float)
        self.panel_edges = np.asarray(edges[self.panel], float)
        self.shape = tuple(len(one) - 1 for one in edges.values())
        self._asked_by = asked_by
        self._x_first = names[0] == self.x

    def row(self, flat: np.ndarray, panel: int) -> np.ndarray:
        """Values along x in one bin of the panel axis."""
        if np.size(flat) != math.prod(self.shape):
            raise ShapeError(f"{self._asked_by}: {np.size(flat)} values for {self.shape[0]} x {self.shape[1]} bins")
        table = np.asarray(flat).reshape(self.shape)
        return table[:, panel] if self._x_first else table[panel]


def _small_plots(grid: _Grid) -> tuple[Figure, list[Axes]]:
    n = len(grid.panel_edges) - 1
    columns = min(n, 3)
    rows = math.ceil(n / columns)
    figure = new_figure(width=1.0 + 3.4 * columns, height=1.0 + 2.6 * rows)
    axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel())
    for unused in axes[n:]:
        unused.set_axis_off()
    for above in axes[max(0, n - columns) : n]:
        above.xaxis.set_tick_params(labelbottom=True)
    return figure, axes[:n]


def _title(ax: Axes, grid: _Grid, panel: int) -> None:
    low, high = grid.panel_edges[panel : panel + 2]
    name = axis_label(grid.panel).replace(" [GeV]", "")
    unit = " GeV" if "[GeV]" in axis_label(grid.panel) else ""
    ax.text(
        0.5, 0.94, f"{low:g} < {name} < {high:g}{unit}", transform=ax.transAxes, ha="center", va="top", size="medium"
    )


def _draw_row(
    ax: Axes,
    grid: _Grid,
    panel: int,
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    *,
    place: tuple[int, int],
    name: str,
) -> None:
    value, errors, valid = points
    x, reach = positions(grid.edges, *place)
    rows = np.stack([grid.row(one, panel) for one in errors])
    values, good = grid.row(value, panel), grid.row(valid, panel)
    draw_points(ax, x, values, rows, reach=reach, style=look_of(place[0]), valid=good, name=literal(name))


def _draw_factors(ax: Axes, grid: _Grid, panel: int, factors: ScaleFactors) -> None:
    ax.axhline(1, color="black", lw=0.8, ls=":")
    if factors.injected is not None:
        injected = grid.row(factors.injected, panel)
        ax.stairs(injected, grid.edges, baseline=None, color=COLOURS[1], ls="--", lw=1.4, label="injected truth")
    value, stat, syst = (grid.row(one, panel) for one in (factors.value, factors.stat, factors.syst))
    total = np.hypot(stat, np.nan_to_num(syst))
    shown = np.isfinite(value) & grid.row(factors.valid, panel).astype(bool)
    middle, half = 0.5 * (grid.edges[1:] + grid.edges[:-1]), 0.5 * np.diff(grid.edges)
    low, width = (value - total)[shown], 2 * total[shown]
    ax.bar(
        middle[shown], width, 2 * half[shown], low, color=COLOURS[0], alpha=0.25, lw=0, label=r"stat. $\oplus$ syst."
    )
    _draw_row(
        ax,
        grid,
        panel,
        (factors.value, np.stack([factors.stat] * 2), factors.valid),
        place=(0, 1),
        name="measured (stat.)",
    )
    mark_empty(ax, grid.edges, [value])


def _finish(figure: Figure, axes: list[Axes], grid: _Grid, *, ylabel: str, stamps: tuple[str, str]) -> None:
    for ax in axes:
        finish_axis(ax, grid.x, grid.edges)
        ax.set_xlabel("")
        ax.margins(y=0.05)
    bottom, top = axes[0].get_ylim()
    axes[0].set_ylim(bottom, top + 0.22 * (top - bottom))
    figure.supxlabel(axis_label(grid.x), x=0.98, ha="right")
    figure.supylabel(ylabel, y=0.9, va="top")
    handles = ordered_legend(axes)
    free = [ax for ax in figure.axes if ax not in axes]
    if free:
        free[0].legend(list(handles.values()), list(handles), loc="center")
    else:
        figure.legend(list(handles.values()), list(handles), loc="outside lower left", ncols=5)
    stamp_ends(axes[0], axes[min(len(axes), 3) - 1], *stamps)
