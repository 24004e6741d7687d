"""Lines on stderr that are no warnings, also in a batch log: that a training goes on."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["show_notes"]


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _say(record.getMessage())


def _say(text: str) -> None:
    print(f"calotools: {text}", file=sys.stderr, flush=True)


@contextmanager
def show_notes() -> Iterator[None]:
    """What the package logs (from level INFO) is a line on stderr."""
    logger, handler = logging.getLogger("calotools"), _Lines()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
