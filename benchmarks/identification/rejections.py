"""What is measured of a score: area, background efficiency, rejection by class and bin, ratios to another score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from electron_samples import CLASSES, MATCHING, SELECTION

from calotools.analysis import (
    auc,
    bin_numbers,
    closeness,
    compare_rejections,
    cuts_in_bins,
    efficiency_in_bins,
    event_bootstrap,
    fisher_combination,
    measure_roc,
    product_combination,
    to_dict,
    working_points,
)
from calotools.containers import Index
from calotools.ntuple import check_rows, index_of, read_candidates, read_friend
from calotools.variables import WeightedSample, event_hash, fold_factors, make_discriminant, select

__all__ = [
    "AXES",
    "BINS",
    "POINTS",
    "REGIONS",
    "Measured",
    "numbers_of",
    "ratio_of",
    "read_test",
    "score_of",
    "shares_of",
]

POINTS = {"published": 0.92, "loose": 0.93, "medium": 0.88, "tight": 0.80}
BINS = {"abs_eta": (0.0, 0.8, 1.37, 1.52, 2.01, 2.47), "et": (15.0, 20.0, 30.0, 40.0, 60.0, 150.0)}
AXES = {
    "abs_eta": (0.0, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.47),
    "et": (15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 60.0, 80.0, 150.0),
    "mu": (0.0, 20.0, 30.0, 40.0, 50.0, 80.0),
}
CURVE = tuple(np.linspace(0.5, 0.99, 50).round(2).tolist())  # signal efficiencies of the figure
REGIONS = ("barrel", "crack", "forward")
REGION_EDGES = (0.0, 1.37, 1.52, 2.47)
FOLDS = 5
REPLICAS = 100
_RATIO = ("value", "error", "low", "high", "left")


@dataclass(frozen=True)
class Measured:
    """Candidates of the test, all rows of its files.

    Attributes
    ----------
    index : Index
    columns : dict of str to (n,) float
        ``et``, ``eta``, ``mu``, ``weight`` of the file.
    truth : (n,) int
    signal, background : (n,) bool
        Selected ones; of the background those that the table is made of.
    check : (n,) bool
        Selected background of another generator.
    weight : (n,) float
        1 for signal; each class of background in the kinematics of the signal, in its share; 0 otherwise.
    """

    index: Index
    columns: Mapping[str, np.ndarray]
    truth: np.ndarray
    signal: np.ndarray
    background: np.ndarray
    check: np.ndarray
    weight: np.ndarray

    def of_class(self, value: int) -> np.ndarray:
        """Background of one class: (n,) bool."""
        return self.background & (self.truth == value)


def read_test(files: Mapping[str, Sequence[str]], *, shares: Mapping[int, float]) -> tuple[Measured, dict[str, Any]]:
    """Read the test sample and weigh it.

    Parameters
    ----------
    files : dict of str to list of str
        By source.
    shares : dict of int to float
        Of the classes in the background.

    Returns
    -------
    Measured, dict
        And how well the kinematics agree, by class and for all.
    """
    parts = [
        (name, read_candidates(some, fields=["et", "eta", "mu", "weight", "class_true"]))
        for name, some in files.items()
    ]
    source = np.concatenate([np.full(len(part), name) for name, part in parts])
    candidates = ak.concatenate([part for _, part in parts])
    used = select(candidates, SELECTION).mask
    truth = ak.to_numpy(candidates["class_true"])
    columns = {name: ak.to_numpy(candidates[name]).astype(float) for name in ("et", "eta", "mu", "weight")}
    known = np.isin(truth, list(CLASSES))
    signal = used & (truth == 0) & np.isin(source, ["zee", "electrons"])
    background = used & known & (source == "fakes")
    check = used & known & (source == "dijets_pythia")
    index = index_of(candidates)
    weight, found = _weights(index, columns, truth, signal, background, shares)
    return Measured(index, columns, truth, signal, background, check, weight), found


def _weights(
    index: Index,
    columns: Mapping[str, np.ndarray],
    truth: np.ndarray,
    signal: np.ndarray,
    background: np.ndarray,
    shares: Mapping[int, float],
) -> tuple[np.ndarray, dict[str, Any]]:
    """Each class gets the signal's E_T, |eta| and mu, out of fold, and its share of the signal's number."""
    values = np.column_stack([columns["et"], np.abs(columns["eta"]), columns["mu"]])
    fold = (event_hash(index.run, index.event, seed=1) % np.uint64(FOLDS)).astype(np.int64)
    weight = signal.astype(float)

    def part(mask: np.ndarray) -> WeightedSample:
        return WeightedSample(values[mask], np.ones(int(mask.sum())), fold[mask])

    target, found = part(signal), {}
    for value, name in CLASSES.items():
        own = background & (truth == value)
        factor = fold_factors(part(own), target, method=MATCHING)
        weight[own] = factor * shares[value] * signal.sum() / factor.sum()
        found[name] = _closeness(part(own), target, factor)
    found["all"] = _closeness(part(background), target, weight[background])
    found["all, as simulated"] = _closeness(part(background), target, np.ones(int(background.sum())))
    return weight, found


def _closeness(source: WeightedSample, target: WeightedSample, weight: np.ndarray) -> dict[str, Any]:
    names = ("et", "abs_eta", "mu")
    rng = np.random.default_rng(1)
    return to_dict({"it": closeness(source, target, weight=weight, names=names, rng=rng)})["it"]


def score_of(path: Path, sample: Measured, *, shares: Mapping[int, float]) -> np.ndarray:
    """The discriminant of a friend tree, with the background's composition where it has several classes."""
    friend = read_friend([path])
    check_rows(friend, sample.index)
    classes = friend.record["classes"]
    fractions = {name: sum(shares[value] for value in values) for name, values in classes.items() if name != "signal"}
    which = make_discriminant(classes, fractions=fractions)
    return which({name: friend.values[f"score_{name}"] for name in classes}, eta=sample.columns["eta"])


