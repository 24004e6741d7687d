"""`calotools validate-simulation`: how large its samples are, and what to compare them with."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from calotools.recipe.settings import StageConfig, short

__all__ = ["ValidateConfig"]


class ValidateConfig(StageConfig):
    """Measure the detector simulation and compare it with what is published, and with Geant4."""

    output: Path = short("-o", "folder for numbers (JSON), figures (PDF, PNG) and the page (Markdown)")
    n: int = short("-n", "candidates of the largest samples; the others are parts of it", default=40_000, ge=2000)
    seed: int = Field(1, description="seed of every sample", ge=0)
    jobs: int = Field(1, description="processes that simulate", ge=1)
    geant4: Path | None = Field(None, description="ROOT file of bare Geant4 showers to compare with")
    flavour: str | None = Field(None, description="flavour of that file: name or TOML; default: detected")
    stack: Path | None = Field(None, description="TOML of that file's calorimeter; default: the simulated detector")
    label: str = Field("calotools simulation", description="label on the figures")
    overwrite: bool = Field(False, description="replace an existing output")
