"""Tracks and clusters: where a track meets the calorimeter, and which one belongs to the cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.detector import load_table, shower_radius
from calotools.simulate.kinematics import wrap_phi
from calotools.simulate.tracks import FIELD_CURVATURE, Tracks

__all__ = ["MAX_TRACKS", "Matched", "charge_sign", "extrapolate", "match_tracks", "seen_from_vertex"]

MAX_TRACKS = 15
_BARREL_END = 1.475
_DELTA_ETA = 0.05
_DELTA_PHI = 0.1
_DELTA_Z = 5.0  # mm
_SMALLEST_PT = 0.05  # of the cluster's E_T


@dataclass(frozen=True)
class Matched:
    """Tracks of each candidate in their final order: the matched one first, then by p_T, at most `MAX_TRACKS`.

    Attributes
    ----------
    tracks : Tracks
        Sorted by candidate.
    delta_eta1, delta_phi2 : (n_track,) float64
        Cluster minus extrapolated track; the second times minus the charge, where that is known.
    offsets : (n_candidate + 1,) int64
    matched : (n_candidate,) bool
        The first track is matched to the cluster.
    """

    tracks: Tracks
    delta_eta1: np.ndarray
    delta_phi2: np.ndarray
    offsets: np.ndarray
    matched: np.ndarray

    def first(self, values: np.ndarray) -> np.ndarray:
        """(n_candidate,) value of the matched track, NaN where there is none."""
        out = np.full(len(self.matched), np.nan)
        out[self.matched] = values[self.offsets[:-1][self.matched]]
        return out


def seen_from_vertex(eta: np.ndarray, *, sampling_barrel: int, z_vertex: np.ndarray) -> np.ndarray:
    """Pseudorapidity, from a vertex on the beam line, of a place in the calorimeter.

    Parameters
    ----------
    eta : (n,) float
        Detector frame, from the origin.
    sampling_barrel : {1, 2, 3}
        Layer whose depth is meant: strips, middle or back.
    z_vertex : (n,) float [mm]

    Returns
    -------
    (n,) float64

    Examples
    --------
    >>> seen_from_vertex(np.array([0.0]), sampling_barrel=1, z_vertex=np.array([0.0]))
    array([0.])
    """
    radius = layer_radius(eta, sampling_barrel=sampling_barrel)
    return np.arcsinh((radius * np.sinh(eta) - z_vertex) / radius)


def layer_radius(eta: np.ndarray, *, sampling_barrel: int) -> np.ndarray:
    """Distance [mm] from the beam at which a layer is met at detector pseudorapidity `eta`, barrel or endcap."""
    eta = np.asarray(eta, dtype=np.float64)
    return shower_radius(np.where(np.abs(eta) > _BARREL_END, sampling_barrel + 4, sampling_barrel), eta)


def extrapolate(
    eta: np.ndarray,
    phi: np.ndarray,
    *,
    charge: np.ndarray,
    pt: np.ndarray,
    z: np.ndarray,
    field: float,
    sampling_barrel: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Where a particle from the beam line meets a layer, in the detector frame.

    A circle inside the solenoid, a straight line behind it and where there is no field.

    Parameters
    ----------
    eta, phi : (n,) float
        Direction at the perigee.
    charge, pt, z : (n,) float [e, GeV, mm]
    field : float [T]
    sampling_barrel : {1, 2, 3}

    Returns
    -------
    eta, phi : (n,) float64

    Examples
    --------
    >>> one = np.ones(1)
    >>> _, phi = extrapolate(0 * one, 0 * one, charge=-one, pt=20 * one, z=0 * one, field=2.0, sampling_barrel=2)
    >>> round(float(phi[0]), 3)
    0.023
    """
    sinh = np.sinh(eta)
    at = np.asarray(eta, dtype=np.float64)
    for _ in range(3):
        radius = layer_radius(at, sampling_barrel=sampling_barrel)
        at = np.arcsinh((z + radius * sinh) / radius)
    if field == 0:  # charge and pt are unknown then
        return at, wrap_phi(phi)
    solenoid = load_table("tracker")["solenoid"]
    end = solenoid["half_length"] / np.maximum(np.abs(sinh), 1e-3)
    bent = np.minimum(np.minimum(solenoid["radius"], end), radius)
    half_angle = np.arcsin(np.clip(FIELD_CURVATURE * field * bent / (2 * pt), -1.0, 1.0))
    # on the circle the position turns by half of what the direction turns
    straight = (1 - bent / radius) * np.sin(half_angle)
    return at, wrap_phi(phi - charge * (half_angle + np.arcsin(np.clip(straight, -1, 1))))


