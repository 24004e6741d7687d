"""`calotools peaks`: which pair, which window, which background."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from calotools.recipe.scored import ScoredConfig

__all__ = ["PeaksConfig"]

Pair = Literal["zee", "hyy"]


class PeaksConfig(ScoredConfig):
    """Fit the Z (electrons) or Higgs (photons) peak before and after the network."""

    scores: tuple[Path, ...] = Field((), description="friend trees of a network's energies; without them, before only")
    pair: Pair | None = Field(None, description="default: zee for electrons, hyy for photons")
    window: tuple[float, float] | None = Field(None, description="mass window [GeV]; default: the pair's")
    split: Literal["unseen", "test", "all"] = Field("unseen", description="unseen: no event the network was trained on")
    background: Literal["none", "exponential", "bernstein", "cms"] = Field("none", description="shape under the peak")
    reference: str = Field("e", description="energy before the network")
    categories: int = Field(
        3,
        description="parts of equal size, by the sigma that a network may state; fewer where pairs are few; 1: none",
        ge=1,
        le=10,
    )
