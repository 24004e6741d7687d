"""Two-body decays of bosons made in proton collisions: line shapes, rapidity, transverse momentum, decay angles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Boson", "Pair", "decay_boson", "draw_boson", "draw_from_density"]

Z_MASS, Z_WIDTH = 91.188, 2.495
H_MASS, JPSI_MASS = 125.0, 3.0969
_ALPHA_OVER_2PI = 0.00116141
_ELECTRON_MASS = 0.000510999
DRESSING_CONE = 0.1
"""Photons from final-state radiation within this Delta R belong to the electron's shower."""


@dataclass(frozen=True)
class Boson:
    """Bosons in flight, one entry each.

    Attributes
    ----------
    m, pt : (n,) float [GeV]
    y, phi : (n,) float
    cos_theta, phi_decay : (n,) float
        Decay direction of the first particle in the Collins-Soper frame.
    """

    m: np.ndarray
    pt: np.ndarray
    y: np.ndarray
    phi: np.ndarray
    cos_theta: np.ndarray
    phi_decay: np.ndarray


@dataclass(frozen=True)
class Pair:
    """Massless decay products, axes (boson, 2).

    Attributes
    ----------
    e : (n, 2) float [GeV]
    eta, phi : (n, 2) float
    """

    e: np.ndarray
    eta: np.ndarray
    phi: np.ndarray


