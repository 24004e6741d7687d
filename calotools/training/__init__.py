"""Training: a sample in a store or streamed from ntuples, a task with its loss, a fit with checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calotools.training.batches import make_batch
    from calotools.training.fitting import fit, open_data
    from calotools.training.inputs import InputScalers
    from calotools.training.preparation import prepare, prepare_shard
    from calotools.training.result import TrainingResult
    from calotools.training.survey import Survey, take_survey
    from calotools.training.variable_fitting import fit_variables

__all__ = [
    "InputScalers",
    "Survey",
    "TrainingResult",
    "fit",
    "fit_variables",
    "make_batch",
    "open_data",
    "prepare",
    "prepare_shard",
    "take_survey",
]

_HOME = {
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
