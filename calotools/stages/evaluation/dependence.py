"""How the discriminant depends on pile-up and E_T, and whether cutting on it shapes the mass of pairs."""

from __future__ import annotations

from collections.abc import Mapping
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

    All with the weights of the measurement; a pair has that of its leading leg, whose discriminant it is about.

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
    counted = labelled.weight != 0  # others are not of the sample that is asked for
    sides = {"signal": labelled.signal & counted, "background": labelled.background & counted}
    correlation = {
        axis: {
            name: rank_correlation(values[mask], rows.value[mask], rng=rng, weight=labelled.weight[mask])
            for name, mask in sides.items()
        }
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
    mass = _masses(labelled, sides, cut, rng)
    lines = tuple(
        Headline(f"rank correlation with {axis}, {name}", *one)
        for axis, found in correlation.items()
        for name, one in found.items()
        if np.isfinite(one.value)
    )
    return Measured(
        {"correlation": correlation, **mass.results}, (*lines, *mass.headline), figures | dict(mass.figures)
    )


def _masses(labelled: Labelled, sides: Mapping[str, np.ndarray], cut: float, rng: np.random.Generator) -> Measured:
    """Mass of pairs whose leading leg passes, against those where it fails: of background, and of signal."""
    results: dict[str, Any] = {}
    lines: list[Headline] = []
    points = {}
    for name in ("background", "signal"):
        mass, value, weight, reason = _pairs(labelled, sides[name])
        key = "mass" if name == "background" else f"mass_{name}"
        if reason:
            results[key] = {"pairs": len(mass), "not_measured": reason}
            if name == "background":
                lines.append(Headline(f"sculpting of the mass of {name} pairs", np.nan, np.nan, "", reason))
            continue
        shaped = sculpting(mass, value >= cut, rng=rng, weight=weight)
        found = rank_correlation(mass, value, rng=rng, weight=weight)
        results[key] = {"pairs": len(mass), "sculpting": shaped, "mass": found}
        edges = np.quantile(mass, np.linspace(0, 1, _MASS_BINS + 1))
        points[f"{name} pairs"] = profile(mass, value, edges=edges, weight=weight)
        lines.append(Headline(f"rank correlation with mass, {name} pairs", *found))
        comment = "largest distance of the cumulative spectra that pass and fail, less what chance gives"
        if np.isnan(shaped.value):
            n = int(np.sum(value >= cut))
            comment = f"of {len(mass)} pairs {n} pass and {len(mass) - n} fail; too few to compare"
        lines.append(Headline(f"sculpting of the mass of {name} pairs", *shaped, "", comment))
    figures: dict[str, tuple[Figure, str]] = {}
    if points:
        figure = draw_series(points, axes=("Mass [GeV]", "Mean discriminant"), label=labelled.config.label)
        figures["dependence_mass"] = figure, "Mean discriminant of the leading leg of pairs against their mass."
    return Measured(results, tuple(lines), figures)


def _pairs(labelled: Labelled, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Masses of pairs, discriminants and weights of their leading legs, and why they cannot be used."""
    sample, nothing = labelled.sample, np.zeros(0)
    missing = [name for name in ("e", "phi") if name not in sample.candidates.fields]
    if missing:
        return nothing, nothing, nothing, f"the ntuple has no {' and no '.join(missing)}"
    try:
        pairs = all_pairs(sample.candidates, mask=mask)
    except InputFileError:  # pairs would mix them
        return nothing, nothing, nothing, "files number their events alike"
    mass = pair_mass(sample.candidates, pairs)
    there = np.isfinite(mass)
    few = "" if there.sum() >= _PAIRS else f"{there.sum()} pairs of one event; {_PAIRS} are needed"
    first = pairs.first[there]
    return mass[there], labelled.rows.value[first], labelled.weight[first], few
