"""How well a score tells signal from background: the parts of that evaluation, on the same candidates and weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools.errors import EmptyInputError
from calotools.stages.evaluation.along_axes import measure_along_axes
from calotools.stages.evaluation.curves import show_curves, trace_curves
from calotools.stages.evaluation.dependence import measure_dependence
from calotools.stages.evaluation.given_cuts import measure_cut_based, measure_cut_table
from calotools.stages.evaluation.labels import Labelled, class_masks, discriminant_of, rows_of
from calotools.stages.evaluation.probabilities import measure_probabilities
from calotools.stages.evaluation.rivals import measure_rivals
from calotools.stages.evaluation.weights import measured_weight
from calotools.stages.publish import Outcome

if TYPE_CHECKING:
    from calotools.recipe import EvaluateConfig
    from calotools.stages.scored import Scored

__all__ = ["measure_identification"]


def measure_identification(sample: Scored, config: EvaluateConfig) -> Outcome:
    """Measure how well a score tells signal from background.

    Parameters
    ----------
    sample : Scored
        With ``class_true``, the index, ``et``, ``eta`` and ``weight``; ``mu`` and the ntuple's flags where known.
    config : EvaluateConfig

    Returns
    -------
    Outcome
    """
    labelled = _label(sample, config)
    curves = trace_curves(labelled)
    middle = len(config.efficiencies) // 2
    cut, target = float(curves.points.cut[middle]), config.efficiencies[middle]
    flags = measure_cut_based(labelled)
    parts = (
        show_curves(labelled, curves, cut_based=flags.results["cut_based"]),
        flags,
        measure_along_axes(labelled, cut=cut, target=target),
        measure_cut_table(labelled),
        measure_rivals(labelled, curves.own, curves.by_class),
        measure_probabilities(labelled),
        measure_dependence(labelled, cut=cut),
    )
    counts = {"signal": int(labelled.signal.sum()), "background": int(labelled.background.sum())}
    results = {name: value for part in parts for name, value in part.results.items()}
    return Outcome(
        stage="evaluate",
        title=f"Identification: {labelled.model}",
        headline=tuple(line for part in parts for line in part.headline),
        results=results | {"cutflow": sample.cutflow, "n": counts},
        figures={name: figure for part in parts for name, figure in part.figures.items()},
    )


def _label(sample: Scored, config: EvaluateConfig) -> Labelled:
    rows = rows_of(sample, discriminant_of(sample.record["classes"], config.discriminant), unweighted=config.unweighted)
    is_signal, is_background = class_masks(sample)
    for name, mask in (("signal", is_signal), ("background", is_background)):
        if not mask.any():
            raise EmptyInputError(f"no {name} candidate among {len(mask)}; evaluate needs files with both")
    sides = {"signal": is_signal, "background": is_background}
    weight = measured_weight(sample, config, sides=sides, match=config.match and not config.weights)
    return Labelled(sample, config, rows, is_signal, is_background, weight)
