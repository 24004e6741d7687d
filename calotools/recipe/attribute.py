"""`calotools attribute`: what a network's answer rests on."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from calotools.recipe.settings import StageConfig, positional, short

__all__ = ["AttributeConfig", "LabelledConfig"]


class LabelledConfig(StageConfig):
    """Base of the stages that ask a model about candidates whose truth is known."""

    model: Path = positional("model bundle (a .calo file, or a training folder)")
    files: tuple[str, ...] = positional("ROOT files or globs", min_length=1)
    tree: str | None = Field(None, description="tree; default: the one the model was trained on")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    selection: tuple[str, ...] = Field((), description="cuts beside those of the training; all must hold")
    split: Literal["test", "validation", "train", "all"] = Field("test", description="which events are used")
    label: str = Field("calotools simulation", description="label on the figures")
    overwrite: bool = Field(False, description="replace an existing output")


class AttributeConfig(LabelledConfig):
    """Measure what a network's answer rests on: layers, quantities, scalars, tracks."""

    output: Path = short("-o", "folder for numbers (JSON) and figures (PDF, PNG)")
    n: int = short(
        "-n", "at most this many candidates: of each file or glob its share, the first ones", default=4000, ge=50
    )
    repeats: int = Field(10, description="orders in which each input is shuffled", ge=2)
    steps: int = Field(32, description="steps of the integral of gradients", ge=2)
    batch_size: int = Field(500, description="candidates in one pass", gt=0)
    seed: int = Field(1, description="seed of the orders", ge=0)
