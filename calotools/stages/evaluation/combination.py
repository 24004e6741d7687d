"""Models that see different things, such as calorimeter and tracks, combined without a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from calotools.analysis import fisher_combination, product_combination
from calotools.containers import WorkingPoints
from calotools.stages.evaluation.curves import points_of
from calotools.stages.evaluation.labels import Labelled, Measured
from calotools.stages.evaluation.other_scores import name_of_other
from calotools.stages.publish import Headline
from calotools.variables import event_hash

__all__ = ["Combined", "combine_models", "show_combination"]

_HALVES = 0xF15E


@dataclass(frozen=True)
class Combined:
    """Combinations of some models.

    Attributes
    ----------
    models : tuple of str
    values : dict of str to (n,) float64
        By name of the combination.
    directions : (2, model) float64
        What Fisher's multiplies each model's discriminant by, found on either half of the events.
    """

    models: tuple[str, ...]
    values: dict[str, np.ndarray]
    directions: np.ndarray


def combine_models(labelled: Labelled, values: Mapping[str, np.ndarray]) -> Combined | None:
    """Product and Fisher's combination of the models that the recipe names.

    Parameters
    ----------
    labelled : Labelled
    values : dict of str to (n,) float
        Discriminant of each other model.

    Returns
    -------
    Combined, optional
        Nothing where the recipe names none.
    """
    models = tuple(dict.fromkeys(name_of_other(path) for path in labelled.config.combine))
    if not models:
        return None
    both, index = np.column_stack([values[name] for name in models]), labelled.sample.index
    fisher, directions = fisher_combination(
        both,
        signal=labelled.signal,
        background=labelled.background,
        fold=event_hash(index.run, index.event, seed=_HALVES) & np.uint64(1),
        weight=labelled.weight,
    )
    title = " × ".join(models)
    return Combined(models, {f"{title}, product": product_combination(both), f"{title}, Fisher": fisher}, directions)


def show_combination(labelled: Labelled, combined: Combined, values: Mapping[str, np.ndarray]) -> Measured:
    """What the parts leave of the background, what their combinations leave, and what the model beside them leaves.

    Parameters
    ----------
    labelled : Labelled
    combined : Combined
    values : dict of str to (n,) float
        Discriminant of each other model.

    Returns
    -------
    Measured
    """
    efficiencies = labelled.config.efficiencies
    every = {name: values[name] for name in combined.models} | combined.values
    points = {name: points_of(labelled, one, efficiencies=efficiencies) for name, one in every.items()}
    results: dict[str, Any] = {
        "models": list(combined.models),
        "directions": combined.directions,
        "working_points": points,
        "beside": points_of(labelled, labelled.rows.value, efficiencies=efficiencies),
    }
    lines = tuple(_headline(name, one) for name, one in points.items())
    return Measured({"combination": results}, lines)


def _headline(name: str, points: WorkingPoints) -> Headline:
    """At the middle one of the signal efficiencies."""
    middle = len(points.target) // 2
    low, high = points.background_low[middle], points.background_high[middle]
    title = f"background efficiency at {100 * points.target[middle]:.0f} % signal of {name}"
    return Headline(title, 100 * float(points.background[middle]), 50 * float(high - low), "%")
