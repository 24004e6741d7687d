"""A histogram as it is: the sum of weights per bin, with its uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calotools.errors import ShapeError
from calotools.plots.canvas import one_panel
from calotools.plots.style import COLOURS, LABEL, literal

if TYPE_CHECKING:
    from hist import Hist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_histogram"]


def draw_histogram(histogram: Hist, *, label: str = LABEL, note: str = "") -> Figure:
    """Draw a histogram of one axis with errors, or of two as a map.

    Parameters
    ----------
    histogram : Hist
        With Weight storage. What is in the flow bins is said in the legend.
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    ShapeError
        It has more than two axes.

    Examples
    --------
    >>> import hist
    >>> et = hist.Hist(hist.axis.Regular(5, 0, 50, label="et"), storage=hist.storage.Weight()).fill([12.0, 18.0, 70.0])
    >>> draw_histogram(et).axes[0].get_xlabel()
    'et'
    """
    if histogram.ndim > 2:
        raise ShapeError(f"a histogram of {histogram.ndim} axes cannot be drawn; project it onto one or two")
    with one_panel(label, note) as (figure, ax):
        (_draw_line if histogram.ndim == 1 else _draw_map)(ax, histogram)
        ax.set_xlabel(literal(histogram.axes[0].label))
    return figure


def _draw_line(ax: Axes, histogram: Hist) -> None:
    values, edges = histogram.values(), histogram.axes[0].edges
    errors = np.sqrt(histogram.variances())
    ax.stairs(values, edges, color=COLOURS[0], label=_outside(histogram))
    ax.errorbar((edges[1:] + edges[:-1]) / 2, values, yerr=errors, fmt="none", color=COLOURS[0])
    ax.set_ylabel("Sum of weights")
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(min(0.0, 1.2 * float(np.min(values - errors))), 1.3 * max(float(np.max(values + errors)), 1e-300))
    ax.legend(loc="upper right")


def _draw_map(ax: Axes, histogram: Hist) -> None:
    x, y = (axis.edges for axis in histogram.axes)
    image = ax.pcolormesh(x, y, np.ma.masked_equal(histogram.values().T, 0.0), cmap="viridis", rasterized=True)
    ax.figure.colorbar(image, ax=ax, label="Sum of weights")
    ax.set_ylabel(literal(histogram.axes[1].label))


def _outside(histogram: Hist) -> str:
    low, high = histogram.values(flow=True)[[0, -1]]
    return f"underflow {low:.4g}, overflow {high:.4g}"
