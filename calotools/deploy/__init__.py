"""Deployment: one file that holds a trained network, and its application to ntuples.

Names are imported on first use, so that `import calotools.deploy` needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.deploy.attribution import (
        OwnBatch,
        integrate_gradients,
        permutation_importance,
        read_batches,
        read_labelled,
    )
    from calotools.deploy.batch_system import job_script
    from calotools.deploy.bundle import ModelBundle, bundle_of, load_bundle, save_bundle
    from calotools.deploy.distributed import workers
    from calotools.deploy.folds import combine_folds
    from calotools.deploy.prediction import predict
    from calotools.deploy.preparation import prepare, without_bad_files
    from calotools.deploy.rebias import Rebiased, correct_bias
    from calotools.deploy.score import Scorer, make_scorer
    from calotools.deploy.variable_score import Explanation, explain_variables, shuffle_variables
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "Explanation",
    "ModelBundle",
    "OwnBatch",
    "Rebiased",
    "Scorer",
    "bundle_of",
    "combine_folds",
    "correct_bias",
    "explain_variables",
    "integrate_gradients",
    "job_script",
    "load_bundle",
    "make_scorer",
    "permutation_importance",
    "predict",
    "prepare",
    "read_batches",
    "read_labelled",
    "save_bundle",
    "shuffle_variables",
    "without_bad_files",
    "workers",
]
