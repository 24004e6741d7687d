"""One progress bar for every stage, with its rate and the time that is left; silent where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from calotools.progress import Progress

__all__ = ["describe_duration", "describe_rate", "progress_bar"]


_UNITS = {"simulate": " events", "images": " candidates", "train": " candidates", "predict": " candidates"}


def describe_rate(task: str, done: int, left: int, *, seconds: float) -> str:
    """Rate since the first report, and how long the rest takes at it; nothing before there is a rate.

    Examples
    --------
    >>> describe_rate("simulate", 3000, 9000, seconds=2.0)
    '1,500 events/s, 6 s left'
    >>> describe_rate("simulate", 0, 9000, seconds=0.1)
    ''
    """
    if done <= 0 or seconds <= 0:
        return ""
    rate = done / seconds
    text = f"{rate:,.{0 if rate >= 10 else 1}f}{_UNITS.get(task, '')}/s"
    return f"{text}, {describe_duration(left / rate)} left" if left > 0 else text


def describe_duration(seconds: float) -> str:
    """Seconds, minutes or hours, whole ones.

    Examples
    --------
    >>> describe_duration(61.7), describe_duration(150.0), describe_duration(10_000.0)
    ('1 min', '2 min', '3 h')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{rest} s" if minutes == 0 else f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"


@contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """Give a function ``progress(task, done, total)`` that moves a bar, or None without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}
        first: dict[str, tuple[int, float]] = {}

        def progress(task: str, done: int, total: int) -> None:
            if task not in tasks:
                tasks[task] = bar.add_task(task, total=total, rate="")
            if done == 0:
                return
            # from the first piece on: what is compiled or prepared before it is no part of the rate
            before, start = first.setdefault(task, (done, time.monotonic()))
            rate = describe_rate(task, done - before, total - done, seconds=time.monotonic() - start)
            bar.update(tasks[task], completed=done, total=total, rate=rate)

        yield progress
