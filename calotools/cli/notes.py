"""Lines on stderr that are no warnings, also in a batch log: that a training goes on, or that kernels are compiled."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numba.core.event import Event

__all__ = ["COMPILED", "show_compiling", "show_notes"]

COMPILED = frozenset(
    (
        "simulate",
        "prepare",
        "find_rate",
        "tune",
        "train",
        "regress",
        "correct_bias",
        "predict",
        "attribute",
        "validate_simulation",
    )
)
"""Stages that run kernels; others would wait for the import of numba alone."""
_COMPILING = "compiling kernels, as always on their first use: about a minute, more on a busy machine"


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


def show_compiling(stage: str) -> AbstractContextManager[object]:
    """One line on stderr when a kernel has to be compiled that would otherwise be loaded from its cache.

    Numba itself says so, when it has looked for the kernel in the cache and has not found it. Processes that a stage
    starts (`--jobs`) say nothing.

    Parameters
    ----------
    stage : str
        Only one of `COMPILED` is watched.

    Returns
    -------
    context manager
    """
    if stage not in COMPILED:
        return nullcontext()
    from numba.core.event import Listener, install_listener

    class Watch(Listener):
        said = False

        def on_start(self, event: Event) -> None:
            stats = getattr(event.data["dispatcher"], "stats", None)
            if not self.said and stats is not None and stats.cache_path is not None:
                self.said = True
                _say(_COMPILING)

        def on_end(self, event: Event) -> None:
            """Nothing to say."""

    return install_listener("numba:compile", Watch())
