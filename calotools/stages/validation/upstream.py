"""Before the calorimeter: conversions and bremsstrahlung by |eta|."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from calotools.analysis import Estimate, fraction, mean_rows
from calotools.containers import Check
from calotools.detector import material_before
from calotools.plots import draw_series
from calotools.recipe import ValidateConfig
from calotools.stages.validation.gun import QUIET, shoot
from calotools.stages.validation.section import Section, near, within

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["measure_upstream"]

_ETA = np.array([0.1, 0.4, 0.7, 1.0, 1.3, 1.6, 1.9, 2.2, 2.4])
_PUBLISHED = {(0.0, 0.6): 0.20, (2.2, 2.4): 0.65}


def measure_upstream(samples: Mapping[str, Mapping[str, np.ndarray]], config: ValidateConfig) -> Section:
    """Fractions of converted photons and of the energy that electrons radiate, against the material that makes them.

    Parameters
    ----------
    samples : dict of str to columns
        Single photons, for the reconstructed conversions.
    config : ValidateConfig

    Returns
    -------
    Section
    """
    rng = np.random.default_rng([config.seed, 2])
    n = max(config.n // 20, 100)
    converted, kept = [], []
    for eta in _ETA:
        signed = np.where(np.arange(n) % 2 == 0, eta, -eta)
        photons = shoot(22, 50.0, eta=signed, rng=rng, effects=QUIET)
        converted.append(fraction(np.isfinite(photons.conversion_radius)))
        electrons = shoot(11, 50.0, eta=signed, rng=rng, effects=QUIET)
        kept.append(Estimate(*(float(one[0]) for one in mean_rows(electrons.e_exit[:, None] / 50.0))))
    x0 = np.array([float(material_before(eta, "id")) for eta in _ETA])
    expected = 1 - np.exp(-7 / 9 * x0), np.exp(-x0)
    found = _reconstructed(samples["photons"])
    figures = _figures(converted, kept, expected, found, config.label)
    results = {
        "abs_eta": _ETA,
        "converted": [vars_of(one) for one in converted],
        "kept": [vars_of(one) for one in kept],
        "expected": expected,
    }
    return Section(
        "Material before the calorimeter",
        "Photons and electrons of 50 GeV; the expectation is the exponential law with the radiation lengths of the "
        "material table, so that what is tested is that transport, fields and curling tracks keep to it.",
        tuple(_checks(converted, kept, expected) + _published(samples["photons"])),
        results,
        figures,
    )


def _figures(
    converted: list[Estimate],
    kept: list[Estimate],
    expected: tuple[np.ndarray, np.ndarray],
    found: list[Estimate],
    label: str,
) -> dict[str, tuple[Figure, str]]:
    series = {"in the tracker": _columns(_ETA, converted), "reconstructed": _columns(_centres(), found)}
    axes = r"$|\eta|$", "Fraction of photons"
    return {
        "conversions": (
            draw_series(
                series, curves={"1 - exp(-7/9 x), x of the tracker": (_ETA, expected[0])}, axes=axes, label=label
            ),
            "Converted photons of 50 GeV; reconstructed ones of 10–300 GeV.",
        ),
        "bremsstrahlung": (
            draw_series(
                {"electrons, 50 GeV": _columns(_ETA, kept)},
                curves={"exp(-x), x of the tracker": (_ETA, expected[1])},
                axes=(axes[0], "Mean fraction of energy kept"),
                label=label,
            ),
            "Mean energy of electrons at the end of the tracker over the energy at the vertex.",
        ),
    }


def vars_of(one: Estimate) -> dict[str, float]:
    """An estimate as plain values."""
    return one._asdict()


def _columns(x: np.ndarray, values: list[Estimate]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return x, np.array([one.value for one in values]), np.array([one.error for one in values])


def _centres() -> np.ndarray:
    edges = _edges()
    return (edges[1:] + edges[:-1]) / 2


def _edges() -> np.ndarray:
    return np.array([0.0, 0.3, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.2, 2.47])


def _reconstructed(photons: Mapping[str, np.ndarray]) -> list[Estimate]:
    edges = _edges()
    return [_fraction_in(photons, low, high) for low, high in itertools.pairwise(edges)]


def _fraction_in(photons: Mapping[str, np.ndarray], low: float, high: float) -> Estimate:
    eta = np.abs(photons["eta_s2"])
    return fraction(photons["conversion_type"][(eta >= low) & (eta < high)] > 0)


def _checks(converted: list[Estimate], kept: list[Estimate], expected: tuple[np.ndarray, np.ndarray]) -> list[Check]:
    checks = []
    for eta, one, target in zip(_ETA, converted, expected[0], strict=True):
        checks.append(
            near(
                f"photons converted in the tracker, |η| = {eta:g}",
                one,
                float(target),
                absolute=0.03,
                source="1 − exp(−7x/9)",
            )
        )
    for eta, one, target in zip(_ETA, kept, expected[1], strict=True):
        checks.append(
            near(
                f"energy kept by electrons, |η| = {eta:g}",
                one,
                float(target),
                relative=0.05,
                absolute=0.015,
                source="exp(−x)",
            )
        )
    return checks


def _published(photons: Mapping[str, np.ndarray]) -> list[Check]:
    return [
        within(
            f"reconstructed conversions, {low:g} < |η| < {high:g}",
            _fraction_in(photons, low, high),
            0.7 * target,
            1.3 * target,
            source=f"about {target:.0%}: published figures, approximate",
        )
        for (low, high), target in _PUBLISHED.items()
    ]
