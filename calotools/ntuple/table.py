"""Candidates as flat arrays and offsets: how they travel to a file without a detour through records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np

from calotools.errors import BranchError, ShapeError
from calotools.ntuple.columns import Place, take_apart
from calotools.ntuple.schema import COLLECTIONS

__all__ = ["Lists", "Table", "join_tables", "table_of"]


@dataclass(frozen=True)
class Lists:
    """A list of records per row, column by column.

    Attributes
    ----------
    offsets : (n + 1,) int64
        Row i holds the entries from offsets[i] to offsets[i + 1].
    columns : dict of str to (n_entry,) array
    """

    offsets: np.ndarray
    columns: dict[str, np.ndarray]

    def take(self, rows: np.ndarray) -> Lists:
        """The lists of some rows (an integer or boolean array), packed."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        counts = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        entries = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][rows] - offsets[:-1], counts)
        return Lists(offsets, {name: column[entries] for name, column in self.columns.items()})

    def slice(self, start: int, stop: int) -> Lists:
        """The lists of consecutive rows, without a copy of the entries."""
        first, last = int(self.offsets[start]), int(self.offsets[stop])
        columns = {name: column[first:last] for name, column in self.columns.items()}
        return Lists(self.offsets[start : stop + 1] - first, columns)


@dataclass(frozen=True)
class Table:
    """Rows of candidates as columns.

    Attributes
    ----------
    flat : dict of str to (n,) array
        Canonical fields.
    lists : dict of str to Lists
        ``cells`` and ``tracks``, as far as there are any.

    Raises
    ------
    ShapeError
        Columns differ in length.

    Examples
    --------
    >>> cells = Lists(np.array([0, 2, 3]), {"e": np.array([5.0, 1.0, 7.0])})
    >>> table = Table({"et": np.array([20.0, 30.0])}, {"cells": cells})
    >>> len(table), table.take(np.array([1])).lists["cells"].columns["e"]
    (2, array([7.]))
    """

    flat: dict[str, np.ndarray]
    lists: dict[str, Lists]

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.flat.items()}
        for name, one in self.lists.items():
            lengths[name] = len(one.offsets) - 1
            entries = {f"{name}.{member}": len(column) for member, column in one.columns.items()}
            if any(n != one.offsets[-1] for n in entries.values()):
                raise ShapeError(f"'{name}' has {one.offsets[-1]} entries by its offsets, its columns have {entries}")
        if len(set(lengths.values())) > 1:
            raise ShapeError(f"columns of one table differ in length: {lengths}")

    def __len__(self) -> int:
        for column in self.flat.values():
            return len(column)
        return next((len(one.offsets) - 1 for one in self.lists.values()), 0)

    def take(self, rows: np.ndarray) -> Table:
        """Some rows (an integer or boolean array), copied."""
        flat = {name: column[rows] for name, column in self.flat.items()}
        return Table(flat, {name: one.take(rows) for name, one in self.lists.items()})

    def slice(self, start: int, stop: int) -> Table:
        """Consecutive rows, as views."""
        flat = {name: column[start:stop] for name, column in self.flat.items()}
        return Table(flat, {name: one.slice(start, stop) for name, one in self.lists.items()})


def join_tables(tables: Sequence[Table]) -> Table:
    """Tables with the same columns, one after the other.

    Parameters
    ----------
    tables : sequence of Table
        At least one. A single one comes back as it is.

    Returns
    -------
    Table

    Examples
    --------
    >>> one = Table({"et": np.array([20.0])}, {})
    >>> join_tables([one, one]).flat["et"].tolist()
    [20.0, 20.0]
    """
    first = tables[0]
    if len(tables) == 1:
        return first
    flat = {name: np.concatenate([one.flat[name] for one in tables]) for name in first.flat}
    return Table(flat, {name: _join_lists([one.lists[name] for one in tables]) for name in first.lists})


def _join_lists(parts: Sequence[Lists]) -> Lists:
    counts = np.concatenate([np.diff(one.offsets) for one in parts])
    names = parts[0].columns
    columns = {name: np.concatenate([one.columns[name] for one in parts]) for name in names}
    return Lists(np.concatenate([[0], np.cumsum(counts)]), columns)


def table_of(candidates: Table | Mapping[str, Any] | ak.Array, *, tree: str = "") -> Table:
    """Columns of candidates that come as records, or as a mapping of arrays; a table stays as it is.

    Parameters
    ----------
    candidates : Table, mapping or awkward record array
        ``cells`` and ``tracks`` are jagged records.
    tree : str
        For messages.

    Returns
    -------
    Table

    Raises
    ------
    BranchError
        A field of a collection is not a list of numbers, or its lists differ in length from those of another.
    ShapeError
        Columns differ in length.

    Examples
    --------
    >>> table = table_of({"et": [20.0, 30.0], "cells": ak.Array([[{"e": 5.0}], []])})
    >>> table.lists["cells"].offsets.tolist()
    [0, 1, 1]
    """
    if isinstance(candidates, Table):
        return candidates
    names = candidates.fields if isinstance(candidates, ak.Array) else list(candidates)
    flat = {name: ak.to_numpy(candidates[name], allow_missing=False) for name in names if name not in COLLECTIONS}
    lists = {name: _lists_of(ak.Array(candidates[name]), name, tree) for name in names if name in COLLECTIONS}
    return Table(flat, lists)


def _lists_of(records: ak.Array, collection: str, tree: str) -> Lists:
    place = Place(file="(to be written)", tree=tree, start=0)
    columns: dict[str, np.ndarray] = {}
    offsets = np.zeros(len(records) + 1, np.int64)
    for name in records.fields:
        (own,), columns[name] = take_apart(records[name].layout, depth=1, branch=f"{collection}.{name}", place=place)
        if len(columns) > 1 and not np.array_equal(own, offsets):
            raise BranchError(
                f"{place}: the lists of '{collection}.{name}' differ in length from those of its neighbours"
            )
        offsets = own
    return Lists(offsets, columns)
