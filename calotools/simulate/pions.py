"""Decays of neutral pions in flight: two photons, or a photon and an electron pair (Dalitz)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from calotools.simulate.kinematics import wrap_phi

__all__ = ["ParticleColumns", "decay_pions"]

_PION_MASS = 0.1349768


class ParticleColumns(NamedTuple):
    """Particles as columns: candidate, pdg, e [GeV], eta, phi [rad]."""

    candidate: np.ndarray
    pdg: np.ndarray
    e: np.ndarray
    eta: np.ndarray
    phi: np.ndarray


def decay_pions(
    candidate: np.ndarray,
    pdg: np.ndarray,
    e: np.ndarray,
    eta: np.ndarray,
    phi: np.ndarray,
    *,
    dalitz: np.ndarray,
    rng: np.random.Generator,
) -> ParticleColumns:
    """Replace every pi0 (code 111) by its decay products; other particles stay.

    Parameters
    ----------
    candidate, pdg : (n,) int
    e, eta, phi : (n,) float [GeV, -, rad]
    dalitz : (n_candidate,) float
        Probability of pi0 -> gamma e+ e-, by candidate.
    rng : numpy.random.Generator

    Returns
    -------
    ParticleColumns
        The energy of each candidate's particles is kept.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> one = np.ones(1)
    >>> two = decay_pions(np.zeros(1, int), np.array([111]), 20 * one, one, one, dalitz=np.zeros(1), rng=rng)
    >>> two.pdg.tolist(), round(float(two.e.sum()), 9)
    ([22, 22], 20.0)
    """
    pion = pdg == 111
    energies, etas, phis = _two_photons(e[pion], eta[pion], phi[pion], rng)
    parent = candidate[pion]
    splits = rng.random(len(parent)) < dalitz[parent]
    x = draw_pair_fraction(len(parent), rng=rng)
    # the second photon, or the electron and the positron that replace it
    second = [(22, ~splits, 1.0), (11, splits, x), (-11, splits, 1 - x)]
    parts = [(candidate[~pion], pdg[~pion], e[~pion], eta[~pion], phi[~pion])]
    parts.append((parent, np.full(len(parent), 22), energies[0], etas[0], phis[0]))
    for code, rows, share in second:
        energy = (energies[1] * share)[rows]
        parts.append((parent[rows], np.full(len(energy), code), energy, etas[1][rows], phis[1][rows]))
    return ParticleColumns(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _two_photons(
    e: np.ndarray, eta: np.ndarray, phi: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Energies and directions of the two photons, axes (photon, pion); small angles."""
    gamma = np.maximum(e / _PION_MASS, 1.0)
    beta = np.sqrt(1 - 1 / gamma**2)
    sign = np.array([[1.0], [-1.0]])
    cosine = sign * rng.uniform(-1.0, 1.0, len(e))
    energies = 0.5 * e * (1 + beta * cosine)
    angle = np.arctan2(np.sqrt(1 - cosine**2), gamma * (beta + cosine) + 1e-12)
    azimuth = rng.uniform(-np.pi, np.pi, len(e))
    distance = sign * np.minimum(angle, 1.0) * np.cosh(eta)
    return energies, eta + distance * np.cos(azimuth), wrap_phi(phi + distance * np.sin(azimuth))


def draw_pair_fraction(n: int, *, rng: np.random.Generator) -> np.ndarray:
    """Energy fraction of the electron of a pair: dN/dx = 1 - 4/3 x (1 - x), complete screening.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    (n,) float64

    Examples
    --------
    >>> x = draw_pair_fraction(10_000, rng=np.random.default_rng(1))
    >>> bool(abs(x.mean() - 0.5) < 0.01)
    True
    """
    x = rng.random((8, n))
    accept = rng.random((8, n)) < 1 - 4.0 / 3.0 * x * (1 - x)
    return x[np.argmax(accept, axis=0), np.arange(n)]
