"""Energy over momentum of electrons: a peak at 1, and the tail of those that radiated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from calotools.analysis import bootstrap_estimate, fraction, median
from calotools.containers import Check
from calotools.plots import draw_shapes
from calotools.stages.validation.section import name_region, near, quoted, within

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["measure_energy_over_momentum"]

_REGIONS = ((0.0, 0.6), (0.8, 1.37), (1.52, 2.01))
_PART = 0.3  # of the values, around the peak
_SHOWN = 3.0


def measure_energy_over_momentum(
    columns: Mapping[str, np.ndarray], label: str, rng: np.random.Generator
) -> tuple[list[Check], tuple[Figure, str]]:
    """Peak, median and tail of E/p in regions of |eta|, with a figure and its caption.

    Parameters
    ----------
    columns : dict of str to (n,) float
        ``et``, ``eta_s2`` and ``e_over_p`` of electrons.
    label : str
        Above the figure.
    rng : numpy.random.Generator

    Returns
    -------
    list of Check, (Figure, str)
    """
    et, eta = columns["et"], np.abs(columns["eta_s2"])
    chosen = (et > 25) & (et < 65)
    values = {name_region(one): columns["e_over_p"][chosen & (eta >= one[0]) & (eta < one[1])] for one in _REGIONS}
    first = name_region(_REGIONS[0])
    checks = [*_checks_of_peak(first, values[first], rng), *_checks_of_tails(values, first)]
    shown = {name: np.where(one < _SHOWN, one, np.nan) for name, one in values.items()}
    return checks, (
        draw_shapes({"e_over_p": shown}, label=label, bins=60),
        "Calibrated energy over track momentum of electrons, E_T 25–65 GeV: a peak at 1 and a "
        "tail of electrons that radiated.",
    )


def _checks_of_peak(where: str, values: np.ndarray, rng: np.random.Generator) -> list[Check]:
    return [
        near(
            f"peak of E/p, {where}, E_T 25–65 GeV",
            bootstrap_estimate(_peak, values, rng=rng),
            1.0,
            absolute=0.02,
            source="what an electron that hardly radiated has",
        ),
        within(
            f"median E/p, {where}, E_T 25–65 GeV",
            median(values),
            1.00,
            1.06,
            source="most losses are taken back by the fit; public simulation has 1.045 ± 0.02",
        ),
    ]


def _checks_of_tails(values: Mapping[str, np.ndarray], first: str) -> list[Check]:
    tails = {name: fraction(one > 1.5) for name, one in values.items()}
    others = [
        within(
            f"fraction with E/p > 1.5, {name}",
            one,
            tails[first].value,
            1.0,
            source=f"more material than at {first}, so a longer tail",
        )
        for name, one in tails.items()
        if name != first
    ]
    return [quoted(f"fraction with E/p > 1.5, {first}", tails[first]), *others]


def _peak(values: np.ndarray) -> float:
    """Middle of the narrowest interval that holds 30 % of the values."""
    ordered = np.sort(values[np.isfinite(values)])
    width = max(int(_PART * len(ordered)), 1)
    start = int(np.argmin(ordered[width:] - ordered[:-width]))
    return float(0.5 * (ordered[start] + ordered[start + width]))
