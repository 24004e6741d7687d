"""What the probabilities of a network are worth: temperature, reliability, and which class is taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import awkward as ak
import numpy as np

from calotools.analysis import confusion_matrix, fit_temperature, measure_reliability, with_temperature
from calotools.plots import draw_confusion, draw_reliability
from calotools.stages.evaluation.labels import SIGNAL, Labelled, Measured
from calotools.stages.publish import Headline
from calotools.variables import event_hash

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["measure_probabilities"]

_HALVES = 0x7E4F


def measure_probabilities(labelled: Labelled) -> Measured:
    """Temperature from half of the events, reliability with and without it on the other half, confusion matrix.

    With the weights of the measurement: training gives classes a common shape in E_T and eta, and so does `match`.

    Parameters
    ----------
    labelled : Labelled

    Returns
    -------
    Measured
        Nothing where a half lacks a class.
    """
    sample, names = labelled.sample, list(labelled.sample.record["classes"])
    probability = np.column_stack([sample.scores[f"score_{name}"] for name in names]).astype(float)
    target = _target(labelled, names)
    weight = labelled.weight
    used = target >= 0
    half = (event_hash(sample.index.run, sample.index.event, seed=_HALVES) & np.uint64(1)).astype(bool)
    fitted, shown = used & half & (weight > 0), used & ~half & (weight > 0)
    if any(len(np.unique(target[one])) < 2 for one in (fitted, shown)):
        return Measured()
    temperature = fit_temperature(probability[fitted], target[fitted], weight=weight[fitted])
    column = names.index(SIGNAL)
    curves = [
        measure_reliability(values[:, column], target[shown] == column, weight=weight[shown], name=name)
        for name, values in (
            ("as given", probability[shown]),
            (f"temperature {temperature.value:.2f}", with_temperature(probability[shown], temperature.value)),
        )
    ]
    matrix = confusion_matrix(probability[used], target[used], names=names, weight=weight[used])
    figures: dict[str, tuple[Figure, str]] = {
        "reliability": (
            draw_reliability(curves, label=labelled.config.label),
            "How often a candidate is signal that has a given probability; half of the events, the temperature is "
            "from the other half.",
        ),
        "confusion": (
            draw_confusion(matrix, label=labelled.config.label),
            "Which class candidates are taken for: the most probable one; percent of the true class.",
        ),
    }
    return Measured(
        {"temperature": temperature, "reliability": curves, "confusion": matrix},
        (Headline("temperature", temperature.value, temperature.error, "", "1: probabilities are what they say"),),
        figures,
    )


def _target(labelled: Labelled, names: list[str]) -> np.ndarray:
    truth, classes = ak.to_numpy(labelled.sample.candidates["class_true"]), labelled.sample.record["classes"]
    target = np.full(len(truth), -1)
    for number, name in enumerate(names):
        target[np.isin(truth, classes[name])] = number
    return target
