"""`calotools simulate`: which process, how many events, which detector effects."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from calotools.recipe.fields import RootFile, Shard
from calotools.recipe.settings import StageConfig, positional, short

__all__ = ["SimulateConfig"]

Process = Literal[
    "zee", "hyy", "electrons", "photons", "fakes", "jpsi", "zmumu", "ztautau", "wenu", "ttbar", "gammajet", "dijets"
]


class SimulateConfig(StageConfig):
    """Make an ntuple of simulated candidates."""

    process: Process = positional("what to generate; electrons, photons and fakes give one candidate per event")
    n: int = short("-n", "number of events", gt=0)
    output: RootFile = short("-o", "ROOT file to write")
    seed: int = Field(1, description="seed; the same seed gives the same file", ge=0)
    generator: Literal["builtin", "pythia"] | None = Field(
        None, description="default: the built-in one where it has the process, else Pythia 8"
    )
    tree: Literal["electrons", "photons", "objects"] | None = Field(
        None, description="candidates to write; default: the process's own"
    )
    pythia_settings: tuple[str, ...] = Field((), description="further settings, such as 'PhaseSpace:pTHatMin = 50.'")
    radiation: bool | None = Field(
        None,
        description="electrons radiate photons in the final state, single ones as those of a Z do; "
        "default: those of pairs do, single ones do not",
    )
    mu: float | None = Field(None, description="interactions per crossing; default: run-2 profile", ge=0, le=200)
    effects: Path | None = Field(None, description="TOML that changes or turns off detector effects (docs/effects.md)")
    pseudo_data: bool = Field(False, description="play the experiment: no truth, injected differences in a sidecar")
    injected: Path | None = Field(None, description="TOML of the differences to inject (docs/effects.md)")
    format: Literal["ttree", "rntuple"] = Field("ttree", description="container of the output")
    chunk: int = Field(1000, description="events generated and held at a time", gt=0)
    shard: Shard = Field(
        (0, 1), description="generate part I of N (from 0), written I/N; parts are made of whole blocks of 200 events"
    )
    jobs: int = Field(1, description="processes; the result does not depend on it", ge=1)
    overwrite: bool = Field(False, description="replace an existing output")
