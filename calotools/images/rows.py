"""Rows of a store's arrays: several pieces joined, some rows taken out.

A candidate has any number of bands, values and tracks. A piece says by *offsets* where those of each candidate begin;
they stand in the order of the candidates. A store says by *spans* where they begin and end, so that theirs can be any
order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from calotools.containers import new_array
from calotools.images.bands import join_offsets

__all__ = ["is_ragged", "join", "join_pieces", "spans_of", "take_ranges", "take_rows", "with_spans"]

_SPANS = {"offsets": "spans", "track_offsets": "track_spans"}  # of a piece, and of a store
_OFFSETS = {spans: offsets for offsets, spans in _SPANS.items()}


def is_ragged(name: str) -> bool:
    """Whether an array of a store has any number of entries for each candidate; spans say which."""
    return name in ("bands", "track_values") or name.startswith("value_")


def spans_of(offsets: np.ndarray) -> np.ndarray:
    """Where what is between offsets begins and ends.

    Parameters
    ----------
    offsets : (n + 1, ...) int64

    Returns
    -------
    (n, 2, ...) int64

    Examples
    --------
    >>> spans_of(np.array([0, 2, 5])).tolist()
    [[0, 2], [2, 5]]
    """
    return np.stack([offsets[:-1], offsets[1:]], axis=1)


def with_spans(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays as a store has them, of those of a piece; those of a store are given back."""
    return {_SPANS.get(name, name): spans_of(one) if name in _SPANS else one for name, one in arrays.items()}


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
    return {name: (join_offsets if name in _SPANS else join)([one[name] for one in pieces]) for name in pieces[0]}


def join(arrays: Sequence[np.ndarray], *, axis: int = 0) -> np.ndarray:
    """Arrays one after the other, as ``numpy.concatenate``; a single one is given back."""
    if len(arrays) == 1:
        return arrays[0]
    shape = list(arrays[0].shape)
    shape[axis] = sum(one.shape[axis] for one in arrays)
    return np.concatenate(arrays, axis=axis, out=new_array(tuple(shape), np.result_type(*arrays)))


def take_rows(arrays: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays of some rows, as `piece_arrays` would give them.

    Parameters
    ----------
    arrays : mapping of str to array
        Of a store; may be memory-mapped.
    rows : (m,) int
        In any order.

    Returns
    -------
    dict of str to array
        Copies; of consecutive rows that stand in their order, views.
    """
    spans = {name: take_ranges(arrays[name], rows, rows + 1) for name in arrays.keys() & set(_OFFSETS)}
    taken = {}
    for name, array in arrays.items():
        if name in spans:
            taken[_OFFSETS[name]] = _offsets_of(spans[name])
        elif name == "track_values":
            taken[name] = take_ranges(array, *spans["track_spans"].T)
        elif is_ragged(name):
            taken[name] = take_ranges(array, *spans["spans"][:, :, int(name != "bands")].T)
        else:
            taken[name] = take_ranges(array, rows, rows + 1)
    return taken


def _offsets_of(spans: np.ndarray) -> np.ndarray:
    """Offsets of what is put one after the other."""
    lengths = spans[:, 1] - spans[:, 0]
    return np.concatenate([np.zeros_like(lengths, shape=(1, *lengths.shape[1:])), np.cumsum(lengths, axis=0)])


def take_ranges(array: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """What stands between each first and last, one after the other; a view where that is one range."""
    if len(first) and (first[1:] == last[:-1]).all():
        return np.asarray(array[first[0] : last[-1]])
    lengths = last - first
    starts = np.cumsum(lengths) - lengths
    return np.asarray(array[np.repeat(first - starts, lengths) + np.arange(lengths.sum())])