def numbers_of(score: np.ndarray, sample: Measured) -> dict[str, Any]:
    """Everything that the page quotes of one score."""
    own, other = sample.signal, sample.background
    weight = {"signal_weight": sample.weight[own], "background_weight": sample.weight[other]}
    area, error = auc(score[own], score[other], **weight)
    found: dict[str, Any] = {
        "auc": [area, error],
        "points": _points(score, sample, other),
        "classes": {name: _points(score, sample, sample.of_class(value)) for value, name in CLASSES.items()},
        "axes": {name: _along(score, sample, name) for name in AXES},
        "check": _check(score, sample),
    }
    curve = measure_roc(score[own], score[other], **weight, points=120)
    kept = curve.signal >= 0.5
    found["roc"] = {name: getattr(curve, name)[kept].tolist() for name in ("signal", "background", "low", "high")}
    return found


def _points(score: np.ndarray, sample: Measured, other: np.ndarray) -> dict[str, list[float]]:
    """Background efficiency and its interval at each signal efficiency, one cut for all."""
    points = working_points(
        score[sample.signal],
        score[other],
        efficiencies=tuple(POINTS.values()),
        background_weight=sample.weight[other],
    )
    columns = zip(points.background, points.background_low, points.background_high, strict=True)
    return {name: [float(one) for one in values] for name, values in zip(POINTS, columns, strict=True)}


def _along(score: np.ndarray, sample: Measured, axis: str) -> dict[str, list[float]]:
    """Background efficiency along an axis with a cut in each bin that keeps the published part of the signal."""
    values = np.abs(sample.columns["eta"]) if axis == "abs_eta" else sample.columns[axis]
    edges = {axis: np.array(AXES[axis])}
    own, other = sample.signal, sample.background
    cut = cuts_in_bins(
        score[own],
        target=POINTS["published"],
        axes={axis: values[own]},
        edges=edges,
        weight=sample.weight[own],
    )
    number = bin_numbers({axis: values[other]}, edges)
    passing = score[other] >= np.where(number >= 0, cut[number], np.inf)
    one = efficiency_in_bins(passing, axes={axis: values[other]}, edges=edges, weight=sample.weight[other])
    return {name: getattr(one, name).tolist() for name in ("value", "low", "high")}


def _check(score: np.ndarray, sample: Measured) -> dict[str, dict[str, list[float]]]:
    """Parts of each class that pass the cut for 92 % of the signal, both generators in their own kinematics."""
    cut = float(np.quantile(score[sample.signal], 1 - POINTS["published"]))
    found: dict[str, dict[str, list[float]]] = {}
    for value, name in CLASSES.items():
        found[name] = {}
        for source, mask in (("fakes", sample.background), ("dijets", sample.check)):
            own = mask & (sample.truth == value)
            if own.sum() < 5:
                continue
            everything = {"all": np.zeros(int(own.sum()))}
            one = efficiency_in_bins(
                score[own] >= cut,
                axes=everything,
                edges={"all": np.array([-1.0, 1.0])},
                weight=sample.columns["weight"][own],
            )
            found[name][source] = [float(one.value[0]), float(one.low[0]), float(one.high[0]), int(own.sum())]
    return found


