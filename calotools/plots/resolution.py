"""Energy resolution and its improvement, inclusive or in bins of one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from calotools.containers import Resolution
from calotools.errors import ConfigError, EmptyInputError, nearest
from calotools.plots.bins import (
    EMPTY,
    TOO_FEW,
    draw_points,
    finish_axis,
    look_of,
    mark_empty,
    one_axis,
    positions,
    show_legend,
)
from calotools.plots.canvas import stacked_panels
from calotools.plots.style import LABEL, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_resolution"]

_METRICS = {
    "bias": r"Median of $E/E_\mathrm{true}$ - 1",
    "iqr": r"IQR of $E/E_\mathrm{true}$",
    "sigma68": r"$\sigma_{68}$ of $E/E_\mathrm{true}$",
    "mae": "Mean absolute error [GeV]",
    "width": r"IQR/1.349 of $E/E_\mathrm{true}$",
    "tail_low": "Fraction over three widths low",
    "tail_high": "Fraction over three widths high",
    "rel_improvement": r"1 - IQR/IQR$_\mathrm{ref}$",
    "rel_improvement_corr": r"1 - IQR/IQR$_\mathrm{ref}$ (corrected)",
    "ratio": r"IQR$_\mathrm{ref}$/IQR",
    "coverage68": r"Fraction within $\sigma$",
    "coverage95": r"Fraction within $2\sigma$",
    "pull_median": r"Median of $(E - E_\mathrm{true})/\sigma$",
    "pull_width": r"IQR/1.349 of $(E - E_\mathrm{true})/\sigma$",
}
_NEUTRAL = {"bias": 0.0, "rel_improvement": 0.0, "rel_improvement_corr": 0.0, "ratio": 1.0}
_NEUTRAL |= {"coverage68": 0.6827, "coverage95": 0.9545, "pull_median": 0.0, "pull_width": 1.0}


def draw_resolution(
    resolutions: Sequence[Resolution],
    *,
    metric: str = "iqr",
    panel: str | None = "rel_improvement",
    label: str = LABEL,
    note: str = "",
) -> Figure:
    """Draw a metric of several energy estimates along one axis, and how much each improves on the reference.

    Parameters
    ----------
    resolutions : sequence of Resolution
        Each along the same single axis; bins without a value (NaN) are hatched: empty ones, or of too few candidates.
    metric : str
        A key of `Resolution.metrics`.
    panel : str, optional
        Metric of the lower panel, drawn for the estimates that have it; no panel when none has.
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        Nothing was given.
    ConfigError
        A result lacks the metric.
    ShapeError
        A result has more than one axis.

    Examples
    --------
    >>> edges, n = {"eta": np.array([0.0, 1.37, 2.47])}, np.array([50, 50])
    >>> one = Resolution({"iqr": np.array([0.02, 0.03])}, {"iqr": np.array([0.001, 0.002])}, edges, n, "network")
    >>> len(draw_resolution([one]).axes)
    1
    """
    if not resolutions:
        raise EmptyInputError("draw_resolution was given no result; give at least one")
    compared = [one for one in resolutions if panel is not None and panel in one.metrics]
    with stacked_panels(label, note, heights=(2, 1) if compared else (1,)) as (figure, axes):
        _draw_metric(axes[0], resolutions, metric, of=resolutions)
        top = axes[0].get_ylim()
        axes[0].set_ylim(top[0], top[1] + 0.3 * (top[1] - top[0]))
        show_legend(axes[0])
        if compared and panel is not None:
            _draw_metric(axes[1], compared, panel, of=resolutions)
            axes[0].set_xlabel("")
    return figure


def _draw_metric(ax: Axes, shown: Sequence[Resolution], metric: str, *, of: Sequence[Resolution]) -> None:
    edges = np.empty(0)
    for one in shown:
        value, error = _values(one, metric)
        axis, edges = one_axis(one.edges, value, asked_by="draw_resolution", name=one.name)
        which = next(i for i, other in enumerate(of) if other is one)
        x, reach = positions(edges, which, len(of))
        draw_points(ax, x, value, np.stack([error, error]), reach=reach, style=look_of(which), name=literal(one.name))
        finish_axis(ax, axis, edges)
    values = [_values(one, metric)[0] for one in shown]
    blank = ~np.isfinite(values).any(axis=0)
    too_few = any((blank & (np.atleast_1d(one.n) > 0)).any() for one in shown)
    mark_empty(ax, edges, values, name=TOO_FEW if too_few else EMPTY)
    if metric in _NEUTRAL:
        ax.axhline(_NEUTRAL[metric], color="black", lw=0.8, ls=":")
    ax.margins(y=0.12)
    ax.set_ylabel(_METRICS.get(metric, literal(metric)), loc="top" if shown is of else "center")


def _values(one: Resolution, metric: str) -> tuple[np.ndarray, np.ndarray]:
    if metric not in one.metrics:
        raise ConfigError(f"resolution '{one.name}' has no metric '{metric}'; {nearest(metric, one.metrics)}")
    value = np.atleast_1d(np.asarray(one.metrics[metric], float))
    error = np.atleast_1d(np.asarray(one.errors.get(metric, np.full(value.shape, np.nan)), float))
    return value, error
