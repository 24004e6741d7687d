"""Tag-and-probe fits: passing and failing probes of one bin together, with the efficiency as a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from iminuit.cost import ExtendedBinnedNLL

from calotools.analysis.backgrounds import background_shape
from calotools.analysis.binned import bin_numbers, bin_ranges
from calotools.analysis.intervals import binomial_interval
from calotools.analysis.lineshapes import M_Z, Parameter, Shape, bw_dscb, template
from calotools.analysis.minimise import Outcome, minimise
from calotools.analysis.tagprobe import TagProbeSample, design_effect
from calotools.containers import Efficiency, TagProbeFit
from calotools.errors import ConfigError

__all__ = ["TagProbeModel", "efficiency_of_fits", "fit_efficiencies"]

# Fewer probes than this on either side do not determine a spectrum: they are counted.
_FEWEST = 10
# [GeV] from the Z within which probes are counted then, and beyond which they tell the background.
_PEAK, _SIDEBAND = 10.0, 16.0
# Fewer simulated probes than this are too rough a template.
_TEMPLATE = 100


@dataclass(frozen=True)
class TagProbeModel:
    """How the mass spectra are described.

    Attributes
    ----------
    name : str
    signal : {"template", "analytic"}
        Simulated masses of the same bin, passing and failing apart, shifted and smeared alike; or Breit-Wigner *
        double-sided Crystal Ball, the same for both. Bins without simulation use the analytic one.
    background : {"exponential", "bernstein", "cms"}
        With its own yield and shape for passing and failing.
    window : (float, float) [GeV]
    bins : int
        Of equal width.
    """

    name: str = "nominal"
    signal: Literal["template", "analytic"] = "template"
    background: Literal["exponential", "bernstein", "cms"] = "exponential"
    window: tuple[float, float] = (60.0, 120.0)
    bins: int = 40


@dataclass(frozen=True)
class _Side:
    """One spectrum and the shapes that describe it; parameter names are those of the common fit."""

    name: Literal["pass", "fail"]
    counts: np.ndarray
    variances: np.ndarray
    signal: Shape
    background: Shape

    @property
    def background_names(self) -> list[str]:
        return [f"n_background_{self.name}"] + [f"{one.name}_{self.name}" for one in self.background.parameters]

    @property
    def names(self) -> list[str]:
        return ["n_signal", "efficiency", *(one.name for one in self.signal.parameters), *self.background_names]

    def parts(self, edges: np.ndarray, values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Cumulative signal and background at the edges, for values in the order of `names`."""
        split = 2 + len(self.signal.parameters)
        total = values[0] * (values[1] if self.name == "pass" else 1 - values[1])
        signal = total * self.signal.cdf(edges, *values[2:split])
        return signal, values[split] * self.background.cdf(edges, *values[split + 1 :])

    def cost(self, edges: np.ndarray, scale: float) -> ExtendedBinnedNLL:
        def expected(x: np.ndarray, *values: float) -> np.ndarray:
            signal, background = self.parts(x, values)
            return signal + background

        plain = np.array_equal(self.counts, self.variances)
        data = self.counts if plain else np.stack([self.counts / scale, self.variances / scale**2], axis=-1)
        return ExtendedBinnedNLL(data, edges, expected, name=self.names)


def fit_efficiencies(
    sample: TagProbeSample,
    *,
    edges: Mapping[str, np.ndarray],
    rng: np.random.Generator,
    model: TagProbeModel | None = None,
    simulation: TagProbeSample | None = None,
) -> tuple[TagProbeFit, ...]:
    """Fit the efficiency of the probes in every bin.

    Parameters
    ----------
    sample : TagProbeSample
        Data.
    edges : dict of str to (bins + 1,) float
        Bins of the sample's axes.
    rng : numpy.random.Generator
        Draws other starting points.
    model : TagProbeModel, optional
        Default: template signal, exponential background, 60-120 GeV.
    simulation : TagProbeSample, optional
        Matched simulated pairs, for the templates.

    Returns
    -------
    tuple of TagProbeFit
        One per bin, in C order of `edges`. Bins with fewer than 10 passing or failing probes are counted at the peak
        with the sidebands subtracted (``method == "count"``), those without probes are NaN and not valid. The error is
        widened by `design_effect`.

    Raises
    ------
    ConfigError
        The model or the edges ask for what is not there.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> passing = rng.random(4000) < 0.8
    >>> mass = 91.2 + 1.25 * rng.standard_cauchy(4000) + rng.normal(size=4000)
    >>> sample = TagProbeSample(mass, passing, {"et": np.full(4000, 30.0)})
    >>> (fit,) = fit_efficiencies(sample, edges={"et": np.array([20.0, 40.0])}, rng=rng)
    >>> fit.valid, round(fit.efficiency - float(passing.mean()), 1) + 0
    (True, 0.0)
    """
    model = model or TagProbeModel()
    if model.signal not in ("template", "analytic"):
        raise ConfigError(f"there is no tag-and-probe signal '{model.signal}'; allowed: 'analytic', 'template'")
    inside = sample.within(model.window)
    number = bin_numbers(inside.axes, edges)
    simulated = None if simulation is None else bin_numbers(simulation.axes, edges)
    fits = []
    for one, where in enumerate(bin_ranges(edges)):
        here = None
        if simulation is not None and simulated is not None:
            here = simulation.take(np.flatnonzero(simulated == one))
        fits.append(_fit_bin(inside.take(np.flatnonzero(number == one)), here, model, where, rng))
    return tuple(fits)