def ratio_of(score: np.ndarray, reference: np.ndarray, sample: Measured) -> dict[str, Any]:
    """Rejection of a score over that of a reference, with errors of a bootstrap over events of the ratio itself.

    For all, by class and by region one cut is made at each signal efficiency; in each bin of (|eta|, E_T) one of its
    own, at the loose efficiency; along each axis likewise, at the published one.
    """
    targets = (*POINTS.values(), *CURVE)
    found = _ratios(score, reference, sample, np.ones(len(score), bool), targets, by_class=True)
    whole = found.pop("all")
    regions = _ratios_in(score, reference, sample, {"abs_eta": REGION_EDGES}, "published")
    return {
        "points": dict(zip(POINTS, whole[: len(POINTS)], strict=True)),
        "curve": whole[len(POINTS) :],
        "classes": {name: ratios[tuple(POINTS).index("loose")] for name, ratios in found.items()},
        "bins": _ratios_in(score, reference, sample, BINS, "loose"),
        "regions": dict(zip(REGIONS, regions, strict=True)),
        "axes": {name: _ratios_in(score, reference, sample, {name: AXES[name]}, "published") for name in AXES},
    }


def _ratios_in(
    score: np.ndarray, reference: np.ndarray, sample: Measured, bins: Mapping[str, Sequence[float]], point: str
) -> list[dict[str, float]]:
    """The ratio in each bin, cut there so that this part of its signal is kept."""
    columns = sample.columns | {"abs_eta": np.abs(sample.columns["eta"])}
    edges = {name: np.array(one) for name, one in bins.items()}
    place = bin_numbers({name: columns[name] for name in bins}, edges)
    n_bins = math.prod(len(one) - 1 for one in edges.values())
    return [_ratios(score, reference, sample, place == one, (POINTS[point],))["all"][0] for one in range(n_bins)]


def _ratios(
    score: np.ndarray,
    reference: np.ndarray,
    sample: Measured,
    where: np.ndarray,
    targets: tuple[float, ...],
    *,
    by_class: bool = False,
) -> dict[str, list[dict[str, float]]]:
    """By background, at each signal efficiency: the ratio, and the candidates that the reference's cut leaves."""
    rows = np.flatnonzero(where & (sample.signal | sample.background))
    signal, backgrounds = sample.signal[rows], {"all": sample.background[rows]}
    if by_class:
        backgrounds |= {name: sample.of_class(value)[rows] for value, name in CLASSES.items()}
    compared = compare_rejections(
        {"ours": score[rows], "theirs": reference[rows]},
        signal=signal,
        backgrounds=backgrounds,
        efficiencies=targets,
        bootstrap=event_bootstrap(sample.index.take(rows), rng=np.random.default_rng(1), replicas=REPLICAS),
        weight=sample.weight[rows],
    )
    cuts = np.quantile(reference[rows][signal], 1 - np.array(targets))
    found = {}
    for name, mask in backgrounds.items():
        ratio = compared[name].ratio("ours", over="theirs")
        left = [int(np.count_nonzero(reference[rows][mask] >= cut)) for cut in cuts]
        columns = zip(ratio.value, ratio.error, ratio.low, ratio.high, left, strict=True)
        found[name] = [dict(zip(_RATIO, map(float, one), strict=True)) | {"left": one[-1]} for one in columns]
    return found


def combined(scores: tuple[np.ndarray, np.ndarray], sample: Measured, *, how: str) -> np.ndarray:
    """Product of two likelihood ratios, or Fisher's combination, which is fitted on the other half of the events."""
    both = np.column_stack(scores)
    if how == "product":
        return product_combination(both)
    half = event_hash(sample.index.run, sample.index.event, seed=2) % np.uint64(2)
    sides = {"signal": sample.signal, "background": sample.background}
    return fisher_combination(both, fold=half, weight=sample.weight, **sides)[0]


def shares_of(sample: Measured, mask: np.ndarray) -> dict[str, list[float]]:
    """Share of each class in a background, with its error of effective statistics."""
    weight = sample.columns["weight"][mask]
    n = weight.sum() ** 2 / np.sum(weight**2)
    shares = {name: float(weight[sample.truth[mask] == value].sum() / weight.sum()) for value, name in CLASSES.items()}
    return {name: [one, float(np.sqrt(one * (1 - one) / n))] for name, one in shares.items()}
