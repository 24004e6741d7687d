"""Masses of pairs: the Z peak and its detector width, and what the vertex is worth in H to two photons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from calotools.analysis import Estimate, bootstrap_estimate, find_pairs, fit_peak, pair_mass, robust_width, sigma68
from calotools.containers import Check, PeakFit
from calotools.plots import draw_peak, draw_series
from calotools.recipe import ValidateConfig
from calotools.simulate.matching import seen_from_vertex
from calotools.stages.validation.gun import ntuple
from calotools.stages.validation.section import Section, near, quoted, within

__all__ = ["measure_masses"]

_PAIR = ["e", "et", "eta", "phi", "eta_s1", "eta_s2", "charge"]
_TRUE = ["e_true", "eta_true", "phi_true"]
_BARREL = 1.37
_Z_MASS = 91.19  # GeV
_WIDTH_SOURCE = "1.1 GeV from the published σ/E"
_HIGGS = (105.0, 145.0)


def measure_masses(config: ValidateConfig, folder: Path) -> Section:
    """Z peak of barrel-barrel electrons; width of H to two photons with the found, the true and no vertex.

    Parameters
    ----------
    config : ValidateConfig
    folder : path
        For the ntuples.

    Returns
    -------
    Section
    """
    rng = np.random.default_rng([config.seed, 7])
    n = max(config.n // 5, 1000)
    z_checks, fits, z_figure = _z(config, folder, n, rng)
    higgs_checks, higgs_figure = _higgs(config, folder, n, rng)
    return Section(
        "Masses",
        "Pairs with the run-2 pile-up profile (the Z without pile-up too), calibrated layer sum. The detector width of "
        "the Z is the core of the "
        "double-sided Crystal Ball that the Breit–Wigner is convolved with, both electrons in the barrel; the second "
        "width is that of the reconstructed over the true mass (IQR / 1.349), which needs no line shape.",
        (*z_checks, *higgs_checks),
        {"z": fits},
        {"z_peak": z_figure, "higgs": higgs_figure},
    )


def _z(
    config: ValidateConfig, folder: Path, n: int, rng: np.random.Generator
) -> tuple[list[Check], dict[str, PeakFit], tuple[Any, str]]:
    fits, checks = {}, []
    for name, mu in (("run-2 pile-up", None), ("no pile-up", 0.0)):
        mass, ratio = _z_masses(config, folder / name.replace(" ", "_"), mu, n)
        fits[name] = fit_peak(mass, kind="zee", rng=rng, window=(80.0, 100.0), background=None, name="barrel-barrel")
        checks += [*_judge_z(name, fits[name]), _judge_ratio(name, robust_width(ratio, rng=rng))]
    fit = fits["run-2 pile-up"]
    figure = draw_peak(fit, xlabel="$m_{ee}$ [GeV]", label=config.label, note="barrel-barrel")
    return checks, fits, (figure, "Z → ee, both electrons in the barrel, with run-2 pile-up, and its fit.")


def _z_masses(config: ValidateConfig, folder: Path, mu: float | None, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Masses [GeV] of pairs in the barrel, and these over the masses of the same electrons before the detector."""
    folder.mkdir()
    candidates = ntuple("zee", [*_PAIR, *_TRUE], n=n, seed=config.seed, mu=mu, jobs=config.jobs, folder=folder)
    barrel = np.abs(ak.to_numpy(candidates["eta_s2"])) < _BARREL
    pairs = find_pairs(candidates, kind="zee", mask=barrel)
    mass = pair_mass(candidates, pairs)
    truth = candidates
    for name in _TRUE:
        truth = ak.with_field(truth, candidates[name], name.removesuffix("_true"))
    return mass, mass / pair_mass(truth, pairs)


def _judge_ratio(name: str, width: Estimate) -> Check:
    return within(
        f"width of the mass over the true one times m_Z, barrel-barrel, {name}",
        Estimate(_Z_MASS * width.value, _Z_MASS * width.error),
        1.0,
        1.5,
        unit="GeV",
        source=_WIDTH_SOURCE,
    )


def _judge_z(name: str, fit: PeakFit) -> list[Check]:
    nan = float("nan")
    mean, width = (
        Estimate(fit.values[key], fit.errors[key]) if fit.valid else Estimate(nan, nan) for key in ("mean", "sigma")
    )
    return [
        near(f"Z peak, barrel-barrel, {name}", mean, 91.2, absolute=0.3, unit="GeV", source="m_Z after calibration"),
        within(f"detector width of the Z, barrel-barrel, {name}", width, 1.0, 1.5, unit="GeV", source=_WIDTH_SOURCE),
    ]


def _higgs(
    config: ValidateConfig, folder: Path, n: int, rng: np.random.Generator
) -> tuple[list[Check], tuple[Any, str]]:
    fields = [*_PAIR, "z_vertex", "z_vertex_true"]
    candidates = ntuple("hyy", fields, n=n, seed=config.seed, mu=None, jobs=config.jobs, folder=folder)
    strips, middle = (ak.to_numpy(candidates[name]).astype(float) for name in ("eta_s1", "eta_s2"))
    eta_s1 = np.where(np.isfinite(strips), strips, middle)
    pairs = find_pairs(candidates, kind="hyy")
    vertices = {
        "found vertex": ak.to_numpy(candidates["z_vertex"]),
        "true vertex": ak.to_numpy(candidates["z_vertex_true"]),
        "no vertex": np.zeros(len(candidates)),
    }
    masses = {}
    for name, z in vertices.items():
        eta = seen_from_vertex(eta_s1, sampling_barrel=1, z_vertex=z.astype(float))
        mass = pair_mass(ak.with_field(candidates, eta, "eta"), pairs)
        masses[name] = np.where((mass > _HIGGS[0]) & (mass < _HIGGS[1]), mass, np.nan)
    widths = {name: bootstrap_estimate(sigma68, mass, rng=rng) for name, mass in masses.items()}
    lost = bootstrap_estimate(_in_quadrature, masses["no vertex"], masses["true vertex"], rng=rng)
    checks = [
        within(
            "σ68 of H → γγ, found vertex", widths["found vertex"], 1.1, 2.1, unit="GeV", source="published categories"
        ),
        quoted("σ68 of H → γγ, true vertex", widths["true vertex"], unit="GeV"),
        quoted("σ68 of H → γγ, no vertex", widths["no vertex"], unit="GeV"),
        near(
            "what no vertex adds in quadrature",
            lost,
            1.4 * 38.0 / 56.0,
            relative=0.3,
            unit="GeV",
            source="1.4 GeV for a beam spot of 56 mm, here 38 mm",
        ),
    ]
    return checks, (_draw(masses, widths, config.label), "H → γγ with the found, the true and no vertex.")


def _in_quadrature(wide: np.ndarray, narrow: np.ndarray) -> float:
    difference = sigma68(wide) ** 2 - sigma68(narrow) ** 2
    return float(np.sign(difference) * np.sqrt(abs(difference)))


def _draw(masses: dict[str, np.ndarray], widths: dict[str, Estimate], label: str) -> Any:
    edges = np.linspace(115, 135, 41)
    centre = (edges[1:] + edges[:-1]) / 2
    points = {}
    for name, mass in masses.items():
        counts = np.histogram(mass, edges)[0].astype(float)
        title = f"{name}: σ68 = {widths[name].value:.2f} GeV"
        points[title] = (centre, counts, np.sqrt(counts))
    return draw_series(points, axes=(r"$m_{\gamma\gamma}$ [GeV]", "Pairs / 0.5 GeV"), label=label)
