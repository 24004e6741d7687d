"""Candidates as columns: what the ntuple holds of cells, tracks, variables and truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from calotools.ntuple import Lists, Table
from calotools.simulate.beam import Crossings
from calotools.simulate.charged import CONVERSION_RADIUS_MAX
from calotools.simulate.generated import CHARGE_FLIP, CONVERSION, LIGHT_HADRON, PROMPT, Generated, Truth
from calotools.simulate.matching import Matched
from calotools.simulate.response import Response

__all__ = ["as_electrons", "cells_of", "event_columns", "number_candidates", "replace_columns", "tracks_of", "truth_of"]

IFF_CHARGE_FLIP, IFF_CONVERSION, IFF_LIGHT = 3, 5, 10
_BACKGROUND_ELECTRON, _HADRON = 4, 17
_PHOTON_CONVERSION, _LIGHT_MESON = 5, 23
_CELL_FIELDS = ("e", "eta", "phi", "sampling", "time", "gain", "noise")
_TRACK_FIELDS = ("pt", "eta", "phi", "charge", "d0", "z0", "dp_over_p", "trt_pid")
_HIT_FIELDS = ("n_innermost", "n_pixel", "n_sct", "n_trt")


def cells_of(response: Response) -> Lists:
    """Cells of each candidate.

    Parameters
    ----------
    response : Response

    Returns
    -------
    Lists
    """
    return Lists(response.offsets, {name: getattr(response, name) for name in _CELL_FIELDS})


def tracks_of(matched: Matched) -> Lists:
    """Tracks of each candidate, the matched one first.

    Parameters
    ----------
    matched : Matched

    Returns
    -------
    Lists
    """
    tracks = matched.tracks
    columns = {name: getattr(tracks, name).astype(np.float32) for name in _TRACK_FIELDS}
    columns["d0_significance"] = (tracks.d0 / tracks.d0_error).astype(np.float32)
    columns["delta_eta1"] = matched.delta_eta1.astype(np.float32)
    columns["delta_phi2"] = matched.delta_phi2.astype(np.float32)
    columns |= {name: getattr(tracks, name).astype(np.int8) for name in _HIT_FIELDS}
    return Lists(matched.offsets.astype(np.int64), columns)


def truth_of(
    generated: Generated, response: Response, *, crossings: Crossings, charge: np.ndarray, matched: Matched, tree: str
) -> dict[str, np.ndarray]:
    """Truth of each candidate.

    Where every particle's truth is known, that of an electron candidate is of the particle that made its track: a
    hadron, an electron, or a photon that converted. A candidate without its own track, whose cluster met a track of
    another collision or of the underlying event, is a light-flavour hadron unless an electron made the cluster. A
    prompt electron whose own track, or that of a photon it radiated, has the other charge is a charge flip.

    Parameters
    ----------
    generated : Generated
    response : Response
    crossings : Crossings
        One entry per candidate.
    charge : (n,) float
        Reconstructed charge.
    matched : Matched
    tree : {"electrons", "photons"}

    Returns
    -------
    dict of str to (n,) array
        Fields of the native ntuple's truth.
    """
    row = np.searchsorted(generated.particles.candidate, np.arange(len(generated.truth)))
    truth = generated.truth
    parent = np.nan_to_num(matched.first(matched.tracks.parent), nan=-1).astype(np.int64)
    if tree == "electrons" and generated.particle_truth is not None:
        row = np.where(parent >= 0, parent, row)
        truth = as_electrons(generated.particle_truth.take(row), tracked=parent >= 0)
    flipped = (truth.category == PROMPT) & (truth.charge * charge < 0) & (parent >= 0)
    photon = generated.particles.pdg[row] == 22
    radius = response.conversion_radius[row]
    return {
        "e_true": truth.e.astype(np.float32),
        "eta_true": truth.eta.astype(np.float32),
        "phi_true": truth.phi.astype(np.float32),
        "charge_true": truth.charge.astype(np.float32),
        "pdg_true": truth.pdg,
        "class_true": np.where(flipped, CHARGE_FLIP, truth.category).astype(np.int32),
        "type_true": truth.kind,
        "origin_true": truth.origin,
        "iff_true": np.where(flipped, IFF_CHARGE_FLIP, truth.iff).astype(np.int32),
        "conversion_radius_true": np.where(photon & (radius < CONVERSION_RADIUS_MAX), radius, np.nan).astype(
            np.float32
        ),
        "z_vertex_true": crossings.z_true.astype(np.float32),
    }


def as_electrons(truth: Truth, *, tracked: np.ndarray) -> Truth:
    """Truth of electron candidates: a photon that made a track has converted, one that did not met another's track.

    Tracks of other collisions and of the underlying event are charged pions', so that their origin is a light meson.
    A prompt photon then is the class of conversions; one that an electron radiated stays with it.

    Parameters
    ----------
    truth : Truth
    tracked : (n,) bool
        The particle itself made the candidate's track.

    Returns
    -------
    Truth
    """
    photon, lonely = (truth.pdg == 22) & tracked, (truth.pdg == 22) & ~tracked
    prompt = photon & (truth.category == PROMPT) & (truth.iff == IFF_CONVERSION)
    return replace(
        truth,
        category=np.select([prompt, lonely], [CONVERSION, LIGHT_HADRON], truth.category).astype(np.int32),
        kind=np.select([photon, lonely], [_BACKGROUND_ELECTRON, _HADRON], truth.kind).astype(np.int32),
        origin=np.select([photon, lonely], [_PHOTON_CONVERSION, _LIGHT_MESON], truth.origin).astype(np.int32),
        iff=np.where(lonely, IFF_LIGHT, truth.iff).astype(np.int32),
    )


def event_columns(
    crossings: Crossings,
    *,
    run: int,
    event: np.ndarray,
    lumi_block: np.ndarray,
    channel: int,
    weight: np.ndarray | None = None,
) -> dict:
    """Event fields of each candidate, except its number.

    Parameters
    ----------
    crossings : Crossings
        One entry per candidate.
    run, channel : int
    event, lumi_block : (n,) int
    weight : (n,) float, optional
        1 when not given.

    Returns
    -------
    dict of str to (n,) array
    """
    n = len(event)
    return {
        "run": np.full(n, run, dtype=np.uint32),
        "event": event.astype(np.uint64),
        "lumi_block": lumi_block.astype(np.uint32),
        "channel": np.full(n, channel, dtype=np.uint32),
        "mu": crossings.mu,
        "mu_actual": crossings.mu_actual,
        "n_vtx": crossings.n_vtx,
        "z_vertex": crossings.z_vertex.astype(np.float32),
        "weight": np.ones(n, dtype=np.float32) if weight is None else weight.astype(np.float32),
    }


def number_candidates(event: np.ndarray, et: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order rows by event, then by falling E_T, and number the candidates of each event from 0.

    Parameters
    ----------
    event : (n,) int
    et : (n,) float [GeV]

    Returns
    -------
    order : (n,) int64
        Rows in their new order.
    number : (n,) int32
        Candidate number, in the new order.

    Examples
    --------
    >>> order, number = number_candidates(np.array([7, 3, 7]), np.array([20.0, 30.0, 40.0]))
    >>> order.tolist(), number.tolist()
    ([1, 2, 0], [0, 0, 1])
    """
    order = np.lexsort((-et, event))
    number = np.arange(len(order)) - np.searchsorted(event[order], event[order])
    return order, number.astype(np.int32)


def replace_columns(table: Table, columns: Mapping[str, np.ndarray], *, drop: str) -> Table:
    """The table with some columns added or replaced, and those that end in `drop` left out.

    Parameters
    ----------
    table : Table
    columns : mapping of str to (n,) array
    drop : str
        Suffix; empty drops nothing.

    Returns
    -------
    Table

    Examples
    --------
    >>> rows = Table({"e": np.array([1.0]), "e_true": np.array([2.0])}, {})
    >>> replace_columns(rows, {"e": np.array([3.0])}, drop="_true").flat
    {'e': array([3.])}
    """
    kept = {name: column for name, column in table.flat.items() if not (drop and name.endswith(drop))}
    return Table({**kept, **columns}, table.lists)
