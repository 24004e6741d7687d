"""Cut-based identification: loose, medium and tight, by |eta| and E_T.

The cuts are calotools' own, tuned on its simulation to 94, 89 and 82 % of prompt electrons (or photons) by
`benchmarks/tune_reconstruction.py`; they are not an experiment's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from calotools.recipe import read_toml

__all__ = ["CUTS", "LEVELS", "load_cuts", "pass_flags", "tune_cuts"]

LEVELS = {"loose": 0.94, "medium": 0.89, "tight": 0.82}
"""Levels and the efficiencies that they are tuned to."""

CUTS = {
    "electron": {
        "rhad": "max",
        "reta": "min",
        "rphi": "min",
        "weta2": "max",
        "wstot": "max",
        "eratio": "min",
        "f1": "min",
        "delta_eta1": "abs",
        "delta_phi_res2": "abs",
        "d0_significance": "abs",
        "trt_pid": "min",
        "e_over_p": "max",
    },
    "photon": {
        "rhad": "max",
        "reta": "min",
        "rphi": "min",
        "weta2": "max",
        "wstot": "max",
        "eratio": "min",
        "f1": "min",
        "fside": "max",
    },
}
"""Variables and whether a cut is an upper one, a lower one, or an upper one on the absolute value."""

_SILICON_HITS = 7
_NEEDS_INNERMOST = ("medium", "tight")


@cache
def load_cuts(path: str | None = None) -> dict[str, Any]:
    """The table of cuts: the shipped one, or a user's TOML of the same form.

    Parameters
    ----------
    path : str, optional

    Returns
    -------
    dict
        ``[electron]`` and ``[photon]`` with ``eta_edges``, ``et_edges`` and, per level, per variable, a list of lists
        (E_T bin, |eta| bin).

    Examples
    --------
    >>> sorted(load_cuts())
    ['electron', 'photon']
    """
    if path is not None:
        return read_toml(path)
    text = resources.files("calotools.simulate").joinpath("tables/identification.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def pass_flags(
    variables: Mapping[str, np.ndarray], *, kind: str, et: np.ndarray, eta: np.ndarray, cuts: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Whether each candidate passes each level; tight implies medium implies loose.

    Parameters
    ----------
    variables : mapping of str to (n,) array
        The variables of `CUTS`, and for electrons ``n_pixel``, ``n_sct`` and ``n_innermost``. An undefined (NaN)
        variable does not reject.
    kind : {"electron", "photon"}
    et, eta : (n,) float [GeV, -]
    cuts : mapping
        See `load_cuts`.

    Returns
    -------
    dict of str to (n,) int32
        ``pass_loose``, ``pass_medium``, ``pass_tight``.
    """
    table = cuts[kind]
    rows = _bins(et, eta, table)
    passed = np.ones(len(et), dtype=bool)
    flags = {}
    for level in LEVELS:
        passed = passed & _hits(variables, kind, level)
        for name, side in CUTS[kind].items():
            passed &= _within(np.asarray(variables[name]), np.asarray(table[level][name])[rows], side)
        flags[f"pass_{level}"] = passed.astype(np.int32)
    return flags


def _bins(et: np.ndarray, eta: np.ndarray, table: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    found = []
    for value, name in ((et, "et_edges"), (np.abs(eta), "eta_edges")):
        edges = np.asarray(table[name])
        found.append(np.clip(np.searchsorted(edges, value, side="right") - 1, 0, len(edges) - 2))
    return found[0], found[1]


def _within(value: np.ndarray, cut: np.ndarray, side: str) -> np.ndarray:
    if side == "min":
        return ~(value < cut)
    return ~((np.abs(value) if side == "abs" else value) > cut)


def _hits(variables: Mapping[str, np.ndarray], kind: str, level: str) -> np.ndarray:
    if kind == "photon":
        return np.ones(len(np.asarray(variables["f1"])), dtype=bool)
    enough = np.asarray(variables["n_pixel"]) + np.asarray(variables["n_sct"]) >= _SILICON_HITS
    if level in _NEEDS_INNERMOST:
        enough &= np.asarray(variables["n_innermost"]) > 0
    return enough


def tune_cuts(
    variables: Mapping[str, np.ndarray],
    *,
    kind: str,
    et: np.ndarray,
    eta: np.ndarray,
    et_edges: np.ndarray,
    eta_edges: np.ndarray,
) -> dict[str, Any]:
    """Find cuts of equal signal loss per variable that give each level its efficiency in every bin.

    Parameters
    ----------
    variables : mapping of str to (n,) array
        Of prompt electrons or photons.
    kind : {"electron", "photon"}
    et, eta : (n,) float [GeV, -]
    et_edges, eta_edges : (n + 1,) float

    Returns
    -------
    dict
        The table of `load_cuts` for this kind.
    """
    table: dict[str, Any] = {"et_edges": et_edges.tolist(), "eta_edges": eta_edges.tolist()}
    rows = _bins(et, eta, table)
    shape = (len(et_edges) - 1, len(eta_edges) - 1)
    for level, target in LEVELS.items():
        cuts = {name: np.zeros(shape) for name in CUTS[kind]}
        hits = _hits(variables, kind, level)
        for i, j in np.ndindex(shape):
            inside = (rows[0] == i) & (rows[1] == j)
            values = {name: np.asarray(variables[name])[inside] for name in CUTS[kind]}
            for name, cut in _tune_bin(values, hits[inside], CUTS[kind], target).items():
                cuts[name][i, j] = cut
        table[level] = {name: np.round(cut, 5).tolist() for name, cut in cuts.items()}
    return table


def _tune_bin(
    values: dict[str, np.ndarray], hits: np.ndarray, sides: Mapping[str, str], target: float
) -> dict[str, float]:
    """Bisect the part of the signal that every single cut takes away."""
    low, high = 0.0, 0.3
    cuts: dict[str, float] = {}
    for _ in range(30):
        loss = 0.5 * (low + high)
        cuts = {name: _quantile(values[name], loss, side) for name, side in sides.items()}
        passed = hits.copy()
        for name, side in sides.items():
            passed &= _within(values[name], np.asarray(cuts[name]), side)
        low, high = (loss, high) if passed.mean() > target else (low, loss)
    return cuts


def _quantile(value: np.ndarray, loss: float, side: str) -> float:
    value = value[np.isfinite(value)]
    if len(value) == 0:
        return -1e6 if side == "min" else 1e6
    if side == "min":
        return float(np.quantile(value, loss))
    return float(np.quantile(np.abs(value) if side == "abs" else value, 1 - loss))
