"""Tracks padded to a rectangle, with a mask that comes from their number."""

from __future__ import annotations

from collections.abc import Sequence

import awkward as ak
import numpy as np
from numba import njit

from calotools.errors import ConfigError
from calotools.images.columns import read_only
from calotools.images.wide import WIDE, prefetch
from calotools.variables.jagged import flat_collection

__all__ = ["pad_rows", "pad_tracks", "stack_tracks"]

_AHEAD = 4  # candidates whose tracks are asked for before they are copied: they are far from each other in memory


def pad_tracks(candidates: ak.Array, fields: Sequence[str], *, max_tracks: int) -> tuple[np.ndarray, np.ndarray]:
    """Keep the first tracks of each candidate and pad with zeros.

    Parameters
    ----------
    candidates : (n,) awkward record array
        With ``tracks``; their order is kept (the ntuples store the matched track first, then by p_T).
    fields : sequence of str
        Names inside ``tracks``.
    max_tracks : int

    Returns
    -------
    values : (n, max_tracks, len(fields)) float32
    mask : (n, max_tracks) bool
        True for a track. A track whose features are all zero is still a track.

    Raises
    ------
    BranchError
        A field was not read.
    ConfigError
        `max_tracks` is negative.

    Examples
    --------
    >>> candidates = ak.Array([{"tracks": [{"d0": 0.0}]}, {"tracks": []}])
    >>> values, mask = pad_tracks(candidates, ["d0"], max_tracks=2)
    >>> values.shape, mask.tolist()
    ((2, 2, 1), [[True, False], [False, False]])
    """
    if max_tracks < 0:
        raise ConfigError(f"max_tracks = {max_tracks} must not be negative")
    offsets, columns = flat_collection(candidates, "tracks", fields=fields) if fields else (None, {})
    if offsets is None:
        return np.zeros((len(candidates), max_tracks, 0), np.float32), np.zeros((len(candidates), max_tracks), bool)
    values = np.zeros((len(candidates), max_tracks, len(fields)), dtype=np.float32)
    for k, name in enumerate(fields):
        _pad_column(offsets, np.ascontiguousarray(columns[name], dtype=np.float32), k, values)
    return values, np.arange(max_tracks) < np.diff(offsets)[:, None]


def stack_tracks(candidates: ak.Array, fields: Sequence[str], *, max_tracks: int) -> tuple[np.ndarray, np.ndarray]:
    """The first tracks of each candidate, one after the other.

    Returns
    -------
    offsets : (n + 1,) int64
    flat : (offsets[-1], len(fields)) float32
    """
    if max_tracks < 0:
        raise ConfigError(f"max_tracks = {max_tracks} must not be negative")
    if not fields:
        return np.zeros(len(candidates) + 1, dtype=np.int64), np.zeros((0, 0), dtype=np.float32)
    offsets, columns = flat_collection(candidates, "tracks", fields=fields)
    lengths = np.diff(offsets)
    flat = np.stack([columns[name].astype(np.float32, copy=False) for name in fields], axis=1)
    if lengths.max(initial=0) > max_tracks:
        flat = flat[np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths) < max_tracks]
    return np.concatenate([[0], np.cumsum(np.minimum(lengths, max_tracks))]).astype(np.int64), flat


def pad_rows(
    rows: np.ndarray, *, spans: np.ndarray, flat: np.ndarray, max_tracks: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rectangle and mask of some rows of stacked tracks, in any order."""
    values = np.empty((len(rows), max_tracks, flat.shape[1]), dtype=np.float32)
    mask = np.empty((len(rows), max_tracks), dtype=bool)
    _pad_rows(np.ascontiguousarray(rows), read_only(spans), read_only(flat).reshape(-1), values, mask)
    return values, mask


@njit(cache=True, nogil=True)
def _pad_column(offsets, column, field, values):  # type: ignore[no-untyped-def]
    most = values.shape[1]
    for i in range(len(offsets) - 1):
        for k in range(min(offsets[i + 1] - offsets[i], most)):
            values[i, k, field] = column[offsets[i] + k]


@njit(cache=True, nogil=True)
def _pad_rows(rows, spans, flat, values, mask):  # type: ignore[no-untyped-def]
    most, n_field = values.shape[1], values.shape[2]
    for i in range(len(rows)):
        if i + 2 * _AHEAD < len(rows):
            prefetch(spans, rows[i + 2 * _AHEAD])
        if i + _AHEAD < len(rows):
            begin = spans[rows[i + _AHEAD], 0] * n_field
            for k in range(begin, begin + most * n_field, WIDE):
                prefetch(flat, k)
        first, n = spans[rows[i], 0], min(spans[rows[i], 1] - spans[rows[i], 0], most)
        found, one = flat[first * n_field : (first + n) * n_field], values[i].reshape(most * n_field)
        for k in range(len(found)):
            one[k] = found[k]
        one[len(found) :] = 0
        for k in range(most):
            mask[i, k] = k < n
