"""One function for each stage of the chain: a configuration in, whole files out.

Each function takes its configuration (`calotools.recipe`) and, optionally, ``progress(task, done, total)``. Outputs are
checked before the work starts, appear whole or not at all, and carry the resolved recipe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.progress import Progress
    from calotools.stages.attribution import attribute
    from calotools.stages.bias import correct_bias
    from calotools.stages.evaluation import evaluate, working_points
    from calotools.stages.histograms import histogram
    from calotools.stages.networks import predict, prepare, train
    from calotools.stages.ntuples import display, inspect, simulate
    from calotools.stages.pairs import peaks, tagprobe
    from calotools.stages.publish import Outcome
    from calotools.stages.regression import regress
    from calotools.stages.reporting import report
    from calotools.stages.reweighting import reweight
    from calotools.stages.tuning import find_rate, tune
    from calotools.stages.validation import validate_simulation
    from calotools.stages.written import describe_written
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "Outcome",
    "Progress",
    "attribute",
    "correct_bias",
    "describe_written",
    "display",
    "evaluate",
    "find_rate",
    "histogram",
    "inspect",
    "peaks",
    "predict",
    "prepare",
    "regress",
    "report",
    "reweight",
    "simulate",
    "tagprobe",
    "train",
    "tune",
    "validate_simulation",
    "working_points",
]
