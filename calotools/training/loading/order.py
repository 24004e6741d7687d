"""The order of an epoch: which rows, in which sequence, in which batches; plain functions of seed and epoch.

A *piece* is what is read from a file in one go. Where rows are read from ROOT files, some pieces from all over the
sample are mixed at a time (a *pool*); a store can mix everything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["batch_edges", "count_kept", "keep_some", "mix_pieces", "shuffle_pool"]


def batch_edges(n: int, n_batches: int) -> np.ndarray:
    """Where batches of nearly equal size begin and end.

    Parameters
    ----------
    n : int
        Rows.
    n_batches : int

    Returns
    -------
    (n_batches + 1,) int64
        From 0 to n.

    Examples
    --------
    >>> batch_edges(8, 3).tolist()
    [0, 3, 6, 8]
    """
    small, larger = divmod(n, max(1, n_batches))
    number = np.arange(n_batches + 1)
    return number * small + np.minimum(number, larger)


def mix_pieces(sizes: Sequence[int], *, buffer: int, shuffle: tuple[int, int]) -> list[np.ndarray]:
    """Deal pieces into pools, each with pieces from all over the sample.

    The sequence of pieces is cut into as many parts as a pool has pieces; every pool gets one of each part, drawn at
    random. Files of different classes thus come together in the proportion of their sizes.

    Parameters
    ----------
    sizes : sequence of int
        Rows of each piece, in the order of the files.
    buffer : int
        Rows of a pool, about.
    shuffle : (int, int)
        Seed and epoch.

    Returns
    -------
    list of int array
        Piece numbers of each pool, rising; each piece once.

    Examples
    --------
    >>> [pool.tolist() for pool in mix_pieces([10] * 6, buffer=30, shuffle=(1, 0))]
    [[0, 2, 5], [1, 3, 4]]
    """
    n_pools = max(1, min(len(sizes), round(sum(sizes) / buffer)))
    rng = np.random.default_rng((*shuffle, 1))
    parts = [np.arange(first, min(first + n_pools, len(sizes))) for first in range(0, len(sizes), n_pools)]
    pools: list[list[int]] = [[] for _ in range(n_pools)]
    for part in parts:
        for pool, piece in zip(rng.permutation(n_pools), part, strict=False):
            pools[pool].append(int(piece))
    return [np.array(pool, dtype=np.int64) for pool in pools if pool]


def shuffle_pool(n: int, *, number: int, shuffle: tuple[int, int]) -> np.ndarray:
    """Order of the rows of one pool.

    Parameters
    ----------
    n : int
    number : int
        Of the pool.
    shuffle : (int, int)
        Seed and epoch.

    Returns
    -------
    (n,) int64
        A permutation.

    Examples
    --------
    >>> shuffle_pool(4, number=0, shuffle=(1, 0)).tolist()
    [1, 3, 2, 0]
    """
    return np.random.default_rng((*shuffle, 2, number)).permutation(n)


def keep_some(ordinal: np.ndarray, *, fraction: float, epoch: int) -> np.ndarray:
    """Choose a fraction of the rows of a class, evenly spread, another one each epoch.

    Parameters
    ----------
    ordinal : (n,) int
        Number of the row within its class.
    fraction : float
        In (0, 1].
    epoch : int

    Returns
    -------
    (n,) bool
        After 1 / `fraction` epochs, every row was chosen about once.

    Examples
    --------
    >>> [keep_some(np.arange(6), fraction=1 / 3, epoch=epoch).nonzero()[0].tolist() for epoch in range(3)]
    [[2, 5], [0, 3], [1, 4]]
    """
    return np.floor((ordinal + 1 - epoch) * fraction) > np.floor((ordinal - epoch) * fraction)


def count_kept(n: int, *, fraction: float, epoch: int) -> int:
    """How many of n rows `keep_some` chooses.

    Examples
    --------
    >>> count_kept(7, fraction=1 / 3, epoch=0)
    2
    """
    return int(np.floor((n - epoch) * fraction) - np.floor(-epoch * fraction))
