"""What a particle goes through: the tracker's layers and the calorimeter's segments in depth, in columns of |eta|."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from calotools.simulate.effects import Effects

__all__ = ["Column", "Knobs", "Segment", "Stack", "build_stack", "make_knobs"]

ROW_WIDTH = 0.025  # in |eta|


class Stack(NamedTuple):
    """Columns of |eta|, each with the same maximal number of segments; what compiled kernels see.

    Attributes
    ----------
    t_start, t_end, l_start, l_end : (n_row, n_segment) float64
        Depth of each segment from the interaction point along the flight direction [X0; nuclear interaction lengths].
    pos_start, pos_end : (n_row, n_segment) float64 [mm]
        Radius (barrel) or |z| (where `forward`) of its faces.
    forward, sampling, joined : (n_row, n_segment) int64
        1 in the endcap; CaloSampling number, or -1 for dead material; 1 when spots may cross over from the segment
        before.
    scale : (n_row, n_segment) float64
        Visible energy, at the electromagnetic scale, over deposited energy.
    c2, h_over_e, mip, nuclear_length : (n_row, n_segment) float64
        Squared sampling term [GeV]; response to non-pi0 energy; energy loss of a minimum-ionising particle [GeV / X0];
        nuclear interaction length [mm].
    n_segments : (n_row,) int64
    medium : (n_row, 5) float64
        Z_eff, E_c [GeV], R_M [mm], F_s, e_hat of the effective medium.
    layer_radius, layer_x0 : (n_row, n_layer) float64
        Radius [mm] and thickness along the flight direction [X0] of the tracker's layers.
    exit_radius, t_tracker, l_tracker : (n_row,) float64
        Where the field ends [mm], and the depth there.
    d_eta, barrel_end : float
        Width of a row; |eta| from which particles are looked up at the endcap.
    n_rows, n_layers : int
    """

    t_start: np.ndarray
    t_end: np.ndarray
    l_start: np.ndarray
    l_end: np.ndarray
    pos_start: np.ndarray
    pos_end: np.ndarray
    forward: np.ndarray
    sampling: np.ndarray
    joined: np.ndarray
    scale: np.ndarray
    c2: np.ndarray
    h_over_e: np.ndarray
    mip: np.ndarray
    nuclear_length: np.ndarray
    n_segments: np.ndarray
    medium: np.ndarray
    layer_radius: np.ndarray
    layer_x0: np.ndarray
    exit_radius: np.ndarray
    t_tracker: np.ndarray
    l_tracker: np.ndarray
    d_eta: float
    barrel_end: float
    n_rows: int
    n_layers: int


class Knobs(NamedTuple):
    """The effects that compiled kernels look at."""

    fluctuate: bool
    sampling2: float
    rc: float
    rt: float
    spots: float
    hadronic: bool
    bremsstrahlung: bool
    conversions: bool
    field: float
    accordion_phi: float
    accordion_eta: float


@dataclass(frozen=True)
class Segment:
    """One slab of a column; lengths in depth are along the flight direction.

    Attributes
    ----------
    sampling : int
        CaloSampling number, -1 for dead material.
    x0 : float
        Thickness [X0].
    nuclear : float
        Thickness [nuclear interaction lengths].
    position : (float, float) [mm]
        Radius, or |z|, of the faces.
    forward : bool
    joined : bool
        Lateral spread may carry energy over from the segment before.
    scale, sampling_term, h_over_e, mip : float
        As in `Stack`; the sampling term [sqrt(GeV)] is not squared.
    """

    sampling: int
    x0: float
    nuclear: float
    position: tuple[float, float]
    forward: bool = False
    joined: bool = False
    scale: float = 1.0
    sampling_term: float = 0.0
    h_over_e: float = 1.0
    mip: float = 0.014


@dataclass(frozen=True)
class Column:
    """All that is in one direction.

    Attributes
    ----------
    tracker : tuple of (radius [mm], thickness along the flight direction [X0])
    exit_radius : float [mm]
        Radius at which the field and the tracker end.
    medium : (Z_eff, E_c [GeV], R_M [mm], F_s, e_hat)
    segments : tuple of Segment
        From the end of the tracker outwards.
    """

    tracker: tuple[tuple[float, float], ...]
    exit_radius: float
    medium: tuple[float, float, float, float, float]
    segments: tuple[Segment, ...]


def make_knobs(effects: Effects) -> Knobs:
    """The compiled kernels' view of the effects."""
    return Knobs(
        fluctuate=effects.longitudinal_fluctuations,
        sampling2=effects.sampling_scale**2,
        rc=effects.rc_factor,
        rt=effects.rt_factor,
        spots=effects.spots,
        hadronic=effects.hadronic,
        bremsstrahlung=effects.bremsstrahlung,
        conversions=effects.conversions,
        field=effects.field,
        accordion_phi=effects.accordion_phi,
        accordion_eta=effects.accordion_eta,
    )


