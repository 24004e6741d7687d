"""What every stage that measures scores or energies of candidates is told."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from calotools.recipe.settings import Settings, StageConfig, positional, short

__all__ = ["DiscriminantConfig", "ScoredConfig"]


class ScoredConfig(StageConfig):
    """Base of the stages that read candidates together with what a network said of them."""

    files: tuple[str, ...] = positional("ROOT files or globs", min_length=1)
    scores: tuple[Path, ...] = Field(description="friend trees that predict wrote for these files", min_length=1)
    output: Path = short("-o", "folder for numbers (JSON) and figures (PDF, PNG)")
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    selection: tuple[str, ...] = Field((), description="cuts; all must hold")
    label: str = Field("calotools simulation", description="label on the figures")
    unweighted: bool = Field(False, description="count every candidate once, whatever its weight")
    replicas: int = Field(200, description="bootstrap replicas", ge=20)
    seed: int = Field(1, description="seed of the bootstrap", ge=0)
    skip_bad_files: bool = Field(False, description="go on without files that cannot be read, and list them")
    overwrite: bool = Field(False, description="replace an existing output")


class DiscriminantConfig(Settings):
    """ln(sum of g_s p_s / sum of f_b p_b) of a model's classes."""

    numerator: dict[str, float] = Field({"signal": 1.0}, description="g of the classes that count as signal")
    fractions: dict[str, float | tuple[float, ...]] = Field(
        {}, description="f of the others, one number or one for each bin of |eta|; default: equal"
    )
    eta_bins: tuple[float, ...] = Field((), description="|eta| edges of fractions that differ")
