"""Measure a network: its ROC and working points, or its energy resolution, per eta, E_T and mu."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from calotools.errors import ConfigError
from calotools.ntuple import lookup_friend, read_friend
from calotools.outputs import check_output
from calotools.stages.evaluation.classes import measure_classes
from calotools.stages.evaluation.energy import measure_energy
from calotools.stages.evaluation.given_cuts import check_cuts
from calotools.stages.evaluation.identification import measure_identification
from calotools.stages.evaluation.labels import SIGNAL
from calotools.stages.evaluation.other_scores import with_others
from calotools.stages.publish import Outcome, learnt_from, left_out, publish, with_bad_files
from calotools.stages.scored import read_scored_of

if TYPE_CHECKING:
    from calotools.containers import Scores
    from calotools.progress import Progress
    from calotools.recipe import EvaluateConfig

__all__ = ["evaluate"]

_MEASURES = {"identification": measure_identification, "classes": measure_classes, "energy": measure_energy}
_FIELDS = {
    "identification": ("et", "eta", "weight", "class_true"),
    "classes": ("weight", "class_true"),
    "energy": ("eta", "weight", "e_true"),
}
_OPTIONAL = {
    "identification": ("mu", "e", "phi", "pass_loose", "pass_medium", "pass_tight"),
    "classes": (),
    "energy": ("mu", "class_true", "conversion_type"),
}


def evaluate(config: EvaluateConfig, *, progress: Progress | None = None) -> Outcome:
    """Measure a network on the candidates it was not trained on.

    One that tells a class ``signal`` from others is measured as an identification; without a class of that name, what
    each class is taken for is counted.

    Parameters
    ----------
    config : EvaluateConfig
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    Outcome
        Also written to ``config.output`` (numbers.json, recipe.toml, figures).

    Raises
    ------
    OutputExistsError, InputFileError, BranchError, EmptyInputError
    ConfigError
        Weights are given that `unweighted` would not use, or of classes that there are not; working points are not for
        these scores; fewer than two models to combine, or not on scores of an identification.
    """
    check_output(config.output, overwrite=config.overwrite)
    if config.weights and config.unweighted:
        raise ConfigError("weights and unweighted are both given: candidates either have these weights or none")
    friend = read_friend(config.scores)
    task = friend.record["task"]
    if config.working_points is not None:
        check_cuts(config.working_points, friend.record)
    friend = with_others(friend, config.compare)
    if task == "identification" and SIGNAL not in friend.record["classes"]:
        task = "classes"
    if config.class_weights and task != "identification":
        raise ConfigError(f"class_weights compose a background; these scores are of task '{task}', which has none")
    if config.combine:
        friend = _with_parts(friend, config, task)
    cells = ("cells.e", "cells.sampling", "cells.gain") if task == "energy" and config.gain else ()
    sample = read_scored_of(
        config,
        friend,
        fields=_FIELDS[task] + ((config.reference, *cells) if task == "energy" else ()),
        optional=_OPTIONAL[task],
        weight=lookup_friend(config.weights, config.weight_branch) if config.weights else None,
    )
    if progress:
        progress("candidates", len(sample.candidates), len(sample.candidates))
    outcome = with_bad_files(_MEASURES[task](sample, config), sample.bad_files)
    outcome = replace(outcome, headline=(*outcome.headline, *left_out(sample.cutflow), *learnt_from(sample)))
    return publish(outcome, config, output=config.output, overwrite=config.overwrite)


def _with_parts(friend: Scores, config: EvaluateConfig, task: str) -> Scores:
    """Scores that also hold those of the models that are combined; what is compared, too, is there already."""
    if task != "identification":
        raise ConfigError(f"combine is for scores that tell signal from background; these are of task '{task}'")
    if len(set(config.combine)) < 2:
        raise ConfigError(f"combine needs two models or more, such as calo.root track.root; given: {config.combine[0]}")
    return with_others(friend, [one for one in config.combine if one not in config.compare], option="combine")
