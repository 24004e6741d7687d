"""Binned fits of mass peaks: Breit-Wigner convolved with a double-sided Crystal Ball (Z), Crystal Ball (Higgs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from iminuit.cost import ExtendedBinnedNLL

from calotools.analysis.backgrounds import background_shape
from calotools.analysis.bootstrap import Bootstrap, event_bootstrap
from calotools.analysis.lineshapes import Parameter, Shape, bw_dscb, dscb
from calotools.analysis.minimise import Outcome, minimise
from calotools.analysis.pairs import RULES
from calotools.analysis.resolution import ONE_SIGMA, sigma68
from calotools.containers import Index, PeakFit
from calotools.errors import ConfigError, EmptyInputError, ShapeError, nearest

__all__ = ["fit_peak"]

SIGNALS: dict[str, Callable[[tuple[float, float]], Shape]] = {"hyy": dscb, "zee": bw_dscb}
_POWERS = ("n_low", "n_high")
_IMPROBABLE = 0.01
_DRAWS = 200


@dataclass(frozen=True)
class _Histogram:
    """Counts with the scale that brings weighted contents to Poisson size, so that empty bins are penalised rightly."""

    edges: np.ndarray
    counts: np.ndarray
    variances: np.ndarray

    @property
    def scale(self) -> float:
        return float(self.variances.sum() / self.counts.sum())

    @property
    def scaled(self) -> np.ndarray:
        if np.array_equal(self.counts, self.variances):
            return self.counts
        return np.stack([self.counts / self.scale, self.variances / self.scale**2], axis=-1)


def fit_peak(
    mass: np.ndarray,
    *,
    kind: str,
    rng: np.random.Generator,
    weight: np.ndarray | None = None,
    window: tuple[float, float] | None = None,
    bins: int = 60,
    background: str | None = "exponential",
    fixed: Mapping[str, float] | None = None,
    bootstrap: Bootstrap | None = None,
    name: str = "",
) -> PeakFit:
    """Fit a Z or Higgs peak and measure its widths.

    Parameters
    ----------
    mass : (n,) float [GeV]
        Entries outside the window, or not finite, are not used.
    kind : {"zee", "hyy"}
        The signal: Breit-Wigner * double-sided Crystal Ball, or double-sided Crystal Ball.
    rng : numpy.random.Generator
        For other starting points and for the errors of the widths.
    weight : (n,) float, optional
    window : (float, float) [GeV], optional
        Default: that of the kind.
    bins : int
        Of equal width in the window.
    background : {"exponential", "bernstein", "cms"}, optional
        None for a sample without any.
    fixed : dict of str to float, optional
        Parameters to hold at a value, such as the width and tails that simulation gave.
    bootstrap : Bootstrap, optional
        Over the events of these n entries, for the error of the sample's width; without it entries are independent.
    name : str
        Of the energy.

    Returns
    -------
    PeakFit
        Always; `valid` and `message` say whether to believe it. `values` has n_signal, mean, sigma, the tails, and
        with a background n_background and its shape.

    Raises
    ------
    ConfigError
        Unknown kind or background, an empty window.
    EmptyInputError
        Fewer than 20 entries are in the window.
    ShapeError
        Weights or bootstrap have another length.

    Notes
    -----
    The tails begin where the data say, with the weak constraint 1.6 +- 0.6 sigma; their powers are held at 5 and 10,
    and fitted only when the fit is improbable (p < 1 %) without. A shape
    parameter that the data do not determine is held where it is and named in `notes`. Extended binned likelihood;
    weighted entries by the scaled Poisson of Bohm & Zech, NIM A 748 (2014) 1. `chi2` is the likelihood ratio to the
    saturated model (Baker & Cousins, NIM 221 (1984) 437).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> fit = fit_peak(rng.normal(125.0, 1.5, 2000), kind="hyy", rng=rng, background=None)
    >>> fit.valid, abs(fit.values["mean"] - 125) < 0.15
    (True, True)
    """
    if kind not in SIGNALS:
        raise ConfigError(f"there is no peak '{kind}'; {nearest(kind, SIGNALS)}")
    window = RULES[kind].window if window is None else (float(window[0]), float(window[1]))
    mass, weight, bootstrap = _inside(np.asarray(mass, float), weight, bootstrap, window, rng)
    data = _histogram(mass, weight, window, bins)
    signal = SIGNALS[kind](window)
    other = None if background is None else background_shape(background, window)
    outcome = _fit(data, signal, other, fixed or {}, rng)
    width = _widths(signal, outcome, rng) | _sample_width(mass, weight, bootstrap)
    return _peak(data, signal, other, outcome, width, name)


def _inside(
    mass: np.ndarray,
    weight: np.ndarray | None,
    bootstrap: Bootstrap | None,
    window: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, Bootstrap]:
    weight = np.ones(len(mass)) if weight is None else np.asarray(weight, float)
    if bootstrap is None:
        number = np.arange(len(mass))
        bootstrap = event_bootstrap(Index(number, number, number), rng=rng, replicas=100)
    if not len(mass) == len(weight) == len(bootstrap.group):
        raise ShapeError(f"{len(mass)} masses, {len(weight)} weights and a bootstrap of {len(bootstrap.group)} rows")
    used = np.flatnonzero((mass >= window[0]) & (mass < window[1]))
    if len(used) < 20:
        raise EmptyInputError(
            f"{len(used)} of {len(mass)} masses are between {window[0]:g} and {window[1]:g} GeV; a peak fit needs 20, "
            "so widen the window or loosen the selection"
        )
    return mass[used], weight[used], bootstrap.take(used)


def _histogram(mass: np.ndarray, weight: np.ndarray, window: tuple[float, float], bins: int) -> _Histogram:
    edges = np.linspace(*window, bins + 1)
    counts, _ = np.histogram(mass, edges, weights=weight)
    variances, _ = np.histogram(mass, edges, weights=weight**2)
    return _Histogram(edges, counts, variances)


def _fit(
    data: _Histogram, signal: Shape, background: Shape | None, fixed: Mapping[str, float], rng: np.random.Generator
) -> Outcome:
    parameters, linked = _parameters(data, signal, background)
    if unknown := set(fixed) - {one.name for one in parameters}:
        name = min(unknown)
        raise ConfigError(f"the fit has no parameter '{name}'; {nearest(name, [one.name for one in parameters])}")
    parameters = [replace(one, start=fixed.get(one.name, one.start)) for one in parameters]
    split = 1 + len(signal.parameters)

    def expected(edges: np.ndarray, *values: float) -> np.ndarray:
        total = values[0] * signal.cdf(edges, *values[1:split])
        if background is not None:
            total = total + values[split] * background.cdf(edges, *values[split + 1 :])
        return total

    cost = ExtendedBinnedNLL(data.scaled, data.edges, expected, name=[one.name for one in parameters])
    outcome = minimise(cost, parameters, rng=rng, linked=linked, fixed={*fixed, *_POWERS}, retries=2)
    if (outcome.valid and outcome.probability > _IMPROBABLE) or set(_POWERS) <= set(fixed):
        return _rescale(outcome, data)
    freer = minimise(cost, parameters, rng=rng, linked=linked, fixed=set(fixed), retries=2)
    return _rescale(min(outcome, freer, key=lambda one: (not one.valid, one.chi2)), data)


def _parameters(
    data: _Histogram, signal: Shape, background: Shape | None
) -> tuple[list[Parameter], dict[str, tuple[str, ...]]]:
    total = float(data.counts.sum() / (1.0 if data.scaled.ndim == 1 else data.scale))
    shape = [replace(one, start=_highest(data, one)) if one.name == "mean" else one for one in signal.parameters]
    if background is None:
        return [Parameter("n_signal", total, 0.0, 3 * total), *shape], {}
    yields = (
        Parameter("n_signal", 0.8 * total, 0.0, 3 * total),
        Parameter("n_background", 0.2 * total, 0.0, 3 * total, soft=True),
    )
    linked = {"n_background": tuple(one.name for one in background.parameters)}
    return [yields[0], *shape, yields[1], *background.parameters], linked


def _highest(data: _Histogram, mean: Parameter) -> float:
    """Where the smoothed counts stand highest above the line through both ends of the window."""
    centre = 0.5 * (data.edges[1:] + data.edges[:-1])
    smooth = np.convolve(data.counts, np.ones(5) / 5, mode="same")
    ends = max(len(centre) // 10, 1)
    line = np.interp(centre, [centre[0], centre[-1]], [data.counts[:ends].mean(), data.counts[-ends:].mean()])
    near = (centre > mean.low + 1) & (centre < mean.high - 1)
    return float(centre[near][(smooth - line)[near].argmax()]) if near.any() else mean.start


def _rescale(outcome: Outcome, data: _Histogram) -> Outcome:
    """Yields back in units of the weights."""
    if data.scaled.ndim == 1:
        return outcome
    factors = {name: data.scale if name in ("n_signal", "n_background") else 1.0 for name in outcome.values}
    outer = np.outer(list(factors.values()), list(factors.values()))
    return replace(
        outcome,
        values={name: value * factors[name] for name, value in outcome.values.items()},
        errors={name: error * factors[name] for name, error in outcome.errors.items()},
        covariance=outcome.covariance * outer,
    )


def _widths(signal: Shape, outcome: Outcome, rng: np.random.Generator) -> dict[str, float]:
    """Widths of the fitted signal; errors from draws of its parameters from their covariance."""
    names = [one.name for one in signal.parameters]
    where = [list(outcome.values).index(name) for name in names]
    best = np.array([outcome.values[name] for name in names])
    covariance = outcome.covariance[np.ix_(where, where)]
    draws = rng.multivariate_normal(best, covariance, size=_DRAWS, check_valid="ignore", method="eigh")
    draws = np.clip(draws, [one.low for one in signal.parameters], [one.high for one in signal.parameters])
    table = np.array([_signal_widths(signal, one) for one in draws])
    central = _signal_widths(signal, best)
    return {
        "sigma68": central[0],
        "sigma68_error": float(table[:, 0].std(ddof=1)),
        "fwhm": central[1],
        "fwhm_error": float(table[:, 1].std(ddof=1)),
        "core": outcome.values["sigma"],
        "core_error": outcome.errors["sigma"],
    }


def _signal_widths(signal: Shape, values: np.ndarray) -> tuple[float, float]:
    """sigma68 and full width at half maximum of a density on its window."""
    grid = np.linspace(*signal.window, 801)
    cdf = signal.cdf(grid, *values)
    start = np.linspace(0, 1 - ONE_SIGMA, 200)
    length = np.interp(start + ONE_SIGMA, cdf, grid) - np.interp(start, cdf, grid)
    density = np.diff(cdf)
    centre = 0.5 * (grid[1:] + grid[:-1])
    top = int(density.argmax())
    half = density[top] / 2
    left = np.interp(half, density[: top + 1], centre[: top + 1])
    right = np.interp(-half, -density[top:], centre[top:])
    return float(length.min() / 2), float(right - left)


def _sample_width(mass: np.ndarray, weight: np.ndarray, bootstrap: Bootstrap) -> dict[str, float]:
    replicas = [sigma68(mass, weight=weight * bootstrap.weights(r)) for r in range(len(bootstrap))]
    return {"sample_sigma68": sigma68(mass, weight=weight), "sample_sigma68_error": float(np.std(replicas, ddof=1))}


def _peak(
    data: _Histogram, signal: Shape, background: Shape | None, outcome: Outcome, width: dict[str, float], name: str
) -> PeakFit:
    def content(shape: Shape, total: float) -> np.ndarray:
        values = [outcome.values[one.name] for one in shape.parameters]
        return total * np.diff(shape.cdf(data.edges, *values))

    below = np.zeros(len(data.counts))
    if background is not None:
        below = content(background, outcome.values["n_background"])
    return PeakFit(
        outcome.values,
        outcome.errors,
        width,
        outcome.chi2,
        outcome.ndf,
        outcome.valid,
        outcome.message,
        data.edges,
        data.counts,
        data.variances,
        content(signal, outcome.values["n_signal"]) + below,
        name,
        below,
        outcome.notes,
    )
