"""The readout: pulse and filter, gains, time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.analysis import Estimate, fraction, mixture_width, robust_width
from calotools.containers import Check
from calotools.detector import filter_response, gain_thresholds, optimal_filter, pulse_shape, time_resolution
from calotools.plots import draw_series
from calotools.recipe import ValidateConfig
from calotools.simulate import Response
from calotools.stages.validation.gun import hottest_middle, shoot
from calotools.stages.validation.section import Section, near

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["measure_gain_and_time", "measure_pulse"]

_EXACT = float("nan")
_PULSE = "Lorenzetti's tabulated pulse"
_WHITE = (0.0, 0.259, 0.598, 0.396, 0.127)
_ENERGIES = np.geomspace(5.0, 500.0, 13)


def measure_pulse(config: ValidateConfig) -> Section:
    """Sums over the pulse, coefficients of the optimal filter and what it makes of other crossings.

    Parameters
    ----------
    config : ValidateConfig
        Its label.

    Returns
    -------
    Section
    """
    samples = pulse_shape(25.0 * np.arange(-4, 33))
    crossings = np.arange(-30, 5)
    checks = [
        near("sum of the pulse over 25 ns samples", _exact(samples.sum()), 0.015, absolute=0.005, source=_PULSE),
        near("sum of its square", _exact((samples**2).sum()), 2.06, relative=0.02, source=_PULSE),
    ]
    curves = {}
    for name, ratio, squares, gain in (("white noise", 0.0, 2.95, 0.77), ("pile-up", 1.0, 1.77, 0.95)):
        optimal = optimal_filter(pileup_ratio=ratio)
        response = filter_response(optimal, crossings)
        where = f"filter for {name}"
        checks += [
            near(f"Σ h², {where}", _exact((response**2).sum()), squares, relative=0.03, source="optimal filtering"),
            near(f"Σ h, {where}", _exact(response.sum()), 0.0, absolute=0.06, source="no mean shift in a train"),
            near(f"noise gain, {where}", _exact(optimal.noise_gain), gain, relative=0.03, source="optimal filtering"),
        ]
        curves[where] = (crossings, response)
    white = optimal_filter().energy
    checks += [
        near(f"filter coefficient {k}", _exact(white[k]), _WHITE[k], absolute=0.01, source="optimal filtering")
        for k in range(5)
    ]
    figures = _figures_of_pulse(samples, curves, config.label)
    return Section("Pulse and filter", "Exact numbers of the readout model.", tuple(checks), {}, figures)


def _figures_of_pulse(
    samples: np.ndarray, filtered: Mapping[str, tuple[np.ndarray, np.ndarray]], label: str
) -> dict[str, tuple[Figure, str]]:
    """The pulse, and by name what a filter makes of a deposit in each crossing."""
    time = np.linspace(-60, 640, 701)
    points = {name: (x, y, np.zeros(len(x))) for name, (x, y) in filtered.items()}
    return {
        "pulse": (
            draw_series(
                {"25 ns samples": (25.0 * np.arange(-2, 25), samples[2:29], np.zeros(27))},
                curves={"25 ns samples": (time, pulse_shape(time))},
                axes=("Time after the peak [ns]", "Pulse"),
                label=label,
            ),
            "The shaped pulse of a liquid-argon cell.",
        ),
        "filter": (
            draw_series(points, axes=("Crossing of the deposit", "Filtered energy of a unit deposit"), label=label),
            "What the filtered energy makes of a unit deposit in another crossing.",
        ),
    }


def _exact(value: Any) -> Estimate:
    return Estimate(float(value), _EXACT)


def measure_gain_and_time(config: ValidateConfig) -> Section:
    """Gain of the hottest middle cell, and its time resolution, against energy.

    Parameters
    ----------
    config : ValidateConfig

    Returns
    -------
    Section
    """
    rng = np.random.default_rng([config.seed, 5])
    n = max(config.n // 2, 1000)
    eta = rng.uniform(-0.75, 0.75, n)
    shot = shoot(11, _ENERGIES[0] * (_ENERGIES[-1] / _ENERGIES[0]) ** rng.random(n), eta=eta, rng=rng)
    rows = hottest_middle(shot)
    e, gain = shot.e[rows].astype(float), shot.gain[rows]
    threshold = float(gain_thresholds(2, 0.3)[0])
    checks = [_switch(e, gain, threshold)]
    gains = {
        name: [fraction(gain[one] == code) for one in _bins(e)] for code, name in enumerate(("high", "medium", "low"))
    }
    centres = np.sqrt(_ENERGIES[1:] * _ENERGIES[:-1])
    points = {name: (centres, *np.array(values).T) for name, values in gains.items()}
    times, expected = _times(shot, rows, rng)
    checks += [
        near(
            f"time resolution over expected, hottest cell {low:.3g}–{high:.3g} GeV",
            Estimate(one.value / target, one.error / target),
            1.0,
            relative=0.1,
            source="energy and constant term of the gain",
        )
        for low, high, one, target in zip(_ENERGIES[:-1], _ENERGIES[1:], times, expected, strict=True)
        if np.isfinite(one.value)
    ]
    figures = _figures_of_readout(centres, points, times, expected, label=config.label)
    return Section(
        "Gain and time",
        "Electrons of 5 to 500 GeV in |η| < 0.75, all from the origin at time 0.",
        tuple(checks),
        {"cell_energy": centres, "gain_fraction": points, "time_resolution": times, "expected": expected},
        figures,
    )


def _figures_of_readout(
    centres: np.ndarray,
    gains: Mapping[str, Any],
    times: Sequence[Estimate],
    expected: np.ndarray,
    *,
    label: str,
) -> dict[str, tuple[Figure, str]]:
    axis = "Energy of the hottest middle cell [GeV]"
    return {
        "gains": (
            draw_series(gains, axes=(axis, "Fraction of candidates"), scale="log", label=label),
            "Readout gain of the hottest middle cell of electrons, |η| < 0.75.",
        ),
        "time": (
            draw_series(
                {"hottest middle cell": (centres, *np.array(times).T)},
                curves={"hottest middle cell": (centres, expected)},
                axes=(axis, r"$\sigma(t)$ [ns]"),
                scale="loglog",
                label=label,
            ),
            "Time resolution of the hottest middle cell without the spread of collision times; line: expected. Medium "
            "gain begins at 26 GeV.",
        ),
    }


def _bins(e: np.ndarray) -> list[np.ndarray]:
    return [(e >= low) & (e < high) for low, high in itertools.pairwise(_ENERGIES)]


def _switch(e: np.ndarray, gain: np.ndarray, threshold: float) -> Check:
    """Where high gain ends and medium gain begins; noise smears the two into each other."""
    high, medium = np.sort(e[gain == 0]), np.sort(e[gain == 1])
    if not len(high) or not len(medium):
        return near("energy at which medium gain begins", Estimate(np.nan, np.nan), threshold, relative=0.02)
    middle, half = (high[-1] + medium[0]) / 2, abs(high[-1] - medium[0]) / 2
    return near(
        "energy at which medium gain begins",
        Estimate(float(middle), float(half)),
        threshold,
        relative=0.02,
        unit="GeV",
        source="gain table, |η| < 0.8",
    )


def _times(shot: Response, rows: np.ndarray, rng: np.random.Generator) -> tuple[list[Estimate], np.ndarray]:
    e, time = shot.e[rows].astype(float), shot.time[rows].astype(float)
    predicted = time_resolution(shot.sampling[rows], shot.eta[rows], e, gain=shot.gain[rows])
    chosen = _bins(e)
    widths = [robust_width(time[one], rng=rng) for one in chosen]
    return widths, np.array([mixture_width(predicted[one]) for one in chosen])
