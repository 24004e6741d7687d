"""Bands drawn as dense images."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numba import njit

from calotools.containers import ImageSpec, new_array
from calotools.errors import ShapeError
from calotools.images.columns import read_only
from calotools.images.spec import panels_of
from calotools.images.threads import in_threads
from calotools.images.wide import WIDE, copy_wide, fill_wide, lowest_bit, prefetch

__all__ = ["draw", "output_arrays"]

# Writes of one row may go over its end by this much; the rows that follow are drawn later.
_SPILL = 2 * WIDE
_HALF, _NONE = np.float32(2.0**112), np.float32(0.0)


def draw(
    rows: np.ndarray,
    *,
    spans: np.ndarray,
    bands: np.ndarray,
    values: Mapping[str, np.ndarray],
    spec: ImageSpec,
    quantities: tuple[str, ...],
    out: Mapping[str, np.ndarray] | None = None,
    threads: int | None = 1,
) -> dict[str, np.ndarray]:
    """Dense images of some candidates.

    Parameters
    ----------
    rows : (n,) int
        Candidates, in any order.
    spans : (n_stored, 2, 2) int64
        Candidate i owns bands ``spans[i, 0, 0]:spans[i, 1, 0]`` and values ``spans[i, 0, 1]:spans[i, 1, 1]``.
    bands, values
        As in `Bands`, the candidates in any order; all of these may be memory-mapped.
    spec : ImageSpec
    quantities : tuple of str
        Of ``energy``, ``time``, ``gain``, ``noise``, ``mask``.
    out : dict of str to (>= n, layer, eta, phi) array, optional
        Where to draw, see `output_arrays`.
    threads : int, optional
        See `in_threads`.

    Returns
    -------
    dict of str to (n, layer, eta, phi) array
        ``{quantity}_{grid}`` float32, ``mask_{grid}`` bool.

    Raises
    ------
    ShapeError
        See `output_arrays`.
    """
    images = output_arrays(spec, quantities, n=len(rows), out=out)
    rows = np.ascontiguousarray(rows, dtype=np.int64)
    longest = int((spans[rows, 1, 1] - spans[rows, 0, 1]).max(initial=0))
    layout = (read_only(spans), read_only(bands), tuple(panels_of(spec)), longest)
    for number, grid in enumerate(spec.grids):
        for quantity in quantities:
            image = images[f"{quantity}_{grid}"]
            image = image.reshape(len(rows), math.prod(image.shape[1:]))  # also of no row
            stored = values["energy" if quantity == "mask" else quantity]
            _draw_in_threads(rows, stored, layout, number, image, threads=threads)
    return images


def _draw_in_threads(
    rows: np.ndarray,
    stored: np.ndarray,
    layout: tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...], int],
    grid: int,
    image: np.ndarray,
    *,
    threads: int | None,
) -> None:
    half = stored.dtype == np.float16
    words = read_only(stored.view(np.uint16) if half else stored)
    # the compiler knows halves as integers, and masks as bytes
    target = image.view(np.uint8) if image.dtype == bool else image

    def work(start: int, stop: int) -> None:
        _draw(rows[start:stop], words, half, *layout, grid, target[start:stop])

    in_threads(work, len(rows), threads=threads)


def output_arrays(
    spec: ImageSpec, quantities: tuple[str, ...], *, n: int, out: Mapping[str, np.ndarray] | None
) -> dict[str, np.ndarray]:
    """Arrays for the images of n candidates: new ones, or the first n rows of given ones.

    Raises
    ------
    ShapeError
        A given array is missing, too short, or of another shape or type, or not contiguous.
    """
    images = {}
    for grid, shape in spec.shapes().items():
        for quantity in quantities:
            name, dtype = f"{quantity}_{grid}", np.dtype(bool if quantity == "mask" else np.float32)
            if out is None:
                images[name] = new_array((n, *shape), dtype)
                continue
            given = out.get(name)
            if given is None or given.dtype != dtype or given.shape[1:] != shape or len(given) < n:
                found = "nothing" if given is None else f"{given.dtype} of shape {given.shape}"
                raise ShapeError(f"out['{name}'] must be {dtype} of shape ({n} or more, {str(shape)[1:]}, not {found}")
            if not (given.flags.c_contiguous and given.flags.writeable):
                raise ShapeError(f"out['{name}'] must be contiguous and writable")
            images[name] = given[:n]
    return images


@njit(cache=True, nogil=True)
def _draw(rows, stored, half, spans, bands, panels, longest, grid, out):  # type: ignore[no-untyped-def]
    """Images of one quantity on one grid; the mask when `out` is of bytes."""
    grids, in_grid, _, n_line, widths, strides = panels
    values, row = np.zeros(longest + WIDE, out.dtype), np.zeros(3 * WIDE, out.dtype)
    words = np.zeros(longest, np.int32)
    as_mask = out.itemsize == 1
    for i in range(len(rows)):
        r = rows[i]
        if i + 2 < len(rows):
            prefetch(spans, rows[i + 2])
        if i + 1 < len(rows):
            _prefetch_row(rows[i + 1], spans, bands, stored)
        _load(stored[spans[r, 0, 1] : spans[r, 1, 1]], half, as_mask, words, values)
        image, n_pixel = out[i], out.shape[1]
        j, k = spans[r, 0, 0], 0
        for m in range(len(grids)):
            stride, width, left = strides[m], widths[m], n_line[m]
            wanted, narrow, every = grids[m] == grid, width == stride, (1 << width) - 1
            p = in_grid[m]
            while left > 0:
                height, starts = np.int64(bands[j, 0]), np.int64(bands[j, 1])
                j += 1
                left -= height
                end = p + height * stride
                if not wanted:
                    k += _count(starts)
                elif narrow and height == 1 and starts != every and end + _SPILL <= n_pixel:
                    k = _spread(starts, values, k, image, p)
                elif starts == every:
                    _repeat(values, k, image, p, end, stride, width, narrow)
                    k += width
                else:
                    k = _spread(starts, values, k, row, 0)
                    _repeat(row, 0, image, p, end, stride, width, narrow)
                p = end


@njit(cache=True, nogil=True)
def _spread(starts, values, k, line, p):  # type: ignore[no-untyped-def]
    """Write values from number k on where they start in a line, and to the right; returns the next one's number."""
    while starts != 0:
        fill_wide(line, p + lowest_bit(starts), values[k])
        starts &= starts - 1
        k += 1
    return k


