"""The peak of each category of stated resolution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from calotools.plots.bins import draw_band
from calotools.plots.canvas import one_panel
from calotools.plots.distributions import densities
from calotools.plots.style import LABEL, literal, pen_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_categories"]

_BINS = 60


def draw_categories(
    masses: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    window: tuple[float, float],
    xlabel: str = "$m$ [GeV]",
    label: str = LABEL,
    note: str = "",
) -> Figure:
    """Draw normalised mass spectra over each other, with their statistical errors.

    Parameters
    ----------
    masses : dict of str to ((n,) float [GeV], (n,) float)
        Masses and weights, by name of the category.
    window : (float, float) [GeV]
    xlabel : str
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        A category has no mass.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> spectra = {name: (rng.normal(125, width, 500), np.ones(500)) for name, width in (("sharp", 1), ("wide", 2))}
    >>> len(draw_categories(spectra, window=(115.0, 135.0)).axes)
    1
    """
    edges = np.linspace(*window, _BINS + 1)
    with one_panel(label, note) as (figure, ax):
        for which, (name, (values, weight)) in enumerate(masses.items()):
            colour, dashes = pen_of(which)
            density, error, _ = densities(values, weight, edges=edges, name=name)
            ax.stairs(density, edges, color=colour, ls=dashes, label=literal(name), lw=1.6)
            draw_band(ax, edges, np.maximum(density - error, 0), density + error, colour=colour)
        ax.set(xlim=window, ylim=(0, None), xlabel=xlabel, ylabel="Fraction of pairs / GeV")
        ax.set_ylim(0, 1.3 * ax.get_ylim()[1])
        ax.legend(loc="upper right", fontsize="small")
    return figure
