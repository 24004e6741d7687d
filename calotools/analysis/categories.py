"""A peak in categories of equal size, sorted by what a network says of its resolution."""

from __future__ import annotations

import awkward as ak
import numpy as np

from calotools.analysis.bootstrap import Bootstrap
from calotools.analysis.pairs import Pairs
from calotools.analysis.resolution import sigma68
from calotools.containers import MassCategories
from calotools.errors import EmptyInputError, ShapeError

__all__ = ["LEAST", "mass_sigma", "measure_categories", "usable_pairs"]

LEAST = 20
"""Pairs of a category."""


def mass_sigma(candidates: ak.Array, pairs: Pairs, *, energy: str, sigma: str) -> np.ndarray:
    """Relative uncertainty of each pair's mass that follows from those of its legs' energies.

    Parameters
    ----------
    candidates : (n,) awkward record array
        Fields of the energy and its sigma [GeV].
    pairs : Pairs
        Of these candidates.
    energy, sigma : str
        Names of the fields.

    Returns
    -------
    (n_pair,) float
        Half of the legs' relative sigma, added in quadrature: the directions are taken as exact. NaN where one is.

    Examples
    --------
    >>> legs = ak.Array([{"e": 50.0, "s": 1.5}, {"e": 40.0, "s": 1.6}])
    >>> pairs = Pairs(np.array([0]), np.array([1]), np.array([1]), np.array([5]))
    >>> mass_sigma(legs, pairs, energy="e", sigma="s")
    array([0.025])
    """
    values, spread = (ak.to_numpy(candidates[name]).astype(float) for name in (energy, sigma))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = spread / values
    return np.asarray(0.5 * np.hypot(relative[pairs.first], relative[pairs.second]))


def measure_categories(
    mass: np.ndarray,
    relative_sigma: np.ndarray,
    *,
    n: int,
    window: tuple[float, float],
    bootstrap: Bootstrap,
    weight: np.ndarray | None = None,
) -> MassCategories:
    """Widths of a peak in categories of stated resolution, and what the categories gain.

    Parameters
    ----------
    mass : (m,) float [GeV]
    relative_sigma : (m,) float
        As `mass_sigma` gives it. Pairs without one, or with a mass outside the window, are not used.
    n : int
        Categories, at least 2, of as many pairs each.
    window : (float, float) [GeV]
    bootstrap : Bootstrap
        Over the events of these m pairs.
    weight : (m,) float, optional
        At least 0.

    Returns
    -------
    MassCategories

    Raises
    ------
    EmptyInputError
        A category would have fewer than 20 pairs.
    ShapeError
        The arrays differ in length.

    Examples
    --------
    >>> from calotools.analysis.bootstrap import event_bootstrap
    >>> from calotools.containers import Index
    >>> rng, m = np.random.default_rng(1), np.arange(4000)
    >>> relative = np.where(m % 2, 0.01, 0.02)
    >>> mass = 125 * (1 + relative * rng.normal(size=4000))
    >>> boot = event_bootstrap(Index(m, m, m), rng=rng, replicas=20)
    >>> found = measure_categories(mass, relative, n=2, window=(110.0, 140.0), bootstrap=boot)
    >>> found.said.round(2), found.sigma68.round(1)
    (array([1.25, 2.5 ]), array([1.2, 2.5]))
    """
    weight = np.ones(len(mass)) if weight is None else np.asarray(weight, float)
    lengths = {len(mass), len(relative_sigma), len(weight), len(bootstrap.group)}
    if len(lengths) != 1:
        raise ShapeError(f"masses, sigma, weights and bootstrap have lengths {sorted(lengths)}; they must agree")
    rows = usable_pairs(mass, relative_sigma, window=window)
    if len(rows) < LEAST * n:
        raise EmptyInputError(
            f"{len(rows)} pairs with a mass between {window[0]:g} and {window[1]:g} GeV and a sigma are too few for "
            f"{n} categories of {LEAST} or more; use fewer categories"
        )
    rows = rows[np.argsort(relative_sigma[rows], kind="stable")]
    parts = np.array_split(rows, n)
    value = _measure(mass, weight, parts)
    replicas = np.array([_measure(mass, weight * bootstrap.weights(r), parts) for r in range(len(bootstrap))])
    error = replicas.std(axis=0, ddof=1)
    middle = float(np.median(mass[rows]))
    return MassCategories(
        edges=np.array([relative_sigma[part[0]] for part in parts] + [relative_sigma[rows[-1]]]),
        said=np.array([middle * np.sqrt(np.mean(relative_sigma[part] ** 2)) for part in parts]),
        sigma68=value[:n],
        sigma68_error=error[:n],
        counts=np.array([len(part) for part in parts]),
        inclusive=float(value[n]),
        inclusive_error=float(error[n]),
        gain=float(value[n + 1]),
        gain_error=float(error[n + 1]),
    )


def usable_pairs(mass: np.ndarray, relative_sigma: np.ndarray, *, window: tuple[float, float]) -> np.ndarray:
    """Pairs with a mass inside the window and a stated uncertainty.

    Parameters
    ----------
    mass : (m,) float [GeV]
    relative_sigma : (m,) float
    window : (float, float) [GeV]

    Returns
    -------
    (n,) int

    Examples
    --------
    >>> usable_pairs(np.array([90.0, 50.0, 91.0]), np.array([0.02, 0.02, np.nan]), window=(80.0, 100.0)).tolist()
    [0]
    """
    inside = (mass > window[0]) & (mass < window[1])
    return np.flatnonzero(inside & np.isfinite(relative_sigma) & (relative_sigma > 0))


def _measure(mass: np.ndarray, weight: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    """(n + 2,): the width of each category, of all, and the gain."""
    widths = np.array([sigma68(mass[part], weight=weight[part]) for part in parts])
    rows = np.concatenate(parts)
    whole = sigma68(mass[rows], weight=weight[rows])
    sizes = np.array([weight[part].sum() for part in parts])
    # categories of one peak measure its position with 1 / error^2 = sum of n / width^2
    return np.array([*widths, whole, whole * np.sqrt(np.sum(sizes / widths**2) / sizes.sum())])
