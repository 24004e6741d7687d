"""What a generator hands on: the truth of each candidate and the particles that make it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.simulate.response import Particles

__all__ = ["Generated", "Truth", "iff_of", "particles_of"]

PROMPT, CHARGE_FLIP, CONVERSION, HEAVY_FLAVOUR, LIGHT_EGAMMA, LIGHT_HADRON = range(6)
"""The six classes of electron candidates (`class_true`)."""

NEAR = 0.25
"""Particles within this Delta R of the candidate go through the calorimeter; others only leave tracks and isolation."""


@dataclass(frozen=True)
class Truth:
    """One entry per candidate.

    Attributes
    ----------
    event : (n,) int64
        Number of its event in the batch, from 0, not decreasing.
    e, eta, phi : (n,) float64 [GeV, -, rad]
        The generated particle that the candidate stands for, at the vertex.
    charge, pdg : (n,) int32
    category, kind, origin : (n,) int32
        Class, MCTruthClassifier type and origin.
    iff : (n,) int32
        IFF class (2 prompt electron, 5 prompt conversion, 7 tau, 8 b, 9 c, 10 light flavour, 0 unknown).
    """

    event: np.ndarray
    e: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    charge: np.ndarray
    pdg: np.ndarray
    category: np.ndarray
    kind: np.ndarray
    origin: np.ndarray
    iff: np.ndarray

    def __len__(self) -> int:
        return len(self.e)

    def take(self, rows: np.ndarray) -> Truth:
        """The truth of some rows (an integer or boolean array)."""
        return Truth(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class Generated:
    """A batch of candidates before the detector.

    Attributes
    ----------
    truth : Truth
    particles : Particles
        Everything that goes through the calorimeter, sorted by candidate.
    d0 : (n_particle,) float [mm]
        Impact parameter of each particle (heavy flavour).
    around : Particles
        Particles farther than `NEAR`: tracks and isolation only.
    n_events : int
    particle_truth : Truth, optional
        That of each of `particles`; the truth of a candidate is then that of the particle that made its track.
    weight : (n_candidate,) float64, optional
        Of the candidate's event; 1 when not given.
    underlying : bool
        Soft particles of the underlying event have to be added.
    """

    truth: Truth
    particles: Particles
    d0: np.ndarray
    around: Particles
    n_events: int
    particle_truth: Truth | None = None
    weight: np.ndarray | None = None
    underlying: bool = True


_IFF_BY_CLASS = {PROMPT: 2, CHARGE_FLIP: 3, CONVERSION: 5, LIGHT_EGAMMA: 10, LIGHT_HADRON: 10}
_CHARMED_ORIGINS = (25, 27, 32)


def iff_of(category: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """IFF class of an electron candidate of one of the six classes.

    Parameters
    ----------
    category, origin : (n,) int

    Returns
    -------
    (n,) int32
        0 for a class that is none of the six.

    Examples
    --------
    >>> iff_of(np.array([0, 1, 2, 3, 3, 4, 5, -1]), np.array([13, 13, 37, 26, 25, 42, 23, 0])).tolist()
    [2, 3, 5, 8, 9, 10, 10, 0]
    """
    heavy = np.where(np.isin(origin, _CHARMED_ORIGINS), 9, 8)
    conditions = [category == HEAVY_FLAVOUR, *(category == one for one in _IFF_BY_CLASS)]
    return np.select(conditions, [heavy, *_IFF_BY_CLASS.values()], default=0).astype(np.int32)


def particles_of(candidate: np.ndarray, pdg: np.ndarray, e: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> Particles:
    """Particles at the origin, sorted by candidate; `place` moves them to their vertex.

    Parameters
    ----------
    candidate, pdg : (n,) int
    e, eta, phi : (n,) float [GeV, -, rad]

    Returns
    -------
    Particles
    """
    order = np.argsort(candidate, kind="stable")
    zero = np.zeros(len(order))
    return Particles(
        candidate=candidate[order].astype(np.int32),
        pdg=pdg[order].astype(np.int32),
        e=e[order].astype(np.float64),
        eta=eta[order].astype(np.float64),
        phi=phi[order].astype(np.float64),
        z_vertex=zero,
        t_vertex=zero,
    )


def select_particles(particles: Particles, rows: np.ndarray) -> Particles:
    """Some rows of particles (an integer or boolean array)."""
    return Particles(**{name: getattr(particles, name)[rows] for name in Particles.__dataclass_fields__})


def place(particles: Particles, *, z: np.ndarray, t: np.ndarray) -> Particles:
    """The particles at the vertex of their candidate.

    Parameters
    ----------
    particles : Particles
    z, t : (n_candidate,) float [mm, ns]

    Returns
    -------
    Particles
    """
    values = {name: getattr(particles, name) for name in Particles.__dataclass_fields__}
    return Particles(**{**values, "z_vertex": z[particles.candidate], "t_vertex": t[particles.candidate]})
