"""Candidates that are not prompt electrons: photon conversions, heavy flavour, and light jets.

A jet's core is a leading particle with a fraction z of its E_T and a few charged hadrons and neutral pions that share
the rest, at an angle k_T/p_T with k_T of a few hundred MeV; softer particles surround it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.simulate.generated import (
    CONVERSION,
    HEAVY_FLAVOUR,
    LIGHT_EGAMMA,
    LIGHT_HADRON,
    NEAR,
    Generated,
    Truth,
    iff_of,
    particles_of,
    select_particles,
)
from calotools.simulate.kinematics import draw_from_density, wrap_phi
from calotools.simulate.pions import decay_pions
from calotools.simulate.response import Particles
from calotools.simulate.species import charge_of

__all__ = ["FAKE_ET_RANGE", "draw_categories", "generate_fakes", "jets_at"]

FAKE_ET_RANGE = (12.0, 250.0)
"""E_T of the jet cores [GeV], falling as E_T^-2."""

_ETA_MAX = 2.47
_SHARES = {LIGHT_HADRON: 0.45, LIGHT_EGAMMA: 0.25, HEAVY_FLAVOUR: 0.15, CONVERSION: 0.15}
_FRACTION = {LIGHT_HADRON: (3.0, 1.2), LIGHT_EGAMMA: (4.0, 1.2), HEAVY_FLAVOUR: (2.5, 1.5), CONVERSION: (8.0, 1.0)}
_KT = {LIGHT_HADRON: 0.35, LIGHT_EGAMMA: 0.35, HEAVY_FLAVOUR: 1.0, CONVERSION: 0.5}  # GeV
_ISOLATED_CONVERSIONS = 0.6
_DALITZ = 0.03  # 1.2 % of pi0 decays, enriched: every one of them has a track
_B_IMPACT = 0.15  # mm, mean |d0| of electrons from B hadrons: c tau of 0.45 mm times the angle in the B frame
_TYPE = {LIGHT_HADRON: 17, LIGHT_EGAMMA: 16, HEAVY_FLAVOUR: 3, CONVERSION: 4}
_DALITZ_ORIGIN = 6
_ORIGIN = {LIGHT_HADRON: 23, LIGHT_EGAMMA: 42, HEAVY_FLAVOUR: 26, CONVERSION: 5}
_PION_PAIRS = (211, -211)
_N_CHARGED, _N_NEUTRAL, _N_SOFT = 3, 2, 6


@dataclass(frozen=True)
class _Content:
    """Particles of each jet, axes (jet, slot); unused slots have pt 0."""

    pdg: np.ndarray
    pt: np.ndarray
    delta_r: np.ndarray


def draw_categories(n: int, *, rng: np.random.Generator) -> np.ndarray:
    """Classes of `n` background candidates, in fixed shares that give every class statistics.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    (n,) int32

    Examples
    --------
    >>> np.unique(draw_categories(100, rng=np.random.default_rng(1))).tolist()
    [2, 3, 4, 5]
    """
    return rng.choice(list(_SHARES), size=n, p=list(_SHARES.values())).astype(np.int32)


def generate_fakes(category: np.ndarray, *, rng: np.random.Generator) -> Generated:
    """One background candidate per event, with the given classes.

    Parameters
    ----------
    category : (n,) int32
        2 conversion, 3 heavy flavour, 4 light-flavour e/gamma, 5 light-flavour hadron.
    rng : numpy.random.Generator

    Returns
    -------
    Generated

    Examples
    --------
    >>> batch = generate_fakes(np.array([2, 3, 4, 5]), rng=np.random.default_rng(1))
    >>> batch.truth.category.tolist()
    [2, 3, 4, 5]
    """
    n = len(category)
    low, high = FAKE_ET_RANGE
    et = draw_from_density(n, lambda x: x**-2.0, low=low, high=high, rng=rng)
    eta, phi = rng.uniform(-_ETA_MAX, _ETA_MAX, n), rng.uniform(-np.pi, np.pi, n)
    return jets_at(et, eta, phi, category=category, rng=rng)


def jets_at(
    et: np.ndarray, eta: np.ndarray, phi: np.ndarray, *, category: np.ndarray, rng: np.random.Generator
) -> Generated:
    """Background candidates of given E_T and direction, one per event.

    Parameters
    ----------
    et, eta, phi : (n,) float [GeV, -, rad]
        Of the jet's core.
    category : (n,) int32
    rng : numpy.random.Generator

    Returns
    -------
    Generated
        `truth.e` is the energy of the leading particle.
    """
    n = len(et)
    content = _fill(et, category, rng)
    used = content.pt > 0
    jet = np.nonzero(used)[0]
    angle = rng.uniform(-np.pi, np.pi, len(jet))
    eta_all = eta[jet] + content.delta_r[used] * np.cos(angle)
    columns = decay_pions(
        jet,
        content.pdg[used],
        content.pt[used] * np.cosh(eta_all),
        eta_all,
        wrap_phi(phi[jet] + content.delta_r[used] * np.sin(angle)),
        dalitz=np.where(category == LIGHT_EGAMMA, _DALITZ, 0.0),
        rng=rng,
    )
    particles = particles_of(*columns)
    near = np.hypot(particles.eta - eta[particles.candidate], wrap_phi(particles.phi - phi[particles.candidate])) < NEAR
    core = select_particles(particles, near)
    truth = _truth(content, eta, phi, category)
    return Generated(
        truth=truth,
        particles=core,
        particle_truth=truth_of_particles(core, truth),
        d0=_impact(core.candidate, core.pdg, category, rng),
        around=select_particles(particles, ~near),
        n_events=n,
    )


def _fill(et: np.ndarray, category: np.ndarray, rng: np.random.Generator) -> _Content:
    """Leading particle, companions that share the rest of E_T, and softer particles around."""
    n = len(et)
    a, b = (np.choose(category - CONVERSION, [_FRACTION[one][i] for one in range(2, 6)]) for i in (0, 1))
    fraction = rng.beta(a, b)
    alone = (category == CONVERSION) & (rng.random(n) < _ISOLATED_CONVERSIONS)
    fraction = np.where(alone, 1.0, fraction)
    companions, pdg = _companions(et * (1 - fraction), category, rng)
    soft = rng.exponential(1.2, (n, _N_SOFT)) * (rng.random((n, _N_SOFT)) < np.where(alone, 0.1, 0.6)[:, None])
    pt = np.concatenate([(et * fraction)[:, None], companions, soft], axis=1)
    pt[:, 1:][pt[:, 1:] < 0.4] = 0.0
    kt = np.choose(category - CONVERSION, [_KT[one] for one in range(2, 6)])[:, None]
    delta_r = np.minimum(rng.rayleigh(1.0, pt.shape) * kt / np.maximum(pt, 0.4), 0.4)
    delta_r[:, 0] = 0.0
    delta_r[:, -_N_SOFT:] = 0.4 * np.sqrt(rng.random((n, _N_SOFT)))
    soft_pdg = rng.choice([211, -211, 111], size=(n, _N_SOFT))
    return _Content(np.concatenate([_leading(category, rng)[:, None], pdg, soft_pdg], axis=1), pt, delta_r)


def _companions(rest: np.ndarray, category: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The rest of the E_T on 1-3 charged hadrons and 0-2 neutral pions; (n, slot) p_T and PDG codes."""
    n = len(rest)
    n_charged = rng.integers(1, _N_CHARGED + 1, n)[:, None]
    n_neutral = rng.integers(0, _N_NEUTRAL + 1, n)[:, None]
    charged = rng.exponential(1.0, (n, _N_CHARGED)) * (np.arange(_N_CHARGED) < n_charged)
    neutral = rng.exponential(1.0, (n, _N_NEUTRAL)) * (np.arange(_N_NEUTRAL) < n_neutral)
    # a light hadron is taken for an electron when pions shower beside it: more of the rest is electromagnetic
    neutral *= np.where(category == LIGHT_HADRON, 2.0, 1.0)[:, None]
    share = np.concatenate([charged, neutral], axis=1)
    pt = rest[:, None] * share / share.sum(axis=1, keepdims=True)
    pdg = np.concatenate([rng.choice(_PION_PAIRS, size=(n, _N_CHARGED)), np.full((n, _N_NEUTRAL), 111)], axis=1)
    return pt, pdg