def material_scales(effects: Effects, abs_eta: float, radii: np.ndarray) -> tuple[np.ndarray, float]:
    """Factors on the tracker's layers (n_layer,) and on the material behind them, at one |eta|."""
    common = effects.material
    for edge, scale in effects.material_by_eta:
        common = effects.material * scale if abs_eta >= edge else common
    layers = np.full(len(radii), common * effects.material_tracker)
    if effects.material_by_radius:
        edges, scales = np.array(effects.material_by_radius).T
        step = np.searchsorted(edges, radii, side="right") - 1
        layers *= np.where(step >= 0, scales[np.maximum(step, 0)], 1.0)
    return layers, common * effects.material_cryostat


def build_stack(columns: list[Column], effects: Effects, *, barrel_end: float = 1.45) -> Stack:
    """Put columns of |eta| (row i is at (i + 1/2) * 0.025) into arrays, with the material scaled as asked.

    Dead segments before the first accordion segment are scaled; the calorimeter itself keeps its thickness and moves
    back in depth.
    """
    n_row, n_segment = len(columns), max(len(column.segments) for column in columns)
    n_layer = max(len(column.tracker) for column in columns)
    names = ("t_start", "t_end", "l_start", "l_end", "pos_start", "pos_end", "scale", "c2", "h_over_e", "mip")
    table = {name: np.zeros((n_row, n_segment)) for name in (*names, "nuclear_length")}
    flags = {name: np.zeros((n_row, n_segment), np.int64) for name in ("forward", "sampling", "joined")}
    flags["sampling"] -= 1
    radius, x0 = np.full((n_row, n_layer), 1e-3), np.zeros((n_row, n_layer))
    depth = np.zeros((2, n_row))
    for row, column in enumerate(columns):
        radii, thickness = np.array(column.tracker).T
        layers, behind = material_scales(effects, (row + 0.5) * ROW_WIDTH, radii)
        radius[row], x0[row] = radii, thickness * layers
        t, length = float(x0[row].sum()), float(x0[row].sum()) / _X0_PER_LAMBDA
        depth[:, row] = t, length
        upstream = True
        for k, segment in enumerate(column.segments):
            upstream = upstream and segment.sampling in (-1, 0, 4)
            factor = behind if upstream and segment.sampling < 0 else 1.0
            ends = t + segment.x0 * factor, length + segment.nuclear * factor
            table["t_start"][row, k], table["t_end"][row, k] = t, ends[0]
            table["l_start"][row, k], table["l_end"][row, k] = length, ends[1]
            table["pos_start"][row, k], table["pos_end"][row, k] = segment.position
            _fill(table, flags, (row, k), segment)
            t, length = ends
    return Stack(
        **table,
        **flags,
        n_segments=np.array([len(column.segments) for column in columns]),
        medium=np.array([column.medium for column in columns]),
        layer_radius=radius,
        layer_x0=x0,
        exit_radius=np.array([column.exit_radius for column in columns]),
        t_tracker=depth[0],
        l_tracker=depth[1],
        d_eta=ROW_WIDTH,
        barrel_end=barrel_end,
        n_rows=n_row,
        n_layers=n_layer,
    )


_X0_PER_LAMBDA = 4.5  # light materials: aluminium 4.46, carbon 2.0, argon 6.0


def _fill(table: dict[str, np.ndarray], flags: dict[str, np.ndarray], at: tuple[int, int], segment: Segment) -> None:
    table["scale"][at] = segment.scale
    table["c2"][at] = segment.sampling_term**2
    table["h_over_e"][at] = segment.h_over_e
    table["mip"][at] = segment.mip
    low, high = segment.position
    path = (high - low) * _path_factor(at[0], segment.forward)
    table["nuclear_length"][at] = path / segment.nuclear if segment.nuclear > 0 else 400.0
    flags["forward"][at] = segment.forward
    flags["sampling"][at] = segment.sampling
    flags["joined"][at] = segment.joined


def _path_factor(row: int, forward: bool) -> float:
    eta = (row + 0.5) * ROW_WIDTH
    return 1.0 / math.tanh(eta) if forward else math.cosh(eta)
