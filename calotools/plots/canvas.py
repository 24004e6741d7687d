"""A new figure in the style, ready to draw on; the label comes above it when the drawing is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from calotools.plots.style import new_figure, stacked, stamp, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["one_panel", "stacked_panels"]


@contextmanager
def one_panel(label: str, note: str = "", *, width: float = 6.4, height: float = 4.8) -> Iterator[tuple[Figure, Axes]]:
    """A figure of one pair of axes.

    Parameters
    ----------
    label, note : str
        Above the axes, left and right; written at the end, when the axes are as they stay.
    width, height : float [inch]

    Examples
    --------
    >>> with one_panel("calotools simulation") as (figure, ax):
    ...     lines = ax.plot([0, 1], [0, 1])
    >>> figure.axes == [ax]
    True
    """
    with style():
        figure = new_figure(width=width, height=height)
        ax = figure.subplots()
        yield figure, ax
        stamp(ax, label, note)


@contextmanager
def stacked_panels(
    label: str, note: str = "", *, heights: tuple[float, ...] = (3, 1), height: float | None = None
) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure of axes above each other that share x and touch.

    Parameters
    ----------
    label, note : str
        Above the uppermost axes, left and right.
    heights : tuple of float
        Of the axes, in relation to each other.
    height : float, optional [inch]
        Of the figure; default: 4.8 for one pair of axes, 5.4 for more.

    Examples
    --------
    >>> with stacked_panels("calotools simulation", heights=(3, 1)) as (figure, (main, panel)):
    ...     lines = main.plot([0, 1], [0, 1])
    >>> figure.axes == [main, panel]
    True
    """
    with style():
        figure = new_figure(height=height or (5.4 if len(heights) > 1 else 4.8))
        axes = stacked(figure, heights=heights)
        yield figure, axes
        stamp(axes[0], label, note)
