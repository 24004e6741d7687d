"""Is a reweighted sample like its target? Overlap, effective size, closure of each variable, and a classifier's AUC."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calotools.analysis.roc import auc
from calotools.analysis.separation import separate
from calotools.containers import Closeness
from calotools.errors import ShapeError
from calotools.variables.reweighting import BinnedReweighter
from calotools.variables.weighted import WeightedSample

__all__ = ["closeness", "effective_size", "overlap"]

_FEW_PER_BIN = 10


def effective_size(weight: np.ndarray) -> float:
    """(sum w)^2 / sum w^2: as many unweighted candidates have the same statistical power.

    Parameters
    ----------
    weight : (n,) float
        May be negative.

    Returns
    -------
    float
        0 for no candidate.

    Examples
    --------
    >>> effective_size(np.array([1.0, 1.0, 0.0])), round(effective_size(np.array([1.0, 3.0])), 2)
    (2.0, 1.6)
    """
    squares = float(np.sum(np.square(weight)))
    return float(np.sum(weight)) ** 2 / squares if squares > 0 else 0.0


def overlap(source: WeightedSample, target: WeightedSample) -> tuple[float, float]:
    """Parts of the weights where the other sample is: no weight can make up for candidates that are not there.

    Parameters
    ----------
    source, target : WeightedSample

    Returns
    -------
    target_covered, source_used : float
        Part of the target in bins with source candidates, and of the source in bins with target candidates. Bins are
        of equal probability in the target, at least 10 candidates each on average.

    Examples
    --------
    >>> zero = np.zeros(1000, int)
    >>> one = WeightedSample(np.linspace(0, 1, 1000)[:, None], np.ones(1000), zero)
    >>> two = WeightedSample(np.linspace(0.5, 1.5, 1000)[:, None], np.ones(1000), zero)
    >>> [round(part, 2) for part in overlap(one, two)]
    [0.55, 0.5]
    """
    k = target.values.shape[1]
    number = max(2, int(min((len(target.weight) / _FEW_PER_BIN) ** (1 / k), 20)))
    edges = BinnedReweighter.fit(source, target, bins=(number,) * k).edges
    # open ends: what lies beyond the other sample's last candidate is not covered by it
    bounded = tuple(_close(edge, target.values[:, axis]) for axis, edge in enumerate(edges))
    flat = [_flat(sample.values, bounded) for sample in (source, target)]
    size = int(np.prod([len(edge) + 1 for edge in bounded]))
    counts = [np.bincount(one, minlength=size) for one in flat]
    weights = [np.abs(source.weight), np.abs(target.weight)]
    covered = float(np.sum(weights[1][counts[0][flat[1]] > 0]) / weights[1].sum())
    used = float(np.sum(weights[0][counts[1][flat[0]] > 0]) / weights[0].sum())
    return covered, used


def _close(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.concatenate([[values.min()], edges[1:-1], [np.nextafter(values.max(), np.inf)]])


def _flat(values: np.ndarray, edges: tuple[np.ndarray, ...]) -> np.ndarray:
    places = tuple(np.searchsorted(edge, values[:, axis], side="right") for axis, edge in enumerate(edges))
    return np.ravel_multi_index(places, tuple(len(edge) + 1 for edge in edges))


def closeness(
    source: WeightedSample,
    target: WeightedSample,
    *,
    weight: np.ndarray,
    names: Sequence[str],
    rng: np.random.Generator,
    kind: str = "quadratic",
    groups: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> Closeness:
    """Compare a reweighted sample with its target.

    Parameters
    ----------
    source, target : WeightedSample
        In their folds: the AUC is the mean of those inside each.
    weight : (n,) float
        Of the source after reweighting.
    names : sequence of str
        Of the variables.
    rng : numpy.random.Generator
        Draws the folds of the classifier.
    kind : {"quadratic", "trees"}
        Of the classifier; see `separate`.
    groups : ((n,) int, (m,) int), optional
        Of source and target, which may share them: candidates of a group, such as a luminosity block, share a variable.
        They are in one fold of `separate`, and errors count groups, not candidates.

    Returns
    -------
    Closeness
        The error of the AUC is right for samples of one distribution, and up to 1.4 times too large where the AUC is
        far from 0.5.

    Raises
    ------
    ShapeError
        One weight per candidate is needed.
    """
    if len(weight) != len(source.weight):
        raise ShapeError(f"{len(weight)} weights for {len(source.weight)} candidates of the source")
    distance, mean, error = (np.zeros(len(names)) for _ in range(3))
    for axis in range(len(names)):
        columns = source.values[:, axis], target.values[:, axis]
        distance[axis] = _ks(*columns, weight, target.weight)
        mean[axis], error[axis] = _difference(*columns, weight, target.weight, groups)
    area, area_error = _auc_within_folds(source, target, weight, rng, kind, groups)
    covered, used = overlap(source, target)
    return Closeness(
        names=tuple(names),
        auc=area,
        auc_error=area_error,
        ks=distance,
        difference=mean,
        difference_error=error,
        n_source=len(source.weight),
        n_target=len(target.weight),
        effective_source=effective_size(weight),
        effective_target=effective_size(target.weight),
        target_covered=covered,
        source_used=used,
        largest_weight=float(np.max(weight) / max(float(np.mean(weight)), 1e-300)),
        negative=float(-np.sum(weight[weight < 0]) / max(float(np.sum(np.abs(weight))), 1e-300)),
    )


def _auc_within_folds(
    source: WeightedSample,
    target: WeightedSample,
    weight: np.ndarray,
    rng: np.random.Generator,
    kind: str,
    groups: tuple[np.ndarray | None, np.ndarray | None],
) -> tuple[float, float]:
    """Mean over folds: a classifier is trained and tested inside each, where the weights know nothing of it.

    Over all folds together the weights have matched even the fluctuations: what a classifier learns on a part is then
    the opposite of what it finds on the rest, and the AUC falls below 0.5.

    Inside each, a classifier is taught by what tests the others: the product of what two parts fluctuate by enters
    twice. For samples of one distribution this is all there is, and the variance twice that of a classifier given.
    """
    found = []
    for number in np.unique(source.fold):
        own, other = source.fold == number, target.fold == number
        weights = {"weight_one": target.weight[other], "weight_zero": weight[own]}
        shared = [None if one is None else one[rows] for one, rows in zip(groups, (own, other), strict=True)]
        scores = separate(
            target.values[other],
            source.values[own],
            rng=rng,
            kind=kind,
            group_one=shared[1],
            group_zero=shared[0],
            **weights,
        )
        given = {"signal_weight": target.weight[other], "background_weight": weight[own]}
        found.append(auc(*scores, **given, signal_group=shared[1], background_group=shared[0]))
    values, errors = np.array(found).T
    return float(values.mean()), float(np.sqrt(2 * np.sum(errors**2)) / len(found))


def _ks(one: np.ndarray, two: np.ndarray, weight_one: np.ndarray, weight_two: np.ndarray) -> float:
    """Largest distance of the weighted cumulative distributions."""
    values = np.concatenate([one, two])
    steps = np.concatenate([weight_one / weight_one.sum(), -weight_two / weight_two.sum()])
    unique, place = np.unique(values, return_inverse=True)
    return float(np.max(np.abs(np.cumsum(np.bincount(place, steps, minlength=len(unique))))))


def _difference(
    one: np.ndarray,
    two: np.ndarray,
    weight_one: np.ndarray,
    weight_two: np.ndarray,
    groups: tuple[np.ndarray | None, np.ndarray | None],
) -> tuple[float, float]:
    """Difference of the weighted means and its error, in widths of the target."""
    means = [float(np.sum(w * x) / w.sum()) for x, w in ((one, weight_one), (two, weight_two))]
    moved = [
        sign * w * (x - mean) / w.sum()
        for sign, x, w, mean in zip((1, -1), (one, two), (weight_one, weight_two), means, strict=True)
    ]
    each = np.concatenate(moved)
    known = [one for one in groups if one is not None]
    if len(known) == len(groups):
        each = np.bincount(np.unique(np.concatenate(known), return_inverse=True)[1], each)
    width = max(float(np.sqrt(np.abs(np.average((two - means[1]) ** 2, weights=weight_two)))), 1e-300)
    return (means[0] - means[1]) / width, float(np.sqrt(np.sum(each**2))) / width
