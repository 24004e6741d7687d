"""Pieces read and drawn by several threads, each of which does one at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from calotools.images import default_threads
from calotools.training.sample.pieces import Piece, PieceReader

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig

__all__ = ["PieceArrays"]


class PieceArrays:
    """What a store keeps of pieces, piece after piece; what is known of files is kept from one call to the next.

    Reading one piece and drawing another overlap, which threads inside a piece cannot.

    Parameters
    ----------
    config : TrainConfig
    threads : int, optional
        Default: `default_threads`. With one, nothing is done before it is asked for.
    """

    def __init__(self, config: TrainConfig, *, threads: int | None = None) -> None:
        self._config = config
        self._threads = default_threads() if threads is None else threads
        self._own = threading.local()
        self._readers: list[PieceReader] = []
        self._pool: ThreadPoolExecutor | None = None

    def __call__(
        self, pieces: Iterable[Piece], *, paint: bool = True
    ) -> Generator[tuple[Piece, dict[str, np.ndarray]], None, None]:
        """Pieces and what is kept of them, in their order.

        Parameters
        ----------
        pieces : iterable of Piece
        paint : bool
            As in `PieceReader.arrays`.

        Yields
        ------
        Piece
        dict of str to array
            As `PieceReader.arrays`.
        """
        if self._threads == 1:
            yield from ((piece, self._arrays(piece, paint)) for piece in pieces)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="pieces")
        left, ahead = iter(pieces), deque[tuple[Piece, Future[dict[str, np.ndarray]]]]()
        try:
            while True:
                for piece in islice(left, self._threads + 1 - len(ahead)):
                    ahead.append((piece, self._pool.submit(self._arrays, piece, paint)))
                if not ahead:
                    return
                piece, made = ahead.popleft()
                yield piece, made.result()
        finally:
            for _, made in ahead:
                made.cancel()

    def _arrays(self, piece: Piece, paint: bool) -> dict[str, np.ndarray]:
        reader: PieceReader | None = getattr(self._own, "reader", None)
        if reader is None:
            like = self._readers[0] if self._readers else None
            reader = self._own.reader = PieceReader(self._config, like=like)
            self._readers.append(reader)
        return reader.arrays(piece, threads=1, paint=paint)

    def close(self) -> None:
        """Wait for what is under way, and close the files."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        while self._readers:
            self._readers.pop().close()
        self._own = threading.local()

    def __enter__(self) -> PieceArrays:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()
