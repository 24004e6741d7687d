"""ROC and working points of a score, over all and against each class of background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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
# fewer candidates than this make no curve worth drawing; the class is still counted
FEW = 50


@dataclass(frozen=True)
class Curves:
    """How well a score tells signal from background.

    Attributes
    ----------
    network : Roc
    points : WorkingPoints
        At the efficiencies that the recipe asks for.
    by_class : dict of str to ((n,) bool, Roc)
        Candidates of each class of background, and the curve against it.
    """

    network: Roc
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


def points_of(labelled: Labelled, value: np.ndarray, *, efficiencies: tuple[float, ...]) -> WorkingPoints:
    """Working points of a discriminant at given signal efficiencies.

    Parameters
    ----------
    labelled : Labelled
    value : (n,) float
        Discriminant.
    efficiencies : tuple of float

    Returns
    -------
    WorkingPoints
    """
    return working_points(
        value[labelled.signal],
        value[labelled.background],
        efficiencies=efficiencies,
        signal_weight=labelled.weight[labelled.signal],
        background_weight=labelled.weight[labelled.background],
        name="network",
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
    value, truth = labelled.rows.value, ak.to_numpy(labelled.sample.candidates["class_true"])
    masks = {name: labelled.background & (truth == number) for number, name in CLASS_NAMES.items()}
    return Curves(
        roc_of(labelled, value, labelled.background, name="network"),
        points_of(labelled, value, efficiencies=labelled.config.efficiencies),
        {
            name: (mask, roc_of(labelled, value, mask, name=f"against {name}"))
            for name, mask in masks.items()
            if mask.sum() >= FEW
        },
    )


def show_curves(labelled: Labelled, curves: Curves) -> Measured:
    """Curves as a part of an outcome.

    Parameters
    ----------
    labelled : Labelled
    curves : Curves

    Returns
    -------
    Measured
    """
    by_class = {name: curve for name, (_, curve) in curves.by_class.items()}
    results = {"roc": curves.network, "working_points": curves.points, "roc_by_class": by_class}
    return Measured(results, _headline(curves.network, curves.points), _figures(labelled, curves))


def _headline(curve: Roc, points: WorkingPoints) -> tuple[Headline, ...]:
    lines = [Headline("AUC", curve.auc, curve.auc_error)]
    for target, value, low, high in zip(
        points.target, points.background, points.background_low, points.background_high, strict=True
    ):
        comment = f"68.3 % interval {format_range(100 * low, 100 * high)} %"
        name = f"background efficiency at {100 * target:.0f} % signal"
        lines.append(Headline(name, 100 * value, 50 * (high - low), "%", comment))
    return tuple(lines)


def _figures(labelled: Labelled, curves: Curves) -> dict[str, tuple[Figure, str]]:
    config = labelled.config
    probability = 1 / (1 + np.exp(-labelled.rows.value))  # for two classes, the score of the signal
    scores = {"prompt": probability[labelled.signal]}
    scores |= {name: probability[mask] for name, (mask, _) in curves.by_class.items()}
    figures = {
        "roc": (
            draw_roc([curves.network], working_points=config.efficiencies, label=config.label),
            "Background rejection against signal efficiency; the band is 68.3 %.",
        ),
        "scores": (draw_scores(scores, name="Network score", label=config.label), "Score by true class."),
    }
    if curves.by_class:
        against = [replace(curves.network, name="all"), *(curve for _, curve in curves.by_class.values())]
        figures["roc_by_class"] = (
            draw_roc(against, ratio=False, label=config.label),
            "The same against each class of background.",
        )
    return figures
