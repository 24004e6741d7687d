"""Networks: one file per network of the literature, the blocks they share, and a function that builds them by name.

Names are imported on first use, so that `import calotools.models` needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.models.bins import ENERGY_BINS, LIKELIHOOD_BINS, ONE_BIN, KinematicBins
    from calotools.models.build import MODELS, build_model
    from calotools.models.electron_cnn_2018 import ElectronCNN2018
    from calotools.models.electron_cnn_2020 import ElectronCNN2020
    from calotools.models.electron_compact import ElectronCompact
    from calotools.models.electron_rnn import ElectronRNN
    from calotools.models.energy_cloud import EnergyCloud
    from calotools.models.energy_cnn import EnergyCNN
    from calotools.models.energy_cnn_2019 import EnergyCNN2019
    from calotools.models.energy_compact import EnergyCompact
    from calotools.models.energy_scalars import EnergyScalars
    from calotools.models.ensemble import Ensemble
    from calotools.models.inputs import ModelInputs
    from calotools.models.likelihood import Likelihood, LikelihoodSettings, fit_likelihood
    from calotools.models.object_cnn import ObjectCNN
    from calotools.models.precision import check_precision
    from calotools.models.threads import tree_threads, use_threads
    from calotools.models.trees import BoostedTrees, TreeSettings, fit_trees
    from calotools.models.variable_models import (
        VARIABLE_MODELS,
        VariableInputs,
        VariableModel,
        VariableTable,
        is_variable_model,
    )
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "ENERGY_BINS",
    "LIKELIHOOD_BINS",
    "MODELS",
    "ONE_BIN",
    "VARIABLE_MODELS",
    "BoostedTrees",
    "ElectronCNN2018",
    "ElectronCNN2020",
    "ElectronCompact",
    "ElectronRNN",
    "EnergyCNN",
    "EnergyCNN2019",
    "EnergyCloud",
    "EnergyCompact",
    "EnergyScalars",
    "Ensemble",
    "KinematicBins",
    "Likelihood",
    "LikelihoodSettings",
    "ModelInputs",
    "ObjectCNN",
    "TreeSettings",
    "VariableInputs",
    "VariableModel",
    "VariableTable",
    "build_model",
    "check_precision",
    "fit_likelihood",
    "fit_trees",
    "is_variable_model",
    "tree_threads",
    "use_threads",
]
