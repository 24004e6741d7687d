"""Variables of a candidate that follow from its fields: what calibrations are trained on, without cells.

They can be asked for by name wherever a recipe lists candidate variables, next to the fields of the ntuple.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from difflib import get_close_matches
from typing import NamedTuple

import awkward as ak
import numpy as np

from calotools.detector import TILE_MODULES, Sampling, absorber_period, cell_size, layer_edges
from calotools.errors import BranchError, nearest

__all__ = ["DERIVED", "Derived", "add_derived", "derived_inputs", "near_derived"]

_NO_CONVERSION = 799.0  # mm, as the experiment's calibration has it
_SOFT_CONVERSION = 3.0  # GeV, likewise
_ALL_HADRONIC = 0.8, 1.37  # |eta| where the experiment's likelihood takes all hadronic layers, arXiv:1902.04655


class Derived(NamedTuple):
    """A variable that follows from others.

    Attributes
    ----------
    fields : tuple of str
        Canonical fields it needs.
    compute : callable
        Candidates with these fields -> (n,) float array; NaN where it is not defined.
    unit, meaning : str
    """

    fields: tuple[str, ...]
    compute: Callable[[ak.Array], np.ndarray]
    unit: str
    meaning: str


def derived_inputs(names: Iterable[str], *, known: Container[str] = ()) -> tuple[str, ...]:
    """Fields from which variables are made; a name that is not derived is a field itself.

    Parameters
    ----------
    names : iterable of str
    known : container of str
        Fields that are there; a derived variable that is one of them needs no other.

    Returns
    -------
    tuple of str
        Each once, in order.

    Examples
    --------
    >>> derived_inputs(["et", "f0", "r12"])
    ('et', 'e0', 'e_acc', 'e1', 'e2')
    """
    needed = (DERIVED[name].fields if name in DERIVED and name not in known else (name,) for name in names)
    return tuple(dict.fromkeys(field for fields in needed for field in fields))


def add_derived(candidates: ak.Array, names: Iterable[str]) -> ak.Array:
    """Add derived variables to candidates, those of `names` that are derived and not there yet.

    Parameters
    ----------
    candidates : ak.Array
        With the fields of `derived_inputs`.
    names : iterable of str

    Returns
    -------
    ak.Array
        With the new fields.

    Raises
    ------
    BranchError
        A field that a variable needs is missing.

    Examples
    --------
    >>> candidates = ak.Array({"e0": [1.0, 3.0], "e_acc": [50.0, 30.0]})
    >>> add_derived(candidates, ["f0"]).f0.tolist()
    [0.02, 0.1]
    """
    for name in names:
        if name in candidates.fields or name not in DERIVED:
            continue
        for field in DERIVED[name].fields:
            if field.split(".")[0] not in candidates.fields:
                raise BranchError(
                    f"variable '{name}' is made from {', '.join(DERIVED[name].fields)}; '{field}' is not there; "
                    f"{nearest(field, candidates.fields)}"
                )
        candidates = ak.with_field(candidates, DERIVED[name].compute(candidates), name)
    return candidates


def near_derived(names: Iterable[str]) -> str:
    """Words for an error message: derived variables that misspelt names may mean.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    str
        Empty when every name is one of them, or none is near.

    Examples
    --------
    >>> near_derived(["et", "shower_dept"])
    "; 'shower_dept' is near the derived variable 'shower_depth'"
    """
    found = {name: get_close_matches(name, DERIVED, n=1, cutoff=0.7) for name in names if name not in DERIVED}
    return "".join(f"; '{name}' is near the derived variable '{near[0]}'" for name, near in found.items() if near)


def _numbers(candidates: ak.Array, name: str) -> np.ndarray:
    return np.asarray(candidates[name], np.float64)


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """top / bottom; NaN where the bottom is not positive."""
    return np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)


def _f0(candidates: ak.Array) -> np.ndarray:
    return _ratio(_numbers(candidates, "e0"), _numbers(candidates, "e_acc"))


def _r12(candidates: ak.Array) -> np.ndarray:
    return _ratio(_numbers(candidates, "e1"), _numbers(candidates, "e2"))


def _f_tile_gap3(candidates: ak.Array) -> np.ndarray:
    return _ratio(_numbers(candidates, "e_tile_gap3"), _numbers(candidates, "e_acc"))


def _rhad_used(candidates: ak.Array) -> np.ndarray:
    """What leaks behind the accordion shows in all hadronic layers only where the Tile's barrel and extension meet."""
    eta = np.abs(_numbers(candidates, "eta_cluster"))
    both = (eta > _ALL_HADRONIC[0]) & (eta < _ALL_HADRONIC[1])
    return np.where(both, _numbers(candidates, "rhad"), _numbers(candidates, "rhad1"))


