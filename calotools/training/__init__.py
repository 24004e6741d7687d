"""Training: a sample in a store or streamed from ntuples, a task with its loss, a fit with checkpoints.

Names are imported on first use: Lightning takes seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.training.batches import make_batch
    from calotools.training.fitting import fit, open_data
    from calotools.training.inputs import InputScalers
    from calotools.training.learning_rates import try_learning_rates
    from calotools.training.metrics import mean_auc
    from calotools.training.preparation import prepare, prepare_shard
    from calotools.training.result import TrainingResult
    from calotools.training.search import importance_of, open_study, prepare_search, recipe_of, run_search
    from calotools.training.survey import Survey, take_survey
    from calotools.training.variable_fitting import fit_variables
else:
    __getattr__, __dir__ = lazy_names(__name__)

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
    "prepare_search",
    "prepare_shard",
    "recipe_of",
    "run_search",
    "take_survey",
    "try_learning_rates",
]
