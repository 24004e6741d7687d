"""Training: a sample (`sample`) reaches a model (`loading`), which is fitted (`fitting`) and corrected (`calibration`).

`search` and `rate_test` ask which settings suit: one tries many of them, the other one learning rate after another.
Names are imported on first use: Lightning takes seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.training.fitting import (
        TrainingResult,
        fit,
        fit_ensemble,
        fit_variables,
        mean_auc,
        member_recipe,
    )
    from calotools.training.loading import InputScalers, make_batch, open_data
    from calotools.training.rate_test import try_learning_rates
    from calotools.training.sample import Survey, guard_store, prepare, prepare_shard, take_survey
    from calotools.training.search import importance_of, open_study, prepare_search, recipe_of, run_search
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "InputScalers",
    "Survey",
    "TrainingResult",
    "fit",
    "fit_ensemble",
    "fit_variables",
    "guard_store",
    "importance_of",
    "make_batch",
    "mean_auc",
    "member_recipe",
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
