"""Rows of a store's arrays: several pieces joined, some rows taken out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from calotools.images.bands import join_offsets

__all__ = ["OFFSETS", "join_pieces", "take_rows"]

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
    joined = {name: np.concatenate([one[name] for one in pieces]) for name in pieces[0] if name not in OFFSETS}
    for name in OFFSETS:
        joined[name] = join_offsets([one[name] for one in pieces])
    return joined


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
    for name in OFFSETS:
        first, last = np.asarray(arrays[name][rows]), np.asarray(arrays[name][rows + 1])
        taken[name] = np.concatenate([np.zeros((1, *first.shape[1:]), first.dtype), np.cumsum(last - first, axis=0)])
        spans[name] = first, last
    for name, array in arrays.items():
        if name == "bands":
            taken[name] = _take(array, *(edge[:, 0] for edge in spans["offsets"]))
        elif name.startswith("value_"):
            taken[name] = _take(array, *(edge[:, 1] for edge in spans["offsets"]))
        elif name == "track_values":
            taken[name] = _take(array, *spans["track_offsets"])
        elif name not in OFFSETS:
            taken[name] = _take(array, rows, rows + 1)
    return {name: taken[name] for name in arrays}


def _take(array: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """What stands between each first and last, one after the other."""
    if len(first) and (first[1:] == last[:-1]).all():
        return np.array(array[first[0] : last[-1]])
    lengths = last - first
    starts = np.cumsum(lengths) - lengths
    return np.array(array[np.repeat(first - starts, lengths) + np.arange(lengths.sum())])
