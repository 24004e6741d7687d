"""Serve batches to the trainer: made ahead in a thread, shared among processes, resumable inside an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from calotools.containers import Batch
from calotools.training.loading.prefetching import prefetch

__all__ = ["BatchSource", "Loader"]


class BatchSource(Protocol):
    """What a loader serves: the batches of an epoch, in an order that depends on the epoch alone."""

    def __len__(self) -> int:
        """Batches of an epoch."""
        ...

    def batches(self, epoch: int, *, part: tuple[int, int], skip: int) -> Iterator[Batch]:
        """Part I of N of every batch but the first `skip`."""
        ...


class Loader:
    """Iterable of batches, as Lightning wants it.

    Parameters
    ----------
    source : BatchSource
    epoch, part : callable
        Give the epoch and (rank, processes) when an iteration starts: the trainer knows them only then.
    depth : int
        Batches made in advance.
    pin : bool
        Put batches into page-locked memory, from which a GPU copies while it computes.

    Examples
    --------
    >>> class Numbers:
    ...     def __len__(self):
    ...         return 4
    ...
    ...     def batches(self, epoch, *, part, skip):
    ...         return iter(range(skip, 4))
    >>> loader = Loader(Numbers())
    >>> served = iter(loader)
    >>> next(served), next(served), loader.state_dict()
    (0, 1, {'epoch': 0, 'batch': 2})
    >>> other = Loader(Numbers())
    >>> other.load_state_dict({"epoch": 0, "batch": 2})
    >>> list(other)
    [2, 3]
    """

    def __init__(
        self,
        source: BatchSource,
        *,
        epoch: Callable[[], int] = lambda: 0,
        part: Callable[[], tuple[int, int]] = lambda: (0, 1),
        depth: int = 0,
        pin: bool = False,
    ) -> None:
        self._source = source
        self._epoch = epoch
        self._part = part
        self._depth = depth
        self._pin = pin
        self._state = {"epoch": 0, "batch": 0}
        self._skip: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._source)

    def __iter__(self) -> Iterator[Batch]:
        # A generator: nothing is decided before the first batch is asked for.
        epoch = self._epoch()
        skip = self._skip.get("batch", 0) if self._skip.get("epoch") == epoch else 0
        self._skip = {}
        self._state = {"epoch": epoch, "batch": skip}
        batches = self._source.batches(epoch, part=self._part(), skip=skip)
        for batch in prefetch((one.pin() for one in batches) if self._pin else batches, depth=self._depth):
            self._state["batch"] += 1
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """Epoch, and how many of its batches were served."""
        return dict(self._state)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the next iteration, if it is of the same epoch, go on after the batches that were served."""
        self._skip = dict(state_dict)
