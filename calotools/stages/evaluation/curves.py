"""ROC and working points of a score, over all and against each class of background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.analysis import measure_roc, working_points
from calotools.containers import Roc, WorkingPoints
from calotools.plots import draw_roc, draw_scores
from calotools.plots.numbers import format_range
from calotools.stages.evaluation.labels import Labelled, Measured
from calotools.stages.publish import Headline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Curves", "points_of", "roc_of", "show_curves", "trace_curves"]

CLASS_NAMES = {
    0: "prompt",
    1: "charge flip",
    2: "conversion",
    3: "heavy flavour",
    4: "light-flavour e/gamma",
    5: "light-flavour hadron",
}
_SHOWN = 30.0  # of the discriminant: e^-30 of a class are beyond what any sample has
# fewer candidates than this make no curve worth drawing; the class is still counted
FEW = 50


@dataclass(frozen=True)
class Curves:
    """How well a score tells signal from background.

    Attributes
    ----------
    own : Roc
        Against all of it.
    points : WorkingPoints
        At the efficiencies that the recipe asks for.
    by_class : dict of str to ((n,) bool, Roc)
        Candidates of each class of background, and the curve against it.
    """

    own: Roc
    points: WorkingPoints
    by_class: dict[str, tuple[np.ndarray, Roc]]


def roc_of(labelled: Labelled, value: np.ndarray, background: np.ndarray, *, name: str) -> Roc:
    """ROC of a discriminant, against some of the candidates.

    Parameters
    ----------
    labelled : Labelled
    value : (n,) float
        Discriminant.
    background : (n,) bool
    name : str

    Returns
    -------
    Roc
    """
    return measure_roc(
        value[labelled.signal],
        value[background],
        signal_weight=labelled.weight[labelled.signal],
        background_weight=labelled.weight[background],
        name=name,
    )


def points_of(
    labelled: Labelled, value: np.ndarray, *, efficiencies: tuple[float, ...], background: np.ndarray | None = None
) -> WorkingPoints:
    """Working points of a discriminant at given signal efficiencies.

    Parameters
    ----------
    labelled : Labelled
    value : (n,) float
        Discriminant.
    efficiencies : tuple of float
    background : (n,) bool, optional
        Which of it; default: all.

    Returns
    -------
    WorkingPoints
    """
    others = labelled.background if background is None else background
    return working_points(
        value[labelled.signal],
        value[others],
        efficiencies=efficiencies,
        signal_weight=labelled.weight[labelled.signal],
        background_weight=labelled.weight[others],
        name=labelled.model,
    )


def trace_curves(labelled: Labelled) -> Curves:
    """ROC and working points, and the ROC against each class of background that has enough candidates.

    Parameters
    ----------
    labelled : Labelled

    Returns
    -------
    Curves
    """
    value, masks = labelled.rows.value, _classes(labelled)
    return Curves(
        roc_of(labelled, value, labelled.background, name=labelled.model),
        points_of(labelled, value, efficiencies=labelled.config.efficiencies),
        {
            name: (mask, roc_of(labelled, value, mask, name=f"against {name}"))
            for name, mask in masks.items()
            if mask.sum() >= FEW and labelled.weight[mask].sum() > 0
        },
    )


def _classes(labelled: Labelled) -> dict[str, np.ndarray]:
    """Candidates of each class of background."""
    truth = ak.to_numpy(labelled.sample.candidates["class_true"])
    return {name: labelled.background & (truth == number) for number, name in CLASS_NAMES.items()}


def show_curves(labelled: Labelled, curves: Curves, *, cut_based: Mapping[str, Mapping[str, Any]]) -> Measured:
    """Curves as a part of an outcome.

    Parameters
    ----------
    labelled : Labelled
    curves : Curves
    cut_based : dict of str to dict
        Flags on the same candidates, as `measure_cut_based` has them: points beside the curve.

    Returns
    -------
    Measured
    """
    by_class = {name: curve for name, (_, curve) in curves.by_class.items()}
    points = {
        name: points_of(labelled, labelled.rows.value, efficiencies=labelled.config.efficiencies, background=mask)
        for name, (mask, _) in curves.by_class.items()
    }
    results = {
        "roc": curves.own,
        "working_points": curves.points,
        "roc_by_class": by_class,
        "working_points_by_class": points,
    }
    counts = {name: int(mask.sum()) for name, mask in _classes(labelled).items() if mask.any()}
    results["candidates_by_class"] = counts
    lines = (
        *_headline(curves.own, curves.points),
        *(_class_line(name, one) for name, one in points.items()),
        *(_few_line(name, n, curves.points) for name, n in counts.items() if n < FEW),
    )
    return Measured(results, lines, _figures(labelled, curves, cut_based))


def _headline(curve: Roc, points: WorkingPoints) -> tuple[Headline, ...]:
    lines = [Headline("AUC", curve.auc, curve.auc_error)]
    for target, value, low, high in zip(
        points.target, points.background, points.background_low, points.background_high, strict=True
    ):
        comment = f"68.3 % interval {format_range(100 * low, 100 * high)} %"
        name = f"background efficiency at {100 * target:.0f} % signal"
        lines.append(Headline(name, 100 * value, 50 * (high - low), "%", comment))
    return tuple(lines)


def _class_line(name: str, points: WorkingPoints) -> Headline:
    """What is left of one class of background, at the middle one of the signal efficiencies."""
    middle = len(points.target) // 2
    low, high = 100 * points.background_low[middle], 100 * points.background_high[middle]
    title = f"background efficiency at {100 * points.target[middle]:.0f} % signal, {name}"
    comment = f"68.3 % interval {format_range(low, high)} %"
    return Headline(title, 100 * float(points.background[middle]), (high - low) / 2, "%", comment)


def _few_line(name: str, n: int, points: WorkingPoints) -> Headline:
    """A class that is counted, but of which no efficiency is worth quoting."""
    title = f"background efficiency at {100 * points.target[len(points.target) // 2]:.0f} % signal, {name}"
    return Headline(title, float("nan"), float("nan"), "%", f"{n} candidates; {FEW} are needed")


def _window(values: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Whole numbers around what is of interest: background that is told apart with ease is far below, and counted."""
    ends = np.array([np.nanquantile(one, [0.02, 0.999]) for one in values.values()])
    high = float(np.ceil(ends[:, 1].max()) + 1)
    return max(float(np.floor(ends[:, 0].min())), high - _SHOWN), high


