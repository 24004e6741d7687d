"""Pile-up: what it adds to a cluster, by number of interactions, and how neighbouring cells share it."""

from __future__ import annotations

import numpy as np

from calotools.analysis import Estimate, bootstrap_estimate, correlation, mean_rows, sigma68
from calotools.containers import Check
from calotools.detector import pileup_resolution
from calotools.plots import draw_series
from calotools.recipe import ValidateConfig
from calotools.simulate import Effects, Response
from calotools.stages.validation.gun import shapes_of, shoot
from calotools.stages.validation.section import Section, near, quoted, within

__all__ = ["measure_pileup"]

_MU = (10.0, 20.0, 40.0, 60.0, 80.0)
_ETA = (0.3, 1.1, 1.7, 2.2)
_ET = 20.0
_SILENT = Effects(electronic_noise=0.0)
_ROWS, _COLUMNS = 9, 13  # middle cells of the stored window, eta x phi


def measure_pileup(config: ValidateConfig) -> Section:
    """Pile-up noise of a cluster against <mu>, its mean, and the correlation of neighbouring cells.

    Parameters
    ----------
    config : ValidateConfig

    Returns
    -------
    Section
    """
    rng = np.random.default_rng([config.seed, 6])
    n = max(config.n // 20, 200)
    both = {eta: {mu: _added(eta, mu, n, rng) for mu in _MU} for eta in _ETA}
    added = {eta: {mu: one[0] for mu, one in by_mu.items()} for eta, by_mu in both.items()}
    checks: list[Check] = []
    points = {}
    for eta, by_mu in added.items():
        widths = [bootstrap_estimate(_deviation, one, rng=rng) for one in by_mu.values()]
        points[f"|η| = {eta:g}"] = (np.array(_MU), *np.array(widths).T)
        checks += [_judge(eta, mu, one) for mu, one in zip(_MU, widths, strict=True)]
        core = bootstrap_estimate(sigma68, by_mu[40.0], rng=rng)
        checks.append(quoted(f"σ68 of pile-up in a cluster, |η| = {eta:g}, <μ> = 40", core, unit="GeV"))
        checks += [_mean(eta, mu, one[1]) for mu, one in both[eta].items() if mu in (20.0, 60.0)]
    shared, depth = _shared(n, rng)
    checks += [
        within(
            f"correlation of middle cells next to each other in {axis}, <μ> = 40",
            one[1],
            0.1,
            1.0,
            source="one particle reaches several cells",
        )
        for axis, one in shared.items()
    ]
    checks += [
        within(f"correlation of middle cells five apart in {axis}, <μ> = 40", one[5], -0.1, 0.1, source="too far apart")
        for axis, one in shared.items()
    ]
    checks += [
        within(f"correlation of a middle cell and the {name}, <μ> = 40", one, 0.1, 1.0, source="one particle showers")
        for name, one in depth.items()
    ]
    grid = np.linspace(2, 85, 50)
    figures = {
        "pileup": (
            draw_series(
                points,
                curves={"published": (grid, pileup_resolution(_ET, grid))},
                axes=(r"$\langle\mu\rangle$", r"$\sigma(E_\mathrm{T})$ from pile-up [GeV]"),
                label=config.label,
            ),
            "Pile-up noise of a cluster; line: the published term at E_T = 20 GeV.",
        ),
        "pileup_correlation": (
            draw_series(
                {
                    f"along {axis}": (np.array(list(one)), *np.array(list(one.values())).T)
                    for axis, one in shared.items()
                },
                axes=("Distance [middle cells]", "Correlation"),
                label=config.label,
                note=r"$\langle\mu\rangle$ = 40",
            ),
            "Correlation of pile-up in two middle cells, by their distance along η and along φ.",
        ),
    }
    return Section(
        "Pile-up",
        f"Photons of E_T = {_ET:g} GeV with and without pile-up, the same showers both times and no electronic noise: "
        "the difference of the raw cluster sums is what pile-up adds; its noise is the standard deviation. "
        "The mean is taken over fixed "
        "cells, because a cluster is built where energy is and so is drawn to upward fluctuations.",
        tuple(checks),
        {"width": points, "correlation": shared, "correlation in depth": depth},
        figures,
    )


def _added(eta: float, mu: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Transverse energy [GeV] that pile-up adds to the cluster of the same shower, and to fixed cells around it."""
    seed = int(rng.integers(2**62))
    signed = np.where(np.arange(n) % 2 == 0, eta, -eta)
    e = _ET * np.cosh(eta)
    shots = [shoot(22, e, eta=signed, rng=np.random.default_rng(seed), mu=one, effects=_SILENT) for one in (mu, 0.0)]
    clusters = [shapes_of(shot)["e_cluster"].astype(float) for shot in shots]
    fixed = [_fixed_sum(shot) for shot in shots]
    return (clusters[0] - clusters[1]) / np.cosh(eta), (fixed[0] - fixed[1]) / np.cosh(eta)


def _fixed_sum(shot: Response) -> np.ndarray:
    """Electromagnetic energy in 5 x 7 middle cells about the signal's hottest one, which pile-up cannot move."""
    owner = np.repeat(np.arange(len(shot.seed_eta)), np.diff(shot.offsets))
    d_phi = (shot.phi - shot.seed_phi[owner] + np.pi) % (2 * np.pi) - np.pi
    inside = (np.abs(shot.eta - shot.seed_eta[owner]) < 0.0625) & (np.abs(d_phi) < 3.5 * 2 * np.pi / 256)
    inside &= shot.sampling < 8
    return np.bincount(owner[inside], shot.e[inside].astype(float), len(shot.seed_eta))


def _deviation(added: np.ndarray) -> float:
    return float(np.std(added))


def _judge(eta: float, mu: float, width: Estimate) -> Check:
    return near(
        f"pile-up noise of a cluster, |η| = {eta:g}, <μ> = {mu:g}",
        width,
        float(pileup_resolution(_ET, mu)),
        relative=0.25,
        unit="GeV",
        source="pileUpTerm of the run-2 calibration",
    )


def _mean(eta: float, mu: float, added: np.ndarray) -> Check:
    value, error = (float(one[0]) for one in mean_rows(added[:, None]))
    return within(
        f"mean of pile-up in fixed cells, |η| = {eta:g}, <μ> = {mu:g}",
        Estimate(value, error),
        -3 * error,
        3 * error,
        unit="GeV",
        source="0 within three errors in the middle of a train",
    )


def _shared(n: int, rng: np.random.Generator) -> tuple[dict[str, dict[int, Estimate]], dict[str, Estimate]]:
    """Correlation of middle cells by their distance in eta and phi, and with the strips and back cells at one place.

    A soft photon leaves pile-up alone in the window.
    """
    alone = shoot(22, 1e-3, eta=np.full(4 * n, 0.3), rng=rng, mu=40.0, effects=_SILENT)
    cells = alone.e[alone.sampling == 2].reshape(4 * n, _ROWS, _COLUMNS).astype(float)
    rows = np.moveaxis(cells[:, 1:7, _COLUMNS // 2], 1, 0)
    columns = np.moveaxis(cells[:, _ROWS // 2, 1:7], 1, 0)
    along = {
        axis: {d: correlation(line[0], line[d], rng=rng) for d in range(1, 6)}
        for axis, line in (("η", rows), ("φ", columns))
    }
    centre = cells[:, _ROWS // 2, _COLUMNS // 2]
    depth = {
        name: correlation(centre, _at_seed(alone, sampling, reach), rng=rng)
        for name, sampling, reach in (
            ("strips before it", 1, (0.0125, 0.049)),
            ("back cell behind it", 3, (0.025, 0.01)),
        )
    }
    return along, depth


def _at_seed(shot: Response, sampling: int, reach: tuple[float, float]) -> np.ndarray:
    """Energy of a sampling's cells whose centres are within `reach` (eta, phi) of the window's middle cell."""
    owner = np.repeat(np.arange(len(shot.seed_eta)), np.diff(shot.offsets))
    d_phi = (shot.phi - shot.seed_phi[owner] + np.pi) % (2 * np.pi) - np.pi
    inside = (np.abs(shot.eta - shot.seed_eta[owner]) < reach[0]) & (np.abs(d_phi) < reach[1])
    inside &= shot.sampling == sampling
    return np.bincount(owner[inside], shot.e[inside].astype(float), len(shot.seed_eta))
