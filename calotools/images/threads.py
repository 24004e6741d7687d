"""How many threads the compiled loops use."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from calotools.errors import ConfigError

__all__ = ["default_threads", "in_threads"]

_MOST = 4  # more gain little beside reading, and the machine is often shared
_SMALLEST = 64  # candidates that are worth a thread


def default_threads() -> int:
    """Threads used when none are asked for: the processors that this process may use, at most 4.

    ``CALOTOOLS_THREADS``, ``NUMBA_NUM_THREADS`` or ``OMP_NUM_THREADS``, in this order, say otherwise.

    Raises
    ------
    ConfigError
        One of these is not a positive number.

    Examples
    --------
    >>> 1 <= default_threads()
    True
    """
    for name in ("CALOTOOLS_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        if text := os.environ.get(name, ""):
            if not text.isdigit() or int(text) == 0:
                raise ConfigError(f"environment variable {name} = '{text}' must be a positive number of threads")
            return int(text)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, _MOST)


def in_threads(work: Callable[[int, int], None], n: int, *, threads: int | None = None) -> None:
    """Call ``work(start, stop)`` on parts of ``range(n)``, in threads.

    Parameters
    ----------
    work : callable
        Compiled without the global lock, or the threads wait for each other.
    n : int
    threads : int, optional
        Default: `default_threads`.

    Raises
    ------
    ConfigError
        `threads` is not positive.

    Examples
    --------
    >>> seen = []
    >>> in_threads(lambda start, stop: seen.extend(range(start, stop)), 3, threads=2)
    >>> seen
    [0, 1, 2]
    """
    if threads is not None and threads < 1:
        raise ConfigError(f"threads = {threads} must be at least 1")
    wanted = min(default_threads() if threads is None else threads, -(-n // _SMALLEST))
    if wanted <= 1:
        return work(0, n)
    edges = [k * n // wanted for k in range(wanted + 1)]
    with ThreadPoolExecutor(wanted) as pool:
        list(pool.map(work, edges[:-1], edges[1:]))
    return None
