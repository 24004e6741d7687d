"""A flat calorimeter from a TOML file: the same cells, with the depth structure of another, simpler detector."""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import Field

from calotools.recipe import StageConfig
from calotools.simulate.stack import ROW_WIDTH, Column, Segment

__all__ = ["FlatCalorimeter", "flat_columns"]

_X0_PER_LAMBDA = 18.0  # lead and liquid argon


class FlatSegment(StageConfig):
    """One slab of a block; a block begins at each slab that gives a radius."""

    sampling: int = Field(description="CaloSampling number; -1 for dead material", ge=-1, le=20)
    end: float = Field(description="depth of its far face behind the front of its block [X0], at eta = 0", gt=0)
    power: float = Field(1.0, description="that depth grows as cosh(eta) to this power")
    radius: float | None = Field(
        None, description="radius of its near face [mm]; default: the far face of the one before"
    )
    radiation_length: float = Field(description="radiation length at normal incidence [mm]", gt=0)
    joined: bool = Field(False, description="lateral spread may carry energy over from the segment before")
    scale: float = Field(1.0, description="visible over deposited energy", gt=0)
    loss: float = Field(1.0, description="energy lost per X0 of dead material, in units of the accordion's", gt=0)
    sampling_term: float = Field(0.0, description="sampling fluctuation [sqrt(GeV)]", ge=0)


class FlatCalorimeter(StageConfig):
    """Cylinders of material about the beam; every depth along the flight direction."""

    tracker: tuple[tuple[float, float], ...] = Field(description="(radius [mm], X0 at normal incidence) of cylinders")
    exit_radius: float = Field(description="radius at which the field ends [mm]", gt=0)
    medium: tuple[float, float, float, float, float] = Field(description="Z_eff, E_c [GeV], R_M [mm], F_s, e_hat")
    eta_max: float = Field(2.5, description="columns up to this |eta|", gt=0, le=3)
    segments: tuple[FlatSegment, ...] = Field(description="from the end of the tracker outwards", min_length=1)


def flat_columns(path: Path | str) -> list[Column]:
    """Columns of |eta| of a flat calorimeter.

    Parameters
    ----------
    path : path of a TOML file with the keys of `FlatCalorimeter`

    Raises
    ------
    ConfigError, InputFileError
        As `FlatCalorimeter.from_toml`.
    """
    flat = FlatCalorimeter.from_toml(path)
    return [_column(flat, (row + 0.5) * ROW_WIDTH) for row in range(math.ceil(flat.eta_max / ROW_WIDTH))]


def _column(flat: FlatCalorimeter, eta: float) -> Column:
    stretch = math.cosh(eta)
    segments: list[Segment] = []
    depth, radius = 0.0, flat.exit_radius
    for slab in flat.segments:
        if slab.radius is not None:
            depth, radius = 0.0, slab.radius
        x0 = slab.end * stretch**slab.power - depth
        faces = radius, radius + x0 / stretch * slab.radiation_length
        segments.append(
            Segment(
                slab.sampling,
                x0,
                x0 / _X0_PER_LAMBDA,
                faces,
                joined=slab.joined,
                scale=slab.scale,
                loss=slab.loss,
                sampling_term=slab.sampling_term,
            )
        )
        depth, radius = depth + x0, faces[1]
    tracker = tuple((r, x0 * stretch) for r, x0 in flat.tracker)
    return Column(tracker, flat.exit_radius, flat.medium, tuple(segments))
