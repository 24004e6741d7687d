"""`calotools inspect` and `calotools display`: what an ntuple holds, and one candidate of it."""

from __future__ import annotations

from pydantic import Field

from calotools.recipe.fields import Figure
from calotools.recipe.settings import StageConfig, positional, short

__all__ = ["DisplayConfig", "InspectConfig"]


class InspectConfig(StageConfig):
    """Say what ntuples hold."""

    files: tuple[str, ...] = positional("ROOT files or globs", min_length=1)
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    tree: str | None = Field(None, description="tree; default: every tree the flavour knows")


class DisplayConfig(StageConfig):
    """Draw one candidate: its layers, times, gains and tracks."""

    file: str = positional("ROOT file")
    output: Figure = short("-o", "figure to write (.png or .pdf)")
    entry: int = Field(0, description="row of the tree", ge=0)
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    overwrite: bool = Field(False, description="replace an existing output")
