"""The crossing: interactions per crossing, and where and when the hard collision happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.detector import load_table

__all__ = ["LUMI_BLOCK_EVENTS", "Crossings", "draw_crossings", "draw_mu_average"]

LUMI_BLOCK_EVENTS = 20
"""Consecutive events that share a luminosity block, and with it the average number of interactions."""

_SIGMA_Z_VERTEX = 0.05  # mm, resolution of the reconstructed vertex
_RECONSTRUCTED_PER_INTERACTION = 0.6
_WRONG_VERTEX_AT_34 = 0.24  # photon pairs: 76 % of the vertices are right within 0.3 mm in run 2


@dataclass(frozen=True)
class Crossings:
    """One entry per event.

    Attributes
    ----------
    mu, mu_actual : (n,) float32
        Average interactions of the luminosity block, and how many there are beside the hard one in this crossing:
        its cells, tracks and vertices come from these.
    n_vtx : (n,) int32
        Reconstructed primary vertices.
    z_true, z_vertex : (n,) float64 [mm]
        Generated vertex, and the one taken for the hard scatter.
    t_true : (n,) float64 [ns]
    """

    mu: np.ndarray
    mu_actual: np.ndarray
    n_vtx: np.ndarray
    z_true: np.ndarray
    z_vertex: np.ndarray
    t_true: np.ndarray


def draw_mu_average(n: int, *, rng: np.random.Generator) -> np.ndarray:
    """Average interactions per crossing of `n` luminosity blocks of a run-2-like year: two humps between 10 and 70.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    (n,) float64

    Examples
    --------
    >>> mu = draw_mu_average(10_000, rng=np.random.default_rng(1))
    >>> bool(10 <= mu.min() and mu.max() <= 70 and 32 < mu.mean() < 36)
    True
    """
    high = rng.random(n) < 0.6
    mu = np.where(high, rng.normal(40.0, 9.0, n), rng.normal(24.0, 6.0, n))
    return np.where((mu < 10) | (mu > 70), rng.uniform(15.0, 50.0, n), mu)


def draw_crossings(mu_average: np.ndarray, *, pointing: bool, spread: float, rng: np.random.Generator) -> Crossings:
    """Draw the crossing of each event.

    Parameters
    ----------
    mu_average : (n,) float
        Average interactions per crossing of each event's luminosity block.
    pointing : bool
        The vertex was found without a hard track (photons): with pile-up it is sometimes another collision's.
    spread : float
        Factor on the beam spot in z and t; 0 puts every vertex at the origin.
    rng : numpy.random.Generator

    Returns
    -------
    Crossings
    """
    n, spot = len(mu_average), load_table("tracker")["beam_spot"]
    z_true = spread * rng.normal(0.0, spot["sigma_z"], n)
    t_true = spread * rng.normal(0.0, spot["sigma_t"], n)
    z_vertex = z_true + spread * rng.normal(0.0, _SIGMA_Z_VERTEX, n)
    other, chance = spread * rng.normal(0.0, spot["sigma_z"], n), rng.random(n)
    # last, because how many numbers these take depends on mu: the vertices shall not
    actual = rng.poisson(mu_average)
    wrong = chance < np.minimum(_WRONG_VERTEX_AT_34 * actual / 34.0, 0.6)
    return Crossings(
        mu=mu_average.astype(np.float32),
        mu_actual=actual.astype(np.float32),
        n_vtx=(1 + rng.binomial(actual, _RECONSTRUCTED_PER_INTERACTION)).astype(np.int32),
        z_true=z_true,
        z_vertex=np.where(wrong, other, z_vertex) if pointing else z_vertex,
        t_true=t_true,
    )
