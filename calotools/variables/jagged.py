"""Flat buffers of a jagged collection: what the compiled kernels work on."""

from __future__ import annotations

from collections.abc import Sequence

import awkward as ak
import numpy as np

from calotools.containers import column_of
from calotools.errors import BranchError, ShapeError, nearest

__all__ = ["flat_collection"]


def flat_collection(
    candidates: ak.Array, collection: str, *, fields: Sequence[str]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Offsets and flat values of some fields of ``cells`` or ``tracks``.

    Sliced, masked and reordered candidates are packed first, so that the buffers hold exactly the rows that
    `candidates` holds, in its order.

    Parameters
    ----------
    candidates : (n,) awkward record array
    collection : {"cells", "tracks"}
    fields : sequence of str
        Names inside the collection, such as ``e``.

    Returns
    -------
    offsets : (n + 1,) int64
        Row i owns ``values[offsets[i]:offsets[i + 1]]``; starts at 0.
    values : dict of str to (offsets[-1],) array
        In the unit of the candidates.

    Raises
    ------
    BranchError
        The collection or one of its fields was not read.
    ShapeError
        Two fields have different lengths in some row.

    Examples
    --------
    >>> candidates = ak.Array([{"cells": {"e": [1.0, 2.0]}}, {"cells": {"e": []}}, {"cells": {"e": [3.0]}}])
    >>> offsets, values = flat_collection(candidates[[2, 0]], "cells", fields=["e"])
    >>> offsets.tolist(), values["e"].tolist()
    ([0, 1, 3], [3.0, 1.0, 2.0])
    """
    _require(collection, ak.fields(candidates), where="the candidates")
    records = column_of(candidates, collection)
    inside = records.fields
    offsets: np.ndarray | None = None
    values = {}
    for name in fields:
        _require(name, inside, where=f"the collection '{collection}'")
        starts, values[name] = _pack(column_of(records, name))
        if offsets is not None and not np.array_equal(offsets, starts):
            row = int(np.flatnonzero(np.diff(offsets) != np.diff(starts))[0])
            raise ShapeError(
                f"'{collection}.{name}' and '{collection}.{next(iter(values))}' differ in length at row {row}: "
                f"{np.diff(starts)[row]} and {np.diff(offsets)[row]}"
            )
        offsets = starts
    if offsets is None:
        offsets = np.zeros(len(candidates) + 1, dtype=np.int64)
    return offsets, values


def _require(name: str, present: list[str], *, where: str) -> None:
    if name not in present:
        raise BranchError(f"'{name}' is not in {where}; {nearest(name, present)}; read it with fields=[...]")


def _pack(plain: ak.contents.Content) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(plain, ak.contents.ListOffsetArray) and isinstance(plain.content, ak.contents.NumpyArray):
        # what files give; packing takes as long as painting a dozen candidates
        offsets, values = np.asarray(plain.offsets.data, dtype=np.int64), np.asarray(plain.content.to_backend_array())
        return offsets - offsets[0], values[offsets[0] : offsets[-1]]
    column = ak.Array(plain)
    layout = ak.to_packed(ak.from_regular(ak.drop_none(column), axis=None)).layout
    if not layout.is_list:
        raise ShapeError(f"a jagged column is needed, this one has type {ak.type(column)}")
    return np.asarray(layout.offsets.data, dtype=np.int64), np.asarray(layout.content.to_backend_array())
