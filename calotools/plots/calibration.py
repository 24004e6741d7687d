"""Reliability of probabilities, and confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from calotools.containers import Confusion, Reliability
from calotools.errors import EmptyInputError
from calotools.plots.bins import look_of
from calotools.plots.canvas import one_panel, stacked_panels
from calotools.plots.style import LABEL, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_confusion", "draw_reliability"]


def draw_reliability(curves: Sequence[Reliability], *, label: str = LABEL, note: str = "") -> Figure:
    """Draw how often that happens to which a probability was given, and how often each probability is given.

    Parameters
    ----------
    curves : sequence of Reliability
        In the order of the legend, with the mean distance from the diagonal.
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        Nothing was given.

    Examples
    --------
    >>> edges, half = np.array([0.0, 0.5, 1.0]), np.array([0.25, 0.75])
    >>> one = Reliability(edges, half, half, half - 0.1, half + 0.1, np.array([9.0, 9.0]), 0.0, "network")
    >>> len(draw_reliability([one]).axes)
    2
    """
    if not curves:
        raise EmptyInputError("draw_reliability was given no curve; give at least one")
    with stacked_panels(label, note) as (figure, (main, panel)):
        main.plot([0, 1], [0, 1], color="black", lw=0.8, ls=":")
        for which, one in enumerate(curves):
            colour, marker = look_of(which)
            errors = np.maximum(np.stack([one.value - one.low, one.high - one.value]), 0)
            text = f"{literal(one.name)}, mean distance {one.expected_error:.3f}".lstrip(", ")
            main.errorbar(one.mean, one.value, errors, ls="none", marker=marker, color=colour, label=text)
            share = one.n_total / max(float(one.n_total.sum()), 1e-300)
            panel.stairs(share, one.edges, color=colour, lw=1.6)
        main.set(xlim=(0, 1), ylim=(-0.02, 1.25), ylabel="Part that is of the class")
        main.legend(loc="upper left")
        panel.set(yscale="log", xlabel="Probability of the class")
        panel.set_ylabel("Part", loc="center")
    return figure


def draw_confusion(matrix: Confusion, *, label: str = LABEL, note: str = "") -> Figure:
    """Draw a confusion matrix: in each cell the percentage of the true class, and its 68.3 % interval.

    Parameters
    ----------
    matrix : Confusion
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Examples
    --------
    >>> value = np.array([[0.9, 0.1], [0.2, 0.8]])
    >>> one = Confusion(("e", "jet"), value, value - 0.05, value + 0.05, np.array([40, 50]))
    >>> len(draw_confusion(one).axes)
    1
    """
    n = len(matrix.names)
    size = max(4.8, 1.15 * n + 2.2)
    with one_panel(label, note, width=size, height=0.85 * size) as (figure, ax):
        ax.imshow(matrix.value, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for row, column in np.ndindex(n, n):
            _write_cell(ax, matrix, row, column)
        names = [literal(name) for name in matrix.names]
        ax.set_xticks(range(n), names, rotation=30 if n > 2 else 0, ha="right" if n > 2 else "center")
        ax.set_yticks(range(n), [f"{name}\n({count})" for name, count in zip(names, matrix.n, strict=True)])
        ax.tick_params(which="both", length=0)
        ax.minorticks_off()
        ax.set(xlabel="Taken for", ylabel="True class (candidates)")
    return figure


def _write_cell(ax: Axes, matrix: Confusion, row: int, column: int) -> None:
    value, low, high = (100 * float(one[row, column]) for one in (matrix.value, matrix.low, matrix.high))
    if not np.isfinite(value):
        text = "no\ncandidate"
    else:
        digits = max(1, int(np.ceil(-np.log10(max((high - low) / 2, 1e-3)))) + 1)
        text = f"{value:.{digits}f}\n$^{{+{high - value:.{digits}f}}}_{{-{value - low:.{digits}f}}}$ %"
    ax.text(column, row, text, ha="center", va="center", size="small", color="white" if value > 55 else "black")
