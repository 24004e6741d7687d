"""From particles at a vertex to the calorimeter cells around each candidate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.errors import ConfigError, ShapeError
from calotools.simulate.effects import Effects
from calotools.simulate.kernel import Outcome, candidate_loop
from calotools.simulate.setup import Window, prepare
from calotools.simulate.species import KINDS, kinds_of
from calotools.simulate.stamp import source_stamp

__all__ = ["Particles", "Response", "simulate_response"]


@dataclass(frozen=True)
class Particles:
    """Particles that reach the detector, grouped by candidate.

    Attributes
    ----------
    candidate : (n,) int32, sorted
        Row of the candidate that each belongs to.
    pdg : (n,) int32
        11, -11, 22; 13, -13; 211, -211, 321, -321, 2212, -2212 (charged hadrons); 130, 310, 2112, -2112 (neutral ones).
    e : (n,) float64 [GeV]
    eta, phi : (n,) float64 [1, rad]
        Direction at the vertex.
    z_vertex : (n,) float64 [mm]
    t_vertex : (n,) float64 [ns]
    """

    candidate: np.ndarray
    pdg: np.ndarray
    e: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    z_vertex: np.ndarray
    t_vertex: np.ndarray

    def __len__(self) -> int:
        return len(self.candidate)


@dataclass(frozen=True)
class Response:
    """The stored cells of each candidate, and what happened to each particle.

    Attributes
    ----------
    offsets : (n_candidate + 1,) int64
        Cells of candidate i are offsets[i] to offsets[i + 1].
    e, eta, phi, time, noise : (n_cell,) float32 [GeV, 1, rad, ns, GeV]
    sampling : (n_cell,) uint8
    gain : (n_cell,) int8
    seed_eta, seed_phi : (n_candidate,) float64
        Centre of the hottest middle-layer cell of the signal: the middle of the stored window.
    e_deposited : (n_candidate,) float64 [GeV]
        Visible energy of all cells before noise and pile-up, also of those outside the window.
    e_window : (n_candidate,) float64 [GeV]
        The part of it in stored cells.
    conversion_radius : (n,) float64 [mm]
        Per particle: a photon's conversion in the tracker, or that of an electron's hardest radiated photon; else NaN.
    conversion_e : (n, 2) float64 [GeV]
        Energies of that pair's electron and positron; 0 when there is none.
    e_exit : (n,) float64 [GeV]
        Energy left at the end of the tracker; 0 for photons that converted and particles that curl up.
    e_brem : (n,) float64 [GeV]
        Energy of the hardest photon that an electron radiated.
    e_last, e_fit : (n,) float64 [GeV]
        Energy at the last measurement of the particle's track, and the energy whose curvature is the one that an
        ordinary fit of that track finds (`curvature`).
    eta_strips, eta_middle, phi_middle : (n,) float64
        Where the particle would cross those layers had it neither radiated nor converted; NaN when it curls up.
    """

    offsets: np.ndarray
    e: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    sampling: np.ndarray
    time: np.ndarray
    gain: np.ndarray
    noise: np.ndarray
    seed_eta: np.ndarray
    seed_phi: np.ndarray
    e_deposited: np.ndarray
    e_window: np.ndarray
    conversion_radius: np.ndarray
    conversion_e: np.ndarray
    e_exit: np.ndarray
    e_brem: np.ndarray
    e_last: np.ndarray
    e_fit: np.ndarray
    eta_strips: np.ndarray
    eta_middle: np.ndarray
    phi_middle: np.ndarray


# Where a line from a displaced vertex can still meet the last cells of the calorimeter, at |eta| = 2.5.
_MAX_ETA = 2.6
_NEGATIVE_LEPTONS = (11, 13)


def simulate_response(
    particles: Particles,
    *,
    n_candidates: int,
    mu: np.ndarray,
    mu_average: np.ndarray,
    effects: Effects,
    rng: np.random.Generator,
    window: Window = "candidate",
) -> Response:
    """Cells of each candidate's window, with noise and pile-up, from the particles that belong to it.

    Parameters
    ----------
    particles : Particles
        Every candidate needs at least one.
    n_candidates : int
    mu, mu_average : (n_candidates,) float [interactions]
        Number of other interactions in this crossing, and the average of the crossings around it; 0 for none.
    effects : Effects
    rng : numpy Generator
        One draw per candidate: the rest follows from it, so that a candidate does not depend on its neighbours.
    window : {"candidate", "object"}
        9 x 13 middle cells about the signal's hottest one, or 0.8 x 0.8 about the middle of the particles.

    Returns
    -------
    Response

    Raises
    ------
    ShapeError
        Arrays of different lengths, an unsorted `candidate`, or a candidate without particles.
    ConfigError
        A PDG code that has no detector response, negative mu, energy that is not positive, a candidate none of whose
        particles flies into the calorimeter.

    Examples
    --------
    >>> one = Particles(*(np.array([value]) for value in (0, 11, 50.0, 0.3, 1.0, 0.0, 0.0)))
    >>> bare = Effects(electronic_noise=0, crosstalk=0)
    >>> none = np.zeros(1)
    >>> response = simulate_response(
    ...     one, n_candidates=1, mu=none, mu_average=none, effects=bare, rng=np.random.default_rng(1)
    ... )
    >>> bool(45 < response.e.sum() < 55), bool(abs(response.seed_eta[0] - 0.3) < 0.02)
    (True, True)
    """
    sources, kinds = _sources(particles)
    firsts = _firsts(particles.candidate, n_candidates)
    _check_inside(particles, firsts)
    crossings = np.stack([np.broadcast_to(m, n_candidates) for m in (mu, mu_average)], axis=1).astype(np.float64)
    if (crossings < 0).any() or not np.isfinite(crossings).all():
        raise ConfigError(f"mu = {crossings.min()} cannot be simulated; it must be 0 or more, and finite")
    crossings *= effects.pileup
    detector = prepare(effects, pileup=bool(crossings.any()), window=window)
    room = detector.window_cells
    outcome = Outcome(
        cells=np.empty((n_candidates * room, 5), np.float32),
        codes=np.empty((n_candidates * room, 2), np.int16),
        candidate=np.zeros((n_candidates, 5)),
        particle=np.zeros((len(particles), 11)),
    )
    seeds = rng.integers(0, 2**64, n_candidates, dtype=np.uint64)
    candidate_loop(source_stamp())(sources, kinds, firsts, seeds, crossings, detector, outcome)
    return _response(outcome, room)


def _sources(particles: Particles) -> tuple[np.ndarray, np.ndarray]:
    """Particles in the columns of `upstream`, and their kinds."""
    arrays = [np.asarray(getattr(particles, name)) for name in Particles.__dataclass_fields__]
    if len({array.shape for array in arrays}) != 1:
        shapes = {name: np.shape(getattr(particles, name)) for name in Particles.__dataclass_fields__}
        raise ShapeError(f"arrays of particles differ in shape: {shapes}")
    _, pdg, e, eta, phi, z, t = arrays
    unknown = sorted(set(np.abs(pdg).tolist()) - set(KINDS))
    if unknown:
        raise ConfigError(f"no detector response for PDG codes {unknown}; allowed: {sorted(KINDS)} and their negatives")
    bad = ~(np.isfinite(e) & (e > 0) & np.isfinite(eta) & np.isfinite(phi))
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise ConfigError(
            f"particle {at} has energy {e[at]} GeV, eta {eta[at]}, phi {phi[at]}; they must be finite, e > 0"
        )
    kinds = kinds_of(pdg)
    sign = np.where(np.isin(np.abs(pdg), _NEGATIVE_LEPTONS), -np.sign(pdg), np.sign(pdg))
    sources = np.zeros((len(pdg), 10))
    sources[:, 0] = np.where(np.isin(kinds, (1, 3)), 0, sign)
    sources[:, 1], sources[:, 4], sources[:, 5], sources[:, 6], sources[:, 7] = e, phi, z, np.sinh(eta), t
    return sources, kinds


def _firsts(candidate: np.ndarray, n_candidates: int) -> np.ndarray:
    if (np.diff(candidate) < 0).any():
        raise ShapeError("particles must be sorted by candidate")
    firsts = np.searchsorted(candidate, np.arange(n_candidates + 1)).astype(np.int64)
    empty = np.flatnonzero(np.diff(firsts) == 0)
    if len(empty) or (len(candidate) and candidate[-1] >= n_candidates):
        last = candidate[-1] if len(candidate) else None
        raise ShapeError(
            f"{n_candidates} candidates need at least one particle each and no more candidates; "
            f"without any: {empty[:5].tolist()}, last candidate named: {last}"
        )
    return firsts


def _check_inside(particles: Particles, firsts: np.ndarray) -> None:
    smallest = np.minimum.reduceat(np.abs(particles.eta), firsts[:-1]) if len(firsts) > 1 else np.zeros(0)
    if (smallest > _MAX_ETA).any():
        at = int(np.argmax(smallest > _MAX_ETA))
        raise ConfigError(
            f"candidate {at} has no particle inside the detector: the nearest has |eta| = {smallest[at]:.2f}, strips "
            f"end at |eta| = 2.5, and particles are simulated up to {_MAX_ETA}"
        )


def _response(outcome: Outcome, stride: int) -> Response:
    """Pack the loop's output: one run of cells after the other."""
    cells, codes, candidate, particle = outcome
    counts = candidate[:, 4].astype(np.int64)
    filled = (np.arange(stride) < counts[:, np.newaxis]).ravel()
    e, eta, phi, time, noise = (cells[filled, k] for k in range(5))
    return Response(
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        e=e,
        eta=eta,
        phi=phi,
        sampling=codes[filled, 0].astype(np.uint8),
        time=time,
        gain=codes[filled, 1].astype(np.int8),
        noise=noise,
        seed_eta=candidate[:, 0].copy(),
        seed_phi=candidate[:, 1].copy(),
        e_deposited=candidate[:, 2].copy(),
        e_window=candidate[:, 3].copy(),
        conversion_radius=particle[:, 0].copy(),
        conversion_e=particle[:, 1:3].copy(),
        e_exit=particle[:, 3].copy(),
        e_brem=particle[:, 5].copy(),
        e_last=particle[:, 6].copy(),
        e_fit=1 / particle[:, 7],
        eta_strips=particle[:, 8].copy(),
        eta_middle=particle[:, 9].copy(),
        phi_middle=particle[:, 10].copy(),
    )
