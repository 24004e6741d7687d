"""How much narrower a network makes one leg of a pair, both of them, and the detector's part of the peak."""

from __future__ import annotations

from collections.abc import Mapping

import awkward as ak
import numpy as np

from calotools.analysis import Bootstrap, Pairs, compare_widths, leg_mass, pair_mass
from calotools.containers import WidthComparison
from calotools.stages.publish import Headline

__all__ = ["TRUE_ENERGY", "compare_legs", "lines_of_legs"]

TRUE_ENERGY = "e_true"
_LEAST = 20  # pairs of known mass

_LINES = {
    "probe": ("width ratio, one leg with the network", "the other leg with the energy before"),
    "probe_and_truth": ("width ratio, one leg, true energy of the other", ""),
    "detector": ("width ratio of the detector's part", "mass over the mass with true energies"),
}


def compare_legs(
    candidates: ak.Array,
    pairs: Pairs,
    *,
    energies: Mapping[str, str],
    window: tuple[float, float],
    weight: np.ndarray,
    bootstrap: Bootstrap,
) -> dict[str, WidthComparison]:
    """Widths before and after a network, with the natural width and the other leg taken out one by one.

    Parameters
    ----------
    candidates : awkward record array
        Fields eta, phi, the energies, and ``e_true`` where it is known.
    pairs : Pairs
        Of these candidates.
    energies : mapping
        Names of the energies ``before`` and ``after``.
    window : (float, float) [GeV]
    weight : (n_pair,) float
    bootstrap : Bootstrap
        Over the events of the pairs.

    Returns
    -------
    dict of str to WidthComparison
        ``probe``: one leg with the network, the other one with the energy before. With the truth also
        ``probe_and_truth``: the other leg has its true energy; and ``detector``: both legs measured, the mass over that
        with true energies, times the median of the latter. Each leg of a pair is the probe once. A branch of true
        energies that hardly a pair has (real data) is as none.
    """
    names = [energies["before"], energies["after"]]
    twice = np.tile(np.arange(len(pairs)), 2)
    true = _true_mass(candidates, pairs)
    one_leg = {"probe": energies["before"]} | ({} if true is None else {"probe_and_truth": TRUE_ENERGY})
    widths = {
        name: compare_widths(
            *(leg_mass(candidates, pairs, probe=probe, other=other) for probe in names),
            window=window,
            weight=weight[twice],
            bootstrap=bootstrap.take(twice),
        )
        for name, other in one_leg.items()
    }
    if true is not None:
        masses = [pair_mass(candidates, pairs, energy=name) * np.nanmedian(true) / true for name in names]
        widths["detector"] = compare_widths(*masses, window=window, weight=weight, bootstrap=bootstrap)
    return widths


def _true_mass(candidates: ak.Array, pairs: Pairs) -> np.ndarray | None:
    """NaN where it is not known; None where fewer pairs have one than a width needs."""
    if TRUE_ENERGY not in candidates.fields:
        return None
    mass = pair_mass(candidates, pairs, energy=TRUE_ENERGY)
    mass[~(mass > 0)] = np.nan
    return mass if np.isfinite(mass).sum() >= _LEAST else None


def lines_of_legs(widths: Mapping[str, WidthComparison]) -> tuple[Headline, ...]:
    """One line for the top of the page for each comparison.

    Parameters
    ----------
    widths : mapping
        As `compare_legs` returns it.

    Returns
    -------
    tuple of Headline
    """
    return tuple(
        Headline(
            title,
            widths[name].ratio["sigma68_rel"],
            widths[name].ratio_error["sigma68_rel"],
            "",
            comment,
        )
        for name, (title, comment) in _LINES.items()
        if name in widths
    )
