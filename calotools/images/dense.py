"""Blocks drawn as dense images."""

from __future__ import annotations

import numpy as np
from numba import njit

from calotools.containers import ImageSpec

__all__ = ["draw"]


def draw(
    rows: np.ndarray,
    *,
    offsets: np.ndarray,
    pixel: np.ndarray,
    shape: tuple[np.ndarray, np.ndarray],
    values: dict[str, np.ndarray],
    spec: ImageSpec,
    quantities: tuple[str, ...],
) -> dict[str, np.ndarray]:
    """Dense images of some candidates.

    Parameters
    ----------
    rows : (n,) int
        Candidates, in any order.
    offsets, pixel, shape, values
        As in `Blocks`; may be memory-mapped.
    spec : ImageSpec
    quantities : tuple of str
        Of ``energy``, ``time``, ``gain``, ``noise``, ``mask``.

    Returns
    -------
    dict of str to (n, layer, eta, phi) array
        ``{quantity}_{grid}`` float32 ``mask_{grid}`` bool.

    Notes
    -----
    Where cells of barrel and endcap meet in a pixel, energies add; noise, the standard deviation of the pixel's energy,
    adds in quadrature; time and gain are those of the cell that gives the pixel more energy (absolute value).
    """
    rows = np.ascontiguousarray(rows, dtype=np.int64)
    images = {}
    first = 0
    for name, (n_layer, n_eta, n_phi) in spec.shapes().items():
        n_pixel = n_layer * n_eta * n_phi
        window = (first, first + n_pixel, n_phi)
        for quantity in quantities:
            image = np.zeros((len(rows), n_pixel), dtype=bool if quantity == "mask" else np.float32)
            if quantity == "energy":
                _add(rows, offsets, pixel, *shape, values["energy"], window, image)
            elif quantity == "noise":
                _add_squares(rows, offsets, pixel, *shape, values["noise"], window, image)
            elif quantity == "mask":
                _cover(rows, offsets, pixel, *shape, window, image)
            else:
                _copy_hotter(rows, offsets, pixel, *shape, values["energy"], values[quantity], window, image)
            images[f"{quantity}_{name}"] = image.reshape(len(rows), n_layer, n_eta, n_phi)
        first += n_pixel
    return images


@njit(cache=True, nogil=True)
def _add(rows, offsets, pixel, n_eta, n_phi, value, window, image):  # type: ignore[no-untyped-def]
    low, high, stride = window
    for i in range(len(rows)):
        one = image[i]
        for b in range(offsets[rows[i]], offsets[rows[i] + 1]):
            start = np.int64(pixel[b])
            if start < low or start >= high:
                continue
            start -= low
            for _ in range(n_eta[b]):
                for p in range(start, start + n_phi[b]):
                    one[p] += value[b]
                start += stride


@njit(cache=True, nogil=True)
def _add_squares(rows, offsets, pixel, n_eta, n_phi, value, window, image):  # type: ignore[no-untyped-def]
    low, high, stride = window
    for i in range(len(rows)):
        one = image[i]
        for b in range(offsets[rows[i]], offsets[rows[i] + 1]):
            start = np.int64(pixel[b])
            if start < low or start >= high:
                continue
            start -= low
            for _ in range(n_eta[b]):
                for p in range(start, start + n_phi[b]):
                    one[p] = np.hypot(one[p], value[b]) if one[p] != 0.0 else abs(value[b])
                start += stride


@njit(cache=True, nogil=True)
def _cover(rows, offsets, pixel, n_eta, n_phi, window, image):  # type: ignore[no-untyped-def]
    low, high, stride = window
    for i in range(len(rows)):
        one = image[i]
        for b in range(offsets[rows[i]], offsets[rows[i] + 1]):
            start = np.int64(pixel[b])
            if start < low or start >= high:
                continue
            start -= low
            for _ in range(n_eta[b]):
                one[start : start + n_phi[b]] = True
                start += stride


@njit(cache=True, nogil=True)
def _copy_hotter(rows, offsets, pixel, n_eta, n_phi, energy, value, window, image):  # type: ignore[no-untyped-def]
    low, high, stride = window
    best = np.empty(high - low, dtype=np.float32)
    for i in range(len(rows)):
        one = image[i]
        best[:] = -1.0
        for b in range(offsets[rows[i]], offsets[rows[i] + 1]):
            start = np.int64(pixel[b])
            if start < low or start >= high:
                continue
            start -= low
            heat = abs(energy[b])
            for _ in range(n_eta[b]):
                for p in range(start, start + n_phi[b]):
                    # of two equally hot cells the larger value, so that the order of cells does not matter
                    if heat > best[p] or (heat == best[p] and value[b] > one[p]):
                        best[p], one[p] = heat, value[b]
                start += stride
