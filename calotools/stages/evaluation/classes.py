"""Classes that are all alike, such as electron, jet, muon and tau: what each is taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.analysis import confusion_matrix, mean_rows
from calotools.containers import Confusion
from calotools.errors import EmptyInputError
from calotools.plots import draw_confusion, draw_scores
from calotools.stages.evaluation.weights import composed_weight
from calotools.stages.publish import Headline, Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.recipe import EvaluateConfig
    from calotools.stages.scored import Scored

__all__ = ["measure_classes"]


def measure_classes(sample: Scored, config: EvaluateConfig) -> Outcome:
    """Measure how well classes are told apart when the one of highest probability is believed.

    What the network says of one candidate is no efficiency. Both are given: the share of candidates of each class that
    are taken for each, with intervals; and the probabilities, means and those of the first candidate of each class.

    Parameters
    ----------
    sample : Scored
        With ``class_true``, the index and ``weight``.
    config : EvaluateConfig

    Returns
    -------
    Outcome

    Raises
    ------
    ConfigError
        A weight of a ``class_true`` that no class collects.
    EmptyInputError
        A class has no candidate, or none with a weight.
    """
    classes = sample.record["classes"]
    truth = ak.to_numpy(sample.candidates["class_true"])
    own = np.stack([np.isin(truth, values) for values in classes.values()], axis=1)  # (n, class)
    for name, mask in zip(classes, own.T, strict=True):
        if not mask.any():
            raise EmptyInputError(f"no candidate of class '{name}' among {len(truth)}; evaluate needs files with all")
    known = np.flatnonzero(own.any(axis=1))  # candidates of a class
    said = np.stack([sample.scores[f"score_{name}"] for name in classes], axis=1)[known].astype(float)  # (n, class)
    target = own[known].argmax(axis=1)
    weight = composed_weight(sample, config)[known]
    for number, name in enumerate(classes):
        if not weight[target == number].any():
            raise EmptyInputError(
                f"no candidate of class '{name}' is left with a weight; they are 0 in the files (--unweighted counts "
                "each once) or by class_weights"
            )
    matrix = confusion_matrix(said, target, names=tuple(classes), weight=weight)
    masks = [target == number for number in range(len(classes))]
    means, errors = zip(*(mean_rows(said[mask], weight=weight[mask]) for mask in masks), strict=True)
    return Outcome(
        stage="evaluate",
        title=f"Classes: {sample.record.get('model', 'network')}",
        headline=_headline(matrix, np.array(means), np.array(errors)),
        results={
            "confusion": matrix,
            "mean_probability": dict(zip(classes, means, strict=True)),
            "mean_probability_error": dict(zip(classes, errors, strict=True)),
            "one_candidate": _one_of_each(sample, known, said, target),
            "cutflow": sample.cutflow,
            "n": {name: int((target == number).sum()) for number, name in enumerate(classes)},
        },
        figures=_figures(matrix, said, target, weight, config),
    )


def _headline(matrix: Confusion, mean: np.ndarray, error: np.ndarray) -> tuple[Headline, ...]:
    lines = []
    for k, name in enumerate(matrix.names):
        value, low, high = (100 * one[k, k] for one in (matrix.value, matrix.low, matrix.high))
        most = max(set(range(len(matrix.names))) - {k}, key=lambda other: matrix.value[k, other])
        other = 100 * matrix.value[k, most]
        taken = f"most often taken for {matrix.names[most]} ({other:.3g} %); " if other > 0 else ""
        probability = f"mean probability {100 * mean[k, k]:.4g} ± {100 * error[k, k]:.2g} %"
        comment = f"68.3 % interval {low:.4g} to {high:.4g} %; {taken}{probability}"
        lines.append(Headline(f"efficiency of {name}", value, (high - low) / 2, "%", comment))
    diagonal, half = np.diag(matrix.value), np.diag(matrix.high - matrix.low) / 2
    spread = 100 * float(np.sqrt((half**2).sum())) / len(diagonal)
    lines.append(Headline("mean of the efficiencies", 100 * float(diagonal.mean()), spread, "%"))
    return tuple(lines)


def _one_of_each(
    sample: Scored, known: np.ndarray, said: np.ndarray, target: np.ndarray
) -> dict[str, dict[str, dict[str, Any]]]:
    """Index and probabilities [%] of the first candidate of each class."""
    index, names = sample.index.take(known), list(sample.record["classes"])
    examples = {}
    for number, name in enumerate(names):
        row = int(np.flatnonzero(target == number)[0])
        which = {one: int(getattr(index, one)[row]) for one in ("run", "event", "candidate")}
        examples[name] = {"index": which, "probability": dict(zip(names, 100 * said[row], strict=True))}
    return examples


def _figures(
    matrix: Confusion, said: np.ndarray, target: np.ndarray, weight: np.ndarray, config: EvaluateConfig
) -> dict[str, tuple[Figure, str]]:
    figures = {
        "confusion": (
            draw_confusion(matrix, label=config.label),
            "What candidates of each true class are taken for, with 68.3 % intervals.",
        )
    }
    weights = {name: weight[target == k] for k, name in enumerate(matrix.names)}
    for number, name in enumerate(matrix.names):
        scores = {other: said[target == k, number] for k, other in enumerate(matrix.names)}
        figures[f"probability_{name}"] = (
            draw_scores(scores, weights=weights, name=f"Probability of {name.replace('_', ' ')}", label=config.label),
            f"What the network says of '{name}', by true class.",
        )
    return figures
