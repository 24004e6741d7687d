"""ROC of other models on the same candidates, inclusive and for each background."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from calotools.analysis import ComparedRejections
from calotools.containers import RejectionRatio, Roc
from calotools.errors import ConfigError
from calotools.plots import draw_roc
from calotools.recipe import DiscriminantConfig
from calotools.stages.evaluation.combination import combine_models, show_combination
from calotools.stages.evaluation.curves import roc_of
from calotools.stages.evaluation.labels import SIGNAL, Labelled, Measured, discriminant_of
from calotools.stages.evaluation.other_scores import scores_of_other
from calotools.stages.evaluation.ratios import compare_scores, ratio_line
from calotools.stages.publish import Headline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

__all__ = ["measure_rivals"]

_OURS, _ALL = "/ours", "/all"  # no file, and no class, is called so


def measure_rivals(labelled: Labelled, curve: Roc, by_class: Mapping[str, tuple[np.ndarray, Roc]]) -> Measured:
    """Compare a model with the others that were given.

    Parameters
    ----------
    labelled : Labelled
    curve : Roc
        Of the model.
    by_class : dict of str to ((n,) bool, Roc)
        Candidates of each class of background, and the model's curve against it.

    Returns
    -------
    Measured
        Ratios are to the first of the others. Combinations of some, where the recipe asks for them, come after these.
    """
    others = {name: _value(labelled, name) for name in labelled.sample.record.get("others", {})}
    if not others:
        return Measured()
    combined = combine_models(labelled, others)
    more = Measured() if combined is None else show_combination(labelled, combined, others)
    others |= {} if combined is None else combined.values
    curves = {name: roc_of(labelled, value, labelled.background, name=name) for name, value in others.items()}
    masks = {class_name: mask for class_name, (mask, _) in by_class.items()}
    compared = compare_scores(labelled, others | {_OURS: labelled.rows.value}, {_ALL: labelled.background, **masks})
    figures: dict[str, tuple[Figure, str]] = {
        "roc_compared": (
            draw_roc([*curves.values(), curve], ratios=_to_first(compared[_ALL]), label=labelled.config.label),
            "Background rejection against signal efficiency on the same candidates, and its ratio to the first.",
        )
    }
    classes: dict[str, dict[str, Roc]] = {}
    for class_name, (mask, own) in by_class.items():
        classes[class_name] = {name: roc_of(labelled, value, mask, name=name) for name, value in others.items()}
        ours = replace(own, name=curve.name)
        file = "".join(one if one.isalnum() else "_" for one in class_name)
        figures[f"roc_compared_{file}"] = (
            draw_roc(
                [*classes[class_name].values(), ours],
                ratios=_to_first(compared[class_name]),
                label=labelled.config.label,
                note=f"against {class_name}",
            ),
            f"The same against {class_name}.",
        )
    over = {name: compared[_ALL].ratio(_OURS, over=name) for name in others}
    lines = [line for name in others for line in _headline(labelled, name, over[name])]
    results = {
        "others": curves,
        "others_by_class": classes,
        "rejection_over": {name: replace(one, name=curve.name) for name, one in over.items()},
        **more.results,
    }
    return Measured(results, (*more.headline, *lines), figures)


def _to_first(compared: ComparedRejections) -> list[RejectionRatio]:
    """Of each score to the first, as `draw_roc` takes them."""
    first, *others = compared.value
    return [compared.ratio(name, over=first) for name in others]


def _value(labelled: Labelled, name: str) -> np.ndarray:
    """Discriminant of another model: that of the recipe, or where the classes differ, the default one."""
    sample = labelled.sample
    classes = sample.record["others"][name]
    if SIGNAL not in classes:
        raise ConfigError(f"compare: '{name}' has no class '{SIGNAL}', but {', '.join(classes)}")
    same = set(classes) == set(sample.record["classes"])
    which = discriminant_of(classes, labelled.config.discriminant if same else DiscriminantConfig())
    return which(scores_of_other(sample.scores, name, classes), eta=labelled.rows.eta)


def _headline(labelled: Labelled, name: str, ratio: RejectionRatio) -> list[Headline]:
    """Rejection of the network over that of another, at each signal efficiency."""
    places = {target: int(np.searchsorted(ratio.signal, target)) for target in labelled.config.efficiencies}
    return [
        ratio_line(f"rejection over {name} at {100 * target:.0f} % signal", ratio, at=place)
        for target, place in places.items()
        if np.isfinite(ratio.value[place])
    ]
