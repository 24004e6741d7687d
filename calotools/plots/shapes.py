"""Distributions of several variables side by side, each of several samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from calotools.errors import EmptyInputError
from calotools.plots.bins import draw_band
from calotools.plots.distributions import densities
from calotools.plots.style import COLOURS, LABEL, literal, new_figure, stamp_ends, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_shapes"]

Samples = Mapping[str, np.ndarray]
_SYMBOLS = {
    "f0": "$f_0$",
    "f1": "$f_1$",
    "f2": "$f_2$",
    "f3": "$f_3$",
    "reta": r"$R_\eta$",
    "rphi": r"$R_\phi$",
    "weta2": r"$w_{\eta 2}$",
    "eratio": r"$E_\mathrm{ratio}$",
    "delta_e": r"$\Delta E$ [GeV]",
    "wstot": r"$w_\mathrm{s\,tot}$",
    "ws3": r"$w_{\mathrm{s}3}$",
    "fside": r"$f_\mathrm{side}$",
    "e_over_p": "$E/p$",
}


def draw_shapes(variables: Mapping[str, Samples], *, bins: int = 40, label: str = LABEL, note: str = "") -> Figure:
    """Draw each variable's distribution in each sample, normalised to unit area, over the central 98 % of them.

    Parameters
    ----------
    variables : dict of str to dict of str to (n,) float
        Values by variable, then by sample; every variable has the same samples. NaN is left out.
    bins : int
    label, note : str
        Above the first and the last panel of the first row.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        No variable, or a sample without a finite value.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> figure = draw_shapes({"reta": {"one": rng.normal(0.95, 0.01, 300), "two": rng.normal(0.94, 0.01, 300)}})
    >>> figure.axes[0].get_xlabel()
    '$R_\\\\eta$'
    """
    if not variables:
        raise EmptyInputError("no variable was given to draw; give at least one, by name")
    columns = min(len(variables), 4)
    rows = math.ceil(len(variables) / columns)
    with style():
        figure = new_figure(width=max(6.4, 0.6 + 3.2 * columns), height=max(4.8, 0.9 + 2.6 * rows))
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax, (name, samples) in zip(axes, variables.items(), strict=False):
            _draw_variable(ax, name, samples, bins)
        for ax in axes[: len(variables) : columns]:
            ax.set_ylabel("Candidates, unit area")
        for unused in axes[len(variables) :]:
            unused.set_axis_off()
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=min(len(names), 5), fontsize="small")
        stamp_ends(axes[0], axes[columns - 1], label, note)
    return figure


def _draw_variable(ax: Axes, name: str, samples: Samples, bins: int) -> None:
    finite = [values[np.isfinite(values)] for values in samples.values()]
    if any(len(one) == 0 for one in finite):
        raise EmptyInputError(f"'{name}' has no finite value in one of {', '.join(samples)}")
    low, high = (float(np.percentile(np.concatenate(finite), q)) for q in (1, 99))
    high = high if high > low else low + 1.0
    edges = np.linspace(low - 0.02 * (high - low), high + 0.02 * (high - low), bins + 1)
    for (sample, values), colour in zip(samples.items(), COLOURS, strict=False):
        density, error, _ = densities(np.asarray(values, float), np.ones(len(values)), edges=edges, name=sample)
        ax.stairs(density, edges, color=colour, lw=1.4, label=literal(sample))
        draw_band(ax, edges, np.maximum(density - error, 0), density + error, colour=colour, alpha=0.2)
    ax.set(xlabel=_SYMBOLS.get(name, literal(name)), yticks=[])
    ax.set_ylim(bottom=0)
