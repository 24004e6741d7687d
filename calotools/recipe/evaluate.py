"""`calotools working-points` and `calotools evaluate`: cuts on a score, and how good a network is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from calotools.recipe.scored import DiscriminantConfig, ScoredConfig

__all__ = ["EvaluateConfig", "WorkingPointsConfig"]


class WorkingPointsConfig(ScoredConfig):
    """Find cuts on a score in bins of eta and E_T that keep given parts of the signal; test them on the other half."""

    split: Literal["test", "validation", "train", "all"] = Field("test", description="which events are used")
    targets: dict[Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")], float | tuple[float, ...]] = Field(
        {"loose": 0.93, "medium": 0.88, "tight": 0.80},
        description="signal efficiencies by name: one for all, or one for each bin of E_T",
        min_length=1,
    )
    rising: bool = Field(False, description="efficiencies rise with E_T as the experiment's; targets are the averages")
    pileup: bool = Field(False, description="cuts follow mu linearly, so that the efficiency does not fall with it")
    eta_bins: tuple[float, ...] = Field((0.0, 0.8, 1.37, 1.52, 2.01, 2.47), description="|eta| edges")
    et_bins: tuple[float, ...] = Field((15, 20, 25, 30, 35, 40, 45, 60, 150), description="E_T edges [GeV]")
    mu_bins: tuple[float, ...] = Field((0, 20, 30, 40, 50, 80), description="mu edges of the figures")
    class_weights: dict[int, Annotated[float, Field(ge=0)]] = Field(
        {}, description="by value of class_true, as in training: what weights are multiplied by"
    )
    match: bool = Field(True, description="weight the background that is quoted to the signal's E_T and |eta|")
    min_candidates: int = Field(50, description="signal candidates below which a bin gets no cut", ge=10)
    discriminant: DiscriminantConfig = Field(DiscriminantConfig())


class EvaluateConfig(ScoredConfig):
    """Measure a network: ROC and working points, or energy resolution, in bins of eta, E_T and mu."""

    split: Literal["test", "validation", "train", "all"] = Field("test", description="which events are used")
    efficiencies: tuple[float, ...] = Field((0.80, 0.88, 0.93), description="signal efficiencies of the working points")
    eta_bins: tuple[float, ...] = Field((0.0, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.47), description="|eta| edges")
    et_bins: tuple[float, ...] = Field((10, 20, 30, 40, 50, 80, 150), description="E_T edges [GeV]")
    mu_bins: tuple[float, ...] = Field((0, 20, 30, 40, 50, 80), description="mu edges")
    regions: tuple[float, ...] = Field(
        (0.0, 1.3, 1.6, 2.47), description="|eta| edges of the regions of resolution terms and linearity (energy)"
    )
    energy_bins: tuple[float, ...] = Field(
        (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 1000),
        description="true energies of their points [GeV], edges",
    )
    reference: str = Field("e", description="energy that the network is compared with")
    discriminant: DiscriminantConfig = Field(DiscriminantConfig())
    working_points: Path | None = Field(None, description="cuts that working-points made, to be measured too")
    compare: tuple[Path, ...] = Field(
        (), description="friend trees of other models, one each, to compare with on the same candidates"
    )
    combine: tuple[Path, ...] = Field(
        (),
        description="friend trees of models that see different things, such as calo.root track.root: their product and "
        "Fisher combination beside the scores (identification)",
    )
    gain: bool = Field(False, description="also per readout gain of the hottest middle cell; reads cells (energy)")
    match: bool = Field(True, description="weight the background to the signal's E_T and |eta| (identification)")
    class_weights: dict[int, Annotated[float, Field(ge=0)]] = Field(
        {}, description="by value of class_true, as in training: what weights are multiplied by (identification)"
    )
    weights: tuple[Path, ...] = Field(
        (), description="friend trees of weights (reweight), in place of the ntuple's and of matching"
    )
    weight_branch: str = Field("weight_matched", description="their branch")
