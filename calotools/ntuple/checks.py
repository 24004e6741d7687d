"""Checks of what was read: energies in the wrong unit are errors, odd cells are counted."""

from __future__ import annotations

from collections.abc import Mapping

import awkward as ak
import numpy as np

from calotools.errors import CellError, UnitError

__all__ = ["ABSURD_ENERGY", "check_cells", "check_units", "count_problems"]

ABSURD_ENERGY = 1e6
"""GeV: no particle has more, what is beyond is damage."""

# Outside of these no sample of electron or photon candidates has its median E_T [GeV]: a factor 1000 always leads out.
_ET_RANGE = (0.3, 5000.0)
_SUM_RANGE = (0.03, 30.0)
# The true energy of a jet or of what a fake came from is another than measured, but not a thousand times; that of
# muons, which leave a GeV in the calorimeter, may be, below `_MUONS` [GeV].
_THOUSAND = (500.0, 2000.0)
_MUONS = 2000.0
_ENOUGH = 20  # candidates that have a true energy
_MEASURED = ("e", "e_cluster", "e_acc")
_MAX_ETA = 5.0
_MAX_SAMPLING = 27


def check_units(candidates: ak.Array, *, place: str, declared: str, branches: Mapping[str, str] | None = None) -> None:
    """Refuse energies and angles that cannot be in the unit that the flavour declares.

    Parameters
    ----------
    candidates : (n,) awkward record array
        Some hundreds are enough.
    place : str
        File and tree, for the message.
    declared : str
        Flavour and its file, for the message.
    branches : mapping of str to str, optional
        Branch of each field, for the message.

    Raises
    ------
    UnitError
        The median E_T is impossible, cells or true energies differ from candidate energies by a factor of a thousand,
        or azimuths look like degrees.

    Examples
    --------
    >>> check_units(ak.Array({"et": [45000.0]}), place="a.root", declared="mine.toml")
    Traceback (most recent call last):
    calotools.errors.UnitError: a.root: median of 'et' is 45000 GeV, ...
    """
    advice = f"correct 'unit' in {declared}"
    for name in ("et", "e", "pt"):
        if name in candidates.fields:
            _check_energy(name, _median(candidates[name]), f"{place}: ", advice)
            break
    if {"e", "cells"} <= set(candidates.fields) and "e" in candidates["cells"].fields:
        ratio = _median(ak.nansum(candidates["cells"]["e"], axis=1) / candidates["e"])
        if np.isfinite(ratio) and not _SUM_RANGE[0] < abs(ratio) < _SUM_RANGE[1] and ratio != 0:
            raise UnitError(
                f"{place}: the cells' energies sum to {ratio:.3g} times the candidate's (median); their units differ; "
                f"{advice}"
            )
    _check_truth(candidates, f"{place}, branch '{(branches or {}).get('e_true', 'e_true')}'", advice)
    _check_azimuth(candidates, place, advice)


