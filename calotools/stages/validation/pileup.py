"""Pile-up: what it adds to a cluster, by number of interactions, and how neighbouring cells share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from calotools.analysis import Estimate, bootstrap_estimate, correlation, mean_rows, sigma68
from calotools.containers import Check
from calotools.detector import pileup_resolution
from calotools.plots import draw_series
from calotools.recipe import ValidateConfig
from calotools.simulate import Effects, Response
from calotools.stages.validation.gun import shapes_of, shoot
from calotools.stages.validation.section import Section, near, quoted, within

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["measure_pileup"]

_MU = (10.0, 20.0, 40.0, 60.0, 80.0)
_ETA = (0.3, 1.1, 1.7, 2.2)
_ET = 20.0
_SILENT = Effects(electronic_noise=0.0)
Points = dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
_ELECTROMAGNETIC = tuple(range(8))
_FIXED = (0.0625, 3.5 * 2 * np.pi / 256)  # 5 x 7 middle cells
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
    points, checks = _noise(both, rng)
    shared, depth = _shared(n, rng)
    checks += _correlations(shared, depth)
    return Section(
        "Pile-up",
        f"Photons of E_T = {_ET:g} GeV with and without pile-up, the same showers both times and no electronic noise: "
        "the difference of the raw cluster sums is what pile-up adds; its noise is the standard deviation. "
        "The mean is taken over fixed "
        "cells, because a cluster is built where energy is and so is drawn to upward fluctuations.",
        tuple(checks),
        {"width": points, "correlation": shared, "correlation in depth": depth},
        _figures(points, shared, config.label),
    )


def _noise(
    both: dict[float, dict[float, tuple[np.ndarray, np.ndarray]]], rng: np.random.Generator
) -> tuple[Points, list[Check]]:
    """Noise of a cluster against <mu> for each |eta|: points of the figure, and what is checked."""
    checks: list[Check] = []
    points = {}
    for eta, by_mu in both.items():
        widths = [bootstrap_estimate(_deviation, in_cluster, rng=rng) for in_cluster, _ in by_mu.values()]
        value, error = np.array(widths).T
        points[f"|η| = {eta:g}"] = np.array(_MU), value, error
        checks += [_judge(eta, mu, one) for mu, one in zip(_MU, widths, strict=True)]
        core = bootstrap_estimate(sigma68, by_mu[40.0][0], rng=rng)
        checks.append(quoted(f"σ68 of pile-up in a cluster, |η| = {eta:g}, <μ> = 40", core, unit="GeV"))
        checks += [_mean(eta, mu, in_cells) for mu, (_, in_cells) in by_mu.items() if mu in (20.0, 60.0)]
    return points, checks


def _correlations(shared: dict[str, dict[int, Estimate]], depth: dict[str, Estimate]) -> list[Check]:
    beside = "correlation of middle cells next to each other in {axis}, <μ> = 40"
    apart = "correlation of middle cells five apart in {axis}, <μ> = 40"
    behind = "correlation of a middle cell and the {name}, <μ> = 40"
    several, shower = "one particle reaches several cells", "one particle showers"
    return [
        *(within(beside.format(axis=axis), one[1], 0.1, 1.0, source=several) for axis, one in shared.items()),
        *(within(apart.format(axis=axis), one[5], -0.1, 0.1, source="too far apart") for axis, one in shared.items()),
        *(within(behind.format(name=name), one, 0.1, 1.0, source=shower) for name, one in depth.items()),
    ]


def _figures(points: Points, shared: dict[str, dict[int, Estimate]], label: str) -> dict[str, tuple[Figure, str]]:
    grid = np.linspace(2, 85, 50)
    by_distance = {
        f"along {axis}": (np.array(list(one)), *np.array(list(one.values())).T) for axis, one in shared.items()
    }
    return {
        "pileup": (
            draw_series(
                points,
                curves={"published": (grid, pileup_resolution(_ET, grid))},
                axes=(r"$\langle\mu\rangle$", r"$\sigma(E_\mathrm{T})$ from pile-up [GeV]"),
                label=label,
            ),
            "Pile-up noise of a cluster; line: the published term at E_T = 20 GeV.",
        ),
        "pileup_correlation": (
            draw_series(
                by_distance,
                axes=("Distance [middle cells]", "Correlation"),
                label=label,
                note=r"$\langle\mu\rangle$ = 40",
            ),
            "Correlation of pile-up in two middle cells, by their distance along η and along φ.",
        ),
    }


def _added(eta: float, mu: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Transverse energy [GeV] that pile-up adds to the cluster of the same shower, and to fixed cells around it."""
    seed = int(rng.integers(2**62))
    signed = np.where(np.arange(n) % 2 == 0, eta, -eta)
    e = _ET * np.cosh(eta)
    shots = [shoot(22, e, eta=signed, rng=np.random.default_rng(seed), mu=one, effects=_SILENT) for one in (mu, 0.0)]
    clusters = [shapes_of(shot)["e_cluster"].astype(float) for shot in shots]
    fixed = [_sum_near(shot, _ELECTROMAGNETIC, reach=_FIXED) for shot in shots]
    return (clusters[0] - clusters[1]) / np.cosh(eta), (fixed[0] - fixed[1]) / np.cosh(eta)


def _sum_near(shot: Response, samplings: Sequence[int], *, reach: tuple[float, float]) -> np.ndarray:
    """Energy of some samplings' cells whose centres are within `reach` (eta, phi) of the window's middle cell.

    That is the hottest one of the signal, which pile-up cannot move.
    """
    owner = np.repeat(np.arange(len(shot.seed_eta)), np.diff(shot.offsets))
    d_phi = (shot.phi - shot.seed_phi[owner] + np.pi) % (2 * np.pi) - np.pi
    inside = (np.abs(shot.eta - shot.seed_eta[owner]) < reach[0]) & (np.abs(d_phi) < reach[1])
    inside &= np.isin(shot.sampling, samplings)
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
        name: correlation(centre, _sum_near(alone, (sampling,), reach=reach), rng=rng)
        for name, sampling, reach in (
            ("strips before it", 1, (0.0125, 0.049)),
            ("back cell behind it", 3, (0.025, 0.01)),
        )
    }
    return along, depth
