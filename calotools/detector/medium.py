"""A sampling calorimeter as one effective medium, for shower parameterisations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calotools.detector.tables import Table, load_table
from calotools.errors import ConfigError, nearest

__all__ = ["Medium", "effective_medium", "stack_medium"]

_GEV = 1e-3


@dataclass(frozen=True)
class Medium:
    """Effective medium of a stack of passive and active layers.

    Attributes
    ----------
    z, a : float
        Effective atomic number and mass.
    x0 : float [mm]
        Radiation length along the depth.
    critical_energy : float [GeV]
    moliere_radius : float [mm]
    sampling_frequency : float
        F_s: radiation length over the thickness of one pair of passive and active layer.
    e_over_mip : float
        e_hat: response to electrons over that to minimum-ionising particles.
    """

    z: float
    a: float
    x0: float
    critical_energy: float
    moliere_radius: float
    sampling_frequency: float
    e_over_mip: float


def effective_medium(
    passive: Mapping[str, float], active: Mapping[str, float], *, table: Table | None = None
) -> Medium:
    """The medium that one pair of passive and active layers makes, repeated.

    Parameters
    ----------
    passive, active : mapping of str to float [mm]
        Thickness of each material in the pair: ``{"lead": 2.0}``, ``{"argon": 4.0}``. Materials are those of the
        table's ``material`` section.
    table : mapping, optional
        What `load_table("medium", path=...)` gives; default: the packaged table.

    Returns
    -------
    Medium

    Raises
    ------
    ConfigError
        Unknown material, a negative thickness, or no layer at all on one side.

    References
    ----------
    Grindhammer & Peters, hep-ex/0001020, section 2, as implemented in Geant4's GFlashSamplingShowerParameterisation.

    Examples
    --------
    >>> medium = effective_medium({"lead": 2.0}, {"argon": 4.0})
    >>> round(medium.x0, 1), round(medium.moliere_radius, 1)
    (15.6, 36.8)
    """
    numbers = load_table("medium") if table is None else table
    shower = numbers["shower"]
    sides = [_layers(side, numbers["material"]) for side in (passive, active)]
    layers = sides[0] + sides[1]
    mass, thickness = (sum(one[key] for one in layers) for key in ("mass", "mm"))
    x0 = mass / sum(one["mass"] / one["x0"] for one in layers)
    loss = sum(one["mass"] / one["x0"] * _critical_energy(one, shower) for one in layers) / mass
    # the materials that stop the shower set e/mip: lead among steel and glue, argon
    z_passive, z_active = (max(side, key=lambda one: one["mass"] / one["x0"])["z"] for side in sides)
    return Medium(
        z=sum(one["mass"] * one["z"] for one in layers) / mass,
        a=sum(one["mass"] * one["a"] for one in layers) / mass,
        x0=x0 * thickness / mass,
        critical_energy=x0 * loss * _GEV,
        moliere_radius=shower["scale_energy"] / loss * thickness / mass,
        sampling_frequency=x0 / mass,
        e_over_mip=1 / (1 + shower["e_mip_slope"] * (z_passive - z_active)),
    )


def _layers(thickness: Mapping[str, float], materials: Table) -> list[dict[str, float]]:
    """Each layer's constants with its thickness [mm] and mass per area [g/cm2]."""
    unknown = [name for name in thickness if name not in materials]
    if unknown:
        raise ConfigError(f"material '{unknown[0]}' is not in the medium table; {nearest(unknown[0], materials)}")
    if not thickness or min(thickness.values()) <= 0:
        raise ConfigError(
            f"layers {dict(thickness)} of a sampling calorimeter need at least one of positive thickness [mm]"
        )
    return [
        {**materials[name], "mm": mm, "mass": materials[name]["density"] * mm / 10} for name, mm in thickness.items()
    ]


def _critical_energy(layer: Mapping[str, float], shower: Table) -> float:
    """Critical energy of one material [MeV], from its X0 [g/cm2], Z and A."""
    return shower["critical_constant"] * (layer["x0"] * layer["z"] / layer["a"]) ** shower["critical_power"]


def stack_medium(stack: str, *, table: Table | None = None) -> Medium:
    """Effective medium of one of the tabulated stacks of ATLAS.

    Parameters
    ----------
    stack : str
        ``barrel_inner`` (abs(eta) < 0.8), ``barrel_outer`` (0.8 to 1.475) or ``endcap``.
    table : mapping, optional
        What `load_table("medium", path=...)` gives; default: the packaged table.

    Returns
    -------
    Medium

    Raises
    ------
    ConfigError
        Unknown stack.

    Examples
    --------
    >>> medium = stack_medium("barrel_inner")
    >>> round(medium.z), round(1e3 * medium.critical_energy, 1)
    (59, 10.8)
    """
    numbers = load_table("medium") if table is None else table
    if stack not in numbers["stack"]:
        raise ConfigError(f"calorimeter stack '{stack}' is not in the medium table; {nearest(stack, numbers['stack'])}")
    layers = numbers["stack"][stack]
    return effective_medium(layers["passive"], layers["active"], table=numbers)
