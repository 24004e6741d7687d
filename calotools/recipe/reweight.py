"""`calotools reweight`: which candidates are to resemble which, in what, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from calotools.recipe.settings import StageConfig, positional, short

__all__ = ["ReweightConfig"]


class ReweightConfig(StageConfig):
    """Give candidates weights that make them look like others in E_T, eta, mu; say how well that works."""

    files: tuple[str, ...] = positional("ROOT files or globs", min_length=1)
    output: Path = short("-o", "folder for weights (friend tree), numbers (JSON) and figures (PDF, PNG)")
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    source: tuple[str, ...] = Field(("class_true > 0",), description="cuts on the candidates to be reweighted")
    target: tuple[str, ...] = Field(("class_true == 0",), description="cuts on the candidates to resemble")
    selection: tuple[str, ...] = Field((), description="cuts on both")
    variables: tuple[str, ...] = Field(
        ("et", "abs(eta)", "mu"), description="fields or expressions to agree in", min_length=1
    )
    method: Literal["smooth", "binned", "boosted"] = Field(
        "smooth", description="splines whose means agree, histograms, or GBReweighter of hep_ml and then splines"
    )
    bins: tuple[int | tuple[float, ...], ...] = Field(
        (), description="of each variable, a number (of equal probability) or edges; default: by the sample's size"
    )
    settings: dict[str, Any] = Field({}, description="of the boosted reweighter: n_estimators, learning_rate, ...")
    folds: int = Field(5, description="a candidate's weight is made without its fold; 1: no folds", ge=1)
    normalise: Literal["source", "target", "mean"] = Field(
        "source", description="the weights sum to those of the source or of the target, or have mean 1"
    )
    classifier: Literal["quadratic", "trees"] = Field("quadratic", description="what tries to tell the two apart")
    replicas: int = Field(0, description="bootstrap replicas of the weights, written too, for their uncertainty", ge=0)
    unweighted: bool = Field(False, description="count every candidate once, whatever its weight")
    seed: int = Field(1, description="seed of folds, boosting and bootstrap", ge=0)
    label: str = Field("calotools simulation", description="label on the figures")
    skip_bad_files: bool = Field(False, description="go on without files that cannot be read, and list them")
    overwrite: bool = Field(False, description="replace an existing output")
