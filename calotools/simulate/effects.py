"""Every effect of the detector response, each of which can be changed or turned off."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from calotools.errors import ConfigError
from calotools.recipe import StageConfig

__all__ = ["Effects"]


class Effects(StageConfig):
    """The switches of the detector simulation; defaults are the full detector.

    Numbers that are not in the detector tables are calotools' own defaults, tuned on bare Geant4 showers or chosen so
    that published resolutions are reproduced; none of them is an experiment's number.

    Raises
    ------
    ConfigError
        An unknown key (with the nearest one), a value out of range, or edges that do not increase.

    Examples
    --------
    >>> bare = Effects(pileup=0, electronic_noise=0, crosstalk=0)
    >>> bare.pileup, bare.rt_factor == Effects().rt_factor
    (0.0, True)
    """

    stack: Path | None = Field(None, description="TOML of a flat calorimeter that replaces the ATLAS one")
    material: float = Field(1.0, description="scale of all material before the calorimeter", ge=0, le=5)
    material_tracker: float = Field(1.0, description="further scale of the tracker's material", ge=0, le=5)
    material_cryostat: float = Field(1.0, description="further scale of what is behind the tracker", ge=0, le=5)
    material_by_eta: tuple[tuple[float, float], ...] = Field(
        (), description="pairs (lower |eta| edge, further scale), edges increasing"
    )
    material_by_radius: tuple[tuple[float, float], ...] = Field(
        (), description="pairs (lower radius [mm], further scale of the tracker's material), radii increasing"
    )
    bremsstrahlung: bool = Field(True, description="electrons radiate in the tracker")
    conversions: bool = Field(True, description="photons convert in the tracker")
    field: float = Field(
        2.0, description="solenoid field [T]; 0: straight tracks, of unknown momentum and charge", ge=0, le=10
    )
    showers: Path | None = Field(None, description="TOML of tuning numbers that replace those of the table 'showers'")
    longitudinal_fluctuations: float = Field(
        1.15, description="scale of the variation of depth and shape from shower to shower; 0 for none", ge=0, le=2
    )
    depth_factor: float = Field(0.93, description="scale of the depth of the shower's maximum", gt=0, le=2)
    sampling_scale: float = Field(1.0, description="scale of the sampling fluctuation", ge=0, le=5)
    rc_factor: float = Field(1.54, description="scale of the radius of the shower's core", gt=0, le=5)
    rt_factor: float = Field(0.99, description="scale of the radius of the shower's tail", gt=0, le=5)
    scattering: float = Field(1.0, description="scale of the multiple scattering before the accordion", ge=0, le=5)
    spots: float = Field(1.2, description="scale of the number of spots that a shower is made of", gt=0, le=10)
    hadronic: bool = Field(True, description="hadrons shower; otherwise they only ionise")
    local_constant: float = Field(0.0035, description="spread of the response between 0.2 x 0.4 regions", ge=0, le=0.1)
    accordion_phi: float = Field(0.003, description="amplitude of the response's phi modulation", ge=0, le=0.1)
    accordion_eta: float = Field(0.004, description="drop of the response at a middle cell's eta edge", ge=0, le=0.1)
    crosstalk: float = Field(1.0, description="scale of the crosstalk fractions", ge=0, le=3)
    electronic_noise: float = Field(1.0, description="scale of the electronic noise", ge=0, le=10)
    pileup: float = Field(
        1.0,
        description="scale of the number of interactions per crossing: cells and their noise, tracks, vertices, "
        "isolation; `mu` is written with it",
        ge=0,
        le=3,
    )
    minimum_bias: Literal["builtin", "pythia"] = Field(
        "builtin",
        description="where the particles of pile-up come from: parametrised, or inelastic collisions of Pythia 8",
    )
    underlying: float = Field(
        1.5,
        description="charged particles of the underlying event over those of minimum bias, for the built-in processes "
        "(Pythia has its own); they leave tracks; 0 for none",
        ge=0,
        le=10,
    )
    gain: bool = Field(
        True,
        description="less sensitive gains for large signals; otherwise each cell stays in the most sensitive one that "
        "it has: high, in HEC medium",
    )
    medium_gain_shift: float = Field(0.0, description="relative shift of the response in medium gain", ge=-0.1, le=0.1)
    time: bool = Field(True, description="time resolution and jitter; otherwise the exact time of the signal")
    vertex_spread: float = Field(1.0, description="scale of the beam spot in z and time", ge=0, le=5)

    @model_validator(mode="after")
    def _edges_increase(self) -> Effects:
        for name in ("material_by_eta", "material_by_radius"):
            edges = [edge for edge, _ in getattr(self, name)]
            if edges != sorted(set(edges)):
                raise ConfigError(f"'{name}' needs increasing lower edges; it has {edges}")
            if any(scale < 0 for _, scale in getattr(self, name)):
                raise ConfigError(f"'{name}' has a negative scale; material cannot be negative")
        return self
