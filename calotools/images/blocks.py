"""Cells as blocks of equal pixels: the sparse form of images, made in one pass and stored on disk.

A cell covers a rectangle of pixels and gives each the same value; where its edges lie inside pixels, up to nine
rectangles. Images are these blocks drawn on zeros, so the dense image of a stored candidate and of a fresh one are the
same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from calotools.images.grid import split_pixels, whole_pixels
from calotools.images.spec import Plan
from calotools.variables.windows import hottest, width_bin, wrap

__all__ = ["NEAR", "NO_CELLS", "NO_CENTRE", "NO_FINITE", "OK", "Blocks", "cells_to_blocks"]

OK, NO_CELLS, NO_FINITE, NO_CENTRE = range(4)
# The hottest cell is looked for at least this far (in eta and phi) from the cluster, also when the grid is smaller: the
# position may be seen from another vertex than the cells are.
NEAR = 0.1


@dataclass(frozen=True)
class Blocks:
    """Sparse images of n candidates.

    Attributes
    ----------
    offsets : (n + 1,) int64
        Candidate i owns blocks ``offsets[i]:offsets[i + 1]``.
    pixel : (n_block,) uint16 or uint32
        First pixel of the block (lowest eta and phi), counted through all grids and layers.
    n_eta, n_phi : (n_block,) uint8
        Size of the block in pixels.
    values : dict of str to (n_block,) float32
        Value of each of the block's pixels: ``energy`` [GeV] always; ``time`` [ns], ``gain`` (code + 1) and ``noise``
        [GeV] when asked for.
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
    pixel: np.ndarray
    n_eta: np.ndarray
    n_phi: np.ndarray
    values: dict[str, np.ndarray]
    outside: np.ndarray
    centre: np.ndarray
    dropped: np.ndarray
    status: np.ndarray


def cells_to_blocks(
    offsets: np.ndarray,
    cells: dict[str, np.ndarray],
    *,
    position: tuple[np.ndarray, np.ndarray],
    plan: Plan,
    widths: np.ndarray,
    quantities: tuple[str, ...],
) -> Blocks:
    """Turn jagged cells into blocks.

    Parameters
    ----------
    offsets : (n + 1,) int64
    cells : dict of str to (n_cell,) array
        e [GeV], eta, phi [rad], sampling and, as `quantities` need them, time [ns], gain, noise [GeV].
    position : ((n,) float, (n,) float)
        (eta, phi [rad]) of the cluster; NaN where it is not known.
    plan : Plan
    widths : (n_sampling, n_bin, 2) float32
        Granularity table.
    quantities : tuple of str

    Returns
    -------
    Blocks
    """
    n, n_cell = len(offsets) - 1, int(offsets[-1])
    n_pixel = int(plan.first_pixel[-1] + np.prod(plan.shape[plan.grid_of[-1]])) if len(plan.grid_of) else 0
    main = [np.ascontiguousarray(cells[name], dtype=np.float32) for name in ("e", "eta", "phi")]
    sampling = np.ascontiguousarray(cells["sampling"], dtype=np.uint8)
    extra = [_extra(cells, name, wanted=name in quantities) for name in ("time", "gain", "noise")]
    outside, centre = np.zeros((n, len(plan.shape)), np.float32), np.full((n, 2), np.nan)
    dropped, status = np.zeros(n, np.int32), np.zeros(n, np.int8)
    capacity = n_cell + n_cell // 8 + 64
    while True:
        new_offsets = np.zeros(n + 1, dtype=np.int64)
        pixel = np.empty(capacity, dtype=np.uint16 if n_pixel <= 2**16 else np.uint32)
        shape = np.empty((2, capacity), dtype=np.uint8)
        energy = np.empty(capacity, dtype=np.float32)
        others = [np.empty(capacity if name in quantities else 0, np.float32) for name in ("time", "gain", "noise")]
        needed = _fill_blocks(
            offsets, *main, sampling, *extra, *position, plan, widths,
            new_offsets, pixel, shape, energy, *others, outside, centre, dropped, status,
        )  # fmt: skip
        if needed <= capacity:
            break
        capacity = needed
        outside[:] = 0
    values = {"energy": energy[:needed]}
    values |= {
        name: other[:needed] for name, other in zip(("time", "gain", "noise"), others, strict=True) if len(other)
    }
    return Blocks(
        new_offsets, pixel[:needed], shape[0, :needed], shape[1, :needed], values, outside, centre, dropped, status
    )


def _extra(cells: dict[str, np.ndarray], name: str, *, wanted: bool) -> np.ndarray:
    """A further quantity of the cells; gain codes are shifted by one so that 0 means 'no cell'; missing becomes 0."""
    if not wanted:
        return np.zeros(0, dtype=np.float32)
    column = np.asarray(cells[name], dtype=np.float32)
    shifted = column + np.float32(1.0) if name == "gain" else column
    return np.nan_to_num(shifted, nan=0.0, posinf=0.0, neginf=0.0)


