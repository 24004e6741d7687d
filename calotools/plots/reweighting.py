"""Distributions that should agree, and their ratio to the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from calotools.errors import EmptyInputError, ShapeError
from calotools.plots.bins import draw_band
from calotools.plots.canvas import stacked_panels
from calotools.plots.distributions import densities
from calotools.plots.style import LABEL, axis_label, literal, pen_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_reweighting"]

_EXPRESSIONS = {"abs(eta)": "abs_eta"}


def draw_reweighting(
    samples: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    edges: np.ndarray,
    axis: str,
    replicas: Mapping[str, np.ndarray] | None = None,
    groups: Mapping[str, np.ndarray] | None = None,
    label: str = LABEL,
    note: str = "",
) -> Figure:
    """Draw normalised distributions of a variable, with a panel of their ratios to the first.

    Parameters
    ----------
    samples : dict of str to ((n,) values, (n,) weights)
        The first is what the others are compared with.
    edges : (bin + 1,) float
        Of the variable.
    axis : str
        Name of the variable.
    replicas : dict of str to (replica, n) float, optional
        Replica weights of a sample; their spread is added to its band.
    groups : dict of str to (n,) int, optional
        Of a sample's candidates, such as their luminosity blocks: its band counts groups, not candidates.
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        Fewer than two samples, or one without a weight.
    ShapeError
        Values, weights, groups and replicas of a sample differ in length.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> two = {name: (rng.normal(30, 8, 500), np.ones(500)) for name in ("target", "source")}
    >>> len(draw_reweighting(two, edges=np.linspace(0, 60, 13), axis="mu").axes)
    2
    """
    if len(samples) < 2:
        raise EmptyInputError("draw_reweighting compares a sample with others; give at least two")
    curves = {}
    for name, (values, weight) in samples.items():
        values, weight = np.asarray(values), np.asarray(weight)
        density, error, _ = densities(values, weight, edges=edges, name=name)
        if (own := (groups or {}).get(name)) is not None:
            error = _error_of_groups(values, weight, own, edges, name)
        spread = _spread(values, (replicas or {}).get(name), edges, name)
        curves[name] = density, np.hypot(error, spread)
    with stacked_panels(label, note, height=5.2) as (figure, (main, panel)):
        for which, (name, (density, error)) in enumerate(curves.items()):
            _draw(main, density, error, edges, which=which, name=literal(name))
        _draw_ratios(panel, list(curves.values()), edges)
        main.set_ylim(0, main.get_ylim()[1] * 1.3)
        main.set_ylabel("Fraction of candidates / bin width")
        main.legend(loc="upper right")
        panel.set(xlabel=axis_label(_EXPRESSIONS.get(axis, axis)), xlim=(edges[0], edges[-1]), ylim=(0.5, 1.5))
        panel.set_ylabel("Ratio to first", loc="center")
    return figure


def _error_of_groups(
    values: np.ndarray, weight: np.ndarray, group: np.ndarray, edges: np.ndarray, name: str
) -> np.ndarray:
    """Error of each bin's density: that of a sum over groups."""
    if group.shape != values.shape:
        raise ShapeError(f"'{name}' has {len(values)} values and {len(group)} groups; they must agree")
    place = np.where(values == edges[-1], len(edges) - 2, np.searchsorted(edges, values, side="right") - 1)
    inside = (place >= 0) & (place < len(edges) - 1)
    pairs, number = np.unique(np.stack([group[inside], place[inside]]), axis=1, return_inverse=True)
    sums = np.bincount(number.ravel(), weight[inside], minlength=pairs.shape[1])
    squares = np.bincount(pairs[1], sums**2, minlength=len(edges) - 1)
    return np.sqrt(squares) / (weight.sum() * np.diff(edges))


def _spread(values: np.ndarray, replicas: np.ndarray | None, edges: np.ndarray, name: str) -> np.ndarray | float:
    """Standard deviation over replicas of each bin."""
    if replicas is None:
        return 0.0
    if replicas.shape[1:] != values.shape:
        raise ShapeError(f"'{name}' has {len(values)} values and replica weights of shape {replicas.shape}")
    each = [densities(np.asarray(values), one, edges=edges, name=name)[0] for one in replicas]
    return np.std(each, axis=0, ddof=1)


def _draw(ax: Axes, value: np.ndarray, error: np.ndarray, edges: np.ndarray, *, which: int, name: str = "") -> None:
    colour, dashes = pen_of(which)
    ax.stairs(value, edges, color=colour, ls=dashes, lw=1.6, label=name or None, baseline=None)
    draw_band(ax, edges, value - error, value + error, colour=colour)


def _draw_ratios(ax: Axes, curves: list[tuple[np.ndarray, np.ndarray]], edges: np.ndarray) -> None:
    base = np.where(curves[0][0] > 0, curves[0][0], np.nan)
    for which, (value, error) in enumerate(curves):
        _draw(ax, value / base, error / base, edges, which=which)
