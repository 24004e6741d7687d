"""Samples of the validation: particles shot at the calorimeter, and whole ntuples."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np

from calotools.ntuple import read_candidates
from calotools.recipe import SimulateConfig
from calotools.simulate import Effects, Particles, Response, response_shapes, simulate, simulate_response

__all__ = ["QUIET", "hottest_middle", "hottest_row", "ntuple", "shapes_of", "shoot", "shoot_particles"]

QUIET = Effects(electronic_noise=0.0, pileup=0.0, crosstalk=0.0)
"""What the shower alone gives: no noise, no pile-up, no crosstalk."""


def shoot(
    pdg: int,
    e: np.ndarray | float,
    *,
    eta: np.ndarray,
    rng: np.random.Generator,
    mu: float = 0.0,
    effects: Effects | None = None,
) -> Response:
    """One particle per candidate from the origin, at random azimuth.

    Parameters
    ----------
    pdg : int
    e : (n,) float or float [GeV]
    eta : (n,) float
    rng : numpy.random.Generator
    mu : float
    effects : Effects, optional
        Default: everything.

    Returns
    -------
    Response
        Of n candidates.
    """
    n = len(eta)
    phi = rng.uniform(-np.pi, np.pi, n)
    columns = np.full(n, pdg), np.broadcast_to(np.asarray(e, float), n), eta, phi, np.zeros(n), np.zeros(n)
    return shoot_particles(Particles(np.arange(n, dtype=np.int32), *columns), n=n, rng=rng, mu=mu, effects=effects)


def shoot_particles(
    particles: Particles, *, n: int, rng: np.random.Generator, mu: float = 0.0, effects: Effects | None = None
) -> Response:
    """The response to given particles of `n` candidates."""
    interactions = rng.spawn(1)[0].poisson(mu, n)  # the same showers follow with and without
    return simulate_response(
        particles,
        n_candidates=n,
        mu=interactions,
        mu_average=np.full(n, float(mu)),
        effects=Effects() if effects is None else effects,
        rng=rng,
    )


def shapes_of(response: Response) -> dict[str, np.ndarray]:
    """Shower shapes of every candidate, with the fractions f0 and f2 that the ntuple does not have."""
    shapes = response_shapes(response)
    total = np.where(shapes["e_cluster"] > 0, shapes["e_cluster"], np.nan)
    return shapes | {"f0": shapes["e0"] / total, "f2": shapes["e2"] / total}


def hottest_middle(response: Response) -> np.ndarray:
    """Row of the hottest middle-layer cell of every candidate: (n,) int; barrel and endcap alike."""
    middle = np.isin(response.sampling, (2, 6))
    return hottest_row(response.offsets, np.where(middle, response.e, -np.inf))


def hottest_row(offsets: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Row of the largest entry of every candidate: (n,) int."""
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return np.lexsort((e, owner))[offsets[1:] - 1]


def ntuple(
    process: str, fields: list[str], *, n: int, seed: int, mu: float | None, jobs: int, folder: Path
) -> ak.Array:
    """Simulate a process to a file and read some fields back, as every user does.

    Parameters
    ----------
    process : str
    fields : list of str
    n : int
        Events.
    seed : int
    mu : float or None
        None for the run-2 profile.
    jobs : int
    folder : path
        Where the file is written.

    Returns
    -------
    (n_candidate,) awkward record array
    """
    path = folder / f"{process}.root"
    simulate(SimulateConfig(process=process, n=n, seed=seed, mu=mu, jobs=jobs, output=path))
    return read_candidates(path, fields=fields)
