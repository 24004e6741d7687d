"""Distributions per candidate: scores by class, and measured over true energy by estimate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from calotools.errors import EmptyInputError, ShapeError
from calotools.plots.bins import draw_band
from calotools.plots.canvas import one_panel
from calotools.plots.style import LABEL, literal, pen_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_pulls", "draw_residuals", "draw_scores"]

Samples = Mapping[str, np.ndarray]
_BESIDE = 30  # letters of a name that has room beside another in a legend


def draw_scores(
    scores: Samples,
    *,
    weights: Samples | None = None,
    name: str = "Score",
    window: tuple[float, float] = (0.0, 1.0),
    bins: int = 50,
    label: str = LABEL,
    note: str = "",
) -> Figure:
    """Draw the distribution of a score for each class, each normalised to unit area.

    Parameters
    ----------
    scores : dict of str to (n,) float
        Score by class name; NaN (a skipped candidate) is left out and counted in the legend.
    weights : dict of str to (n,) float, optional
        Weights by class name; 1 for a class that is not there.
    name : str
        Label of the axis.
    window : (float, float)
        What is outside is counted in the legend.
    bins : int
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        No class, or one without a finite score.
    ShapeError
        Weights of another length.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> figure = draw_scores({"signal": rng.beta(5, 1, 500), "background": rng.beta(1, 5, 500)})
    >>> figure.axes[0].get_yscale()
    'log'
    """
    with one_panel(label, note) as (figure, ax):
        least = _draw_all(ax, scores, weights=weights, edges=np.linspace(*window, bins + 1))
        ax.set(xlabel=literal(name), ylabel="Fraction of candidates / bin width", yscale="log", xlim=window)
        bottom, top = ax.get_ylim()
        # a band that ends at what rounding leaves of zero does not set the scale
        bottom = bottom if bottom > 1e-3 * least else 0.3 * least
        long = max(map(len, ax.get_legend_handles_labels()[1])) > _BESIDE
        if long and len(scores) > 1:  # below each other
            ax.set_ylim(bottom, top * (top / bottom) ** (0.08 * len(scores)))
            ax.legend(loc="upper left", fontsize="small")
        else:
            ax.set_ylim(bottom, top * 8)
            ax.legend(loc="upper center", ncols=2 if len(scores) > 1 else 1)
    return figure


def draw_residuals(
    ratios: Samples,
    *,
    weights: Samples | None = None,
    window: tuple[float, float] = (0.8, 1.2),
    bins: int = 80,
    label: str = LABEL,
    note: str = "",
) -> Figure:
    r"""Draw the distributions of E / E_true of several energy estimates, each normalised to unit area.

    Parameters
    ----------
    ratios : dict of str to (n,) float
        E / E_true by name of the estimate; what is outside the window is counted in the legend.
    weights : dict of str to (n,) float, optional
        Weights by name; 1 for an estimate that is not there.
    window : (float, float)
    bins : int
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        No estimate, or one without a finite ratio.
    ShapeError
        Weights of another length.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> figure = draw_residuals({"layer sum": rng.normal(1, 0.03, 500), "network": rng.normal(1, 0.02, 500)})
    >>> figure.axes[0].get_xlim() == (0.8, 1.2)
    True
    """
    with one_panel(label, note) as (figure, ax):
        ax.axvline(1, color="black", lw=0.8, ls=":")
        _draw_all(ax, ratios, weights=weights, edges=np.linspace(*window, bins + 1))
        ax.set(xlabel=r"$E / E_\mathrm{true}$", ylabel="Fraction of candidates / bin width", xlim=window)
        ax.set_ylim(bottom=0, top=ax.get_ylim()[1] * 1.25)
        ax.legend(loc="upper left", fontsize="small")
    return figure


def draw_pulls(
    pulls: Samples,
    *,
    weights: Samples | None = None,
    window: tuple[float, float] = (-5.0, 5.0),
    bins: int = 80,
    label: str = LABEL,
    note: str = "",
) -> Figure:
    r"""Draw the distributions of (E - E_true) / sigma, each normalised to unit area, beside a unit Gaussian.

    Parameters
    ----------
    pulls : dict of str to (n,) float
        By name of the estimate; what is outside the window is counted in the legend.
    weights, window, bins, label, note
        As of `draw_residuals`.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        No estimate, or one without a finite pull.
    ShapeError
        Weights of another length.

    Examples
    --------
    >>> figure = draw_pulls({"network": np.random.default_rng(1).normal(size=500)})
    >>> [round(float(end)) for end in figure.axes[0].get_xlim()]
    [-5, 5]
    """
    edges = np.linspace(*window, bins + 1)
    with one_panel(label, note) as (figure, ax):
        _draw_all(ax, pulls, weights=weights, edges=edges)
        gauss = np.exp(-0.5 * edges**2) / np.sqrt(2 * np.pi)
        ax.plot(edges, gauss, color="black", lw=1.2, ls="--", label="unit Gaussian")
        ax.set(xlabel=r"$(E - E_\mathrm{true}) / \sigma$", ylabel="Fraction of candidates / bin width", xlim=window)
        ax.set_ylim(bottom=0, top=ax.get_ylim()[1] * 1.25)
        ax.legend(loc="upper left", fontsize="small")
    return figure


def _draw_all(ax: Axes, samples: Samples, *, weights: Samples | None, edges: np.ndarray) -> float:
    """The smallest density that is not zero."""
    if not samples:
        raise EmptyInputError("no distribution was given to draw; give at least one, by name")
    least = np.inf
    for which, (name, values) in enumerate(samples.items()):
        colour, dashes = pen_of(which)
        weight = np.ones(len(values)) if weights is None or name not in weights else np.asarray(weights[name])
        density, error, lost = densities(np.asarray(values), weight, edges=edges, name=name)
        text = literal(name) + (f" ({lost:.2%} not shown)" if lost else "")
        ax.stairs(density, edges, color=colour, ls=dashes, label=text, lw=1.6)
        draw_band(ax, edges, np.maximum(density - error, 0), density + error, colour=colour)
        least = min(least, float(np.min(density, initial=np.inf, where=density > 0)))
    return least


def densities(
    values: np.ndarray, weight: np.ndarray, *, edges: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray, float]:
    """Normalised histogram, its statistical error, and the fraction of weight outside the edges or not finite.

    Parameters
    ----------
    values, weight : (n,) float
    edges : (n_bin + 1,) float
        The last bin includes its upper edge, so that a score of exactly 1 is shown.
    name : str
        For error messages.

    Returns
    -------
    density, error : (n_bin,) float
    lost : float

    Examples
    --------
    >>> densities(np.array([0.1, 0.6, 0.7, 5.0]), np.ones(4), edges=np.array([0, 0.5, 1]), name="x")
    (array([0.5, 1. ]), array([0.5       , 0.70710678]), 0.25)
    """
    if values.shape != weight.shape:
        raise ShapeError(f"'{name}' has {len(values)} values and {len(weight)} weights; they must agree")
    total = weight.sum()
    if not np.isfinite(values).any() or not total > 0:
        raise EmptyInputError(f"'{name}' has no finite value of positive weight among {len(values)}")
    counts = np.histogram(values, edges, weights=weight)[0]
    squares = np.histogram(values, edges, weights=weight**2)[0]
    scale = total * np.diff(edges)
    return counts / scale, np.sqrt(squares) / scale, float(max(0.0, 1 - counts.sum() / total))
