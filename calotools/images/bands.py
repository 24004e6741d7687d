"""Images as bands of equal rows: the sparse form that is stored on disk, from which dense images are drawn.

A cell covers many pixels, so rows of an image repeat and neighbours in a row are equal. A *line* is a row of at most 16
pixels along phi, a *band* a number of equal lines below each other in eta. A band keeps how many lines it has, at which
of its columns a new value starts, and the values. Nothing is lost: the dense image of a stored candidate and of a fresh
one are the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from calotools.containers import new_array
from calotools.images.spec import Panels
from calotools.images.wide import different_wide, lowest_bit

__all__ = ["Bands", "encode", "join_offsets"]


@dataclass(frozen=True)
class Bands:
    """Sparse images of n candidates.

    Attributes
    ----------
    offsets : (n + 1, 2) int64
        Candidate i owns bands ``offsets[i, 0]:offsets[i + 1, 0]`` and values ``offsets[i, 1]:offsets[i + 1, 1]``.
    bands : (n_band, 2) uint16
        Number of lines, and bits of the columns at which a value starts (bit 0 is always set). Together the bands of a
        candidate are all lines of all panels (see `Panels`), in order.
    values : dict of str to (n_value,) float32 or float16
        ``energy`` [GeV] always, NaN where no cell is; ``time`` [ns], ``gain`` (code + 1) and ``noise`` [GeV] when asked
        for, 0 where no cell is.
    outside : (n, n_grid) float32 [GeV]
        Energy of cells of the grid's layers that fell outside its window.
    centre : (n, 2) float64
        (eta, phi [rad]) of the middle of the grids; NaN for an unusable candidate.
    dropped : (n,) int32
        Non-finite cells that were left out.
    status : (n,) int8
        `OK`, `NO_CELLS`, `NO_FINITE` or `NO_CENTRE`.
    """

    offsets: np.ndarray
    bands: np.ndarray
    values: dict[str, np.ndarray]
    outside: np.ndarray
    centre: np.ndarray
    dropped: np.ndarray
    status: np.ndarray


def join_offsets(parts: list[np.ndarray]) -> np.ndarray:
    """Offsets of pieces that are put one after the other.

    Parameters
    ----------
    parts : list of (n_i + 1, ...) int64

    Returns
    -------
    (sum n_i + 1, ...) int64

    Examples
    --------
    >>> join_offsets([np.array([0, 2, 3]), np.array([0, 5])]).tolist()
    [0, 2, 3, 8]
    """
    steps = np.concatenate([np.diff(part, axis=0) for part in parts])
    return np.concatenate([np.zeros_like(parts[0][:1]), np.cumsum(steps, axis=0)])


def encode(values: np.ndarray, *, panels: Panels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bands of dense images.

    Parameters
    ----------
    values : (n, quantity, >= pixel + 32) float32
        The energy first, NaN where no cell is. What is behind the pixels does not matter.
    panels : Panels

    Returns
    -------
    offsets : (n + 1, 2) int64
    bands : (n_band, 2) uint16
    values : (quantity, n_value) float32
    """
    n, n_quantity, n_stored = values.shape
    bands = new_array((n * int(panels.n_line.sum()), 2), np.uint16)
    words = new_array((n_quantity, n * int((panels.n_line * panels.width).sum())), np.int32)
    offsets = np.zeros((n + 1, 2), dtype=np.int64)
    _encode(values.view(np.int32).reshape(n, n_quantity * n_stored), n_quantity, tuple(panels), offsets, bands, words)
    n_band, n_value = offsets[-1]
    return offsets, bands[:n_band].copy(), words[:, :n_value].copy().view(np.float32)


@njit(cache=True, nogil=True)
def _encode(words, n_quantity, panels, offsets, bands, out):  # type: ignore[no-untyped-def]
    """Bits are compared, so that NaN equals NaN."""
    _, _, in_stack, n_line, width, strides = panels
    pixels = words.shape[1] // n_quantity
    n_band, n_value = 0, 0
    for i in range(len(words)):
        image = words[i]
        for m in range(len(width)):
            stride, every, p = strides[m], (1 << width[m]) - 1, in_stack[m]
            for line in range(n_line[m]):
                new = 1 if line == 0 else 0
                for q in range(p, p + n_quantity * pixels if line > 0 else p, pixels):
                    new |= different_wide(image, q, q - stride) & every
                if new == 0:
                    bands[n_band - 1, 0] += 1
                else:
                    starts = 0
                    for q in range(p, p + n_quantity * pixels, pixels):
                        starts |= different_wide(image, q, q + 1)
                    starts = (starts << 1 | 1) & every
                    bands[n_band, 0], bands[n_band, 1] = 1, starts
                    n_band += 1
                    while starts != 0:
                        for q in range(n_quantity):
                            out[q, n_value] = image[p + q * pixels + lowest_bit(starts)]
                        starts &= starts - 1
                        n_value += 1
                p += stride
        offsets[i + 1, 0], offsets[i + 1, 1] = n_band, n_value
