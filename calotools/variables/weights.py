"""Weights that make a sample flat in (E_T, \\|eta\\|), or give it the shape of another one.

Numbers in the bins come from the training part alone; each candidate then gets the weight of its bin, the nearest one
when it lies outside the edges. The mean weight over the training part is 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calotools.errors import ConfigError, EmptyInputError, ShapeError

__all__ = ["ETA_EDGES", "ET_EDGES", "flatten_weights", "match_weights"]

ET_EDGES = (0.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 60.0, 80.0, 100.0, 150.0, 200.0, 300.0, 500.0)
ETA_EDGES = (0.0, 0.1, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.37, 2.47)


def flatten_weights(
    et: np.ndarray,
    eta: np.ndarray,
    *,
    train: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    edges: tuple[Sequence[float], Sequence[float]] = (ET_EDGES, ETA_EDGES),
    cap: float = 20.0,
) -> np.ndarray:
    """Weights after which every populated bin of (E_T, \\|eta\\|) counts the same per unit of log E_T and eta.

    Parameters
    ----------
    et : (n,) float [GeV]
    eta : (n,) float
    train : (n,) bool, optional
        Candidates that are counted; all of them when None.
    weight : (n,) float, optional
        Weights that the candidates already have; they are included in the result.
    edges : (E_T edges [GeV], \\|eta\\| edges)
    cap : float
        No bin gets a weight above this many times the mean weight; at least 1.

    Returns
    -------
    (n,) float32
        Mean 1 over the training part; 0 for a candidate with missing E_T or eta.

    Raises
    ------
    ShapeError
        Arrays differ in length.
    EmptyInputError
        There is nothing to count.
    ConfigError
        Edges do not rise, or `cap` is below 1.

    Examples
    --------
    >>> et, eta = np.array([12.0, 12.0, 12.0, 42.0]), np.zeros(4)
    >>> print(flatten_weights(et, eta, edges=((10, 20, 40, 80), (0, 1))).round(3))
    [0.667 0.667 0.667 2.   ]
    """
    et_edges, eta_edges = _check_edges(edges)
    low = np.maximum(et_edges[:-1], 0.5 * et_edges[1])
    width = np.log(et_edges[1:] / low)[:, None] * np.diff(eta_edges)[None, :]
    return _weigh(et, eta, target=width, train=train, weight=weight, edges=(et_edges, eta_edges), cap=cap)


def match_weights(
    et: np.ndarray,
    eta: np.ndarray,
    *,
    like: tuple[np.ndarray, np.ndarray],
    like_weight: np.ndarray | None = None,
    train: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    edges: tuple[Sequence[float], Sequence[float]] = (ET_EDGES, ETA_EDGES),
    cap: float = 20.0,
) -> np.ndarray:
    """Weights that give candidates the (E_T, \\|eta\\|) shape of another sample.

    Parameters
    ----------
    et : (n,) float [GeV]
    eta : (n,) float
    like : ((m,) float [GeV], (m,) float)
        E_T and eta of the sample to resemble (its training part).
    like_weight : (m,) float, optional
        Weights of that sample.
    train, weight, edges, cap
        As in `flatten_weights`.

    Returns
    -------
    (n,) float32
        Mean 1 over the training part; 0 in a bin where the other sample has nobody.

    Raises
    ------
    ShapeError, EmptyInputError, ConfigError
        As in `flatten_weights`.

    Examples
    --------
    >>> et, eta = np.array([12.0, 12.0, 42.0, 42.0]), np.zeros(4)
    >>> match_weights(et, eta, like=(np.array([12.0, 12.0, 12.0, 42.0]), np.zeros(4))).tolist()
    [1.5, 1.5, 0.5, 0.5]
    """
    et_edges, eta_edges = _check_edges(edges)
    finite = np.isfinite(like[0]) & np.isfinite(like[1])
    other = np.histogramdd(
        _inside(*like, (et_edges, eta_edges)),
        bins=(et_edges, eta_edges),
        weights=None if like_weight is None else np.asarray(like_weight, float)[finite],
    )[0]
    if other.sum() == 0:
        raise EmptyInputError("the sample to resemble has no candidate with finite E_T and eta")
    return _weigh(et, eta, target=other, train=train, weight=weight, edges=(et_edges, eta_edges), cap=cap)


def _check_edges(edges: tuple[Sequence[float], Sequence[float]]) -> tuple[np.ndarray, np.ndarray]:
    et_edges, eta_edges = (np.asarray(axis, dtype=np.float64) for axis in edges)
    for name, axis in (("E_T", et_edges), ("|eta|", eta_edges)):
        if len(axis) < 2 or np.any(np.diff(axis) <= 0) or axis[0] < 0:
            raise ConfigError(f"{name} edges {axis.tolist()} must be at least two, rise, and start at 0 or above")
    return et_edges, eta_edges


def _inside(et: np.ndarray, eta: np.ndarray, edges: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Finite (E_T, |eta|) rows, moved into the nearest bin when they lie outside the edges."""
    rows = np.stack([np.asarray(et, dtype=np.float64), np.abs(np.asarray(eta, dtype=np.float64))], axis=1)
    rows = rows[np.isfinite(rows).all(axis=1)]
    middles = [0.5 * (axis[1:] + axis[:-1]) for axis in edges]
    return np.clip(rows, [axis[0] for axis in middles], [axis[-1] for axis in middles])