@njit(cache=True, nogil=True)
def _repeat(line, start, image, p, end, stride, width, narrow):  # type: ignore[no-untyped-def]
    """Write a line to all lines of the image from p to end."""
    while narrow and p < end and p + WIDE <= len(image):
        copy_wide(image, p, line, start)
        p += stride
    while p < end:
        for c in range(width):
            image[p + c] = line[start + c]
        p += stride


@njit(cache=True, nogil=True)
def _prefetch_row(r, spans, bands, stored):  # type: ignore[no-untyped-def]
    """Rows in any order are far from each other in memory: ask for the next while one is drawn."""
    for k in range(spans[r, 0, 1], spans[r, 1, 1], 16):
        prefetch(stored, k)
    for j in range(spans[r, 0, 0], spans[r, 1, 0], 16):
        prefetch(bands, j)


@njit(cache=True, nogil=True)
def _load(stored, half, as_mask, words, values):  # type: ignore[no-untyped-def]
    """Values of one candidate; 0 where no cell is, or 1 and 0 for the mask."""
    if half:
        for k in range(len(stored)):
            bits = np.int32(stored[k])
            words[k] = ((bits & 0x8000) << 16) | ((bits & 0x7FFF) << 13) if bits & 0x7FFF <= 0x7C00 else -1
        # a half's exponent is 112 less than that of the float with the same bits
        found = words.view(np.float32)
        for k in range(len(stored)):
            values[k] = (words[k] != -1) if as_mask else (found[k] * _HALF if words[k] != -1 else _NONE)
    elif as_mask:
        for k in range(len(stored)):
            values[k] = stored[k] == stored[k]
    else:
        for k in range(len(stored)):
            values[k] = stored[k] if stored[k] == stored[k] else _NONE


@njit(cache=True, nogil=True)
def _count(bits):  # type: ignore[no-untyped-def]
    n = 0
    while bits != 0:
        bits &= bits - 1
        n += 1
    return n