def _median(values: ak.Array) -> float:
    finite = np.abs(ak.to_numpy(values, allow_missing=False))
    finite = finite[np.isfinite(finite)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _check_energy(name: str, median: float, place: str, advice: str) -> None:
    low, high = _ET_RANGE
    if median > high:
        raise UnitError(f"{place}median of '{name}' is {median:.6g} GeV, not plausible: the file is in MeV? {advice}")
    if 0.0 < median < low:
        raise UnitError(
            f"{place}median of '{name}' is {median:.3g} GeV, not plausible: the file is in GeV, not MeV? {advice}"
        )


def _check_truth(candidates: ak.Array, place: str, advice: str) -> None:
    measured = next((name for name in _MEASURED if name in candidates.fields), "")
    if not measured or "e_true" not in candidates.fields:
        return
    true, energy = (ak.to_numpy(ak.fill_none(candidates[name], np.nan)).astype(float) for name in ("e_true", measured))
    known = np.isfinite(true) & np.isfinite(energy) & (true > 0) & (energy > 0)
    n, (low, high) = int(np.count_nonzero(known)), _THOUSAND
    if n < _ENOUGH:
        return
    with np.errstate(over="ignore"):
        ratio = float(np.median(true[known] / energy[known]))
    small, large = 1 / high < ratio < 1 / low, low < ratio < high and np.median(true[known]) > _MUONS
    if small or large:
        found, expected = ("GeV", "MeV") if small else ("MeV", "GeV")
        raise UnitError(
            f"{place}: median of e_true / {measured} is {ratio:.3g} ({n} candidates); their units differ, is the true "
            f"energy in {found}, not {expected}? {advice}, or the file"
        )


def _check_azimuth(candidates: ak.Array, place: str, advice: str) -> None:
    for name, values in (
        ("phi", candidates),
        ("cells.phi", candidates["cells"] if "cells" in candidates.fields else None),
    ):
        if values is None or "phi" not in values.fields:
            continue
        phi = np.abs(ak.to_numpy(ak.flatten(values["phi"], axis=None)))
        largest = float(np.max(phi[np.isfinite(phi)], initial=0.0))
        if np.count_nonzero(phi > 2.0 * np.pi) > 0.01 * len(phi) and largest < 361.0:
            raise UnitError(f"{place}: '{name}' reaches {largest:.4g} rad: the file is in degrees? {advice}")


def count_problems(candidates: ak.Array) -> dict[str, int]:
    """Count what is odd: energies not finite or absurd, negative pile-up, cells out of range, no usable cell.

    Parameters
    ----------
    candidates : (n,) awkward record array

    Returns
    -------
    dict of str to int
        Only what occurs, in words.

    Examples
    --------
    >>> count_problems(ak.Array({"et": [10.0, np.nan]}))
    {'candidates with non-finite et': 1}
    """
    counts = {
        f"candidates with non-finite {name}": int(np.count_nonzero(~np.isfinite(ak.to_numpy(candidates[name]))))
        for name in ("et", "eta", "phi")
        if name in candidates.fields
    }
    if "mu" in candidates.fields:
        counts["candidates with negative mu"] = int(np.count_nonzero(ak.to_numpy(candidates["mu"]) < 0))
    if "cells" in candidates.fields:
        counts |= _count_cells(candidates["cells"])
    return {what: n for what, n in counts.items() if n}


def _count_cells(cells: ak.Array) -> dict[str, int]:
    number = ak.to_numpy(ak.num(cells, axis=1))
    counts = {"candidates without cells": int(np.count_nonzero(number == 0))}
    flat = {
        name: ak.to_numpy(ak.flatten(cells[name])) for name in ("e", "eta", "phi", "sampling") if name in cells.fields
    }
    for name in ("e", "eta", "phi"):
        if name in flat:
            counts[f"cells with non-finite {name}"] = int(np.count_nonzero(~np.isfinite(flat[name])))
    if "e" in flat:
        absurd = np.isfinite(flat["e"]) & (np.abs(flat["e"]) > ABSURD_ENERGY)
        counts["cells with e beyond 1e6 GeV"] = int(np.count_nonzero(absurd))
        counts["candidates without a cell of finite energy"] = int(np.count_nonzero(_all_bad(number, flat["e"])))
    outside = {"eta": _MAX_ETA, "phi": 2.0 * np.pi, "sampling": _MAX_SAMPLING}
    for name, limit in outside.items():
        if name in flat:
            wrong = (
                np.count_nonzero(np.abs(flat[name]) > limit)
                if name != "sampling"
                else np.count_nonzero(flat[name] > limit)
            )
            counts[f"cells with {name} out of range"] = int(wrong)
    return counts


def _all_bad(number: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Candidates that have cells, none of them finite."""
    finite = np.concatenate([[0], np.cumsum(np.isfinite(energy))])
    ends = np.cumsum(number)
    return (number > 0) & (finite[ends] == finite[ends - number])


def check_cells(candidates: ak.Array, *, source: str = "", start: int = 0) -> None:
    """Refuse candidates of which no image can be made.

    Parameters
    ----------
    candidates : (n,) awkward record array
        With ``cells.e``.
    source : str
        File and tree, for the message.
    start : int
        Row of the first candidate, for the message.

    Raises
    ------
    CellError
        A candidate has no cell, or none of finite energy; the message names the first.

    Examples
    --------
    >>> check_cells(ak.Array([{"cells": [{"e": 1.0}]}]))
    """
    number = ak.to_numpy(ak.num(candidates["cells"], axis=1))
    bad = _all_bad(number, ak.to_numpy(ak.flatten(candidates["cells"]["e"])))
    for wrong, what in ((number == 0, "has no cells"), (bad, "has no cell of finite energy")):
        if wrong.any():
            first = int(np.argmax(wrong))
            raise CellError(
                f"{source or 'input'}: candidate {start + first} {what} ({int(wrong.sum())} of {len(number)} "
                "candidates); select them away, or skip bad candidates"
            )
