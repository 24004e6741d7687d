"""The processes: which particles make the candidates of an event."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from calotools.simulate.generated import CONVERSION, PROMPT, Generated, Truth, iff_of, particles_of
from calotools.simulate.jets import draw_categories, generate_fakes
from calotools.simulate.kinematics import DRESSING_CONE, Pair, decay_boson, draw_boson, radiate, wrap_phi
from calotools.simulate.response import Particles

__all__ = ["CANDIDATES_PER_EVENT", "ETA_MAX", "ET_RANGE", "RADIATING", "TREES", "generate"]

CANDIDATES_PER_EVENT = {"zee": 2, "hyy": 2, "jpsi": 2, "electrons": 1, "photons": 1, "fakes": 1}
TREES = {
    "zee": "electrons",
    "jpsi": "electrons",
    "electrons": "electrons",
    "fakes": "electrons",
    "hyy": "photons",
    "photons": "photons",
}
ETA_MAX = 2.47
ET_RANGE = (10.0, 300.0)
"""E_T of single electrons and photons [GeV], flat in its logarithm."""

_MIN_ET = {"zee": 12.0, "hyy": 22.0, "jpsi": 5.0}
_MIN_DISTANCE = 0.3  # below it, the two electrons of a J/psi share cells
_SCALE = {"zee": 91.2, "jpsi": 3.1}
_SINGLE_SCALE = 91.2  # single electrons, asked to radiate, do it as those of a Z
ISOLATED_ELECTRON, ISOLATED_PHOTON = 2, 14
_ORIGIN = {"zee": 13, "hyy": 14, "jpsi": 28, "electrons": 1, "photons": 3}


def generate(
    process: str,
    n: int,
    *,
    rng: np.random.Generator,
    category: np.ndarray | None = None,
    radiation: bool | None = None,
) -> Generated:
    """Generate `n` events of a process.

    Parameters
    ----------
    process : {"zee", "hyy", "jpsi", "electrons", "photons", "fakes"}
    n : int
        Events.
    rng : numpy.random.Generator
    category : (n,) int32, optional
        Classes of the fakes; drawn when not given.
    radiation : bool, optional
        Electrons radiate photons in the final state; default: those of pairs do, single ones do not.

    Returns
    -------
    Generated
        Every candidate has |eta| < 2.47 at the vertex.

    Examples
    --------
    >>> batch = generate("zee", 10, rng=np.random.default_rng(1))
    >>> batch.n_events, len(batch.truth)
    (10, 20)
    """
    if process == "fakes":
        return generate_fakes(draw_categories(n, rng=rng) if category is None else category, rng=rng)
    if process in _PHOTONS:
        return _PHOTONS[process](process, n, rng)
    radiates = process in _SCALE if radiation is None else radiation
    return _ELECTRONS[process](process, n, rng, _SCALE.get(process, _SINGLE_SCALE) if radiates else None)


def _pairs(process: str, n: int, rng: np.random.Generator) -> Pair:
    """Decays inside the acceptance, drawn until there are enough."""
    kept: list[Pair] = []
    missing = n
    while missing > 0:
        pair = decay_boson(draw_boson(process, 4 * missing + 20, rng=rng))
        rows = np.flatnonzero(_accepted(pair, process))[:missing]
        kept.append(Pair(pair.e[rows], pair.eta[rows], pair.phi[rows]))
        missing -= len(rows)
    return Pair(*(np.concatenate([getattr(pair, name) for pair in kept]) for name in ("e", "eta", "phi")))


def _accepted(pair: Pair, process: str) -> np.ndarray:
    inside = (np.abs(pair.eta) < ETA_MAX) & (pair.e / np.cosh(pair.eta) > _MIN_ET[process])
    apart = np.hypot(np.diff(pair.eta), wrap_phi(np.diff(pair.phi)))[:, 0] > _MIN_DISTANCE
    return inside.all(axis=1) & apart


def _generate_electron_pair(process: str, n: int, rng: np.random.Generator, scale: float | None) -> Generated:
    pair = _pairs(process, n, rng)
    charge = rng.permuted(np.tile(np.array([-1, 1], dtype=np.int32), (n, 1)), axis=1).ravel()
    return electrons_at(
        np.repeat(np.arange(n), 2),
        pair.e.ravel(),
        pair.eta.ravel(),
        pair.phi.ravel(),
        charge=charge,
        origin=_ORIGIN[process],
        scale=scale,
        rng=rng,
    )


def electrons_at(
    event: np.ndarray,
    e: np.ndarray,
    eta: np.ndarray,
    phi: np.ndarray,
    *,
    charge: np.ndarray,
    origin: int,
    scale: float | None,
    rng: np.random.Generator,
) -> Generated:
    """Prompt electrons, one per candidate, with final-state radiation where a scale is given.

    A photon within Delta R < 0.1 is part of the candidate, and of its true energy; one farther away is lost.
    """
    n = len(e)
    fraction, distance = radiate(e, scale=scale, rng=rng) if scale else (np.zeros(n), np.zeros(n))
    angle = rng.uniform(-np.pi, np.pi, n)
    inside = (fraction > 0) & (distance < DRESSING_CONE)
    photon = np.flatnonzero(inside)
    particles = particles_of(
        np.concatenate([np.arange(n), photon]),
        np.concatenate([-11 * charge, np.full(len(photon), 22)]),
        np.concatenate([e * (1 - fraction), (e * fraction)[photon]]),
        np.concatenate([eta, (eta + distance * np.cos(angle))[photon]]),
        np.concatenate([phi, wrap_phi(phi + distance * np.sin(angle))[photon]]),
    )
    truth = prompt_truth(
        event,
        np.where(inside, e, e * (1 - fraction)),
        eta,
        phi,
        charge=charge,
        pdg=-11 * charge,
        origin=origin,
    )
    return _without_surroundings(truth, particles)


def prompt_truth(
    event: np.ndarray,
    e: np.ndarray,
    eta: np.ndarray,
    phi: np.ndarray,
    *,
    charge: np.ndarray,
    pdg: np.ndarray,
    origin: int,
) -> Truth:
    """Truth of isolated electrons or photons."""
    n = len(e)
    kind = np.where(pdg == 22, ISOLATED_PHOTON, ISOLATED_ELECTRON)
    return Truth(
        event=event.astype(np.int64),
        e=e,
        eta=eta,
        phi=phi,
        charge=charge.astype(np.int32),
        pdg=pdg.astype(np.int32),
        category=np.full(n, PROMPT, dtype=np.int32),
        kind=kind.astype(np.int32),
        origin=np.full(n, origin, dtype=np.int32),
        iff=iff_of(np.where(pdg == 22, CONVERSION, PROMPT), np.full(n, origin)),
    )


def _without_surroundings(truth: Truth, particles: Particles) -> Generated:
    empty = np.zeros(0)
    return Generated(
        truth=truth,
        particles=particles,
        d0=np.zeros(len(particles.e)),
        around=particles_of(empty, empty, empty, empty, empty),
        n_events=int(truth.event[-1]) + 1 if len(truth) else 0,
    )


def _photons_at(process: str, event: np.ndarray, e: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> Generated:
    pdg = np.full(len(e), 22)
    truth = prompt_truth(event, e, eta, phi, charge=np.zeros(len(e)), pdg=pdg, origin=_ORIGIN[process])
    return _without_surroundings(truth, particles_of(np.arange(len(e)), pdg, e, eta, phi))


def _generate_photon_pair(process: str, n: int, rng: np.random.Generator) -> Generated:
    pair = _pairs(process, n, rng)
    return _photons_at(process, np.repeat(np.arange(n), 2), pair.e.ravel(), pair.eta.ravel(), pair.phi.ravel())


def _single(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    eta = rng.uniform(-ETA_MAX, ETA_MAX, n)
    et = ET_RANGE[0] * (ET_RANGE[1] / ET_RANGE[0]) ** rng.random(n)
    return et * np.cosh(eta), eta, rng.uniform(-np.pi, np.pi, n)


def _generate_electrons(process: str, n: int, rng: np.random.Generator, scale: float | None) -> Generated:
    e, eta, phi = _single(n, rng)
    charge = np.where(rng.random(n) < 0.5, -1, 1)
    return electrons_at(np.arange(n), e, eta, phi, charge=charge, origin=_ORIGIN[process], scale=scale, rng=rng)


def _generate_photons(process: str, n: int, rng: np.random.Generator) -> Generated:
    return _photons_at(process, np.arange(n), *_single(n, rng))


_ELECTRONS: dict[str, Callable[[str, int, np.random.Generator, float | None], Generated]] = {
    "zee": _generate_electron_pair,
    "jpsi": _generate_electron_pair,
    "electrons": _generate_electrons,
}
RADIATING = tuple(_ELECTRONS)
"""Processes whose electrons can radiate photons."""

_PHOTONS: dict[str, Callable[[str, int, np.random.Generator], Generated]] = {
    "hyy": _generate_photon_pair,
    "photons": _generate_photons,
}