def draw_from_density(
    n: int, density: Callable[[np.ndarray], np.ndarray], *, low: float, high: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw `n` values from an unnormalised density by its tabulated cumulative.

    Parameters
    ----------
    n : int
    density : callable
        (m,) -> (m,), non-negative on [low, high].
    low, high : float
    rng : numpy.random.Generator

    Returns
    -------
    (n,) float64

    Examples
    --------
    >>> x = draw_from_density(50_000, lambda x: x, low=0.0, high=1.0, rng=np.random.default_rng(1))
    >>> bool(abs(x.mean() - 2 / 3) < 0.005)
    True
    """
    grid = np.linspace(low, high, 8001)
    value = density(grid)
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (value[1:] + value[:-1]))])
    return np.interp(rng.random(n) * cumulative[-1], cumulative, grid)


def z_line_shape(m: np.ndarray) -> np.ndarray:
    """Relativistic Breit-Wigner with running width, times a parton luminosity that falls as m^-2.

    Parameters
    ----------
    m : (n,) float [GeV]

    Returns
    -------
    (n,) float, not normalised

    Examples
    --------
    >>> m = np.linspace(50, 150, 10_001)
    >>> round(float(m[np.argmax(z_line_shape(m))]), 1)
    91.2
    """
    return 1.0 / ((m**2 - Z_MASS**2) ** 2 + m**4 * (Z_WIDTH / Z_MASS) ** 2)


def _z(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    m = draw_from_density(n, z_line_shape, low=50.0, high=150.0, rng=rng)
    pt = draw_from_density(n, lambda p: p / (1 + (p / 9.0) ** 2) ** 1.9, low=0.0, high=400.0, rng=rng)
    y = np.log(13000.0 / m) * draw_from_density(n, lambda u: (1 - u**2) ** 2.5, low=-1.0, high=1.0, rng=rng)
    a0 = pt**2 / (pt**2 + m**2)
    return m, pt, y, _draw_cos_theta(a0, rng)


def _draw_cos_theta(a0: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw from 1 + c^2 + A0/2 (1 - 3 c^2), at most 2: accepted from up to 16 flat draws, which suffice."""
    c = rng.uniform(-1.0, 1.0, (16, len(a0)))
    accept = rng.random(c.shape) * 2.0 < 1 + c**2 + 0.5 * a0 * (1 - 3 * c**2)
    return c[np.argmax(accept, axis=0), np.arange(len(a0))]


def _higgs(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    pt = draw_from_density(n, lambda p: p / (1 + (p / 30.0) ** 2) ** 2.2, low=0.0, high=500.0, rng=rng)
    return np.full(n, H_MASS), pt, rng.normal(0.0, 1.4, n), rng.uniform(-1.0, 1.0, n)


def _jpsi(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    pt = draw_from_density(n, lambda p: p / (1 + (p / 6.0) ** 2) ** 3, low=10.0, high=120.0, rng=rng)
    return np.full(n, JPSI_MASS), pt, rng.uniform(-2.5, 2.5, n), rng.uniform(-1.0, 1.0, n)


_BOSONS = {"zee": _z, "hyy": _higgs, "jpsi": _jpsi}


def draw_boson(process: str, n: int, *, rng: np.random.Generator) -> Boson:
    """Draw `n` bosons of a process.

    Parameters
    ----------
    process : {"zee", "hyy", "jpsi"}
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    Boson
    """
    m, pt, y, cos_theta = _BOSONS[process](n, rng)
    phi, phi_decay = rng.uniform(-np.pi, np.pi, (2, n))
    return Boson(m, pt, y, phi, cos_theta, phi_decay)


def decay_boson(boson: Boson) -> Pair:
    """Decay into two massless particles.

    The Collins-Soper frame is reached by a boost along the beam that brings the rapidity to zero and one along the
    transverse momentum; here the decay products go the way back (Collins & Soper, Phys. Rev. D 16 (1977) 2219).

    Parameters
    ----------
    boson : Boson

    Returns
    -------
    Pair
        The invariant mass of each pair is `boson.m`.

    Examples
    --------
    >>> boson = draw_boson("zee", 1000, rng=np.random.default_rng(1))
    >>> pair = decay_boson(boson)
    >>> pt = pair.e / np.cosh(pair.eta)
    >>> opening = np.cosh(np.diff(pair.eta)[:, 0]) - np.cos(np.diff(pair.phi)[:, 0])
    >>> bool(np.allclose(np.sqrt(2 * pt[:, 0] * pt[:, 1] * opening), boson.m))
    True
    """
    sign = np.array([1.0, -1.0])
    half = 0.5 * boson.m[:, None]
    sin_theta = np.sqrt(1 - boson.cos_theta**2)
    x = sign * half * (sin_theta * np.cos(boson.phi_decay))[:, None]
    y = sign * half * (sin_theta * np.sin(boson.phi_decay))[:, None]
    z = sign * half * boson.cos_theta[:, None]
    mt = np.hypot(boson.m, boson.pt)[:, None]
    gamma, beta_gamma = mt / boson.m[:, None], (boson.pt / boson.m)[:, None]
    x, energy = gamma * x + beta_gamma * half, gamma * half + beta_gamma * x
    z = np.sinh(boson.y)[:, None] * energy + np.cosh(boson.y)[:, None] * z
    pt = np.hypot(x, y)
    phi = np.arctan2(y, x) + boson.phi[:, None]
    return Pair(e=np.hypot(pt, z), eta=np.arcsinh(z / pt), phi=wrap_phi(phi))


def wrap_phi(phi: np.ndarray) -> np.ndarray:
    """Azimuth in [-pi, pi).

    Examples
    --------
    >>> float(wrap_phi(np.array([3 * np.pi / 2]))[0]) == -np.pi / 2
    True
    """
    return (np.asarray(phi) + np.pi) % (2 * np.pi) - np.pi


def radiate(e: np.ndarray, *, scale: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Final-state radiation of electrons, at most one photon each, leading logarithm.

    dP = alpha/(2 pi) ln(Q^2/m_e^2) (1 + (1 - x)^2)/x dx for an energy fraction x above 1 %, and an angle that is flat
    in its logarithm between m_e/E and 1.

    Parameters
    ----------
    e : (n,) float [GeV]
        Energies before radiation.
    scale : float [GeV]
        Q, the mass of the decaying boson.
    rng : numpy.random.Generator

    Returns
    -------
    fraction, delta_r : (n,) float
        Energy fraction of the photon (0 where there is none) and its distance Delta R from the electron.

    Examples
    --------
    >>> fraction, _ = radiate(np.full(20_000, 45.0), scale=91.2, rng=np.random.default_rng(1))
    >>> bool(0.15 < np.mean(fraction * 45 > 1) < 0.20)
    True
    """
    x_min = 0.01
    strength = _ALPHA_OVER_2PI * 2 * np.log(scale / _ELECTRON_MASS)
    x = x_min ** rng.random(len(e))
    keep = rng.random(len(e)) < strength * -2 * np.log(x_min) * 0.5 * (1 + (1 - x) ** 2)
    angle = (_ELECTRON_MASS / e) ** rng.random(len(e))
    return np.where(keep, x, 0.0), angle
