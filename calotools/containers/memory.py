"""Memory for large arrays that is used again: what comes new from the system is filled page by page, which is slow.

Where arrays of a few megabytes come and go, as pieces of files and batches do, the system is asked for the same memory
over and over, and clearing it takes as long as everything that is done with it. And where small things stay behind
among large ones that go, the system does not get it back.
"""

from __future__ import annotations

import ctypes
import math
import os
from collections import defaultdict, deque
from contextlib import suppress
from pathlib import Path

import numpy as np

__all__ = ["new_array", "trim_heap"]

_SMALLEST = 2**16  # bytes: below, asking for memory is fast
_MOST = 2**27  # bytes of one size that wait to be used
_GROWTH = 2**26  # bytes by which the process may grow before its heap is looked through


class _Block(np.ndarray):
    """Memory. A type of its own, or numpy would let views keep it alive in place of the lease."""


class _Lease(np.ndarray):
    """A block in use: arrays on it keep this alive, and it gives the block back when the last of them is gone."""

    _home: deque[_Block] | None = None

    def __del__(self) -> None:
        if self._home is not None and isinstance(self.base, _Block):
            self._home.append(self.base)


def new_array(shape: int | tuple[int, ...], dtype: np.typing.DTypeLike) -> np.ndarray:
    """An array of any content, as ``numpy.empty``, where possible in memory that another one no longer needs.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : numpy dtype

    Returns
    -------
    array

    Examples
    --------
    >>> new_array((2, 3), np.float32).shape
    (2, 3)
    """
    dtype, shape = np.dtype(dtype), (shape,) if isinstance(shape, int) else shape
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes < _SMALLEST:
        return np.empty(shape, dtype)
    step = 2 ** (n_bytes.bit_length() - 4)
    size = -(-n_bytes // step) * step  # of a few sizes, so that one array's memory fits another
    home = _FREE[size]
    try:
        block = home.pop()
    except IndexError:
        block = _Block(size, np.uint8)
    lease = _Lease(size, np.uint8, buffer=block)
    lease._home = home
    return np.ndarray(shape, dtype, buffer=lease)


class _Free(defaultdict[int, "deque[_Block]"]):
    """Blocks that wait, by their size; the oldest of too many go back to the system."""

    def __missing__(self, size: int) -> deque[_Block]:
        self[size] = deque(maxlen=max(2, _MOST // size))
        return self[size]


# A deque is appended to and popped from in one step: no lock, which a garbage collection could meet closed.
_FREE = _Free()


def trim_heap() -> bool:
    """Give back what lies idle between things in use, if the process has grown by 64 MiB since the last time.

    The arrays of a network's pass come and go with every batch; what stays of each file (where its baskets are, a few
    scores) leaves holes that the next ones do not fit in, and without this memory grows from file to file. Only glibc
    is told; elsewhere nothing happens.

    Returns
    -------
    bool
        Whether something was given back.

    Examples
    --------
    >>> given_back = trim_heap()
    >>> trim_heap()  # it has not grown since
    False
    """
    return _HEAP.trim()


class _Heap:
    """How large the process was when its heap was trimmed last."""

    def __init__(self) -> None:
        self._bytes = 0

    def trim(self) -> bool:
        with suppress(OSError, AttributeError, TypeError):  # no such file, library or function here
            if _resident() < self._bytes + _GROWTH:
                return False
            given_back = bool(ctypes.CDLL(None).malloc_trim(0))
            self._bytes = _resident()
            return given_back
        return False


def _resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


_HEAP = _Heap()
