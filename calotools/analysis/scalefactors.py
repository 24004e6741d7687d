"""Scale factors with systematic uncertainties from other models, and closure against injected truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.stats import chi2 as chi2_distribution

from calotools.analysis.tagprobe import TagProbeSample, count_efficiencies
from calotools.analysis.tagprobefit import TagProbeModel, efficiency_of_fits, fit_efficiencies
from calotools.containers import Closure, Efficiency, ScaleFactors, TagProbeFit
from calotools.errors import ConfigError, ShapeError

__all__ = [
    "VARIATIONS",
    "ScaleFactorMeasurement",
    "check_closure",
    "measure_scale_factors",
    "scale_factors",
    "variations_of",
]


def variations_of(nominal: TagProbeModel) -> tuple[TagProbeModel, ...]:
    low, high = nominal.window
    other: Literal["template", "analytic"] = "analytic" if nominal.signal == "template" else "template"
    return (
        replace(nominal, name="signal", signal=other),
        replace(nominal, name="background", background="bernstein" if nominal.background != "bernstein" else "cms"),
        replace(nominal, name="window", window=(low + 5, high - 5), bins=max(nominal.bins * 5 // 6, 10)),
    )


VARIATIONS = variations_of(TagProbeModel())


@dataclass(frozen=True)
class ScaleFactorMeasurement:
    """Scale factors and the nominal fits they come from.

    Attributes
    ----------
    factors : ScaleFactors
    fits : tuple of TagProbeFit
        Of the data, one per bin, in C order of the edges.
    """

    factors: ScaleFactors
    fits: tuple[TagProbeFit, ...]


def measure_scale_factors(
    data: TagProbeSample,
    simulation: TagProbeSample,
    *,
    edges: Mapping[str, np.ndarray],
    rng: np.random.Generator,
    models: tuple[TagProbeModel, ...] = (TagProbeModel(), *VARIATIONS),
    injected: np.ndarray | None = None,
) -> ScaleFactorMeasurement:
    """Efficiency in data (fitted) over efficiency in simulation (counted), with every model.

    Parameters
    ----------
    data, simulation : TagProbeSample
        The simulation holds matched pairs.
    edges : dict of str to (bins + 1,) float
        Bins of the samples' axes.
    rng : numpy.random.Generator
    models : tuple of TagProbeModel
        The first is the nominal one, the others give the systematic uncertainty. Every model counts the simulation in
        its own mass window, so that both efficiencies are of the same pairs.
    injected : (n_bin,) float, optional
        True scale factors of pseudo-data.

    Returns
    -------
    ScaleFactorMeasurement

    Raises
    ------
    ConfigError
        There is no model, two have the same name, or edges are given for an axis that a sample lacks.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> axes, edges = {"et": np.full(3000, 30.0)}, {"et": np.array([20.0, 40.0])}
    >>> data, simulated = (TagProbeSample(rng.normal(91, 3, 3000), rng.random(3000) < e, axes) for e in (0.8, 0.9))
    >>> result = measure_scale_factors(data, simulated, edges=edges, rng=rng, models=(TagProbeModel(),))
    >>> abs(result.factors.value[0] - 0.8 / 0.9) < 0.03
    np.True_
    """
    names = [model.name for model in models]
    if not names or len(set(names)) != len(names):
        raise ConfigError(f"models need different names, and there must be a nominal one; got {names}")
    measured: dict[str, tuple[Efficiency, Efficiency]] = {}
    nominal_fits: tuple[TagProbeFit, ...] = ()
    for model in models:
        fits = fit_efficiencies(data, edges=edges, rng=rng, model=model, simulation=simulation)
        counted = count_efficiencies(simulation, edges=edges, window=model.window, name="simulation")
        measured[model.name] = (efficiency_of_fits(fits, edges=edges, name="data"), counted)
        nominal_fits = nominal_fits or fits
    nominal = measured.pop(names[0])
    return ScaleFactorMeasurement(scale_factors(*nominal, variations=measured, injected=injected), nominal_fits)


def scale_factors(
    data: Efficiency,
    simulation: Efficiency,
    *,
    variations: Mapping[str, tuple[Efficiency, Efficiency]] | None = None,
    injected: np.ndarray | None = None,
) -> ScaleFactors:
    """Ratio of two efficiencies per bin, its statistical error, and the spread of other measurements.

    Parameters
    ----------
    data, simulation : Efficiency
        In the same bins.
    variations : dict of str to (Efficiency, Efficiency), optional
        The same with other models; bins that are not valid there are not used.
    injected : (n_bin,) float, optional
        The truth.

    Returns
    -------
    ScaleFactors
        `stat`: relative errors in quadrature (half of the intervals); where no probe of the data passes, the value is 0
        and its error half of the data's interval over the simulation's efficiency. `syst`: root mean square of the
        deviations of the variations from the nominal; NaN where none is valid.

    Raises
    ------
    ShapeError
        The bins differ.

    Examples
    --------
    >>> one = np.array([0.9])
    >>> simulation = Efficiency(one, one - 0.01, one + 0.01, {"et": np.array([20.0, 40.0])}, one, one > 0)
    >>> result = scale_factors(simulation, simulation)
    >>> result.value, result.stat.round(4)
    (array([1.]), array([0.0157]))
    """
    if data.value.shape != simulation.value.shape or list(data.edges) != list(simulation.edges):
        raise ShapeError(
            f"data have {data.value.shape} bins of {list(data.edges)}, simulation {simulation.value.shape} of "
            f"{list(simulation.edges)}"
        )
    value, valid = _ratio(data, simulation)
    half = [(one.high - one.low) / 2 / np.where(valid, simulation.value, np.nan) for one in (data, simulation)]
    others = {name: np.where(ok, ratio, np.nan) for name, (ratio, ok) in _ratios(variations or {}).items()}
    return ScaleFactors(
        value,
        np.hypot(half[0], value * half[1]),
        _rms(np.array(list(others.values())).reshape(len(others), len(value)) - value),
        data,
        simulation,
        data.edges,
        valid,
        injected,
        others,
    )


def _ratio(data: Efficiency, simulation: Efficiency) -> tuple[np.ndarray, np.ndarray]:
    valid = data.valid & simulation.valid & (simulation.value > 0)
    return np.where(valid, data.value / np.where(simulation.value > 0, simulation.value, 1.0), np.nan), valid


def _ratios(variations: Mapping[str, tuple[Efficiency, Efficiency]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {name: _ratio(*pair) for name, pair in variations.items()}


def _rms(deviations: np.ndarray) -> np.ndarray:
    """Root mean square over the first axis of what is finite; NaN where nothing is."""
    finite = np.isfinite(deviations)
    n = finite.sum(axis=0)
    total = np.where(finite, deviations, 0.0) ** 2
    return np.where(n > 0, np.sqrt(total.sum(axis=0) / np.maximum(n, 1)), np.nan)


def check_closure(
    value: np.ndarray, error: np.ndarray, truth: np.ndarray, *, valid: np.ndarray | None = None
) -> Closure:
    """Pulls and chi2 of measured values against the truth that was put in.

    Parameters
    ----------
    value, error, truth : (n_bin,) float
    valid : (n_bin,) bool, optional
        Bins to use; those without a finite value, error and truth are left out in any case.

    Returns
    -------
    Closure

    Raises
    ------
    ShapeError
        The arrays differ in shape.

    Examples
    --------
    >>> closure = check_closure(np.array([0.91, 0.8]), np.array([0.01, 0.02]), np.array([0.9, 0.82]))
    >>> round(closure.chi2, 3), closure.ndf
    (2.0, 2)
    """
    value, error, truth = (np.asarray(one, float) for one in (value, error, truth))
    if not value.shape == error.shape == truth.shape:
        raise ShapeError(f"measured {value.shape}, errors {error.shape} and truth {truth.shape} differ in shape")
    used = np.isfinite(value) & np.isfinite(truth) & (error > 0)
    used &= True if valid is None else np.asarray(valid, bool)
    pull = np.where(used, (value - truth) / np.where(error > 0, error, 1.0), np.nan)
    chi2, ndf = float(np.nansum(pull**2)), int(used.sum())
    p_value = float(chi2_distribution.sf(chi2, ndf)) if ndf else float("nan")
    return Closure(pull, chi2, ndf, p_value, int(np.count_nonzero(~used)))
