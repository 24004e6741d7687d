"""Run, event and candidate numbers for trees that do not hold all of them."""

from __future__ import annotations

import awkward as ak
import numpy as np

__all__ = ["Numbering"]


class Numbering:
    """Completes the index of consecutive chunks of one tree; the result does not depend on the chunks' size.

    Parameters
    ----------
    run : int
        Run number of a tree that has none; it keeps the events of different files apart.
    rows : int
        Candidates of the tree before the first chunk.

    Examples
    --------
    >>> numbering = Numbering(run=5)
    >>> numbering.complete(ak.Array({"event": [3, 3, 4]})).candidate.to_list()
    [0, 1, 0]
    """

    def __init__(self, *, run: int, rows: int = 0) -> None:
        self._run = run
        self._rows = rows
        self._last: tuple[int, int] | None = None
        self._count = 0

    def complete(self, candidates: ak.Array) -> ak.Array:
        """Add the fields of the index that are not there.

        Parameters
        ----------
        candidates : (n,) awkward record array

        Returns
        -------
        (n,) awkward record array
        """
        n = len(candidates)
        if "run" not in candidates.fields:
            candidates = ak.with_field(candidates, np.full(n, self._run, dtype=np.uint32), "run")
        if "event" not in candidates.fields:
            rows = np.arange(self._rows, self._rows + n, dtype=np.uint64)
            candidates = ak.with_field(candidates, rows, "event")
        if "candidate" not in candidates.fields:
            candidates = ak.with_field(candidates, self._count_in_events(candidates), "candidate")
        self._rows += n
        return candidates

    def _count_in_events(self, candidates: ak.Array) -> np.ndarray:
        """Position within consecutive rows of one (run, event), carried over from the chunk before."""
        run, event = ak.to_numpy(candidates["run"]), ak.to_numpy(candidates["event"])
        if not len(run):
            return np.zeros(0, dtype=np.int32)
        change = np.concatenate([[True], (run[1:] != run[:-1]) | (event[1:] != event[:-1])])
        starts = np.flatnonzero(change)
        lengths = np.diff(np.append(starts, len(run)))
        position = np.arange(len(run)) - np.repeat(starts, lengths)
        if self._last == (int(run[0]), int(event[0])):
            position[: lengths[0]] += self._count
        self._last, self._count = (int(run[-1]), int(event[-1])), int(position[-1]) + 1
        return position.astype(np.int32)