def match_tracks(
    tracks: Tracks,
    *,
    eta_s1: np.ndarray,
    phi_s2: np.ndarray,
    et: np.ndarray,
    z_vertex: np.ndarray,
    field: float,
    from_vertex: bool = False,
) -> Matched:
    """Order the tracks of each candidate: the one that points best to its cluster first.

    A track is matched within |delta eta| < 0.05 and |delta phi| < 0.1 if its p_T is above 5 % of the cluster's E_T, or
    not known: without field.

    Parameters
    ----------
    tracks : Tracks
    eta_s1, phi_s2, et : (n_candidate,) float
        Cluster position and transverse energy [GeV].
    z_vertex : (n_candidate,) float [mm]
    field : float [T]
    from_vertex : bool
        Only tracks that pass the vertex within 5 mm in z0 sin(theta) are matched: electrons, whose vertex is known.

    Returns
    -------
    Matched
    """
    owner = tracks.candidate
    direction = {"charge": tracks.charge, "pt": tracks.pt, "z": tracks.z0 + z_vertex[owner], "field": field}
    eta, _ = extrapolate(tracks.eta, tracks.phi, **direction, sampling_barrel=1)
    _, phi = extrapolate(tracks.eta, tracks.phi, **direction, sampling_barrel=2)
    delta_eta = eta_s1[owner] - eta
    delta_phi = -charge_sign(tracks.charge) * wrap_phi(phi_s2[owner] - phi)
    near = (np.abs(delta_eta) < _DELTA_ETA) & (np.abs(delta_phi) < _DELTA_PHI)
    near &= ~(tracks.pt <= np.maximum(_SMALLEST_PT * et[owner], 0.8))
    if from_vertex:
        near &= np.abs(tracks.z0) / np.cosh(tracks.eta) < _DELTA_Z
    # brem pulls the cluster away in phi only; a track with hits in every detector is more likely the electron's
    lacking = 4.0 * (tracks.n_sct == 0) + 4.0 * (tracks.n_pixel == 0) + 2.0 * (tracks.n_innermost == 0)
    score = np.where(near, (delta_eta / 0.005) ** 2 + (delta_phi / 0.02) ** 2 + lacking, np.inf)
    order, counts = _order(score, tracks.pt, owner, len(et))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    best = np.full(len(et), np.inf)
    np.minimum.at(best, owner, score)
    return Matched(tracks.take(order), delta_eta[order], delta_phi[order], offsets, np.isfinite(best))


def charge_sign(charge: np.ndarray) -> np.ndarray:
    """The charge; that of an electron where it is not known."""
    return np.where(np.isnan(charge), -1.0, charge)


def _order(score: np.ndarray, pt: np.ndarray, owner: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows by candidate, the smallest score first and the others by falling p_T, and the number kept of each."""
    by_score = np.lexsort((score, owner))
    first = np.zeros(len(owner), dtype=bool)
    start = np.searchsorted(owner[by_score], np.arange(n))
    start = start[start < len(owner)]
    leading = by_score[np.unique(start)]
    first[leading] = np.isfinite(score[leading])
    order = np.lexsort((-pt, ~first, owner))
    sorted_owner = owner[order]
    rank = np.arange(len(order)) - np.searchsorted(sorted_owner, sorted_owner)
    order = order[rank < MAX_TRACKS]
    return order, np.bincount(owner[order], minlength=n)
