"""How many CPU threads torch uses, for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["use_threads"]


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
