"""How many CPU threads torch uses, for the length of a block, and trees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["tree_threads", "use_threads"]

_ROWS_PER_THREAD = 50_000  # with fewer, threads of trees wait for each other more than they save


@contextmanager
def use_threads(number: int | None) -> Iterator[None]:
    """Let torch use `number` CPU threads inside the block, and what it had before afterwards.

    Parameters
    ----------
    number : int, optional
        None leaves torch's own choice (the cores, or OMP_NUM_THREADS).

    Examples
    --------
    >>> with use_threads(1):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def tree_threads(asked: int | None, *, rows: int) -> int:
    """How many threads grow trees: as torch would use for a network, but no more than the sample keeps busy.

    Parameters
    ----------
    asked : int, optional
        Taken as it is.
    rows : int
        Candidates to grow on: one thread for each 50,000 of them. Threads of OpenMP meet after every leaf, and spin
        while they wait: on a machine whose cores others use, two took 3 to 30 times as long as one for 2000 to 200,000.

    Returns
    -------
    int

    Examples
    --------
    >>> tree_threads(3, rows=1000), tree_threads(None, rows=1000)
    (3, 1)
    """
    return asked or min(torch.get_num_threads(), max(1, rows // _ROWS_PER_THREAD))
