"""Weights that make a sample flat in (E_T, \\|eta\\|), or give it the shape of another one.

Numbers in the bins come from the training part alone; each candidate then gets the weight of its bin, the nearest one
when it lies outside the edges. The mean weight over the training part is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calotools.errors import ConfigError, EmptyInputError, ShapeError

__all__ = ["ETA_EDGES", "ET_EDGES", "WeightTable", "count_bins", "flatten_weights", "match_weights"]

ET_EDGES = (0.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 60.0, 80.0, 100.0, 150.0, 200.0, 300.0, 500.0)
ETA_EDGES = (0.0, 0.1, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.37, 2.47)


@dataclass(frozen=True)
class WeightTable:
    """Weights by (E_T, \\|eta\\|), made from counts alone: counts of parts of a sample add up to those of the whole.

    Attributes
    ----------
    edges : (E_T edges [GeV], \\|eta\\| edges)
    factor : (n_et, n_eta) float

    Examples
    --------
    >>> edges = ((10, 20, 40), (0, 1))
    >>> counts = count_bins(np.array([12.0, 12.0, 12.0, 32.0]), np.zeros(4), edges=edges)
    >>> WeightTable.match(counts, like=np.ones((2, 1)), n=4, edges=edges).apply(np.array([12.0, 32.0]), np.zeros(2))
    array([0.6666667, 2.       ], dtype=float32)
    """

    edges: tuple[np.ndarray, np.ndarray]
    factor: np.ndarray

    @classmethod
    def match(
        cls,
        counts: np.ndarray,
        *,
        like: np.ndarray,
        n: float,
        edges: tuple[Sequence[float], Sequence[float]] = (ET_EDGES, ETA_EDGES),
        cap: float = 20.0,
    ) -> WeightTable:
        """Weights that give a sample with some counts the shape of others; their mean over its `n` candidates is 1.

        Parameters
        ----------
        counts, like : (n_et, n_eta) float
            As `count_bins` gives them.
        n : float
            Candidates that were counted.
        edges, cap
            As in `flatten_weights`.

        Raises
        ------
        EmptyInputError
            Nothing was counted, or the two have no bin in common.
        ConfigError
            `cap` is below 1.
        """
        if counts.sum() <= 0:
            raise EmptyInputError("no training candidate with finite E_T and eta to take weights from")
        ratio = np.divide(like, counts, out=np.zeros(counts.shape), where=counts > 0)
        if np.sum(ratio * counts) <= 0:
            raise EmptyInputError(
                "the two samples have no bin of (E_T, |eta|) in common; look at the edges and the units"
            )
        ratio = _capped(ratio, counts, cap)
        return cls(_check_edges(edges), ratio * n / np.sum(ratio * counts))

    @classmethod
    def flat(
        cls,
        counts: np.ndarray,
        *,
        n: float,
        edges: tuple[Sequence[float], Sequence[float]] = (ET_EDGES, ETA_EDGES),
        cap: float = 20.0,
    ) -> WeightTable:
        """Weights after which every populated bin counts the same per unit of log E_T and eta; see `match`."""
        et_edges, eta_edges = _check_edges(edges)
        low = np.maximum(et_edges[:-1], 0.5 * et_edges[1])
        width = np.log(et_edges[1:] / low)[:, None] * np.diff(eta_edges)[None, :]
        return cls.match(counts, like=width, n=n, edges=edges, cap=cap)

    def apply(self, et: np.ndarray, eta: np.ndarray, *, weight: np.ndarray | None = None) -> np.ndarray:
        """Weight of each candidate, times the one it has.

        Parameters
        ----------
        et : (n,) float [GeV]
        eta : (n,) float
        weight : (n,) float, optional

        Returns
        -------
        (n,) float32
            0 for a candidate with missing E_T or eta.
        """
        et, eta = np.asarray(et, dtype=np.float64), np.asarray(eta, dtype=np.float64)
        known = np.isfinite(et) & np.isfinite(eta)
        own = 1.0 if weight is None else np.asarray(weight, dtype=np.float64)
        return np.where(known, own * self.factor.ravel()[_bins(et, eta, self.edges)], 0.0).astype(np.float32)


def count_bins(
    et: np.ndarray,
    eta: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    edges: tuple[Sequence[float], Sequence[float]] = (ET_EDGES, ETA_EDGES),
) -> np.ndarray:
    """Candidates, or their weights, in bins of (E_T, \\|eta\\|); outside the edges the nearest bin counts.

    Parameters
    ----------
    et : (n,) float [GeV]
    eta : (n,) float
    weight : (n,) float, optional
    edges : (E_T edges [GeV], \\|eta\\| edges)

    Returns
    -------
    (n_et, n_eta) float64
        Candidates with missing E_T or eta are not counted.

    Examples
    --------
    >>> count_bins(np.array([12.0, 700.0, np.nan]), np.zeros(3), edges=((10, 20, 40), (0, 1))).tolist()
    [[1.0], [1.0]]
    """
    axes = _check_edges(edges)
    et, eta = np.asarray(et, dtype=np.float64), np.asarray(eta, dtype=np.float64)
    known = np.isfinite(et) & np.isfinite(eta)
    shape = len(axes[0]) - 1, len(axes[1]) - 1
    own = None if weight is None else np.asarray(weight, dtype=np.float64)[known]
    bins = _bins(et[known], eta[known], axes)
    return np.bincount(bins, weights=own, minlength=shape[0] * shape[1]).astype(np.float64).reshape(shape)


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
    et, eta, own, used = _check_lengths(et, eta, weight, train)
    counts = count_bins(et[used], eta[used], weight=own[used], edges=edges)
    return WeightTable.flat(counts, n=used.sum(), edges=edges, cap=cap).apply(et, eta, weight=own)


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
    other = count_bins(*like, weight=like_weight, edges=edges)
    if other.sum() == 0:
        raise EmptyInputError("the sample to resemble has no candidate with finite E_T and eta")
    et, eta, own, used = _check_lengths(et, eta, weight, train)
    counts = count_bins(et[used], eta[used], weight=own[used], edges=edges)
    return WeightTable.match(counts, like=other, n=used.sum(), edges=edges, cap=cap).apply(et, eta, weight=own)


def _check_edges(edges: tuple[Sequence[float], Sequence[float]]) -> tuple[np.ndarray, np.ndarray]:
    et_edges, eta_edges = (np.asarray(axis, dtype=np.float64) for axis in edges)
    for name, axis in (("E_T", et_edges), ("|eta|", eta_edges)):
        if len(axis) < 2 or np.any(np.diff(axis) <= 0) or axis[0] < 0:
            raise ConfigError(f"{name} edges {axis.tolist()} must be at least two, rise, and start at 0 or above")
    return et_edges, eta_edges


def _bins(et: np.ndarray, eta: np.ndarray, edges: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    i, j = (
        np.clip(np.searchsorted(axis, values, side="right") - 1, 0, len(axis) - 2)
        for axis, values in zip(edges, (et, np.abs(eta)), strict=True)
    )
    return i * (len(edges[1]) - 1) + j


def _check_lengths(
    et: np.ndarray, eta: np.ndarray, weight: np.ndarray | None, train: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    et, eta = np.asarray(et, dtype=np.float64), np.asarray(eta, dtype=np.float64)
    own = np.ones(len(et)) if weight is None else np.asarray(weight, dtype=np.float64)
    used = np.ones(len(et), dtype=bool) if train is None else np.array(train, dtype=bool)
    if not len(et) == len(eta) == len(own) == len(used):
        raise ShapeError(f"E_T, eta, weight and train have lengths {len(et)}, {len(eta)}, {len(own)}, {len(used)}")
    return et, eta, own, used & np.isfinite(et) & np.isfinite(eta)


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
