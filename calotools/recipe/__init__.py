"""The configuration of each stage: one typed model, whose fields are the Python keywords, TOML keys and flags.

Defaults are overridden by the file, the file by the flags. An unknown key is an error that names the nearest one. The
resolved recipe is written beside every output and can be run again. Each stage has a module, in the order of the chain:

    simulate, validate -> ntuples, histogram, reweight -> prepare, train (trainer), tune (search),
                       regress -> predict
                       -> evaluate, attribute -> peaks -> tagprobe -> report

What they share: `settings` (strict models, TOML), `fields` (types), `jobs` (many files), `scored` (files with scores).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.recipe.attribute import AttributeConfig, LabelledConfig
    from calotools.recipe.evaluate import EvaluateConfig, WorkingPointsConfig
    from calotools.recipe.histogram import AxisSpec, HistogramConfig, HistogramSpec
    from calotools.recipe.jobs import BatchConfig, ManyFilesConfig
    from calotools.recipe.ntuples import DisplayConfig, InspectConfig
    from calotools.recipe.peaks import PeaksConfig
    from calotools.recipe.predict import PredictConfig
    from calotools.recipe.prepare import PrepareConfig
    from calotools.recipe.regress import CorrectBiasConfig, RegressConfig
    from calotools.recipe.report import ReportConfig
    from calotools.recipe.reweight import ReweightConfig
    from calotools.recipe.scored import DiscriminantConfig
    from calotools.recipe.search import SearchSpec
    from calotools.recipe.settings import StageConfig, read_toml
    from calotools.recipe.simulate import SimulateConfig
    from calotools.recipe.tagprobe import TagProbeConfig
    from calotools.recipe.train import ModelConfig, SampleConfig, TrainConfig
    from calotools.recipe.trainer import TrainerConfig
    from calotools.recipe.tune import FindRateConfig, TuneConfig
    from calotools.recipe.validate import ValidateConfig
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "AttributeConfig",
    "AxisSpec",
    "BatchConfig",
    "CorrectBiasConfig",
    "DiscriminantConfig",
    "DisplayConfig",
    "EvaluateConfig",
    "FindRateConfig",
    "HistogramConfig",
    "HistogramSpec",
    "InspectConfig",
    "LabelledConfig",
    "ManyFilesConfig",
    "ModelConfig",
    "PeaksConfig",
    "PredictConfig",
    "PrepareConfig",
    "RegressConfig",
    "ReportConfig",
    "ReweightConfig",
    "SampleConfig",
    "SearchSpec",
    "SimulateConfig",
    "StageConfig",
    "TagProbeConfig",
    "TrainConfig",
    "TrainerConfig",
    "TuneConfig",
    "ValidateConfig",
    "WorkingPointsConfig",
    "read_toml",
]
