"""Isolation: what is around a candidate, in the calorimeter and in the tracker."""

from __future__ import annotations

import numpy as np

from calotools.simulate.generated import Generated, Truth
from calotools.simulate.kinematics import wrap_phi
from calotools.simulate.matching import Matched

__all__ = ["calorimeter_isolation", "track_isolation"]

_CONE = 0.2
_CORE = (0.0625, 0.0859)  # half of 5 x 7 middle cells, whose energy is taken out
_HADRON_RESPONSE = 0.75
_NOISE = (0.35, 0.16)  # GeV without pile-up, and times sqrt(mu)
# What the shower leaves in the ring varies by this [GeV / sqrt(GeV)] times sqrt(E_T), by |eta|; its mean is corrected
# for. Measured in this simulation's cells at E_T of 20 to 200 GeV, without noise: interquartile range / 1.349, without
# the tail of photons that an electron radiated out of its core
_LEAKAGE_ETA = (0.6, 1.0, 1.5, 2.0)
_LEAKAGE_PHOTON = (0.016, 0.027, 0.050, 0.015, 0.022)
_LEAKAGE_ELECTRON = (0.020, 0.050, 0.075, 0.045, 0.035)
_MIN_TRACK_PT = 1.0
_MAX_Z0 = 3.0  # mm
_OWN = (0.01, 0.05)  # distance in eta and phi between a cluster and its own tracks
_CONE_SCALE = 10.0  # GeV


def calorimeter_isolation(
    generated: Generated, *, et: np.ndarray, mu_actual: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """E_T in a cone of 0.2 about each candidate, without its core of 5 x 7 middle cells.

    The stored cells do not reach that far, so it is parametrised: visible E_T of the generated particles outside the
    core, the spread of noise and pile-up after their mean is taken out, and that of the shower's own energy outside the
    core, whose mean is corrected for. Photons that an electron radiates out of its core are not in it.

    Parameters
    ----------
    generated : Generated
    et : (n_candidate,) float [GeV]
    mu_actual : (n_candidate,) float
    rng : numpy.random.Generator

    Returns
    -------
    (n_candidate,) float64 [GeV]
        May be negative.
    """
    truth = generated.truth
    noise = rng.normal(size=len(et)) * np.hypot(_NOISE[0], _NOISE[1] * np.sqrt(mu_actual))
    total = noise + _leakage(truth) * np.sqrt(np.maximum(et, 0.0)) * rng.normal(size=len(et))
    for particles in (generated.particles, generated.around):
        owner = particles.candidate
        d_eta = particles.eta - truth.eta[owner]
        d_phi = wrap_phi(particles.phi - truth.phi[owner])
        ring = (np.hypot(d_eta, d_phi) < _CONE) & ~((np.abs(d_eta) < _CORE[0]) & (np.abs(d_phi) < _CORE[1]))
        visible = particles.e / np.cosh(particles.eta)
        hadron = np.abs(particles.pdg) > 100
        visible = np.where(hadron, _HADRON_RESPONSE * visible * (1 + 0.3 * rng.normal(size=len(owner))), visible)
        np.add.at(total, owner[ring], visible[ring])
    return total


def _leakage(truth: Truth) -> np.ndarray:
    row = np.searchsorted(_LEAKAGE_ETA, np.abs(truth.eta))
    return np.where(truth.pdg == 22, np.take(_LEAKAGE_PHOTON, row), np.take(_LEAKAGE_ELECTRON, row))


def track_isolation(matched: Matched, *, eta: np.ndarray, phi: np.ndarray, et: np.ndarray) -> np.ndarray:
    """Sum of p_T of the vertex' tracks above 1 GeV in a cone min(0.2, 10 GeV / E_T), without the candidate's own.

    The candidate's own are the matched track and those that point to its cluster too: legs of conversions of photons
    that an electron radiated, or of the photon itself.

    Parameters
    ----------
    matched : Matched
    eta, phi, et : (n_candidate,) float [-, rad, GeV]

    Returns
    -------
    (n_candidate,) float64 [GeV]
        NaN where tracks of unknown p_T are in the cone: without field.
    """
    tracks = matched.tracks
    owner = tracks.candidate
    own = (np.abs(matched.delta_eta1) < _OWN[0]) & (np.abs(matched.delta_phi2) < _OWN[1])
    own[matched.offsets[:-1][matched.matched]] = True
    cone = np.minimum(_CONE, _CONE_SCALE / np.maximum(et, 1.0))[owner]
    inside = np.hypot(tracks.eta - eta[owner], wrap_phi(tracks.phi - phi[owner])) < cone
    inside &= ~(tracks.pt <= _MIN_TRACK_PT) & (np.abs(tracks.z0) / np.cosh(tracks.eta) < _MAX_Z0) & ~own
    return np.bincount(owner[inside], weights=tracks.pt[inside], minlength=len(et))
