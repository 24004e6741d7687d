"""Branches of numbers and of lists of numbers, read from a local TTree's baskets straight into flat arrays.

uproot finds out what a tree holds; for the plain branches that ntuples are made of, its general way to the numbers
costs more than decompressing them. What is not plain (strings, objects, baskets inside the tree's header, files on
servers) is left to uproot.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import awkward as ak
import numpy as np
from awkward.contents import ListOffsetArray, NumpyArray, RecordArray
from awkward.index import Index64
from uproot.behaviors.TTree import TTree
from uproot.interpretation.jagged import AsJagged
from uproot.interpretation.numerical import AsDtype

from calotools.containers import new_array
from calotools.ntuple.remote import is_remote
from calotools.ntuple.unpack import unpack

__all__ = ["Baskets", "Branch"]

_KEY = struct.Struct(">ihiIhh")  # bytes, version, bytes when unpacked, date, bytes of the key, cycle
_BASKET = struct.Struct(">Hiiii")  # at the end of the key: version, sizes, entries, where the last entry ends
_OFFSET = np.dtype(">i4")
# Where baskets are unpacked, again and again: for each thread, because memory that is new is slow, and files are many.
_SCRATCH = threading.local()
_NO_LISTS = np.zeros(0, np.int64)
_VECTOR_HEADERS = (0, 10)  # a list of a std::vector has ten bytes before it


@dataclass(frozen=True)
class Branch:
    """Where a branch is.

    Attributes
    ----------
    name : str
    entries : (n_basket + 1,) int64
        First entry of each basket, and the number of all.
    seeks, sizes : (n_basket,) int64
        Place and bytes in the file.
    dtype : numpy dtype
        As in the file.
    header : int or None
        Bytes before each list; None for one number per entry.
    counter : Branch, optional
        Lengths of the lists, for baskets that do not hold them.
    """

    name: str
    entries: np.ndarray
    seeks: np.ndarray
    sizes: np.ndarray
    dtype: np.dtype[Any]
    header: int | None
    counter: Branch | None = None

    def inside(self, start: int, stop: int) -> range:
        """Baskets with any of some entries."""
        first = int(np.searchsorted(self.entries, start, side="right")) - 1
        return range(first, int(np.searchsorted(self.entries, stop, side="left")))


class Baskets:
    """Some branches of a tree.

    The file is open while it is read only, and the tree is not needed any more: many can be kept.

    Parameters
    ----------
    path, tree : str
    branches : sequence of Branch
    n : int
        Entries of the tree.

    Notes
    -----
    Errors are those that uproot raises on the same damage, or ValueError; see `read_steps`.
    """

    def __init__(self, path: str, tree: str, branches: Sequence[Branch], *, n: int) -> None:
        self.path, self.tree, self.n = path, tree, n
        self.names = tuple(one.name for one in branches)
        self.branches = branches
        self._descriptor = -1
        self._kept: dict[str, tuple[int, np.ndarray, np.ndarray]] = {}

    @classmethod
    def of(cls, tree: Any, branches: Sequence[str], *, path: str) -> Self | None:
        """The branches of a tree; None where one of them, or the file, is for uproot.

        Parameters
        ----------
        tree : uproot TTree or RNTuple
        branches : sequence of str
            Names without those of branches above.
        path : str

        Returns
        -------
        Baskets, optional
        """
        if is_remote(path) or not isinstance(tree, TTree):
            return None
        known: dict[str, list[Any]] = {}
        for name, branch in tree.iteritems():
            known.setdefault(name.rpartition("/")[2], []).append(branch)
        found = [_plain(known[name][0]) if len(known[name]) == 1 else None for name in branches]
        plain = [one for one in found if one is not None]
        return cls(path, tree.name, plain, n=int(tree.num_entries)) if len(plain) == len(branches) else None

    def twin(self) -> Baskets:
        """The same, to be read at the same time."""
        return Baskets(self.path, self.tree, self.branches, n=self.n)

    def steps(self, *, step: int, start: int, stop: int) -> Iterator[ak.Array]:
        """The branches, some entries at a time.

        Parameters
        ----------
        step : int
            Entries of a record array.
        start, stop : int
            Entries to read, `stop` excluded.

        Yields
        ------
        (<= step,) awkward record array
            Fields have the names of the branches.
        """
        for first in range(start, stop, step):
            last = min(first + step, stop)
            with Path(self.path).open("rb") as file:
                self._descriptor = file.fileno()
                arrays = self._read(first, last, keep=last < stop)
            yield arrays
        self._kept.clear()

    def _read(self, start: int, stop: int, *, keep: bool) -> ak.Array:
        """The branches of some entries; with `keep`, what was unpacked of those that follow is remembered."""
        contents = [self._content(one, start, stop, keep=keep) for one in self.branches]
        return ak.Array(RecordArray(contents, self.names, length=stop - start))

    def _content(self, branch: Branch, start: int, stop: int, *, keep: bool) -> NumpyArray | ListOffsetArray:
        if branch.header is None:
            values = new_array(stop - start, branch.dtype.newbyteorder("="))
            for inside, own, _, numbers in self._parts(branch, start, stop, keep=keep):
                values[inside] = numbers[own]
            return NumpyArray(values)
        starts, values, n = np.zeros(stop - start + 1, np.int64), new_array(0, branch.dtype.newbyteorder("=")), 0
        for inside, own, offsets, numbers in self._parts(branch, start, stop, keep=keep):
            edges = offsets[own.start : own.stop + 1]
            np.add(edges[1:], n - edges[0], out=starts[inside.start + 1 : inside.stop + 1])
            found = numbers[edges[0] : edges[-1]]
            if n + len(found) > len(values):  # room for all, if those that follow are as long
                left = (stop - start - inside.stop) / (inside.stop - inside.start)
                grown = new_array(n + len(found) + int(1.1 * len(found) * left), values.dtype)
                grown[:n] = values[:n]
                values = grown
            values[n : n + len(found)] = found
            n += len(found)
        return ListOffsetArray(Index64(starts), NumpyArray(values[:n]))

    def _parts(
        self, branch: Branch, start: int, stop: int, *, keep: bool
    ) -> Iterator[tuple[slice, slice, np.ndarray, np.ndarray]]:
        """For each basket: rows of the result, entries of the basket, offsets of its lists, and its numbers."""
        for number in branch.inside(start, stop):
            first, last = (int(one) for one in branch.entries[number : number + 2])
            low, high = max(first, start), min(last, stop)
            numbers, offsets = self._basket(branch, number, keep=keep and last > stop)
            yield slice(low - start, high - start), slice(low - first, high - first), offsets, numbers

    def _basket(self, branch: Branch, number: int, *, keep: bool) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of a basket as they are in the file, until the next call, and offsets of its lists."""
        known = self._kept.pop(branch.name, None)
        if known is not None and known[0] == number:
            numbers, offsets = known[1:]
        else:
            numbers, offsets = self._unpacked(branch, number)
            numbers = numbers.copy() if keep else numbers
        if keep:
            self._kept[branch.name] = number, numbers, offsets
        return numbers, offsets

    def _unpacked(self, branch: Branch, number: int) -> tuple[np.ndarray, np.ndarray]:
        size, n = int(branch.sizes[number]), int(branch.entries[number + 1] - branch.entries[number])
        packed = self._packed(size, int(branch.seeks[number]))
        n_bytes, _, n_unpacked, _, n_key, _ = _KEY.unpack_from(packed)
        if not (len(packed) == size == n_bytes and _KEY.size + _BASKET.size < n_key < size and n_unpacked >= 0):
            raise ValueError(f"basket {number} of branch '{branch.name}' has no sensible header")
        n_entries, end = _BASKET.unpack_from(packed, n_key - _BASKET.size - 1)[3:]
        data = self._unpack(packed[n_key:], n_unpacked)
        values, lists = data[: end - n_key], data[end - n_key :]
        if n_entries != n or not 0 <= end - n_key <= n_unpacked:
            raise ValueError(f"basket {number} of branch '{branch.name}' has {n_entries} entries, not {n}")
        if branch.header is None:
            return values.view(branch.dtype), _NO_LISTS
        return self._lists(branch, number, values, lists)

    def _packed(self, size: int, seek: int) -> memoryview:
        """Bytes of the file, until the next call; fewer at its end."""
        room = _scratch("packed", size)
        return room[: os.preadv(self._descriptor, [room], seek)]

    def _unpack(self, packed: memoryview, size: int) -> np.ndarray:
        if len(packed) == size:  # what does not shrink is stored as it is
            return np.frombuffer(packed, np.uint8)
        room = np.frombuffer(_scratch("room", size), np.uint8)
        unpack(packed, out=room)
        return room

    def _lists(
        self, branch: Branch, number: int, values: np.ndarray, lists: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Numbers and offsets of a basket of lists."""
        header, width = branch.header or 0, branch.dtype.itemsize
        n = int(branch.entries[number + 1] - branch.entries[number])
        if len(lists):
            edges = lists.view(_OFFSET)[1:].astype(np.int64)
            edges -= edges[0]  # they count from the beginning of the key
            edges[-1] = len(values)
        else:
            edges = self._edges_from_counts(branch, number)
        steps = edges[1:] - edges[:-1] - header
        odd = int(np.bitwise_or.reduce(steps))  # negative, or with bits below the width, if one of them is
        if len(steps) != n or odd < 0 or odd % width or edges[-1] != len(values):
            raise ValueError(f"the lists of basket {number} of branch '{branch.name}' do not fill it")
        if header:
            inside = np.ones(len(values), dtype=bool)
            inside[(edges[:-1, None] + np.arange(header)).ravel()] = False
            values = values[inside]
            edges = edges - header * np.arange(n + 1)
        return values.view(branch.dtype), edges >> (width.bit_length() - 1)

    def _edges_from_counts(self, branch: Branch, number: int) -> np.ndarray:
        if branch.counter is None:
            raise ValueError(f"basket {number} of branch '{branch.name}' does not say how long its lists are")
        start, stop = (int(one) for one in branch.entries[number : number + 2])
        kept = {name: _SCRATCH.__dict__.pop(name, None) for name in ("room", "packed")}  # the lists' are still needed
        counts = np.asarray(self._content(branch.counter, start, stop, keep=False).data)
        _SCRATCH.__dict__.update(kept)
        return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]) * branch.dtype.itemsize


def _scratch(name: str, size: int) -> memoryview:
    """Some bytes of memory of this thread that is used again and again."""
    room: np.ndarray | None = getattr(_SCRATCH, name, None)
    if room is None or size > len(room):
        room = np.empty(size, np.uint8)
        setattr(_SCRATCH, name, room)
    return room.data[:size]


def _plain(branch: Any) -> Branch | None:
    """What is to be known of a branch; None where it is not plain."""
    kind = branch.interpretation
    header = None
    if type(kind) is AsJagged and kind.header_bytes in _VECTOR_HEADERS:
        kind, header = kind.content, kind.header_bytes
    numbers = type(kind) is AsDtype and kind.from_dtype.names is None and not kind.inner_shape
    if not numbers or kind.to_dtype != kind.from_dtype.newbyteorder("=") or len(branch.embedded_baskets):
        return None
    counter = branch.count_branch if header == 0 else None
    if counter is not None and type(counter.interpretation) is not AsDtype:  # in some trees a branch counts itself
        counter = None
    n = branch.num_baskets
    return Branch(
        name=branch.name,
        entries=np.asarray(branch.entry_offsets, dtype=np.int64),
        seeks=np.asarray(branch.member("fBasketSeek")[:n], dtype=np.int64),
        sizes=np.asarray(branch.member("fBasketBytes")[:n], dtype=np.int64),
        dtype=kind.from_dtype,
        header=header,
        counter=None if counter is None else _plain(counter),
    )
