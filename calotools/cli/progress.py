"""One progress bar for every stage, with candidates per second; silent where there is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from calotools.stages import Progress

__all__ = ["progress_bar"]


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

        def progress(task: str, done: int, total: int) -> None:
            number = tasks.get(task)
            if number is None:
                number = tasks[task] = bar.add_task(task, total=total, rate="")
            elapsed = bar.tasks[number].elapsed or 0.0
            rate = f"{done / elapsed:,.0f}/s" if elapsed > 0 else ""
            bar.update(number, completed=done, total=total, rate=rate)

        yield progress