@njit(cache=True, nogil=True)
def _centre_of(e, eta, phi, layer, eta_0, phi_0, plan):  # type: ignore[no-untyped-def]
    """Middle of the grids and whether it was found."""
    known = np.isfinite(eta_0) and np.isfinite(phi_0)
    if plan.centre_layer < 0:
        return eta_0, phi_0, known
    grid = plan.grid_of[plan.centre_layer]
    half_eta = max(0.5 * plan.shape[grid, 0] * plan.pitch[grid, 0], NEAR)
    half_phi = max(0.5 * plan.shape[grid, 1] * plan.pitch[grid, 1], NEAR)
    wanted = layer == plan.centre_layer
    hot = hottest(e, eta, phi, wanted, eta_0, phi_0, half_eta, half_phi) if known else -1
    if hot < 0:
        hot = hottest(e, eta, phi, wanted, 0.0, 0.0, np.inf, np.inf)
    if hot < 0:
        return np.nan, np.nan, False
    return float(eta[hot]), float(phi[hot]), True


@njit(cache=True, nogil=True)
def _fill_blocks(  # type: ignore[no-untyped-def]
    offsets, e, eta, phi, sampling, time, gain, noise, eta_0, phi_0, plan, widths,
    out_offsets, pixel, shape, energy, out_time, out_gain, out_noise, outside, centre, dropped, status,
):  # fmt: skip
    """Write the blocks of all candidates; returns how many there are, also when the buffers are too short."""
    layers, sizes = plan.layer_of[sampling], _sizes(plan, widths)
    grid_of, first_pixel, shapes, pitch = plan.grid_of, plan.first_pixel, plan.shape, plan.pitch
    runs, parts = np.empty((2, 2, 3), dtype=np.int64), np.empty((2, 3))  # axis, (first, count), run
    n_runs = np.empty(2, dtype=np.int64)
    n, n_bin = 0, widths.shape[1]
    for i in range(len(offsets) - 1):
        a, b = offsets[i], offsets[i + 1]
        x_0, y_0, found = _centre_of(e[a:b], eta[a:b], phi[a:b], layers[a:b], eta_0[i], phi_0[i], plan)
        finite = 0
        for j in range(a, b):
            if not (np.isfinite(e[j]) and np.isfinite(eta[j]) and np.isfinite(phi[j])):
                continue
            finite += 1
            layer = layers[j]
            if layer < 0 or not found:
                continue
            grid, k = grid_of[layer], width_bin(eta[j], n_bin)
            for axis in range(2):
                away = eta[j] - x_0 if axis == 0 else wrap(phi[j] - y_0)
                middle = away / pitch[grid, axis] + 0.5 * shapes[grid, axis]
                size, n_pixel = sizes[sampling[j], k, axis], shapes[grid, axis]
                first, stop = whole_pixels(middle, size)
                if stop > first:
                    runs[axis, 0, 0], runs[axis, 1, 0] = max(first, 0), min(stop, n_pixel) - max(first, 0)
                    parts[axis, 0], n_runs[axis] = 1.0 / (stop - first), runs[axis, 1, 0] > 0
                else:
                    n_runs[axis] = split_pixels(middle, size, n_pixel, axis, runs, parts)
            inside = 0.0
            for r in range(n_runs[0]):
                for q in range(n_runs[1]):
                    part = parts[0, r] * parts[1, q]
                    inside += part * runs[0, 1, r] * runs[1, 1, q]
                    if n < len(pixel):
                        pixel[n] = first_pixel[layer] + runs[0, 0, r] * shapes[grid, 1] + runs[1, 0, q]
                        shape[0, n], shape[1, n] = runs[0, 1, r], runs[1, 1, q]
                        energy[n] = e[j] * part
                        if len(out_time):
                            out_time[n] = time[j]
                        if len(out_gain):
                            out_gain[n] = gain[j]
                        if len(out_noise):
                            out_noise[n] = noise[j] * part
                    n += 1
            outside[i, grid] += e[j] * (1.0 - inside)
        out_offsets[i + 1] = n
        dropped[i] = b - a - finite
        status[i] = OK if found and finite > 0 else NO_CELLS if a == b else NO_FINITE if finite == 0 else NO_CENTRE
        if status[i] == OK:
            centre[i, 0], centre[i, 1] = x_0, y_0
    return n


@njit(cache=True, nogil=True)
def _sizes(plan, widths):  # type: ignore[no-untyped-def]
    """Widths of cells in pixels of their layer's grid, by sampling and eta bin; 0: all to the pixel of the centre."""
    sizes = np.zeros((len(plan.layer_of), widths.shape[1], 2))
    for sampling in range(len(plan.layer_of)):
        layer = plan.layer_of[sampling]
        if layer < 0 or plan.to_centre[layer]:
            continue
        for axis in range(2):
            own = plan.size[layer, axis]
            size = widths[sampling, :, axis] if np.isnan(own) else np.full(widths.shape[1], own, widths.dtype)
            sizes[sampling, :, axis] = size / plan.pitch[plan.grid_of[layer], axis]
    return sizes
