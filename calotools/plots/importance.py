"""What matters most: bars by name, largest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from calotools.errors import EmptyInputError
from calotools.plots.canvas import one_panel
from calotools.plots.style import COLOURS, LABEL, literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_importance"]

_SHOWN = 30


def draw_importance(
    values: Mapping[str, float],
    *,
    errors: Mapping[str, float] | None = None,
    axis: str = "Importance",
    label: str = LABEL,
    note: str = "",
) -> Figure:
    """Draw importances as horizontal bars, the largest at the top; at most the 30 largest.

    Parameters
    ----------
    values : dict of str to float
        By name; one that is not finite is left out.
    errors : dict of str to float, optional
    axis : str
        Label, which may hold mathematics.
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        No value is finite.

    Examples
    --------
    >>> figure = draw_importance({"maps": 0.2, "learning_rate": 0.8})
    >>> [one.get_text() for one in figure.axes[0].get_yticklabels()]
    ['learning_rate', 'maps']
    """
    there = {name: value for name, value in values.items() if np.isfinite(value)}
    if not there:
        raise EmptyInputError(f"none of {len(values)} importances is finite; there is nothing to draw")
    names = sorted(there, key=lambda name: -there[name])[:_SHOWN]
    bars = None if errors is None else [errors.get(name, 0.0) for name in names]
    with one_panel(label, note, height=1.6 + 0.3 * len(names)) as (figure, ax):
        place = np.arange(len(names))
        ax.barh(place, [there[name] for name in names], xerr=bars, color=COLOURS[0], height=0.7, ecolor="black")
        ax.margins(x=0.04)  # the ends of error bars, inside the frame
        ax.axvline(0, color="black", lw=0.8)
        ax.set_yticks(place, [literal(name) for name in names])
        ax.tick_params(axis="y", which="both", left=False, right=False)
        ax.minorticks_on()
        ax.yaxis.set_tick_params(which="minor", left=False, right=False)
        ax.invert_yaxis()
        ax.set_xlabel(axis)
    return figure
