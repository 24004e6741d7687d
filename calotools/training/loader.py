"""Serve whole batches, in an order that depends on seed and epoch alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from calotools.containers import Batch

__all__ = ["Loader", "batch_rows"]


def batch_rows(
    rows: np.ndarray, *, batch_size: int, shuffle: tuple[int, int] | None = None, part: tuple[int, int] = (0, 1)
) -> list[np.ndarray]:
    """Cut rows into batches of nearly equal size, none of them larger than `batch_size`.

    Parameters
    ----------
    rows : (n,) int array
    batch_size : int
    shuffle : (seed, epoch), optional
        None keeps the order.
    part : (int, int)
        Part I of N of every batch, for one of N processes.

    Returns
    -------
    list of int array
        Every row once, over all parts.

    Examples
    --------
    >>> [batch.tolist() for batch in batch_rows(np.arange(5), batch_size=3)]
    [[0, 1, 2], [3, 4]]
    >>> [batch.tolist() for batch in batch_rows(np.arange(5), batch_size=3, part=(1, 2))]
    [[1], [4]]
    """
    if shuffle is not None:
        rows = np.random.default_rng(shuffle).permutation(rows)
    n_batches = -(-len(rows) // batch_size)
    batches = np.array_split(rows, n_batches) if n_batches else []
    return [batch[part[0] :: part[1]] for batch in batches]


class Loader:
    """Iterable of batches, as Lightning wants it.

    Parameters
    ----------
    make_batch : callable
        Rows of the store -> `Batch`.
    rows : (n,) int array
    batch_size : int
    seed : int, optional
        Shuffle, differently each epoch; None keeps the order.
    epoch, part : callable
        Give the epoch and (rank, processes) when an iteration starts: the trainer knows them only then.

    Examples
    --------
    >>> [batch.tolist() for batch in Loader(lambda rows: rows, np.arange(4), batch_size=2)]
    [[0, 1], [2, 3]]
    """

    def __init__(
        self,
        make_batch: Callable[[np.ndarray], Batch],
        rows: np.ndarray,
        *,
        batch_size: int,
        seed: int | None = None,
        epoch: Callable[[], int] = lambda: 0,
        part: Callable[[], tuple[int, int]] = lambda: (0, 1),
    ) -> None:
        self._make_batch = make_batch
        self._rows = rows
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = epoch
        self._part = part

    def __len__(self) -> int:
        return -(-len(self._rows) // self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        shuffle = None if self._seed is None else (self._seed, self._epoch())
        for rows in batch_rows(self._rows, batch_size=self._batch_size, shuffle=shuffle, part=self._part()):
            yield self._make_batch(rows)
