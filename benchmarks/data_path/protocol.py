"""What a worker measures and how it answers: one line of JSON; imported in every environment."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

MARK = "RESULT "


def answer(work: Callable[..., dict[str, Any]]) -> None:
    """Run a worker with the arguments of its command line, and print what it found with its peak memory."""
    found = work(**json.loads(sys.argv[1]))
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # the largest child, because the kernel keeps no sum; loaders here have at most two
    found |= {"rss_mib": own.ru_maxrss / 1024, "rss_child_mib": children.ru_maxrss / 1024}
    print(MARK + json.dumps(found), flush=True)


def round_number() -> int:
    """Which round it is; for seeds that all contestants of a round share."""
    return int(os.environ.get("BENCHMARK_ROUND", "0"))


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def read_epochs(open_epoch: Callable[[], Iterable[tuple[Any, int]]], *, epochs: int = 2) -> dict[str, Any]:
    """Drain a loader: the time to the first batch of the first epoch, and the rate of the last epoch, start included.

    Parameters
    ----------
    open_epoch : callable
        Starts an epoch and gives, for each batch, the positions of its candidates in the sample (or None) and their
        number. Imports and compilation are over when this is called.
    epochs : int
        All but the last are for warming up.
    """
    found: dict[str, Any] = {}
    for epoch in range(epochs):
        cpu, start = cpu_seconds(), time.perf_counter()
        batches, count = [], 0
        for positions, n in open_epoch():
            if epoch == 0 and not count:
                found["first_batch_s"] = time.perf_counter() - start
            count += n
            if positions is not None:
                batches.append(positions)
        seconds = time.perf_counter() - start
        found |= {"candidates": count, "seconds": seconds, "rate": count / seconds}
        found |= {"cpu_us": 1e6 * (cpu_seconds() - cpu) / count}
    return found | (mixing(batches) if batches else {})


def mixing(batches: list[Any]) -> dict[str, float]:
    """How well batches are mixed, 1 for a random choice from the whole sample, mean of all batches.

    ``quality`` is the spread: the standard deviation of a batch's positions over that of all. Two places far apart
    have a large spread, so ``coverage`` is there too: the hundredths of the sample that a batch has a candidate of,
    over those that a random batch has.
    """
    import numpy as np

    positions = [np.asarray(one, dtype=np.float64) for one in batches]
    low, high = min(one.min() for one in positions), max(one.max() for one in positions) + 1
    sizes = np.array([max(len(one), 2) for one in positions])
    # a small batch is a little narrower than what it is drawn from
    spreads = np.array([one.std() for one in positions]) / np.sqrt(1 - 1 / sizes)
    found = np.array([len(np.unique((100 * (one - low) / (high - low)).astype(int))) for one in positions])
    quality = np.average(spreads, weights=sizes) / np.concatenate(positions).std()
    coverage = np.average(found / (100 * (1 - 0.99**sizes)), weights=sizes)
    return {"quality": float(quality), "coverage": float(coverage)}


def timed(work: Callable[[], int], *, repeats: int = 2) -> dict[str, Any]:
    """Rate of work that returns the number of candidates; all repetitions but the last are for warming up."""
    for _ in range(repeats):
        cpu, start = cpu_seconds(), time.perf_counter()
        count = work()
        seconds = time.perf_counter() - start
        cpu_us = 1e6 * (cpu_seconds() - cpu) / count
    return {"candidates": count, "seconds": seconds, "rate": count / seconds, "cpu_us": cpu_us}


def cut(n: int, size: int) -> Iterator[slice]:
    """Slices of nearly equal length."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))
