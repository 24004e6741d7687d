"""Jets by the anti-k_t algorithm.

Source: M. Cacciari, G. P. Salam and G. Soyez, JHEP 04 (2008) 063; recombination by adding four-momenta; nearest
neighbours are kept, so that the time goes with the square of the number of particles.
"""

from __future__ import annotations

import math

import numba
import numpy as np

__all__ = ["cluster"]


@numba.njit(cache=True)
def _distance(rapidity: np.ndarray, phi: np.ndarray, i: int, j: int) -> float:
    d_phi = abs(phi[i] - phi[j])
    d_phi = min(d_phi, 2.0 * math.pi - d_phi)
    return (rapidity[i] - rapidity[j]) ** 2 + d_phi**2


@numba.njit(cache=True)
def _nearest(i: int, n: int, alive: np.ndarray, rapidity: np.ndarray, phi: np.ndarray, limit: float) -> tuple:
    best, partner = limit, -1
    for j in range(n):
        if j != i and alive[j]:
            d = _distance(rapidity, phi, i, j)
            if d < best:
                best, partner = d, j
    return best, partner


@numba.njit(cache=True)
def _place(momenta: np.ndarray, i: int, rapidity: np.ndarray, phi: np.ndarray, weight: np.ndarray) -> None:
    px, py, pz, e = momenta[i]
    rapidity[i] = 0.5 * math.log((e + pz + 1e-12) / (e - pz + 1e-12))
    phi[i] = math.atan2(py, px)
    weight[i] = 1.0 / (px * px + py * py + 1e-12)


@numba.njit(cache=True)
def _merge_all(momenta: np.ndarray, owner: np.ndarray, radius2: float) -> int:
    """Cluster; `momenta` becomes those of the jets, `owner` the jet of each particle; returns the number of jets."""
    n = len(momenta)
    rapidity, phi, weight = np.empty(n), np.empty(n), np.empty(n)
    alive, final = np.ones(n, np.bool_), np.full(n, -1)
    best, partner = np.empty(n), np.empty(n, np.int64)
    for i in range(n):
        _place(momenta, i, rapidity, phi, weight)
    for i in range(n):
        best[i], partner[i] = _nearest(i, n, alive, rapidity, phi, radius2)
    parent = np.arange(n)
    n_jets = 0
    for _ in range(n):
        low, at = np.inf, -1
        for i in range(n):
            if alive[i]:
                w = weight[i] if partner[i] < 0 else min(weight[i], weight[partner[i]])
                if w * best[i] < low:
                    low, at = w * best[i], i
        if at < 0:
            break
        other = partner[at]
        alive[at] = False
        if other < 0:
            final[at] = n_jets
            n_jets += 1
        else:
            parent[at] = other
            momenta[other] += momenta[at]
            _place(momenta, other, rapidity, phi, weight)
        for i in range(n):
            changed = partner[i] == at or (other >= 0 and (partner[i] == other or i == other))
            if alive[i] and changed:
                best[i], partner[i] = _nearest(i, n, alive, rapidity, phi, radius2)
            elif alive[i] and other >= 0:
                d = _distance(rapidity, phi, i, other)
                if d < best[i]:
                    best[i], partner[i] = d, other
    for i in range(n):
        at = i
        while parent[at] != at:
            at = parent[at]
        owner[i] = final[at]
    return n_jets


def cluster(momenta: np.ndarray, *, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Anti-k_t jets of some particles.

    Parameters
    ----------
    momenta : (n, 4) float [GeV]
        px, py, pz, E.
    radius : float

    Returns
    -------
    jets : (n_jet, 4) float64 [GeV]
        Sums of the particles' momenta, in no order.
    owner : (n,) int64
        Jet of each particle.

    Examples
    --------
    >>> near = np.array([[30.0, 0.0, 0.0, 30.0], [10.0, 1.0, 0.0, 10.1], [-20.0, 0.0, 5.0, 21.0]])
    >>> jets, owner = cluster(near, radius=0.4)
    >>> sorted(jets[:, 0].tolist()), bool(owner[0] == owner[1])
    ([-20.0, 40.0], True)
    """
    total = np.array(momenta, dtype=np.float64)
    owner = np.empty(len(total), np.int64)
    n = _merge_all(total, owner, radius**2) if len(total) else 0
    jets = np.zeros((n, 4))
    np.add.at(jets, owner, np.asarray(momenta, dtype=np.float64))
    return jets, owner
