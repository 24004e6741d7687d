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

__all__ = ["BandRoll", "Bands", "encode", "join_offsets"]

_NAN = int(np.float32(np.nan).view(np.int32))


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


class BandRoll:
    """Bands of candidates that are painted some at a time, one after the other.

    Parameters
    ----------
    n : int
        Candidates that come, at most.
    n_quantity : int
    panels : Panels
    empty : int
        Bits of an energy that says that there is no cell; it is kept as NaN.
    start : int
        Number of the first candidate.

    Attributes
    ----------
    stop : int
        Number of the candidate that is to come next.
    """

    def __init__(self, n: int, *, n_quantity: int, panels: Panels, empty: int = _NAN, start: int = 0) -> None:
        self.start = self.stop = start
        self._panels, self._empty, self._n = tuple(panels), empty, n
        # of a candidate: bands, and values of each quantity
        self._most = np.array([panels.n_line.sum(), (panels.n_line * panels.width).sum()], dtype=np.int64)
        self._offsets = np.zeros((n + 1, 2), dtype=np.int64)
        self._bands = new_array((0, 2), np.uint16)
        self._words = new_array((n_quantity, 0), np.int32)

    def add(self, values: np.ndarray) -> None:
        """Encode candidates.

        Parameters
        ----------
        values : (m, quantity, >= pixel + 32) float32
            The energy first, NaN or `empty` where no cell is. What is behind the pixels does not matter.
        """
        m, n_quantity, n_stored = values.shape
        self._make_room(m)
        done = self.stop - self.start
        words, offsets = values.view(np.int32).reshape(m, n_quantity * n_stored), self._offsets[done : done + m + 1]
        _encode(words, n_quantity, self._panels, self._empty, offsets, self._bands, self._words)
        self.stop += m

    def _make_room(self, m: int) -> None:
        """For m candidates of any look, and for all that follow if they look like those before."""
        done = self.stop - self.start
        used, most = self._offsets[done], m * self._most
        if (used + most <= (len(self._bands), self._words.shape[1])).all():
            return
        n_band, n_value = (used + most + 1.1 * used / max(done, 1) * (self._n - done)).astype(np.int64).tolist()
        bands, words = new_array((n_band, 2), np.uint16), new_array((len(self._words), n_value), np.int32)
        bands[: used[0]], words[:, : used[1]] = self._bands[: used[0]], self._words[:, : used[1]]
        self._bands, self._words = bands, words

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What there is of the candidates so far.

        Returns
        -------
        offsets : (n + 1, 2) int64
        bands : (n_band, 2) uint16
        values : (quantity, n_value) float32
        """
        offsets = self._offsets[: self.stop - self.start + 1]
        n_band, n_value = offsets[-1]
        return offsets, self._bands[:n_band], self._words[:, :n_value].view(np.float32)


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
    roll = BandRoll(len(values), n_quantity=values.shape[1], panels=panels)
    roll.add(values)
    return roll.arrays()


@njit(cache=True, nogil=True)
def _encode(words, n_quantity, panels, empty, offsets, bands, out):  # type: ignore[no-untyped-def]
    """From the first of the offsets on. Bits are compared, so that NaN equals NaN."""
    _, _, in_stack, n_line, width, strides = panels
    pixels = words.shape[1] // n_quantity
    n_band, n_value = offsets[0, 0], offsets[0, 1]
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
                        place = p + lowest_bit(starts)
                        energy = image[place]
                        out[0, n_value] = energy if energy != empty else _NAN
                        for q in range(1, n_quantity):
                            out[q, n_value] = image[place + q * pixels]
                        starts &= starts - 1
                        n_value += 1
                p += stride
        offsets[i + 1, 0], offsets[i + 1, 1] = n_band, n_value