def _leading(category: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    sign = rng.choice([-1, 1], size=len(category))
    return np.select(
        [category == CONVERSION, category == HEAVY_FLAVOUR, category == LIGHT_EGAMMA],
        [22, 11 * sign, 111],
        default=211 * sign,
    )


def _truth(content: _Content, eta: np.ndarray, phi: np.ndarray, category: np.ndarray) -> Truth:
    pdg = content.pdg[:, 0]
    charge = np.select([np.abs(pdg) == 11, np.abs(pdg) == 211], [-np.sign(pdg), np.sign(pdg)], default=0)
    origin = np.choose(category - CONVERSION, [_ORIGIN[one] for one in range(2, 6)]).astype(np.int32)
    return Truth(
        event=np.arange(len(eta), dtype=np.int64),
        e=content.pt[:, 0] * np.cosh(eta),
        eta=eta,
        phi=phi,
        charge=charge.astype(np.int32),
        pdg=pdg.astype(np.int32),
        category=category.astype(np.int32),
        kind=np.choose(category - CONVERSION, [_TYPE[one] for one in range(2, 6)]).astype(np.int32),
        origin=origin,
        iff=iff_of(category, origin),
    )


def truth_of_particles(particles: Particles, candidates: Truth) -> Truth:
    """Truth of each particle of a jet, in the convention of Pythia's: what a track is follows from what made it.

    A photon is a background photon of a pi0, or the one that the candidate is made of; an electron of a pi0 comes from
    its Dalitz decay; a hadron is a light-flavour hadron wherever it comes from.

    Parameters
    ----------
    particles : Particles
    candidates : Truth
        Of the jets.

    Returns
    -------
    Truth
    """
    mine = candidates.take(particles.candidate)
    code = np.abs(particles.pdg)
    leading = (particles.pdg == mine.pdg) & np.isclose(particles.e, mine.e)
    photon, hadron = (code == 22) & ~leading, code > 100
    split = (code == 11) & ~leading
    light = [hadron, photon, split]
    category = np.select(light, [LIGHT_HADRON, LIGHT_EGAMMA, LIGHT_EGAMMA], default=mine.category)
    origin = np.select(light, [_ORIGIN[LIGHT_HADRON], _ORIGIN[LIGHT_EGAMMA], _DALITZ_ORIGIN], default=mine.origin)
    return Truth(
        event=mine.event,
        e=particles.e,
        eta=particles.eta,
        phi=particles.phi,
        charge=charge_of(particles.pdg),
        pdg=particles.pdg,
        category=category.astype(np.int32),
        kind=np.select(light, [_TYPE[LIGHT_HADRON], _TYPE[LIGHT_EGAMMA], _TYPE[CONVERSION]], default=mine.kind).astype(
            np.int32
        ),
        origin=origin.astype(np.int32),
        iff=iff_of(category, origin),
    )


def _impact(candidate: np.ndarray, pdg: np.ndarray, category: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Signed d0 of the decay products of heavy hadrons."""
    d0 = rng.laplace(0.0, _B_IMPACT, len(candidate))
    return np.where((category[candidate] == HEAVY_FLAVOUR) & (pdg != 22), d0, 0.0)