def _fit_bin(
    sample: TagProbeSample,
    simulation: TagProbeSample | None,
    model: TagProbeModel,
    where: dict[str, tuple[float, float]],
    rng: np.random.Generator,
) -> TagProbeFit:
    n_pass = int(np.count_nonzero(sample.passing))
    if min(n_pass, len(sample) - n_pass) < _FEWEST:
        return _count_bin(sample, model, where)
    edges = np.linspace(*model.window, model.bins + 1)
    sides = _sides(sample, simulation, model, edges)
    scale = sum(side.variances.sum() for side in sides) / sum(side.counts.sum() for side in sides)
    parameters, linked = _parameters(sides, scale)
    cost = sides[0].cost(edges, scale) + sides[1].cost(edges, scale)
    outcome = minimise(cost, parameters, rng=rng, linked=linked, fixed=("n_low", "n_high"))
    return _as_fit(outcome, sides, edges, scale, np.sqrt(design_effect(sample)), where)


def _sides(
    sample: TagProbeSample, simulation: TagProbeSample | None, model: TagProbeModel, edges: np.ndarray
) -> tuple[_Side, _Side]:
    signals = _signals(simulation, model)
    passing, weight = np.asarray(sample.passing, bool), sample.weights

    def side(name: Literal["pass", "fail"], rows: np.ndarray, signal: Shape) -> _Side:
        counts, _ = np.histogram(sample.mass[rows], edges, weights=weight[rows])
        variances, _ = np.histogram(sample.mass[rows], edges, weights=weight[rows] ** 2)
        return _Side(name, counts, variances, signal, background_shape(model.background, model.window))

    return side("pass", passing, signals[0]), side("fail", ~passing, signals[1])


def _signals(simulation: TagProbeSample | None, model: TagProbeModel) -> tuple[Shape, Shape]:
    """Shapes of passing and failing signal; failing ones too few for a template borrow that of all."""
    analytic = bw_dscb(model.window)
    if model.signal == "analytic" or simulation is None or len(simulation.within(model.window)) < _TEMPLATE:
        return analytic, analytic

    def shape(rows: np.ndarray) -> Shape:
        enough = rows if np.count_nonzero(rows) >= _TEMPLATE else np.ones(len(simulation), dtype=bool)
        return template(model.window, simulation.mass[enough], weight=simulation.weights[enough])

    passing = np.asarray(simulation.passing, bool)
    return shape(passing), shape(~passing)


def _parameters(sides: tuple[_Side, _Side], scale: float) -> tuple[list[Parameter], dict[str, tuple[str, ...]]]:
    totals = [float(side.counts.sum() / scale) for side in sides]
    found = [
        Parameter("n_signal", 0.9 * sum(totals), 0.0, 3 * sum(totals)),
        Parameter("efficiency", totals[0] / sum(totals), 0.0, 1.0),
        *sides[0].signal.parameters,
    ]
    linked = {}
    for side, total in zip(sides, totals, strict=True):
        found.append(Parameter(side.background_names[0], 0.1 * total, 0.0, 3 * total, soft=True))
        found += [replace(one, name=f"{one.name}_{side.name}") for one in side.background.parameters]
        linked[side.background_names[0]] = tuple(side.background_names[1:])
    return found, linked


def _as_fit(
    outcome: Outcome,
    sides: tuple[_Side, _Side],
    edges: np.ndarray,
    scale: float,
    widening: float,
    where: dict[str, tuple[float, float]],
) -> TagProbeFit:
    models, backgrounds = [], []
    for side in sides:
        signal, background = side.parts(edges, [outcome.values[name] for name in side.names])
        models.append(scale * np.diff(signal + background))
        backgrounds.append(scale * np.diff(background))
    value, error = outcome.values["efficiency"], widening * outcome.errors["efficiency"]
    return TagProbeFit(
        efficiency=value,
        error=error,
        edges=edges,
        passing=sides[0].counts,
        failing=sides[1].counts,
        passing_model=models[0],
        failing_model=models[1],
        passing_background=backgrounds[0],
        failing_background=backgrounds[1],
        chi2=outcome.chi2,
        ndf=outcome.ndf,
        valid=outcome.valid,
        message=outcome.message,
        bin=where,
        low=max(value - error, 0.0),
        high=min(value + error, 1.0),
        notes=outcome.notes,
    )


