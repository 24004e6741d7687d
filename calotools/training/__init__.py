"""Training: a sample in a store or streamed from ntuples, a task with its loss, a fit with checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calotools.training.batches import make_batch
    from calotools.training.fitting import fit, open_data
    from calotools.training.inputs import InputScalers
    from calotools.training.learning_rates import try_learning_rates
    from calotools.training.metrics import mean_auc
    from calotools.training.preparation import prepare, prepare_shard
    from calotools.training.result import TrainingResult
    from calotools.training.search import importance_of, open_study, recipe_of, run_search
    from calotools.training.survey import Survey, take_survey
    from calotools.training.variable_fitting import fit_variables

__all__ = [
    "InputScalers",
    "Survey",
    "TrainingResult",
    "fit",
    "fit_variables",
    "importance_of",
    "make_batch",
    "mean_auc",
    "open_data",
    "open_study",
    "prepare",
    "prepare_shard",
    "recipe_of",
    "run_search",
    "take_survey",
    "try_learning_rates",
]

_HOME = {
    "importance_of": "search",
    "mean_auc": "metrics",
    "open_study": "search",
    "recipe_of": "search",
    "run_search": "search",
    "try_learning_rates": "learning_rates",
    "InputScalers": "inputs",
    "Survey": "survey",
    "TrainingResult": "result",
    "fit": "fitting",
    "fit_variables": "variable_fitting",
    "make_batch": "batches",
    "open_data": "fitting",
    "prepare": "preparation",
    "prepare_shard": "preparation",
    "take_survey": "survey",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use: Lightning takes seconds."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'calotools.training' has no attribute {name!r}")
    return getattr(import_module(f"calotools.training.{_HOME[name]}"), name)