def _figures(
    labelled: Labelled, curves: Curves, cut_based: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[Figure, str]]:
    config = labelled.config
    probability = 1 / (1 + np.exp(-labelled.rows.value))  # for two classes, the score of the signal
    masks = {"prompt": labelled.signal} | {name: mask for name, (mask, _) in curves.by_class.items()}
    weights = {name: labelled.weight[mask] for name, mask in masks.items()}
    scores, value = ({name: one[mask] for name, mask in masks.items()} for one in (probability, labelled.rows.value))
    figures = {
        "roc": (
            draw_roc(
                [curves.own],
                working_points=config.efficiencies,
                cuts={one["name"]: (one["background"], one["ratio"]) for one in cut_based.values()},
                label=config.label,
            ),
            "Background rejection against signal efficiency; the band is 68.3 %. Flags of the ntuple are points; "
            "below, the rejection over theirs at their signal efficiency.",
        ),
        "scores": (
            draw_scores(scores, weights=weights, name="Score", label=config.label),
            "Score by true class.",
        ),
        "discriminant": (
            draw_scores(value, weights=weights, name="Discriminant", window=_window(value), label=config.label),
            "The discriminant, which cuts are on, by true class.",
        ),
    }
    if curves.by_class:
        against = [replace(curves.own, name="all"), *(curve for _, curve in curves.by_class.values())]
        figures["roc_by_class"] = (
            draw_roc(against, ratio=False, label=config.label),
            "The same against each class of background.",
        )
    return figures
