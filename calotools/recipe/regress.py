"""`calotools correct-bias` and `calotools regress`: the end of an energy regression, and all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from calotools.recipe.attribute import LabelledConfig
from calotools.recipe.settings import short
from calotools.recipe.tune import TuneConfig

__all__ = ["CorrectBiasConfig", "RegressConfig"]


class CorrectBiasConfig(LabelledConfig):
    """Fit the bias correction of an energy model again, and the factor of its sigma; the network stays as it is."""

    output: Path = short("-o", "folder for the corrected model, numbers (JSON) and figures (PDF, PNG)")
    split: Literal["test", "validation", "train", "all"] = Field("validation", description="which events are used")
    bias_correction: Literal["none", "energy", "eta", "eta-energy"] = Field(
        "eta-energy", description="divide energies by their median over the true one, on a grid"
    )
    n: int | None = short("-n", "at most this many candidates, the first ones; default: all", default=None, ge=50)
    batch_size: int = Field(2000, description="candidates in one pass", gt=0)


class RegressConfig(TuneConfig):
    """An energy regression in one command: scalars alone, search, final training, bias correction, measurement."""

    output: Path = short("-o", "folder of all: scalars/, search/, model/, friend trees and evaluation/")
    scalars_alone: bool = Field(True, description="first train energy_scalars on the same candidates, to compare with")
    scalar_settings: dict[str, Any] = Field({"octaves": 6}, description="its settings (energy_scalars)")
    measure: bool = Field(
        True,
        description="at the end, apply both to the recipe's files and evaluate them on the test part, if there is one",
    )
