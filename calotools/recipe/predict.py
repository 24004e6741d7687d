"""`calotools predict`: which model, which ntuples, on what machine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from calotools.recipe.fields import BadCandidates, Precision, RootFile
from calotools.recipe.jobs import ManyFilesConfig
from calotools.recipe.settings import positional, short

__all__ = ["PredictConfig"]


class PredictConfig(ManyFilesConfig):
    """Apply a model bundle to ntuples and write a friend tree."""

    model: Path = positional("model bundle (a .calo file, or a training folder)")
    files: tuple[str, ...] = positional("ROOT files or globs", min_length=1)
    output: RootFile = short("-o", "ROOT file of the friend tree")
    tree: str | None = Field(None, description="tree; default: the one the model was trained on")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    working_points: Path | None = Field(None, description="cuts that working-points made: adds branches id_NAME")
    batch_size: int = Field(2000, description="candidates per step", gt=0)
    threads: int | None = Field(
        None, description="CPU threads; default: OMP_NUM_THREADS, or the machine's cores (1 with several jobs)", ge=1
    )
    accelerator: Literal["auto", "cpu", "gpu"] = Field("auto", description="where to run")
    precision: Precision = Field("fp32", description="bf16: convolutions with 8 bits of mantissa, faster")
    calibrate: bool = Field(True, description="apply the model's temperature to class scores")
    on_bad: BadCandidates = Field("error", description="a candidate without usable cells: stop, or write NaN")
    overwrite: bool = Field(False, description="replace an existing output")
