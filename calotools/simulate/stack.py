"""What a particle goes through: the tracker's layers and the calorimeter's segments in depth, in columns of |eta|."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from calotools.simulate.curvature import weight_behind
from calotools.simulate.effects import Effects
from calotools.simulate.tuning import read_tuning

__all__ = ["Column", "Knobs", "Segment", "Stack", "build_stack", "make_knobs"]

ROW_WIDTH = 0.025  # in |eta|


# Columns of `Stack.slabs` and, after the five numbers of the medium, of `Stack.rows`.
T_START, T_END, L_START, L_END, POS_START, POS_END, FORWARD, SAMPLING, JOINED = range(9)
SCALE, C2, H_OVER_E, MIP, LOSS, NUCLEAR_LENGTH = range(9, 15)
N_SEGMENTS, EXIT_RADIUS, T_TRACKER, L_TRACKER, FRONT = range(5, 10)


class Stack(NamedTuple):
    """Columns of |eta|, each with the same maximal number of segments; what compiled kernels see.

    A few wide arrays, because a compiled call hands over every array that it is given.

    Attributes
    ----------
    slabs : (n_row, n_segment, 15) float64
        T_START, T_END, L_START, L_END: depth of the faces from the interaction point along the flight direction [X0;
        nuclear interaction lengths]. POS_START, POS_END: radius (barrel) or |z| (where FORWARD) of the faces [mm].
        SAMPLING: CaloSampling number, or -1 for dead material. JOINED: 1 when spots may cross over from the segment
        before. SCALE: visible energy, at the electromagnetic scale, over deposited energy. C2: squared sampling term
        [GeV]. H_OVER_E: response to non-pi0 energy. MIP: energy loss of a minimum-ionising particle [GeV / X0]. LOSS:
        energy lost per X0 of dead material, in units of what the accordion would take. NUCLEAR_LENGTH [mm].
    rows : (n_row, 10) float64
        Z_eff, E_c [GeV], R_M [mm], F_s, e_hat of the effective medium. N_SEGMENTS. EXIT_RADIUS: where the field ends
        [mm]; T_TRACKER, L_TRACKER: the depth there. FRONT: depth of the accordion's front [X0].
    layers : (n_row, n_layer, 3) float64
        Of the tracker: radius [mm], thickness along the flight direction [X0], and the part of a track's fitted
        curvature that comes from behind it.
    local : (n_eta, n_phi) float64
        Relative deviation of the response by region, from eta = -2.6 and phi = -pi on.
    d_eta, barrel_end : float
        Width of a row; |eta| from which particles are looked up at the endcap.
    """

    slabs: np.ndarray
    rows: np.ndarray
    layers: np.ndarray
    local: np.ndarray
    d_eta: float
    barrel_end: float


class Knobs(NamedTuple):
    """The effects that compiled kernels look at; `tuning` is in the order of `tuning`'s places."""

    fluctuations: float
    depth: float
    sampling2: float
    rc: float
    rt: float
    scattering: float
    spots: float
    hadronic: bool
    bremsstrahlung: bool
    conversions: bool
    field: float
    accordion_phi: float
    accordion_eta: float
    tuning: np.ndarray


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
    scale, sampling_term, h_over_e, mip, loss : float
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
    loss: float = 1.0


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
        fluctuations=effects.longitudinal_fluctuations,
        depth=effects.depth_factor,
        sampling2=effects.sampling_scale**2,
        rc=effects.rc_factor,
        rt=effects.rt_factor,
        scattering=effects.scattering,
        spots=effects.spots,
        hadronic=effects.hadronic,
        bremsstrahlung=effects.bremsstrahlung,
        conversions=effects.conversions,
        field=effects.field,
        accordion_phi=effects.accordion_phi,
        accordion_eta=effects.accordion_eta,
        tuning=read_tuning(effects.showers),
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


def build_stack(columns: list[Column], effects: Effects, *, local: np.ndarray, barrel_end: float = 1.45) -> Stack:
    """Put columns of |eta| (row i is at (i + 1/2) * 0.025) into arrays, with the material scaled as asked.

    Dead segments before the first accordion segment are scaled; the calorimeter itself keeps its thickness and moves
    back in depth. `local` goes into the stack as it is.
    """
    slabs = np.zeros((len(columns), max(len(column.segments) for column in columns), 15))
    rows = np.zeros((len(columns), 10))
    layers = np.zeros((len(columns), max(len(column.tracker) for column in columns), 3))
    for row, column in enumerate(columns):
        radii, thickness = np.array(column.tracker).T
        abs_eta = (row + 0.5) * ROW_WIDTH
        scales, behind = material_scales(effects, abs_eta, radii)
        layers[row] = np.stack([radii, thickness * scales, weight_behind(radii, abs_eta)], axis=1)
        depth = float(layers[row, :, 1].sum())
        rows[row, :N_SEGMENTS] = column.medium
        rows[row, [N_SEGMENTS, EXIT_RADIUS]] = len(column.segments), column.exit_radius
        rows[row, [T_TRACKER, L_TRACKER]] = depth, depth / _X0_PER_LAMBDA
        _fill_column(slabs[row], rows[row], row, column, behind)
    return Stack(slabs, rows, layers, local, ROW_WIDTH, barrel_end)


_X0_PER_LAMBDA = 4.5  # light materials: aluminium 4.46, carbon 2.0, argon 6.0


def _fill_column(slabs: np.ndarray, numbers: np.ndarray, row: int, column: Column, behind: float) -> None:
    """Fill the segments of one column, the material before the accordion scaled by `behind`."""
    t, nuclear = numbers[T_TRACKER], numbers[L_TRACKER]
    upstream = True
    for slab, segment in zip(slabs, column.segments, strict=False):
        if upstream and segment.sampling not in (-1, 0, 4):
            upstream = False
            numbers[FRONT] = t
        factor = behind if upstream and segment.sampling < 0 else 1.0
        ends = t + segment.x0 * factor, nuclear + segment.nuclear * factor
        slab[[T_START, T_END, L_START, L_END]] = t, ends[0], nuclear, ends[1]
        slab[[POS_START, POS_END]] = segment.position
        slab[[FORWARD, SAMPLING, JOINED]] = segment.forward, segment.sampling, segment.joined
        slab[[SCALE, C2, H_OVER_E]] = segment.scale, segment.sampling_term**2, segment.h_over_e
        slab[[MIP, LOSS]] = segment.mip, segment.loss
        path = (segment.position[1] - segment.position[0]) * _path_factor(row, segment.forward)
        slab[NUCLEAR_LENGTH] = path / segment.nuclear if segment.nuclear > 0 else 400.0
        t, nuclear = ends


def _path_factor(row: int, forward: bool) -> float:
    eta = (row + 0.5) * ROW_WIDTH
    return 1.0 / math.tanh(eta) if forward else math.cosh(eta)
