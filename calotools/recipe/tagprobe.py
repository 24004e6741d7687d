"""`calotools tagprobe`: tag, probe, what is measured, in which bins."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from calotools.recipe.settings import StageConfig, positional, short

__all__ = ["TagProbeConfig"]


class TagProbeConfig(StageConfig):
    """Measure efficiencies and scale factors with tag-and-probe."""

    data: tuple[str, ...] = positional("ROOT files or globs of data or pseudo-data", min_length=1)
    simulation: tuple[str, ...] = Field((), description="ROOT files or globs of simulation; enables scale factors")
    output: Path = short("-o", "folder for numbers (JSON) and figures (PDF, PNG)")
    data_scores: tuple[Path, ...] = Field((), description="friend trees of the data, when a cut uses scores")
    simulation_scores: tuple[Path, ...] = Field((), description="friend trees of the simulation")
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    tag: tuple[str, ...] = Field(
        ("et > 27", "abs(eta) < 2.47", "abs(eta) < 1.37 | abs(eta) > 1.52", "pass_tight == 1"),
        description="cuts on the tag",
    )
    probe: tuple[str, ...] = Field(("et > 15", "abs(eta) < 2.47"), description="cuts on the probe")
    passing: str = Field("pass_tight == 1", description="what is measured: the cut that a passing probe satisfies")
    window: tuple[float, float] = Field((60.0, 120.0), description="mass range of the fits [GeV]")
    et_bins: tuple[float, ...] = Field((15, 25, 35, 45, 60, 150), description="probe E_T edges [GeV]")
    eta_bins: tuple[float, ...] = Field((0.0, 0.8, 1.37, 1.52, 2.01, 2.47), description="probe |eta| edges")
    injected: Path | None = Field(None, description="sidecar of pseudo-data, for the closure; default: beside the data")
    label: str | None = Field(None, description="label on the figures; default: pseudo-data with a sidecar, else data")
    seed: int = Field(1, description="seed of the bootstrap", ge=0)
    skip_bad_files: bool = Field(False, description="go on without files that cannot be read, and list them")
    overwrite: bool = Field(False, description="replace an existing output")
