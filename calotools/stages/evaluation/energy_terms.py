"""Regions of |eta|: everything that is measured, and width and bias against the true energy: terms, and linearity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.analysis import Bootstrap, fit_terms, measure_linearity, measure_resolution, resolution_at, term_reach
from calotools.containers import Resolution
from calotools.errors import EmptyInputError
from calotools.plots import draw_series
from calotools.stages.publish import Headline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.recipe import EvaluateConfig

__all__ = ["measure_terms"]

_LEAST = 50  # candidates of a point: with fewer, its bootstrap error is not to be trusted
_TERMS = {"a": "√GeV", "b": "GeV", "c": ""}
Points = dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def measure_terms(
    estimates: Mapping[str, np.ndarray],
    columns: Mapping[str, np.ndarray],
    config: EvaluateConfig,
    *,
    bootstrap: Bootstrap,
    reference: str | None = None,
) -> tuple[tuple[Headline, ...], dict[str, Any], dict[str, tuple[Figure, str]]]:
    """Fit sigma/E = a / sqrt(E) (+) b / E (+) c, and a line to the bias, for each energy and region.

    Parameters
    ----------
    estimates : dict of str to (n,) float [GeV]
        The network's last.
    columns : dict of str to (n,) float
        With ``e_true``, ``eta`` and ``weight``.
    config : EvaluateConfig
    bootstrap : Bootstrap
        Over the events of these candidates.
    reference : str, optional
        The energy that the others are compared with.

    Returns
    -------
    tuple of Headline
        Of the network.
    dict
        By region: ``inclusive`` (`Resolution` of each energy); where a bin has enough candidates ``points`` (mean true
        energy, and `Resolution` of each energy), and by energy ``terms`` and ``linearity``, None where there are too
        few points.
    dict of str to (Figure, str)
    """
    lines: list[Headline] = []
    results: dict[str, Any] = {}
    figures: dict[str, tuple[Figure, str]] = {}
    known = np.isfinite([columns["e_true"], *estimates.values()]).all(axis=0)
    for low, high in pairwise(config.regions):
        rows = np.flatnonzero(known & (np.abs(columns["eta"]) >= low) & (np.abs(columns["eta"]) < high))
        where = f"|η| {low:g} to {high:g}"
        if len(rows) < _LEAST:
            continue
        here = {name: one[rows] for name, one in estimates.items()}
        weight = columns["weight"][rows]
        taken = bootstrap.take(rows)
        inclusive = measure_resolution(
            here, columns["e_true"][rows], bootstrap=taken, weight=weight, reference=reference
        )
        results[where] = {"inclusive": inclusive}
        found = _along_energy(here, columns["e_true"][rows], weight, config, taken)
        if found is None:
            continue
        results[where] |= found
        lines += _headline(found, list(estimates)[-1], where)
        figures |= _figures(found, f"{low:g}_{high:g}".replace(".", ""), where, config.label)
    return tuple(lines), results, figures


def _along_energy(
    estimates: Mapping[str, np.ndarray],
    true: np.ndarray,
    weight: np.ndarray,
    config: EvaluateConfig,
    bootstrap: Bootstrap,
) -> dict[str, Any] | None:
    """None where no bin has enough candidates."""
    edges = np.asarray(config.energy_bins, float)
    if not np.any(np.histogram(true, edges)[0] >= _LEAST):
        return None
    measured = measure_resolution(
        estimates, true, bootstrap=bootstrap, axes={"e_true": true}, edges={"e_true": edges}, weight=weight
    )
    n = next(iter(measured.values())).n
    with np.errstate(invalid="ignore"):
        mean = np.histogram(true, edges, weights=true * weight)[0] / np.histogram(true, edges, weights=weight)[0]
    mean[n < _LEAST] = np.nan
    rng = np.random.default_rng(config.seed)
    return {
        "points": {"e_true": mean, **measured},
        "terms": {name: _terms(mean, one, rng) for name, one in measured.items()},
        "linearity": {name: _linearity(mean, one) for name, one in measured.items()},
    }


def _column(e: np.ndarray, one: Resolution, metric: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Energies, values and errors of the bins that have enough candidates."""
    there = np.isfinite(e) & np.isfinite(one.metrics[metric])
    return e[there], one.metrics[metric][there], one.errors[metric][there]


def _terms(e: np.ndarray, one: Resolution, rng: np.random.Generator) -> dict[str, Any] | None:
    """The fit; near its limit of 0 a term's error is that of its square, which knows no limit."""
    points = _column(e, one, "width")
    try:
        found = asdict(fit_terms(*points, rng=rng))
    except EmptyInputError:
        return None
    reach = term_reach(*points)
    errors = {
        name: max(error, _down_to_less(found["values"][name], reach[name])) for name, error in found["errors"].items()
    }
    return found | {"errors": errors}


def _down_to_less(value: float, reach: float) -> float:
    """How far a term is above what is left of its square when one standard deviation of that is taken off.

    Examples
    --------
    >>> _down_to_less(0.0, 0.3), _down_to_less(0.5, 0.3)
    (0.3, 0.09...)
    """
    return reach if value <= reach else value - float(np.sqrt(value**2 - reach**2))


def _linearity(e: np.ndarray, one: Resolution) -> dict[str, Any] | None:
    try:
        return asdict(measure_linearity(*_column(e, one, "bias")))
    except EmptyInputError:
        return None


def _headline(found: Mapping[str, Any], name: str, where: str) -> list[Headline]:
    lines, terms, line = [], found["terms"][name], found["linearity"][name]
    if terms is not None:
        nan = float("nan")
        said = f"σ/E = a/√E ⊕ b/E ⊕ c{'; ' if terms['notes'] else ''}{terms['notes']}"
        comment = said if terms["valid"] else f"the fit is not valid: {terms['message']}"
        for term, unit in _TERMS.items():
            value, error = (terms["values"][term], terms["errors"][term]) if terms["valid"] else (nan, nan)
            lines.append(Headline(f"{term}, {name}, {where}", value, error, unit, comment))
    if line is not None:
        comment = f"largest bias {100 * line['largest']:.2f} % at {line['at']:.0f} GeV"
        values = 100 * line["slope"], 100 * line["slope_error"]
        lines.append(Headline(f"bias per decade of energy, {name}, {where}", *values, "%", comment))
    return lines


def _figures(found: Mapping[str, Any], suffix: str, where: str, label: str) -> dict[str, tuple[Figure, str]]:
    points = {name: one for name, one in found["points"].items() if name != "e_true"}
    e = found["points"]["e_true"]
    if np.isfinite(e).sum() < 2:  # nothing to see along an axis
        return {}
    x = np.geomspace(np.nanmin(e), np.nanmax(e), 100)
    curves = {
        name: (x, resolution_at(x, **terms["values"]))
        for name, terms in found["terms"].items()
        if terms is not None and terms["valid"]
    }
    axis = r"$E_\mathrm{true}$ [GeV]"
    drawn = {
        "resolution": ("width", r"IQR/1.349 of $E/E_\mathrm{true}$", curves, "Width and the fit of its three terms."),
        "linearity": ("bias", r"Median of $E/E_\mathrm{true}$ - 1", {}, "Bias against the true energy."),
    }
    return {
        f"{key}_{suffix}": (
            draw_series(
                {name: _column(e, one, metric) for name, one in points.items()},
                axes=(axis, y),
                curves=fitted,
                scale="log",
                label=label,
                note=where,
            ),
            f"{caption} {where}; bootstrap errors over events.",
        )
        for key, (metric, y, fitted, caption) in drawn.items()
    }