def _count_bin(sample: TagProbeSample, model: TagProbeModel, where: dict[str, tuple[float, float]]) -> TagProbeFit:
    edges = np.linspace(*model.window, model.bins + 1)
    weight, passing = sample.weights, np.asarray(sample.passing, bool)
    spectra = [np.histogram(sample.mass[rows], edges, weights=weight[rows])[0] for rows in (passing, ~passing)]
    value, low, high = _subtracted(sample, model.window)
    there = bool(np.isfinite(value))
    empty, nothing = np.full(model.bins, np.nan), np.zeros(model.bins)
    return TagProbeFit(
        efficiency=value,
        error=(high - low) / 2,
        edges=edges,
        passing=spectra[0],
        failing=spectra[1],
        passing_model=empty,
        failing_model=empty,
        passing_background=nothing,
        failing_background=nothing,
        chi2=float("nan"),
        ndf=0,
        valid=there,
        message="" if there else "no probes left above the sidebands" if len(sample) else "no probes",
        bin=where,
        low=low,
        high=high,
        method="count",
        notes=f"{len(sample)} probes, too few to fit: counted at the peak, sidebands subtracted",
    )


def _subtracted(sample: TagProbeSample, window: tuple[float, float]) -> tuple[float, float, float]:
    """Efficiency and interval at the peak after subtracting the sidebands, as if the background were flat.

    The interval is that of the counts at the peak, widened by `design_effect` and by what is subtracted.
    """
    at_peak = np.abs(sample.mass - M_Z) < _PEAK
    aside = np.abs(sample.mass - M_Z) > _SIDEBAND
    aside_width = max(M_Z - _SIDEBAND - window[0], 0.0) + max(window[1] - M_Z - _SIDEBAND, 0.0)
    scale = 2 * _PEAK / aside_width if aside_width > 1 else 0.0
    passing, weight = np.asarray(sample.passing, bool), sample.weights
    sides = []
    for rows in (passing, ~passing):
        peak, side = weight[rows & at_peak], weight[rows & aside]
        signal = max(peak.sum() - scale * side.sum(), 0.0)
        sides.append((signal, np.sum(peak**2), scale**2 * np.sum(side**2)))
    (p, p_peak, p_side), (f, f_peak, f_side) = sides
    counted = binomial_interval(np.array(p), np.array(f), passed_w2=np.array(p_peak), failed_w2=np.array(f_peak))
    value, low, high = (float(one[0]) for one in counted)
    extra = np.sqrt(f**2 * p_side + p**2 * f_side) / (p + f) ** 2 if p + f > 0 else np.nan
    wider = np.sqrt(design_effect(sample.take(np.flatnonzero(at_peak)))) if at_peak.any() else 1.0
    down, up = np.hypot(wider * (value - low), extra), np.hypot(wider * (high - value), extra)
    return value, max(value - down, 0.0), min(value + up, 1.0)


def efficiency_of_fits(fits: Sequence[TagProbeFit], *, edges: Mapping[str, np.ndarray], name: str = "") -> Efficiency:
    """The efficiencies of all bins as one result.

    Parameters
    ----------
    fits : sequence of TagProbeFit
        As `fit_efficiencies` returned them.
    edges : dict of str to (bins + 1,) float
        The same edges.
    name : str

    Returns
    -------
    Efficiency
        `n_total` is the fitted signal; bins whose fit is not valid have NaN, so that no figure can show them.

    Examples
    --------
    >>> sample = TagProbeSample(np.full(4, 91.0), np.array([1, 1, 1, 0], bool), {"et": np.full(4, 30.0)})
    >>> edges = {"et": np.array([20.0, 40.0])}
    >>> fits = fit_efficiencies(sample, edges=edges, rng=np.random.default_rng(1))
    >>> efficiency_of_fits(fits, edges=edges).value
    array([0.75])
    """
    valid = np.array([fit.valid for fit in fits], dtype=bool)
    columns = [np.array([getattr(fit, key) for fit in fits]) for key in ("efficiency", "low", "high")]
    total = [
        float(np.nansum(fit.passing_model + fit.failing_model - fit.passing_background - fit.failing_background))
        if fit.method == "fit"
        else float(fit.passing.sum() + fit.failing.sum())
        for fit in fits
    ]
    shown = [np.where(valid, column, np.nan) for column in columns]
    kept = {axis: np.asarray(edge, float) for axis, edge in edges.items()}
    return Efficiency(shown[0], shown[1], shown[2], kept, np.array(total), valid, name)