def _shower_depth(candidates: ak.Array) -> np.ndarray:
    """Mean depth of the layers, weighted with their energies; presampler at the end of the material before it."""
    eta = _numbers(candidates, "eta_cluster")
    edges = layer_edges(np.abs(eta))  # (n, 4): ends of what is before the strips, strips, middle, back
    middles = np.column_stack([edges[:, 0], 0.5 * (edges[:, 1:] + edges[:, :-1])])
    energies = np.column_stack([_numbers(candidates, name) for name in ("e0", "e1", "e2", "e3")])
    return _ratio((middles * energies).sum(axis=1), energies.sum(axis=1))


def _cell_index(candidates: ak.Array) -> np.ndarray:
    return np.floor(np.abs(_numbers(candidates, "eta_cluster")) / _middle_cell())


def _eta_mod(candidates: ak.Array) -> np.ndarray:
    # not fmod: at the edge of a cell it must agree with the number of the cell
    return np.abs(_numbers(candidates, "eta_cluster")) - _cell_index(candidates) * _middle_cell()


def _middle_cell() -> float:
    return float(cell_size(Sampling.EMB2, 0.0)[0])


def _phi_mod(candidates: ak.Array) -> np.ndarray:
    return np.mod(_numbers(candidates, "phi_cluster"), absorber_period(_numbers(candidates, "eta_cluster")))


def _dphi_tile_gap3(candidates: ak.Array) -> np.ndarray:
    period = 2 * np.pi / TILE_MODULES
    return np.mod(_numbers(candidates, "phi_cluster"), period) - 0.5 * period


def _leading_pts(candidates: ak.Array) -> np.ndarray:
    """(n, 2) p_T of the two tracks of a conversion [GeV], 0 where there is none."""
    kind = np.asarray(candidates["conversion_type"])
    padded = ak.to_numpy(ak.fill_none(ak.pad_none(candidates["tracks"]["pt"], 2, clip=True), 0.0)).astype(np.float64)
    return np.where(kind[:, None] > np.arange(2), padded, 0.0)


def _conversion_radius(candidates: ak.Array) -> np.ndarray:
    radius = _numbers(candidates, "conversion_radius")
    hard = _leading_pts(candidates).sum(axis=1) > _SOFT_CONVERSION
    return np.where(hard & np.isfinite(radius), radius, _NO_CONVERSION)


def _conversion_et_over_pt(candidates: ak.Array) -> np.ndarray:
    et = _numbers(candidates, "e_acc") / np.cosh(_numbers(candidates, "eta_cluster"))
    pt = _leading_pts(candidates).sum(axis=1)
    return np.where(pt > _SOFT_CONVERSION, np.clip(et / np.maximum(pt, _SOFT_CONVERSION), 0.0, 2.0), 0.0)


def _conversion_pt_ratio(candidates: ak.Array) -> np.ndarray:
    pts = _leading_pts(candidates)
    two = (pts > 0).all(axis=1)
    return np.where(two, pts.max(axis=1) / np.maximum(pts.sum(axis=1), 1e-9), 1.0)


_CONVERSION = ("conversion_type", "tracks.pt")

DERIVED: dict[str, Derived] = {
    "f0": Derived(("e0", "e_acc"), _f0, "", "presampler over accordion energy"),
    "r12": Derived(("e1", "e2"), _r12, "", "strips over middle layer"),
    "f_tile_gap3": Derived(("e_tile_gap3", "e_acc"), _f_tile_gap3, "", "crack scintillators over accordion energy"),
    "rhad_used": Derived(
        ("eta_cluster", "rhad", "rhad1"), _rhad_used, "", "rhad for |eta| of 0.8 to 1.37, elsewhere rhad1"
    ),
    "shower_depth": Derived(
        ("eta_cluster", "e0", "e1", "e2", "e3"), _shower_depth, "X0", "mean depth of the layers, weighted with energy"
    ),
    "cell_index": Derived(("eta_cluster",), _cell_index, "", "number of the middle cell, from eta = 0"),
    "eta_mod": Derived(("eta_cluster",), _eta_mod, "", "place in that cell"),
    "phi_mod": Derived(("eta_cluster", "phi_cluster"), _phi_mod, "rad", "place between two absorbers"),
    "dphi_tile_gap3": Derived(("phi_cluster",), _dphi_tile_gap3, "rad", "place in a module of the Tile calorimeter"),
    "conversion_radius_used": Derived(
        ("conversion_radius", *_CONVERSION), _conversion_radius, "mm", "of the conversion; 799 without one above 3 GeV"
    ),
    "conversion_et_over_pt": Derived(
        ("e_acc", "eta_cluster", *_CONVERSION),
        _conversion_et_over_pt,
        "",
        "accordion E_T over p_T of its tracks, at most 2",
    ),
    "conversion_pt_ratio": Derived(
        _CONVERSION, _conversion_pt_ratio, "", "larger over summed p_T of its two tracks; 1 with fewer"
    ),
}
"""Derived variables by name.

References
----------
Inputs of the experiment's calibration: ATLAS Athena, egammaMVACalib and egammaMVAFunctions.
"""
