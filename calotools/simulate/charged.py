"""Which charged particles there are: generated ones, legs of conversions, the underlying event and pile-up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calotools.detector import load_table
from calotools.simulate.generated import Generated, Truth
from calotools.simulate.kinematics import draw_from_density, wrap_phi
from calotools.simulate.response import Particles, Response
from calotools.simulate.tracks import ChargedParticles

__all__ = ["CONVERSION_RADIUS_MAX", "charged_particles"]

CONVERSION_RADIUS_MAX = 800.0
"""Photons that convert farther out [mm] count as unconverted."""

_CONE = 0.3
_DENSITY = 6.0  # charged particles per unit of eta and interaction, 13 TeV minimum bias
_ABOVE_MIN_PT = 0.45  # part of them above 0.5 GeV
_MIN_PT = 0.5


def charged_particles(
    generated: Generated,
    response: Response,
    *,
    mu_actual: np.ndarray,
    spread: float,
    underlying: float,
    rng: np.random.Generator,
) -> ChargedParticles:
    """Everything charged near the candidates.

    Parameters
    ----------
    generated : Generated
        At its vertex.
    response : Response
        What bremsstrahlung and conversions did.
    mu_actual : (n_candidate,) float
    spread : float
        Factor on the beam spot.
    underlying : float
        Charged particles of a hard collision's underlying event over those of minimum bias.
    rng : numpy.random.Generator

    Returns
    -------
    ChargedParticles
    """
    truth = generated.truth
    z = np.zeros(len(truth))
    z[generated.particles.candidate] = generated.particles.z_vertex
    return ChargedParticles.join(
        _from_generator(
            generated.particles,
            generated.d0,
            kept=_kept(response.e_last, generated.particles, response),
            curvature=1 / _kept(response.e_fit, generated.particles, response),
        ),
        _unknown(_from_generator(generated.around, np.zeros(len(generated.around.e)))),
        _from_conversions(generated.particles, response),
        _around(truth, np.full(len(truth), underlying if generated.underlying else 0.0), z, rng),
        _around(truth, mu_actual, None if spread > 0 else z, rng, spread=spread),
    )


def _kept(energy: np.ndarray, particles: Particles, response: Response) -> np.ndarray:
    """An energy over that at the vertex; 1 for what does not radiate or curls up."""
    electron = np.abs(particles.pdg) == 11
    return np.where(electron & (response.e_exit > 0), energy / particles.e, 1.0)


def _charge(pdg: np.ndarray) -> np.ndarray:
    lepton = (np.abs(pdg) == 11) | (np.abs(pdg) == 13)
    return np.where(lepton, -np.sign(pdg), np.sign(pdg)).astype(np.float64)


def _from_generator(
    particles: Particles, d0: np.ndarray, *, kept: np.ndarray | None = None, curvature: np.ndarray | None = None
) -> ChargedParticles:
    code = np.abs(particles.pdg)
    rows = np.flatnonzero((code == 11) | (code == 13) | (code == 211) | (code == 321) | (code == 2212))
    return ChargedParticles(
        candidate=particles.candidate[rows],
        pt=(particles.e / np.cosh(particles.eta))[rows],
        eta=particles.eta[rows],
        phi=particles.phi[rows],
        charge=_charge(particles.pdg[rows]),
        d0=d0[rows],
        z=particles.z_vertex[rows],
        radius=np.zeros(len(rows)),
        kept=np.ones(len(rows)) if kept is None else kept[rows],
        curvature=np.ones(len(rows)) if curvature is None else curvature[rows],
        electron=code[rows] == 11,
        muon=code[rows] == 13,
        parent=rows,
    )


def _unknown(particles: ChargedParticles) -> ChargedParticles:
    """The same, of which a candidate's truth knows nothing."""
    return replace(particles, parent=np.full(len(particles.parent), -1))


def _from_conversions(particles: Particles, response: Response) -> ChargedParticles:
    """Both legs of photons that converted inside the tracker; a leg starts in the photon's direction.

    The photon may have been radiated by an electron: when it took most of the energy, one of its legs makes the best
    track, which half of the time has the wrong charge.
    """
    photon = np.flatnonzero(response.conversion_radius < CONVERSION_RADIUS_MAX)
    rows = np.repeat(photon, 2)
    leg = np.tile([0, 1], len(photon))
    return ChargedParticles(
        candidate=particles.candidate[rows],
        pt=response.conversion_e[rows, leg] / np.cosh(particles.eta[rows]),
        eta=particles.eta[rows],
        phi=particles.phi[rows],
        charge=np.where(leg == 0, -1.0, 1.0),
        d0=np.zeros(len(rows)),
        z=particles.z_vertex[rows],
        radius=response.conversion_radius[rows],
        kept=np.ones(len(rows)),
        curvature=np.ones(len(rows)),
        electron=np.ones(len(rows), dtype=bool),
        muon=np.zeros(len(rows), dtype=bool),
        parent=rows,
    )


def _around(
    truth: Truth, interactions: np.ndarray, z: np.ndarray | None, rng: np.random.Generator, *, spread: float = 1.0
) -> ChargedParticles:
    """Soft particles in a cone about each candidate, from its own vertex or, with z None, from others."""
    mean = _DENSITY * _ABOVE_MIN_PT * interactions * _CONE**2 / 2
    candidate = np.repeat(np.arange(len(truth), dtype=np.int32), rng.poisson(mean))
    n = len(candidate)
    pt = draw_from_density(n, lambda p: p / (1 + (p / 0.9) ** 2) ** 2.9, low=_MIN_PT, high=20.0, rng=rng)
    distance, angle = _CONE * np.sqrt(rng.random(n)), rng.uniform(-np.pi, np.pi, n)
    return ChargedParticles(
        candidate=candidate,
        pt=pt,
        eta=truth.eta[candidate] + distance * np.cos(angle),
        phi=wrap_phi(truth.phi[candidate] + distance * np.sin(angle)),
        charge=rng.choice([-1.0, 1.0], size=n),
        d0=np.zeros(n),
        z=spread * rng.normal(0.0, load_table("tracker")["beam_spot"]["sigma_z"], n) if z is None else z[candidate],
        radius=np.zeros(n),
        kept=np.ones(n),
        curvature=np.ones(n),
        electron=np.zeros(n, dtype=bool),
        muon=np.zeros(n, dtype=bool),
        parent=np.full(n, -1),
    )
