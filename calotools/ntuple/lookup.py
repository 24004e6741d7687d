"""Values of a friend tree by run, event and candidate: for those who read the candidates in parts, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from calotools.containers import Index
from calotools.errors import BranchError, ShapeError, nearest
from calotools.ntuple.friend import read_friend
from calotools.ntuple.paths import expand_files
from calotools.ntuple.remote import fingerprint

__all__ = ["Lookup", "lookup_friend"]


class Lookup:
    """A value for each candidate that is known.

    Parameters
    ----------
    index : Index
        Of different candidates.
    values : (n,) float
    name : str
        What they are and where they are from, for messages.

    Raises
    ------
    ShapeError
        Two rows have the same index.

    Examples
    --------
    >>> index = Index(np.array([1, 1], "u4"), np.array([9, 7], "u8"), np.array([0, 0], "i4"))
    >>> Lookup(index, np.array([0.5, 2.0]), name="weights")(index.take(np.array([1])))
    array([2.])
    """

    def __init__(self, index: Index, values: np.ndarray, *, name: str) -> None:
        keys = _keys(index)
        order = np.argsort(keys, kind="stable")
        self._keys, self._values, self._name = keys[order], values[order], name
        twice = np.flatnonzero(self._keys[1:] == self._keys[:-1])
        if len(twice):
            raise ShapeError(
                f"{name}: rows {sorted(order[twice[0] : twice[0] + 2].tolist())} are the same candidate, (run, event, "
                f"candidate) = {_place(index, order[twice[0]])}; give files whose runs or events differ"
            )

    def __call__(self, index: Index, *, source: str = "candidates") -> np.ndarray:
        """The values of some candidates.

        Parameters
        ----------
        index : Index
        source : str
            Where they are from, for messages.

        Returns
        -------
        (n,) float

        Raises
        ------
        ShapeError
            A candidate is not known; the message has its index.
        """
        keys = _keys(index)
        row = np.minimum(np.searchsorted(self._keys, keys), max(len(self._keys) - 1, 0))
        absent = self._keys[row] != keys if len(self._keys) else np.ones(len(keys), bool)
        if absent.any():
            raise ShapeError(
                f"{self._name} lack {absent.sum()} of {len(keys)} candidates of {source}; the first is (run, event, "
                f"candidate) = {_place(index, int(np.argmax(absent)))}; make them again from all of the files"
            )
        return self._values[row]


def lookup_friend(paths: Sequence[str | Path], branch: str) -> Lookup:
    """Read one branch of a friend tree. Asked again for the same files, it gives what it has.

    Parameters
    ----------
    paths : sequence of path
        Of the friend tree, in any order.
    branch : str

    Returns
    -------
    Lookup

    Raises
    ------
    BranchError
        There is no such branch; the message has the nearest.
    InputFileError, TreeError, ShapeError
    """
    files = expand_files([str(path) for path in paths])
    return _read(tuple(files), branch, repr([fingerprint(file) for file in files]))


@lru_cache(maxsize=2)
def _read(files: tuple[str, ...], branch: str, stamp: str) -> Lookup:  # noqa: ARG001 - tells changed files apart
    friend = read_friend(files)
    if branch not in friend.values:
        raise BranchError(f"friend {list(files)} has no branch '{branch}'; {nearest(branch, friend.values)}")
    return Lookup(friend.index, friend.values[branch], name=f"values of '{branch}' in {list(files)}")


def _keys(index: Index) -> np.ndarray:
    """(n,) bytes that sort and compare as event, run, candidate."""
    packed = np.empty((len(index), 16), np.uint8)
    for column, numbers, kind in ((0, index.event, ">u8"), (8, index.run, ">u4"), (12, index.candidate, ">i4")):
        size = np.dtype(kind).itemsize
        packed[:, column : column + size] = np.asarray(numbers).astype(kind)[:, None].view(np.uint8)
    return packed.view("S16")[:, 0]


def _place(index: Index, row: int) -> list[int]:
    return [int(getattr(index, name)[row]) for name in ("run", "event", "candidate")]
