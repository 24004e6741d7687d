"""What inputs are worth: the table, the figure and the first lines that networks and variable models share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from calotools import training
from calotools.analysis import quantiles
from calotools.errors import EmptyInputError
from calotools.plots import draw_importance
from calotools.stages.publish import Headline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.deploy import ModelBundle

__all__ = ["Importance", "draw_shuffled", "draw_values", "first_lines", "metric_of", "name_values", "table_of"]

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


def draw_shuffled(importance: Importance, bundle: ModelBundle, *, label: str) -> Figure:
    """Bars of what `metric_of` grows by when an input is that of another candidate."""
    what = "the IQR of E/E_true" if bundle.task == "energy" else "1 − AUC"
    return draw_values(importance, axis=f"Increase of {what} [%]", label=label, percent=True)


def metric_of(bundle: ModelBundle, truth: np.ndarray) -> Callable[[np.ndarray, np.ndarray], float]:
    """Of a model's output: larger is worse.

    Parameters
    ----------
    bundle : ModelBundle
    truth : (n,) array
        Class in the order of the outputs, or true energy [GeV].

    Returns
    -------
    callable
        (output, (n,) weight) -> IQR of E/E_true, or 1 - AUC, the mean over the classes that are there.

    Raises
    ------
    EmptyInputError
        All candidates are of one class.
    """

    def iqr(output: np.ndarray, weight: np.ndarray) -> float:
        energy = output.reshape(len(output), -1)[:, 0]
        low, high = quantiles(energy / truth, np.array([0.25, 0.75]), weight=weight)
        return float(high - low)

    present = np.unique(truth)
    if bundle.task == "identification" and len(present) < 2:
        raise EmptyInputError(
            f"all {len(truth)} candidates are of class '{list(bundle.classes)[int(present[0])]}': what inputs are "
            "worth to tell classes apart needs others; give files of each"
        )

    def missing_auc(output: np.ndarray, weight: np.ndarray) -> float:
        return 1.0 - training.mean_auc(output[:, present], np.searchsorted(present, truth), weight=weight)

    return iqr if bundle.task == "energy" else missing_auc


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
