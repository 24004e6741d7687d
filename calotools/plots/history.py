"""Training curves: how loss and metrics went, epoch by epoch."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calotools.errors import EmptyInputError, InputFileError
from calotools.plots.canvas import stacked_panels
from calotools.plots.style import COLOURS, LABEL, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_history", "read_history"]

_PARTS = {"train": "training", "val": "validation", "validation": "validation", "test": "test"}
_ALONG = ("epoch", "step")
_NOT_DRAWN = (*_ALONG, "seconds", "candidates_per_s")


def read_history(path: Path | str) -> dict[str, np.ndarray]:
    """Read the columns of a training log.

    Parameters
    ----------
    path : path
        CSV with a header; an empty field becomes NaN.

    Returns
    -------
    dict of str to (n_row,) float

    Raises
    ------
    InputFileError
        The file is absent, or a field is not a number.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "metrics.csv"
    >>> _ = path.write_text("epoch,train_loss\\n0,0.7\\n1,\\n")
    >>> read_history(path)
    {'epoch': array([0., 1.]), 'train_loss': array([0.7, nan])}
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            return {name: np.array([float(row[name] or "nan") for row in rows]) for name in reader.fieldnames or ()}
    except OSError as error:
        raise InputFileError(f"training log '{path}' cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InputFileError(f"training log '{path}' is not a table of numbers: {error}") from None


def draw_history(columns: Mapping[str, np.ndarray], *, label: str = LABEL, note: str = "") -> Figure:
    """Draw training curves: one panel per quantity, training and validation together, the best epoch marked.

    Parameters
    ----------
    columns : dict of str to (n_row,) float
        ``epoch`` (or ``step``), and quantities such as ``train_loss``, ``val_loss``, ``val_auc``, ``lr``; a row may
        leave any of them NaN. Times are left out.
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        No quantity has a finite value.

    Examples
    --------
    >>> epoch = np.arange(4.0)
    >>> figure = draw_history({"epoch": epoch, "train_loss": 1 / (1 + epoch), "val_loss": 1.1 / (1 + epoch)})
    >>> figure.axes[0].get_ylabel()
    'loss'
    """
    groups = group_columns(columns)
    if not groups:
        raise EmptyInputError(f"no training curve has a finite value; columns: {', '.join(columns) or 'none'}")
    along = next((name for name in _ALONG if name in columns), None)
    first = next(iter(columns.values()))
    x = np.asarray(columns[along], float) if along else np.arange(len(first), dtype=float)
    heights = (1.6, *([1] * (len(groups) - 1)))
    with stacked_panels(label, note, heights=heights, height=2.4 + 1.5 * len(groups)) as (figure, axes):
        for ax, (quantity, parts) in zip(axes, groups.items(), strict=True):
            _draw_quantity(ax, quantity, parts, x=x)
            if (ax is axes[0] and any(parts)) or not set(parts) <= {"", *next(iter(groups.values()))}:
                ax.legend(loc="best", fontsize="small")
        axes[-1].set_xlabel((along or "row").capitalize())
        axes[-1].xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    return figure


def group_columns(columns: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Columns by quantity and part; the loss first, columns without a finite value left out.

    Examples
    --------
    >>> columns = {"epoch": [0], "val_auc": [0.9], "train_loss": [0.3], "val_loss": [0.4], "lr": [float("nan")]}
    >>> {key: list(parts) for key, parts in group_columns(columns).items()}
    {'loss': ['training', 'validation'], 'auc': ['validation']}
    """
    groups: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    for name, values in columns.items():
        head, _, tail = name.replace("/", "_").partition("_")
        part, quantity = (_PARTS[head], tail) if head in _PARTS and tail else ("", name)
        quantity = quantity.removesuffix("_epoch")
        if name not in _NOT_DRAWN and np.isfinite(np.asarray(values, float)).any():
            groups[quantity][part] = np.asarray(values, float)
    return dict(sorted(groups.items(), key=lambda item: (item[0] != "loss", list(groups).index(item[0]))))


def _draw_quantity(ax: Axes, quantity: str, parts: Mapping[str, np.ndarray], *, x: np.ndarray) -> None:
    for part, values in parts.items():
        there = np.isfinite(values) & np.isfinite(x)
        colour = COLOURS[1] if part == "validation" else COLOURS[0]
        marker = "o" if there.sum() <= 60 else ""
        ax.plot(x[there], values[there], color=colour, marker=marker, ms=4, label=part)
    if quantity == "loss" and "validation" in parts:
        best = int(np.nanargmin(parts["validation"]))
        ax.axvline(x[best], color="black", lw=0.9, ls=":", label=f"lowest, at {x[best]:g}")
    positive = all(np.nanmin(values) > 0 for values in parts.values())
    if positive and _decades(parts) > 1.5:
        ax.set_yscale("log")
    ax.set_xlim(np.nanmin(x) - 0.3, np.nanmax(x) + 0.3)
    ax.margins(y=0.1)
    ax.set_ylabel(literal(quantity), loc="center")


def _decades(parts: Mapping[str, np.ndarray]) -> float:
    low = min(float(np.nanmin(values)) for values in parts.values())
    high = max(float(np.nanmax(values)) for values in parts.values())
    return math.log10(high / low)
