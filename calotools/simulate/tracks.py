"""Reconstructed tracks: which charged particles are found, and what is measured of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.detector import load_table
from calotools.simulate.curvature import fitted_curvatures
from calotools.simulate.kinematics import wrap_phi

__all__ = ["ChargedParticles", "Tracks", "find_tracks", "measure_tracks"]

FIELD_CURVATURE = 0.3e-3  # GeV / (T mm): p_T = 0.3 B R
_HIGH_THRESHOLD = (0.06, 0.22)  # probability per straw of a hadron, an electron
_MIN_PT = 0.5


@dataclass(frozen=True)
class ChargedParticles:
    """Charged particles that may leave a track, one entry each, in any order.

    Attributes
    ----------
    candidate : (n,) int32
    pt : (n,) float64 [GeV]
        At the perigee, or where a conversion electron was born.
    eta, phi : (n,) float64
        Direction there.
    charge : (n,) float64
    d0 : (n,) float64 [mm]
    z : (n,) float64 [mm]
        z of the perigee.
    radius : (n,) float64 [mm]
        Where the particle was born; 0 for one from the vertex.
    kept : (n,) float64
        Momentum at the last measurement over that at the vertex.
    curvature : (n,) float64
        Mean curvature along the measured path over that at the vertex, as `curvature` weights it.
    electron, muon : (n,) bool
    parent : (n,) int64
        Row of the generated particle that it is, or (conversions) comes from; -1 for none.
    """

    candidate: np.ndarray
    pt: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    charge: np.ndarray
    d0: np.ndarray
    z: np.ndarray
    radius: np.ndarray
    kept: np.ndarray
    curvature: np.ndarray
    electron: np.ndarray
    muon: np.ndarray
    parent: np.ndarray

    def take(self, rows: np.ndarray) -> ChargedParticles:
        """Some rows (an integer or boolean array)."""
        return ChargedParticles(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    @staticmethod
    def join(*parts: ChargedParticles) -> ChargedParticles:
        """All of several sets."""
        names = ChargedParticles.__dataclass_fields__
        return ChargedParticles(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@dataclass(frozen=True)
class Tracks:
    """Measured tracks, one entry each.

    Attributes
    ----------
    candidate : (n,) int32
    pt : (n,) float64 [GeV]
    eta, phi, charge : (n,) float64
    d0, d0_error, z0 : (n,) float64 [mm]
        `z0` with respect to the reconstructed vertex.
    dp_over_p, trt_pid : (n,) float64
    n_innermost, n_pixel, n_sct, n_trt : (n,) int32
    radius : (n,) float64 [mm]
        True radius of birth.
    parent : (n,) int64
        As of `ChargedParticles`.
    """

    candidate: np.ndarray
    pt: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    charge: np.ndarray
    d0: np.ndarray
    d0_error: np.ndarray
    z0: np.ndarray
    dp_over_p: np.ndarray
    trt_pid: np.ndarray
    n_innermost: np.ndarray
    n_pixel: np.ndarray
    n_sct: np.ndarray
    n_trt: np.ndarray
    radius: np.ndarray
    parent: np.ndarray

    def take(self, rows: np.ndarray) -> Tracks:
        """Some rows (an integer or boolean array)."""
        return Tracks(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


def find_tracks(particles: ChargedParticles, *, rng: np.random.Generator) -> ChargedParticles:
    """Keep the particles whose track is found.

    From the vertex, the efficiency is 98 % for electrons, 99 % for muons and 92 % for hadrons (nuclear interactions);
    it falls with the radius of birth, as fewer silicon layers are crossed, and is zero outside the straws.

    Parameters
    ----------
    particles : ChargedParticles
    rng : numpy.random.Generator

    Returns
    -------
    ChargedParticles
    """
    efficiency = np.select([particles.electron, particles.muon], [0.98, 0.99], default=0.92)
    efficiency *= np.interp(particles.radius, [0, 100, 300, 500, 800, 850], [1.0, 0.95, 0.85, 0.6, 0.35, 0.0])
    efficiency *= np.abs(particles.eta) < 2.5
    found = (rng.random(len(efficiency)) < efficiency) & (particles.pt > _MIN_PT)
    return particles.take(found)


def measure_tracks(
    particles: ChargedParticles, *, z_vertex: np.ndarray, field: float, rng: np.random.Generator
) -> Tracks:
    """Measure found particles: perigee parameters, hits, and the two electron identifiers of a tracker.

    Resolutions of p_T and d0 are those of the table `tracker`. An electron
    that radiated is measured with the weighted mean of its curvature, part of whose error a Gaussian-sum fit takes back
    (`fitted_curvatures`); DeltaP/P is the momentum that the same fit sees lost between the vertex and the last
    measurement, with 3 % of its own. Without field a track is straight: nothing says its momentum or its charge.

    Parameters
    ----------
    particles : ChargedParticles
    z_vertex : (n_candidate,) float [mm]
        Reconstructed vertex.
    field : float [T]
    rng : numpy.random.Generator

    Returns
    -------
    Tracks
        A track whose curvature was measured with the wrong sign has the wrong charge. Without field `pt`, `charge`
        and `dp_over_p` are NaN.
    """
    n, table = len(particles.pt), load_table("tracker")
    error = table["resolution"]
    first, last = fitted_curvatures(
        particles.curvature, 1 / particles.kept, recovered=table["electron"]["gsf_recovered"]
    )
    pt = particles.pt / first
    relative = np.hypot(error["pt_slope"] * pt, error["pt_constant"]) * np.where(particles.radius > 150, 1.5, 1.0)
    curvature = particles.charge / pt * (1 + relative * rng.normal(size=n))
    sin_theta = 1 / np.cosh(particles.eta)
    d0_error = np.hypot(error["d0_constant"], error["d0_slope"] / (particles.pt * np.sqrt(sin_theta)))
    late = 1 + 5 * (particles.radius > 50)
    turn = FIELD_CURVATURE * field * particles.radius / particles.pt
    bend = 0.5 * turn * particles.radius
    bent = np.where(field > 0, 1.0, np.nan)
    hits = _draw_hits(particles, rng)
    return Tracks(
        candidate=particles.candidate,
        pt=bent / np.maximum(np.abs(curvature), 1e-5),
        eta=particles.eta + late * rng.normal(size=n) * np.hypot(3e-4, 2e-3 / particles.pt),
        phi=wrap_phi(particles.phi + particles.charge * turn + late * rng.normal(size=n) * (2e-4 + 1e-3 / pt)),
        charge=bent * np.sign(curvature),
        d0=particles.d0 + particles.charge * bend + d0_error * late * rng.normal(size=n),
        d0_error=d0_error * late,
        z0=particles.z
        - z_vertex[particles.candidate]
        + late * np.hypot(0.07, 0.15 / particles.pt) * rng.normal(size=n),
        dp_over_p=bent * (1 - first / last * (1 + rng.normal(size=n) * np.hypot(0.03, relative))),
        trt_pid=_transition_radiation(particles, hits[3], rng),
        n_innermost=hits[0],
        n_pixel=hits[1],
        n_sct=hits[2],
        n_trt=hits[3],
        radius=particles.radius,
        parent=particles.parent,
    )


def _draw_hits(particles: ChargedParticles, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Hits in the innermost pixel layer, pixels, strips and straws: only in layers beyond the point of birth."""
    n, table = len(particles.pt), load_table("tracker")
    layers = table["radius"]
    seen = particles.radius[:, None] < np.array([layers["ibl"], *layers["pixel"]])
    pixels = (seen & (rng.random((n, 4)) < 0.98)).astype(np.int32) + (seen & (rng.random((n, 4)) < 0.04))
    strips = (particles.radius[:, None] < np.array(layers["sct"])).sum(axis=1)
    inner, outer = layers["trt"]
    path = np.clip((outer - np.maximum(particles.radius, inner)) / (outer - inner), 0.0, 1.0)
    crossed = np.interp(np.abs(particles.eta), [0, 0.8, 1.1, 1.7, 2.0], [1, 0.95, 0.75, 1.1, 0.7])
    mean = table["measurement"]["trt_hits"] * path * crossed
    straws = rng.binomial(np.maximum(np.round(mean / 0.9), 0).astype(int), 0.9)
    straws[np.abs(particles.eta) > layers["trt_eta_max"]] = 0
    return (
        pixels[:, 0].astype(np.int32),
        pixels.sum(axis=1).astype(np.int32),
        rng.binomial(2 * strips, 0.985).astype(np.int32),
        straws.astype(np.int32),
    )


def _transition_radiation(particles: ChargedParticles, n_trt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """-ln(1/p - 1)/15 with p the probability of an electron from high-threshold hits; 0.15 without straws."""
    low, high = _HIGH_THRESHOLD
    # transition radiation sets in at gamma ~ 1000: hadrons above 100 GeV begin to look like electrons
    gamma = particles.pt * np.cosh(particles.eta) / np.where(particles.electron, 5.11e-4, 0.1396)
    chance = low + (high - low) / (1 + (1200.0 / gamma) ** 2)
    fired = rng.binomial(n_trt, chance)
    likelihood = fired * np.log(high / low) + (n_trt - fired) * np.log((1 - high) / (1 - low))
    return np.where(n_trt > 0, np.clip(likelihood, -69.0, 34.5) / 15.0, 0.15)
