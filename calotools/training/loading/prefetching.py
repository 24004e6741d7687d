"""Make the next items of an iterator in a thread while the present one is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

__all__ = ["map_ahead", "prefetch"]

S = TypeVar("S")
T = TypeVar("T")
_END: Any = object()


def prefetch(items: Iterable[T], *, depth: int) -> Generator[T, None, None]:
    """The same items in the same order, up to `depth` of them made in advance.

    Parameters
    ----------
    items : iterable
        Used in one other thread only.
    depth : int
        0: no thread.

    Yields
    ------
    item
        An error of `items` is raised here, after the items before it. When this generator is closed, the thread ends
        with the item that it is making, and closes `items`.

    Examples
    --------
    >>> list(prefetch(range(4), depth=2))
    [0, 1, 2, 3]
    """
    if depth < 1:
        yield from items
        return
    iterator = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as thread:
        ahead = deque(thread.submit(next, iterator, _END) for _ in range(depth))
        try:
            while (item := ahead.popleft().result()) is not _END:
                ahead.append(thread.submit(next, iterator, _END))
                yield item
        finally:
            for one in ahead:
                one.cancel()
            if isinstance(iterator, Generator):
                thread.submit(iterator.close).result()


def map_ahead(function: Callable[[S], T], items: Iterable[S], *, threads: int) -> Generator[T, None, None]:
    """A function of every item, in their order, by several threads.

    Parameters
    ----------
    function : callable
        Of one item; several threads call it at a time.
    items : iterable
        Used in this thread, one more than there are threads in advance.
    threads : int
        1: none; every item is used when its result is asked for.

    Yields
    ------
    result

    Examples
    --------
    >>> list(map_ahead(abs, [-1, 2, -3], threads=2))
    [1, 2, 3]
    """
    if threads == 1:
        yield from map(function, items)
        return
    left = iter(items)
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        ahead = deque(pool.submit(function, item) for item in islice(left, threads + 1))
        try:
            while ahead:
                result = ahead.popleft().result()
                ahead.extend(pool.submit(function, item) for item in islice(left, 1))
                yield result
        finally:
            for one in ahead:
                one.cancel()
            if isinstance(left, Generator):
                left.close()