def _bins(et: np.ndarray, eta: np.ndarray, edges: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    i, j = (
        np.clip(np.searchsorted(axis, values, side="right") - 1, 0, len(axis) - 2)
        for axis, values in zip(edges, (et, np.abs(eta)), strict=True)
    )
    return i * (len(edges[1]) - 1) + j


def _weigh(
    et: np.ndarray,
    eta: np.ndarray,
    *,
    target: np.ndarray,
    train: np.ndarray | None,
    weight: np.ndarray | None,
    edges: tuple[np.ndarray, np.ndarray],
    cap: float,
) -> np.ndarray:
    et, eta = np.asarray(et, dtype=np.float64), np.asarray(eta, dtype=np.float64)
    own = np.ones(len(et)) if weight is None else np.asarray(weight, dtype=np.float64)
    used = np.ones(len(et), dtype=bool) if train is None else np.asarray(train, dtype=bool)
    if not len(et) == len(eta) == len(own) == len(used):
        raise ShapeError(f"E_T, eta, weight and train have lengths {len(et)}, {len(eta)}, {len(own)}, {len(used)}")
    known = np.isfinite(et) & np.isfinite(eta)
    used &= known
    bins = _bins(et, eta, edges)
    counts = np.bincount(bins[used], weights=own[used], minlength=target.size)
    if counts.sum() <= 0:
        raise EmptyInputError("no training candidate with finite E_T and eta to take weights from")
    ratio = np.divide(target.ravel(), counts, out=np.zeros(target.size), where=counts > 0)
    if np.sum(ratio * counts) <= 0:
        raise EmptyInputError("the two samples have no bin of (E_T, |eta|) in common; look at the edges and the units")
    ratio = _capped(ratio, counts, cap)
    result = np.where(known, own * ratio[bins], 0.0)
    return (result / np.mean(result[used])).astype(np.float32)


def _capped(ratio: np.ndarray, counts: np.ndarray, cap: float) -> np.ndarray:
    """Limit bins to `cap` times the mean, which the limit itself lowers: repeat until it settles."""
    if cap < 1:
        raise ConfigError(f"cap = {cap} on weights must be at least 1, or nothing is left")
    for _ in range(100):
        limited = np.minimum(ratio, cap * np.sum(ratio * counts) / np.sum(counts))
        if np.allclose(limited, ratio, rtol=1e-9, atol=0.0):
            break
        ratio = limited
    return ratio
