"""How are the weights of a model found, from the first step to the result?

`network` runs a fit, for which `task` says what a step is: `losses`, `metrics`, `optimisers` and `schedules` are what a
recipe chooses by name, `mirror` shows candidates from the other side. `network_parts` loads and freezes weights,
`averaging` averages them; `callbacks` write the log, `checkpoints` let a fit go on where it stopped, `process_errors`
brings home what another process raised. `ensemble` fits several networks and takes their mean. `variable_model` fits
what sees candidate variables alone. All give the same `result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.training.fitting.ensemble import fit_ensemble, member_recipe
    from calotools.training.fitting.metrics import mean_auc
    from calotools.training.fitting.network import fit, model_inputs, new_network
    from calotools.training.fitting.result import TrainingResult
    from calotools.training.fitting.variable_model import fit_variables, variable_inputs
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "TrainingResult",
    "fit",
    "fit_ensemble",
    "fit_variables",
    "mean_auc",
    "member_recipe",
    "model_inputs",
    "new_network",
    "variable_inputs",
]
