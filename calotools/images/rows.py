"""Rows of a store's arrays: several pieces joined, some rows taken out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from calotools.containers import new_array
from calotools.images.bands import join_offsets

__all__ = ["OFFSETS", "join", "join_pieces", "take_ranges", "take_rows"]

OFFSETS = ("offsets", "track_offsets")


def join_pieces(pieces: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Arrays of several pieces, one after the other.

    Parameters
    ----------
    pieces : sequence of dict of str to array
        As `piece_arrays` gives them; at least one.

    Returns
    -------
    dict of str to array
    """
    if len(pieces) == 1:
        return pieces[0]
    joined = {name: join([one[name] for one in pieces]) for name in pieces[0] if name not in OFFSETS}
    for name in pieces[0].keys() & set(OFFSETS):
        joined[name] = join_offsets([one[name] for one in pieces])
    return joined


def join(arrays: Sequence[np.ndarray], *, axis: int = 0) -> np.ndarray:
    """Arrays one after the other, as ``numpy.concatenate``."""
    shape = list(arrays[0].shape)
    shape[axis] = sum(one.shape[axis] for one in arrays)
    return np.concatenate(arrays, axis=axis, out=new_array(tuple(shape), np.result_type(*arrays)))


def take_rows(arrays: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays of some rows, as `piece_arrays` would give them.

    Parameters
    ----------
    arrays : mapping of str to array
        Of a piece or a store; may be memory-mapped.
    rows : (m,) int
        In any order; consecutive ones are fastest.

    Returns
    -------
    dict of str to array
        Copies.
    """
    taken, spans = {}, {}
    for name in arrays.keys() & set(OFFSETS):
        first, last = np.asarray(arrays[name][rows]), np.asarray(arrays[name][rows + 1])
        taken[name] = np.concatenate([np.zeros((1, *first.shape[1:]), first.dtype), np.cumsum(last - first, axis=0)])
        spans[name] = first, last
    for name, array in arrays.items():
        if name == "bands":
            taken[name] = take_ranges(array, *(edge[:, 0] for edge in spans["offsets"]))
        elif name.startswith("value_"):
            taken[name] = take_ranges(array, *(edge[:, 1] for edge in spans["offsets"]))
        elif name == "track_values":
            taken[name] = take_ranges(array, *spans["track_offsets"])
        elif name not in OFFSETS:
            taken[name] = take_ranges(array, rows, rows + 1)
    return {name: taken[name] for name in arrays}


def take_ranges(array: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """What stands between each first and last, one after the other."""
    if len(first) and (first[1:] == last[:-1]).all():
        return np.array(array[first[0] : last[-1]])
    lengths = last - first
    starts = np.cumsum(lengths) - lengths
    return np.array(array[np.repeat(first - starts, lengths) + np.arange(lengths.sum())])
