"""Pile-up: what it adds to a cluster, by number of interactions, and how neighbouring cells share it."""

from __future__ import annotations

import numpy as np

from calotools.analysis import Estimate, bootstrap_estimate, correlation, mean_rows
from calotools.containers import Check
from calotools.detector import pileup_resolution
from calotools.plots import draw_series
from calotools.recipe import ValidateConfig
from calotools.simulate import Effects
from calotools.stages.validation.gun import shapes_of, shoot
from calotools.stages.validation.section import Section, near, within

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
    added = {eta: {mu: _added(eta, mu, n, rng) for mu in _MU} for eta in _ETA}
    checks: list[Check] = []
    points = {}
    for eta, by_mu in added.items():
        widths = [bootstrap_estimate(lambda x: float(np.std(x)), one, rng=rng) for one in by_mu.values()]
        points[f"|η| = {eta:g}"] = (np.array(_MU), *np.array(widths).T)
        checks += [_judge(eta, mu, one) for mu, one in zip(_MU, widths, strict=True)]
        checks += [_mean(eta, mu, one) for mu, one in by_mu.items() if mu in (20.0, 60.0)]
    shared = _shared(n, rng)
    checks.append(
        within(
            "correlation of neighbouring middle cells, <μ> = 40",
            shared[1],
            0.1,
            1.0,
            source="one particle reaches several cells",
        )
    )
    checks.append(
        within("correlation of middle cells five apart, <μ> = 40", shared[5], -0.1, 0.1, source="too far apart")
    )
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
                {"middle cells": (np.array(list(shared)), *np.array(list(shared.values())).T)},
                axes=(r"Distance in $\eta$ [cells]", "Correlation"),
                label=config.label,
                note=r"$\langle\mu\rangle$ = 40",
            ),
            "Correlation of pile-up in two middle cells, by their distance in η.",
        ),
    }
    return Section(
        "Pile-up",
        f"Photons of E_T = {_ET:g} GeV with and without pile-up, the same showers both times and no electronic noise: "
        "the difference of the raw cluster sums is what pile-up adds.",
        tuple(checks),
        {"width": points, "correlation": shared},
        figures,
    )


def _added(eta: float, mu: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Transverse energy [GeV] that pile-up adds to the cluster of the same shower."""
    seed = int(rng.integers(2**62))
    signed = np.where(np.arange(n) % 2 == 0, eta, -eta)
    e = _ET * np.cosh(eta)
    with_it, without = (
        shapes_of(shoot(22, e, eta=signed, rng=np.random.default_rng(seed), mu=one, effects=_SILENT))
        for one in (mu, 0.0)
    )
    return (with_it["e_cluster"] - without["e_cluster"]).astype(float) / np.cosh(eta)


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
        f"mean of pile-up in a cluster, |η| = {eta:g}, <μ> = {mu:g}",
        Estimate(value, error),
        -3 * error,
        3 * error,
        unit="GeV",
        source="0 within three errors in the middle of a train",
    )


def _shared(n: int, rng: np.random.Generator) -> dict[int, Estimate]:
    """Correlation of middle cells by their distance in eta; a soft photon leaves pile-up alone in the window."""
    alone = shoot(22, 1e-3, eta=np.full(4 * n, 0.3), rng=rng, mu=40.0, effects=_SILENT)
    cells = alone.e[alone.sampling == 2].reshape(4 * n, _ROWS, _COLUMNS).astype(float)
    first = cells[:, 1, _COLUMNS // 2]
    return {d: correlation(first, cells[:, 1 + d, _COLUMNS // 2], rng=rng) for d in range(1, 6)}
