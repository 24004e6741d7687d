"""How the discriminant depends on pile-up and E_T, and whether cutting on it shapes the mass of background pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.analysis import all_pairs, pair_mass, profile, rank_correlation, sculpting
from calotools.errors import InputFileError
from calotools.plots import draw_series
from calotools.plots.style import axis_label
from calotools.stages.evaluation.labels import Labelled, Measured
from calotools.stages.publish import Headline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["measure_dependence"]

_PAIRS = 200
_MASS_BINS = 12


def measure_dependence(labelled: Labelled, *, cut: float) -> Measured:
    """Rank correlations with errors, profiles, and the sculpting of the mass by a cut.

    Parameters
    ----------
    labelled : Labelled
    cut : float
        On the discriminant, for the sculpting.

    Returns
    -------
    Measured
    """
    rows, config = labelled.rows, labelled.config
    rng = np.random.default_rng(config.seed)
    axes = {"et": (rows.et, config.et_bins)}
    if rows.mu is not None:
        axes["mu"] = (rows.mu, config.mu_bins)
    sides = {"signal": labelled.signal, "background": labelled.background}
    correlation = {
        axis: {name: rank_correlation(values[mask], rows.value[mask], rng=rng) for name, mask in sides.items()}
        for axis, (values, _) in axes.items()
    }
    figures: dict[str, tuple[Figure, str]] = {}
    for axis, (values, edges) in axes.items():
        points = {
            name: profile(values[mask], rows.value[mask], edges=np.asarray(edges), weight=labelled.weight[mask])
            for name, mask in sides.items()
        }
        if any(np.isfinite(one[1]).any() for one in points.values()):
            labels = axis_label(axis), "Mean discriminant"
            caption = f"Mean discriminant against {axis}, with its standard error."
            figures[f"dependence_{axis}"] = draw_series(points, axes=labels, label=config.label), caption
    mass = _mass(labelled, cut, rng)
    lines = tuple(
        Headline(f"rank correlation with {axis}, {name}", *one)
        for axis, found in correlation.items()
        for name, one in found.items()
        if np.isfinite(one.value)
    )
    return Measured(
        {"correlation": correlation, **mass.results}, (*lines, *mass.headline), figures | dict(mass.figures)
    )


def _mass(labelled: Labelled, cut: float, rng: np.random.Generator) -> Measured:
    """Mass of background pairs whose leading leg passes, against those where it fails."""
    sample = labelled.sample
    if not {"e", "phi"} <= set(sample.candidates.fields):
        return Measured()
    try:
        pairs = all_pairs(sample.candidates, mask=labelled.background)
    except InputFileError:  # samples that number their events alike: pairs would mix them
        return Measured()
    mass = pair_mass(sample.candidates, pairs)
    value = labelled.rows.value[pairs.first]
    there = np.isfinite(mass)
    if there.sum() < _PAIRS:
        return Measured()
    mass, value = mass[there], value[there]
    shaped = sculpting(mass, value >= cut, rng=rng)
    found: dict[str, Any] = {"pairs": len(mass), "sculpting": shaped, "mass": rank_correlation(mass, value, rng=rng)}
    edges = np.quantile(mass, np.linspace(0, 1, _MASS_BINS + 1))
    points = {"background pairs": profile(mass, value, edges=edges)}
    caption = "Mean discriminant of the leading leg of background pairs against their mass."
    figure = draw_series(points, axes=("Mass [GeV]", "Mean discriminant"), label=labelled.config.label)
    comment = "largest distance of the cumulative spectra that pass and fail, less what chance gives"
    lines = (Headline("sculpting of the mass of background pairs", *shaped, "", comment),)
    return Measured({"mass": found}, lines if np.isfinite(shaped.value) else (), {"dependence_mass": (figure, caption)})
