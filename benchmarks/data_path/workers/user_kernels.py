"""Cells to pixels as a careful user of numba writes it: every cell goes to the pixel of its centre."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from workload import D_ETA, D_PHI, LAYER_OF_SAMPLING, MAX_CELLS, MAX_TRACKS, MIDDLE, N_ETA, N_LAYER, N_PHI

_LAYER = np.array(LAYER_OF_SAMPLING, dtype=np.int8)


@njit(cache=True, nogil=True)
def draw(offsets, e, eta, phi, sampling, image):  # type: ignore[no-untyped-def]
    """Add cells to zeroed images around the hottest middle cell."""
    for i in range(len(offsets) - 1):
        hottest = -1
        for c in range(offsets[i], offsets[i + 1]):
            if _LAYER[sampling[c]] == MIDDLE and (hottest < 0 or e[c] > e[hottest]):
                hottest = c
        if hottest < 0:
            continue
        for c in range(offsets[i], offsets[i + 1]):
            layer = _LAYER[sampling[c]]
            if layer < 0:
                continue
            d_phi = phi[c] - phi[hottest]
            d_phi -= 2 * math.pi * round(d_phi / (2 * math.pi))
            column = math.floor((eta[c] - eta[hottest]) / D_ETA + N_ETA / 2)
            row = math.floor(d_phi / D_PHI + N_PHI / 2)
            if 0 <= column < N_ETA and 0 <= row < N_PHI:
                image[i, layer, column, row] += e[c]


@njit(cache=True, nogil=True)
def pad(offsets, values, padded, column):  # type: ignore[no-untyped-def]
    """Copy the first values of every list into one column of a zeroed rectangle."""
    for i in range(len(offsets) - 1):
        n = min(offsets[i + 1] - offsets[i], padded.shape[1])
        for k in range(n):
            padded[i, k, column] = values[offsets[i] + k]


def images(offsets: np.ndarray, cells: list[np.ndarray]) -> np.ndarray:
    """(n, layer, eta, phi) float32."""
    image = np.zeros((len(offsets) - 1, N_LAYER, N_ETA, N_PHI), dtype=np.float32)
    draw(offsets, *cells, image)
    return image


def padded_cells(offsets: np.ndarray, cells: list[np.ndarray]) -> np.ndarray:
    """(n, cell, variable) float32."""
    return _rectangle(offsets, cells, MAX_CELLS)


def padded_tracks(offsets: np.ndarray, tracks: list[np.ndarray]) -> np.ndarray:
    """(n, track, variable) float32."""
    return _rectangle(offsets, tracks, MAX_TRACKS)


def _rectangle(offsets: np.ndarray, columns: list[np.ndarray], length: int) -> np.ndarray:
    whole = np.zeros((len(offsets) - 1, length, len(columns)), dtype=np.float32)
    for number, values in enumerate(columns):
        pad(offsets, values, whole, number)
    return whole
