"""The peak in categories of the resolution that the network states: is it so, and what do categories gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calotools.analysis import Bootstrap, measure_categories
from calotools.analysis.categories import usable_pairs
from calotools.containers import MassCategories
from calotools.plots import draw_categories, draw_series
from calotools.stages.publish import Headline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SIGMA", "categorise"]

SIGMA = "e_network_sigma"


def categorise(
    mass: np.ndarray,
    relative_sigma: np.ndarray,
    *,
    n: int,
    window: tuple[float, float],
    weight: np.ndarray,
    bootstrap: Bootstrap,
    xlabel: str,
    label: str,
) -> tuple[MassCategories, tuple[Headline, ...], dict[str, tuple[Figure, str]]]:
    """Measure and draw the categories of a peak.

    Parameters
    ----------
    mass : (m,) float [GeV]
        With the network's energies.
    relative_sigma : (m,) float
        Stated for each mass.
    n : int
        Categories.
    window : (float, float) [GeV]
    weight : (m,) float
    bootstrap : Bootstrap
    xlabel, label : str
        Of the figures.

    Returns
    -------
    MassCategories
    tuple of Headline
    dict of str to (Figure, str)
    """
    found = measure_categories(mass, relative_sigma, n=n, window=window, bootstrap=bootstrap, weight=weight)
    said, comment = found.said, "stated {:.2f} GeV; any natural width comes to it"
    widths = zip(found.sigma68, found.sigma68_error, said, strict=True)
    lines = tuple(
        Headline(f"σ68 of category {number} of {n}", width, error, "GeV", comment.format(stated))
        for number, (width, error, stated) in enumerate(widths, start=1)
    )
    gain = Headline(
        "gain of the categories",
        found.gain,
        found.gain_error,
        "",
        "error of the peak's position without over with them",
    )
    rows = usable_pairs(mass, relative_sigma, window=window)
    number = np.clip(np.searchsorted(found.edges, relative_sigma[rows], side="right") - 1, 0, n - 1)
    parts = {f"category {one + 1}: {said[one]:.2f} GeV stated": rows[number == one] for one in range(n)}
    spectra = {name: (mass[part], weight[part]) for name, part in parts.items()}
    figures = {
        "categories": (
            draw_categories(spectra, window=window, xlabel=xlabel, label=label),
            "Mass of pairs in categories of equal size, by the resolution that the network states.",
        ),
        "category_widths": (
            draw_series(
                {"categories": (said, found.sigma68, found.sigma68_error)},
                axes=(r"Stated $\sigma_m$ [GeV]", r"$\sigma_{68}$ of the entries [GeV]"),
                curves={"equal": (said, said)},
                label=label,
            ),
            "Width of each category against what is stated. A natural width, and tails, lift the points.",
        ),
    }
    return found, (*lines, gain), figures
