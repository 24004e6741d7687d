"""Energy: resolution by |eta|, linearity, and E/p."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from calotools.analysis import (
    Estimate,
    ResolutionTerms,
    fit_terms,
    median,
    mixture_width,
    resolution_at,
    robust_width,
)
from calotools.containers import Check
from calotools.detector import resolution_terms
from calotools.errors import EmptyInputError
from calotools.plots import draw_series
from calotools.recipe import ValidateConfig
from calotools.simulate import Effects
from calotools.stages.validation.gun import ntuple, shapes_of, shoot
from calotools.stages.validation.momentum import measure_energy_over_momentum
from calotools.stages.validation.section import Section, name_region, near, within

__all__ = ["REGIONS", "measure_energy", "single_particles"]

REGIONS = ((0.0, 0.8), (0.8, 1.37), (1.37, 1.52), (1.52, 1.81), (1.81, 2.47))
_CRACK = (1.37, 1.52)
_ET = (10.0, 15.0, 25.0, 40.0, 65.0, 110.0, 300.0)
_JUDGED = (1, 3, 5)
_FIELDS = ["e", "e_true", "eta_true", "et", "eta_s2", "conversion_type", "e_over_p"]
_TOYS = 100
_AT_LIMIT = 1e-4  # constant terms below are held at 0 by the fit
_SOURCE = "ATLAS run-1 calibration, mcSamplingTerm, mcNoiseTerm, mcConstantTerm"
_TERMS = {"a": "√GeV", "c": ""}
_PDG = {"electrons": 11, "photons": 22}


@dataclass(frozen=True)
class Points:
    """Response and resolution along E_T in one |eta| region.

    Attributes
    ----------
    e : (n_bin,) float [GeV]
        Mean true energy.
    bias, bias_error : (n_bin,) float
        Median of E/E_true - 1.
    sigma, sigma_error : (n_bin,) float
        IQR / 1.349 of E/E_true.
    expected : (n_bin,) float
        The same width for the published resolution at the candidates' energies and |eta|.
    """

    e: np.ndarray
    bias: np.ndarray
    bias_error: np.ndarray
    sigma: np.ndarray
    sigma_error: np.ndarray
    expected: np.ndarray


def single_particles(config: ValidateConfig, folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """Electrons and photons without pile-up, E_T 10 to 300 GeV, as columns."""
    samples = {}
    for process in ("electrons", "photons"):
        candidates = ntuple(process, _FIELDS, n=config.n, seed=config.seed, mu=0.0, jobs=config.jobs, folder=folder)
        samples[process] = {name: ak.to_numpy(candidates[name]).astype(float) for name in _FIELDS}
    return samples


def measure_energy(samples: Mapping[str, Mapping[str, np.ndarray]], config: ValidateConfig) -> Section:
    """Resolution terms against the published ones, linearity, E/p.

    Parameters
    ----------
    samples : dict of str to columns
        What `single_particles` gives.
    config : ValidateConfig

    Returns
    -------
    Section
    """
    rng = np.random.default_rng([config.seed, 1])
    checks: list[Check] = []
    results: dict[str, Any] = {}
    figures: dict[str, Any] = {}
    for process, columns in samples.items():
        points = {region: measure_points(columns, region, rng) for region in REGIONS}
        noise = {region: _noise(_PDG[process], region, max(config.n // 20, 300), rng) for region in REGIONS}
        fits = {region: _fits(one, noise[region], rng) for region, one in points.items()}
        for region in REGIONS:
            checks.append(_judge_noise(f"{process}, {name_region(region)}", noise[region]))
            errors = _spread(points[region], noise[region], fits[region][0], rng)
            checks += _judge_terms(f"{process}, {name_region(region)}", *fits[region], errors)
            checks += _judge_widths(f"{process}, {name_region(region)}", points[region])
        checks += [_judge_linearity(process, region, one) for region, one in points.items()]
        results[process] = {
            name_region(region): {
                "points": vars(one),
                "measured": vars(fits[region][0]),
                "published": vars(fits[region][1]),
            }
            for region, one in points.items()
        }
        figures |= _draw(process, points, config.label)
    ratio_checks, ratio_figure = measure_energy_over_momentum(samples["electrons"], config.label, rng)
    figures["e_over_p"] = ratio_figure
    return Section(
        "Energy",
        "Single electrons and photons of E_T from 10 to 300 GeV without pile-up, calibrated layer sum. The width is "
        "the interquartile range over 1.349. The noise term b is measured alone, as the difference of the same "
        "clusters of 50 GeV with and without electronic noise; a and c are fitted to the widths with it, and in the "
        "same way to the published resolution at the same energies and |η|; their errors, from toys, are large and "
        "of opposite sign where c hardly contributes. A c of 0 is the fit's limit, and its error the c whose square is "
        "one standard deviation of c². The widths themselves, over the published ones, say most.",
        (*checks, *ratio_checks),
        results,
        figures,
    )


def measure_points(columns: Mapping[str, np.ndarray], region: tuple[float, float], rng: np.random.Generator) -> Points:
    """Response and resolution of one |eta| region in bins of true E_T."""
    rows = list(_bins(columns, region))
    ratio = columns["e"] / columns["e_true"] - 1
    bias = [median(ratio[one]) for one in rows]
    sigma = [robust_width(ratio[one], rng=rng) for one in rows]
    expected = resolution_at(columns["e_true"], *resolution_terms(columns["eta_true"]))
    return Points(
        e=np.array([columns["e_true"][one].mean() if one.any() else np.nan for one in rows]),
        bias=np.array([one.value for one in bias]),
        bias_error=np.array([one.error for one in bias]),
        sigma=np.array([one.value for one in sigma]),
        sigma_error=np.array([one.error for one in sigma]),
        expected=np.array([mixture_width(expected[one]) for one in rows]),
    )


def _bins(columns: Mapping[str, np.ndarray], region: tuple[float, float]) -> Iterator[np.ndarray]:
    eta = np.abs(columns["eta_s2"])
    et = columns["e_true"] / np.cosh(columns["eta_true"])
    inside = (eta >= region[0]) & (eta < region[1])
    for low, high in itertools.pairwise(_ET):
        yield inside & (et >= low) & (et < high)


@dataclass(frozen=True)
class Noise:
    """Noise term of one |eta| region [GeV]: of our clusters, and the published one."""

    measured: Estimate
    published: float


def _noise(pdg: int, region: tuple[float, float], n: int, rng: np.random.Generator) -> Noise:
    eta = rng.uniform(*region, n) * rng.choice([-1.0, 1.0], n)
    seed = int(rng.integers(2**62))
    clusters = [
        shapes_of(shoot(pdg, 50.0, eta=eta, rng=np.random.default_rng(seed), effects=effects))["e_cluster"].astype(
            float
        )
        for effects in (Effects(), Effects(electronic_noise=0.0))
    ]
    return Noise(robust_width(clusters[0] - clusters[1], rng=rng), mixture_width(resolution_terms(eta)[1]))


def _judge_noise(where: str, noise: Noise) -> Check:
    return near(f"b, {where}", noise.measured, noise.published, relative=0.2, unit="GeV", source=_SOURCE)


def _fits(points: Points, noise: Noise, rng: np.random.Generator) -> tuple[ResolutionTerms, ResolutionTerms]:
    """Terms of the measured widths and of the published ones at the same places, with the same weights."""
    relative = points.sigma_error / points.sigma
    return (
        fit_terms(points.e, points.sigma, points.sigma_error, rng=rng, b=noise.measured.value),
        fit_terms(points.e, points.expected, relative * points.expected, rng=rng, b=noise.published),
    )


def _spread(points: Points, noise: Noise, fit: ResolutionTerms, rng: np.random.Generator) -> dict[str, float]:
    """Errors of the fitted terms from toys: also of one that the fit held at its limit, and without a parabola."""
    toys = [
        fit_terms(
            points.e,
            points.sigma + rng.normal(size=len(points.e)) * points.sigma_error,
            points.sigma_error,
            rng=rng,
            b=noise.measured.value,
        ).values
        for _ in range(_TOYS)
    ]
    errors = {term: float(np.sqrt(np.mean([(toy[term] - fit.values[term]) ** 2 for toy in toys]))) for term in _TERMS}
    if fit.values["c"] < _AT_LIMIT:
        # toys stay at the limit too: what the widths still allow is the error of the squared term, which knows no limit
        errors["c"] = max(errors["c"], constant_reach(points))
    return errors


def constant_reach(points: Points) -> float:
    """The constant term whose square is one standard deviation of it in a fit of a^2 / E + c^2 to squared widths."""
    used = np.isfinite(points.sigma) & (points.sigma_error > 0)
    e, error = points.e[used], 2 * points.sigma[used] * points.sigma_error[used]
    design = np.stack([1 / e, np.ones(len(e))], axis=1) / error[:, None]
    return float(np.linalg.inv(design.T @ design)[1, 1] ** 0.25)


def _judge_terms(
    where: str, fit: ResolutionTerms, published: ResolutionTerms, errors: Mapping[str, float]
) -> list[Check]:
    return [
        near(
            f"{term}, {where}",
            Estimate(fit.values[term], errors[term]) if fit.valid else Estimate(np.nan, np.nan),
            published.values[term],
            relative=0.2,
            unit=unit,
            source=_SOURCE,
        )
        for term, unit in _TERMS.items()
    ]


def _judge_widths(where: str, points: Points) -> list[Check]:
    return [
        near(
            f"σ/E over published, {where}, E_T {_ET[k]:g}–{_ET[k + 1]:g} GeV",
            Estimate(points.sigma[k] / points.expected[k], points.sigma_error[k] / points.expected[k]),
            1.0,
            relative=0.2,
            source=_SOURCE,
        )
        for k in _JUDGED
    ]


def _judge_linearity(process: str, region: tuple[float, float], points: Points) -> Check:
    if not np.isfinite(points.bias).any():
        raise EmptyInputError(f"no {process} in {name_region(region)}; ask for more candidates (n)")
    worst = int(np.nanargmax(np.abs(points.bias)))
    reach = 0.02 if region == _CRACK else 0.01
    return within(
        f"largest median of E/E_true − 1, {process}, {name_region(region)}",
        Estimate(points.bias[worst], points.bias_error[worst]),
        -reach,
        reach,
        source="calotools' own demand",
    )


def _draw(process: str, points: Mapping[tuple[float, float], Points], label: str) -> dict[str, Any]:
    widths = {name_region(region): (one.e, one.sigma, one.sigma_error) for region, one in points.items()}
    curves = {name_region(region): (one.e, one.expected) for region, one in points.items()}
    biases = {name_region(region): (one.e, one.bias, one.bias_error) for region, one in points.items()}
    axis = r"$E_\mathrm{true}$ [GeV]"
    return {
        f"resolution_{process}": (
            draw_series(
                widths,
                curves=curves,
                axes=(axis, r"$\sigma(E)/E$ (IQR / 1.349)"),
                scale="loglog",
                label=label,
                note=process,
            ),
            f"Energy resolution of {process} without pile-up by |η|; lines: the published terms at the same "
            "energies and |η|.",
        ),
        f"linearity_{process}": (
            draw_series(
                biases,
                curves={
                    name: (np.array([10.0, 1500.0]), np.full(2, side))
                    for name, side in (("+1 %", 0.01), ("−1 %", -0.01))
                },
                axes=(axis, r"Median of $E/E_\mathrm{true} - 1$"),
                scale="log",
                label=label,
                note=process,
            ),
            f"Linearity of the calibrated energy of {process}.",
        ),
    }
