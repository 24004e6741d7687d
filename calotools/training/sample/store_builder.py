"""A store whose pieces arrive in any order, as training streams them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calotools.images import DraftStore, ImageStore, order_store
from calotools.outputs import beside
from calotools.training.sample.preparation import new_store

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig
    from calotools.training.sample.survey import Cutflow

__all__ = ["StoreBuilder"]


class StoreBuilder:
    """Keeps pieces on disk as they come; `finish` puts their rows in order.

    The result holds what the store of `prepare` holds, row by row and bit for bit; only bands, values and tracks
    stand in the order in which the pieces came. Until then there is only a folder with a temporary name, which
    disappears with an error or with `close`.

    Parameters
    ----------
    config : TrainConfig
    path : Path
        Of the store; an existing one is replaced.
    digest : str
    cutflow : cut flow
        Of the survey.
    wanted : callable, optional
        In-memory store of a piece -> (n,) bool, the rows to keep; default: all.
    """

    def __init__(
        self,
        config: TrainConfig,
        path: Path,
        *,
        digest: str,
        cutflow: Cutflow = (),
        wanted: Callable[[ImageStore | DraftStore], np.ndarray] | None = None,
    ) -> None:
        self._config, self._path, self._digest, self._wanted = config, path, digest, wanted
        # another training may be making the same store
        self._kept = beside(path, "pieces")
        self._spans: dict[int, tuple[int, int]] = {}
        self._n = 0
        self._writer = new_store(config, self._kept, cutflow=cutflow).__enter__()

    def __contains__(self, number: int) -> bool:
        return number in self._spans

    def add(self, number: int, piece: ImageStore | DraftStore) -> None:
        """Keep a piece, once.

        Parameters
        ----------
        number : int
            Of the piece.
        piece : ImageStore or DraftStore
            In memory.
        """
        if number in self._spans:
            return
        rows = np.arange(len(piece)) if self._wanted is None else np.flatnonzero(self._wanted(piece))
        if len(rows):
            self._writer.append(piece.take(rows))
        self._spans[number] = self._n, self._n + len(rows)
        self._n += len(rows)

    def finish(self) -> ImageStore:
        """The store, in the order of the pieces' numbers.

        Returns
        -------
        ImageStore
        """
        self._writer.__exit__(None, None, None)
        try:
            parts = [part for _, part in sorted(self._spans.items())]
            return order_store(self._kept, self._path, parts, digest=self._digest, overwrite=True)
        finally:
            shutil.rmtree(self._kept)

    def close(self) -> None:
        """Give up: nothing stays."""
        self._writer.abandon()
