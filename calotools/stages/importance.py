"""What inputs are worth: the table, the figure and the first lines that networks and variable models share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from calotools.plots import draw_importance
from calotools.stages.publish import Headline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Importance", "draw_values", "first_lines", "name_values", "table_of"]

Importance = dict[str, tuple[float, float]]
"""Value and error of each input, by its name."""
_LINES = 5


def name_values(names: Iterable[str], value: np.ndarray, error: np.ndarray) -> Importance:
    """Importances from columns: (n_input,) float."""
    return dict(zip(names, zip(value.tolist(), error.tolist(), strict=True), strict=True))


def table_of(importance: Importance) -> dict[str, dict[str, float]]:
    """As numbers.json has it."""
    return {name: {"value": value, "error": error} for name, (value, error) in importance.items()}


def draw_values(importance: Importance, *, axis: str, label: str, percent: bool = False) -> Figure:
    """Bars, largest first."""
    unit = 100 if percent else 1
    values = {name: unit * value for name, (value, _) in importance.items()}
    errors = {name: unit * error for name, (_, error) in importance.items()}
    return draw_importance(values, errors=errors, axis=axis, label=label)


def first_lines(importance: Importance, n: int, *, before: str, percent: str = "") -> tuple[Headline, ...]:
    """The five largest, and the number of candidates.

    Parameters
    ----------
    importance : dict of str to (float, float)
    n : int
        Candidates.
    before : str
        What stands before the name of an input.
    percent : str
        Comment on values that are shown in per cent; without it they are shown as they are.

    Returns
    -------
    tuple of Headline

    Examples
    --------
    >>> [line.name for line in first_lines({"eta": (0.1, 0.1), "et": (0.5, 0.1)}, 80, before="without")]
    ['without et', 'without eta', 'candidates']
    """
    largest = sorted(importance.items(), key=lambda item: -item[1][0])[:_LINES]
    factor, unit = (100, "%") if percent else (1, "")
    lines = (
        Headline(f"{before} {name}", factor * value, factor * error, unit, percent) for name, (value, error) in largest
    )
    return (*lines, Headline("candidates", n))
