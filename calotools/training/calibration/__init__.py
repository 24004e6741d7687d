"""What does a fitted model say too high, too low or too surely, and what takes it back?

All are found on the validation part and travel with the model: the `bias` of energies, the factor of their
`uncertainty`, the `factors` on the base energy that are believed, and the `temperature` of classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.training.calibration.bias import BiasCorrection, fit_bias
    from calotools.training.calibration.factors import believed, fit_factors
    from calotools.training.calibration.temperature import TEMPERATURE_WARNING, fit_temperature_of
    from calotools.training.calibration.uncertainty import ENERGY_NAMES, corrected_energies, fit_sigma_scale
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "ENERGY_NAMES",
    "TEMPERATURE_WARNING",
    "BiasCorrection",
    "believed",
    "corrected_energies",
    "fit_bias",
    "fit_factors",
    "fit_sigma_scale",
    "fit_temperature_of",
]
