"""Cells painted on the pixels around a candidate, in one pass over flat buffers."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numba import njit

from calotools.images.boxes import box_cells, find_runs, new_boxes
from calotools.images.brush import paint_energy, paint_several, unveil_rows
from calotools.images.spec import Plan
from calotools.images.wide import WIDE, prefetch
from calotools.variables.windows import PER_ETA, cell_widths, wrap

__all__ = [
    "NO_CELLS",
    "NO_CENTRE",
    "NO_FINITE",
    "OK",
    "PADDING",
    "Canvas",
    "Cells",
    "Found",
    "cell_kinds",
    "judge",
    "paint",
    "paint_images",
]

OK, NO_CELLS, NO_FINITE, NO_CENTRE = range(4)
# The hottest cell is looked for at least this far (in eta and phi) from the cluster, also when the grid is smaller: the
# position may be seen from another vertex than the cells are.
NEAR = 0.1
_AHEAD = 4  # candidates whose cells are asked for before they are looked at
PADDING = 32  # pixels behind each image, so that 16 at a time can be looked at


class Cells(NamedTuple):
    """Cells of n candidates as flat buffers.

    Attributes
    ----------
    offsets : (n + 1,) int64
    e, eta, phi : (n_cell,) float32
        [GeV], phi in rad.
    sampling : (n_cell,) uint8
    time, gain, noise : (n_cell,) or (0,) float32
        [ns], code, [GeV]; empty when not painted.
    eta_0, phi_0 : (n,) float64
        Position of the cluster; NaN where it is not known.
    """

    offsets: np.ndarray
    e: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    sampling: np.ndarray
    time: np.ndarray
    gain: np.ndarray
    noise: np.ndarray
    eta_0: np.ndarray
    phi_0: np.ndarray


class Canvas(NamedTuple):
    """What a few candidates are painted on.

    Attributes
    ----------
    values : (m, quantity, pixel + PADDING) float32
        The energy first; -0.0 where no cell is, see `EMPTY`.
    heat : (pixel,) float32
        Greatest energy that a cell gave to the pixel, where time or gain is painted.
    which : (3,) int64
        Number of time, gain and noise among the quantities; -1: not painted.
    """

    values: np.ndarray
    heat: np.ndarray
    which: np.ndarray


class Found(NamedTuple):
    """What is learned of n candidates on the way; see `Bands`."""

    outside: np.ndarray
    centre: np.ndarray
    dropped: np.ndarray
    status: np.ndarray


def cell_kinds(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Widths of cells in pixels of their layer's grid, and how far in eta they stay the same.

    Returns
    -------
    row_of : (256,) int64
        Row of the sampling in `kinds`; 0 also for those that are drawn nowhere.
    kinds : (row, n_bin, 4) float64
        Widths in (eta, phi), 0: all goes to the pixel of the cell's centre; and from which distance from
        eta = 0 on, and below which,
        they are the same. Kept for the next call: not to be changed.
    """
    used = np.flatnonzero(plan.layer_of >= 0)
    layer = plan.layer_of[used]
    rows = np.column_stack([used, plan.to_centre[layer], plan.size[layer], plan.pitch[plan.grid_of[layer]]])
    row_of = np.zeros(len(plan.layer_of), dtype=np.int64)
    row_of[used] = np.arange(len(used))
    return row_of, _cell_kinds(rows.tobytes())


@functools.lru_cache(maxsize=16)
def _cell_kinds(rows: bytes) -> np.ndarray:
    widths = cell_widths()
    n_bin = widths.shape[1]
    unpacked = np.frombuffer(rows).reshape(-1, 6)
    kinds = np.zeros((len(unpacked), n_bin, 4))
    for kind, (sampling, to_centre, *sizes) in zip(kinds, unpacked, strict=True):
        if not to_centre:
            tabled = widths[int(sampling)] if sampling < len(widths) else np.full_like(widths[0], np.nan)
            size, pitch = np.array(sizes[:2]), np.array(sizes[2:])
            kind[:, :2] = np.where(np.isnan(size), tabled, size.astype(widths.dtype)) / pitch
        changes = np.flatnonzero(np.any(kind[1:, :2] != kind[:-1, :2], axis=1)) + 1
        edges = np.concatenate([[0], changes, [n_bin]])
        limits = _first_in_bin(edges)
        limits[-1] = np.inf  # the last bin is for all beyond the table
        kind[:, 2], kind[:, 3] = np.repeat(limits[:-1], np.diff(edges)), np.repeat(limits[1:], np.diff(edges))
    return kinds


def _first_in_bin(number: np.ndarray) -> np.ndarray:
    """The lowest eta, of those that single precision knows, in bins of some numbers."""
    eta = (number / PER_ETA).astype(np.float32)
    below = np.nextafter(eta, np.float32(-1))
    eta = np.where(below.astype(np.float64) * PER_ETA >= number, below, eta)
    return np.where(eta.astype(np.float64) * PER_ETA < number, np.nextafter(eta, np.float32(np.inf)), eta)


@njit(cache=True, nogil=True)
def paint(rows, cells, plan, row_of, kinds, canvas, found):  # type: ignore[no-untyped-def]
    """Paint some candidates on the first rows of the canvas, in the order of `rows`."""
    offsets, e, eta, phi, sampling = cells[:5]
    outside, centre, dropped, status = found
    values, heat, _ = canvas
    most = 1
    for i in rows:
        most = max(most, offsets[i + 1] - offsets[i])
    runs, widths, lost, boxes = (
        np.empty((most, 3), np.int64),
        np.empty((most, 2)),
        np.empty(outside.shape[1]),
        new_boxes(),
    )
    for row in range(len(rows)):
        i, image = rows[row], values[row]
        if row + 1 < len(rows):
            _prefetch_cells(rows[row + 1], cells)
        image[0][:] = -0.0
        image[1:] = 0
        heat[:] = -1
        lost[:] = 0.0
        a, b = offsets[i], offsets[i + 1]
        n, finite = find_runs(a, b, e, eta, phi, sampling, plan[0], row_of, kinds, runs, widths)
        middle = _find_centre(i, cells, plan, runs, n)
        if middle[0] == middle[0]:
            _paint_runs(cells, plan, middle, runs, widths, n, image, canvas, boxes, lost)
        outside[i] = lost
        dropped[i] = b - a - finite
        centre[i, 0], centre[i, 1] = middle if finite > 0 else (np.nan, np.nan)
        if finite == 0:
            status[i] = NO_CELLS if a == b else NO_FINITE
        else:
            status[i] = NO_CENTRE if np.isnan(middle[0]) else OK


@njit(cache=True, nogil=True)
def paint_images(rows, places, cells, plan, row_of, kinds, canvas, found, firsts, images):  # type: ignore[no-untyped-def]
    """Paint candidates, as many at a time as the canvas holds, and copy their energies to places in images.

    Parameters
    ----------
    rows, places : (m,) int64
    cells, plan, row_of, kinds, canvas, found
        As `paint`; the energy is the only quantity.
    firsts : (n_grid,) int64
        First pixel of each grid on the canvas.
    images : tuple of (n, pixel) int32
        Bits of the energies on each grid.
    """
    words, most = canvas[0].view(np.int32), len(canvas[0])
    for start in range(0, len(rows), most):
        stop = min(start + most, len(rows))
        paint(rows[start:stop], cells, plan, row_of, kinds, canvas, found)
        for grid in range(len(images)):
            unveil_rows(words, firsts[grid], places[start:stop], images[grid])


@njit(cache=True, nogil=True)
def _prefetch_cells(i, cells):  # type: ignore[no-untyped-def]
    """Rows in any order are far from each other in memory: ask for the next while one is painted."""
    offsets, e, eta, phi, sampling = cells[:5]
    for j in range(offsets[i], offsets[i + 1], WIDE):
        prefetch(e, j)
        prefetch(eta, j)
        prefetch(phi, j)
    for j in range(offsets[i], offsets[i + 1], 4 * WIDE):
        prefetch(sampling, j)


@njit(cache=True, nogil=True)
def judge(cells, plan, status):  # type: ignore[no-untyped-def]
    """Whether candidates can be painted, without painting them; `status` as `paint` writes it."""
    offsets, e, eta, phi, sampling = cells[:5]
    layers, centre_layer = plan[0], plan[7]
    for i in range(len(status)):
        if i + _AHEAD < len(status):
            _prefetch_last(offsets[i + _AHEAD + 1] - 1, cells)
        a, b = offsets[i], offsets[i + 1]
        placed = centre_layer >= 0 or (np.isfinite(cells[8][i]) and np.isfinite(cells[9][i]))
        status[i] = NO_CELLS if a == b else NO_FINITE
        for j in range(b - 1, a - 1, -1):  # from the last on: few cells are behind those of the middle
            if centre_layer >= 0 and layers[sampling[j]] != centre_layer:
                continue
            if e[j] - e[j] + (eta[j] - eta[j]) + (phi[j] - phi[j]) == 0.0:
                status[i] = OK if placed else NO_CENTRE
                break
        else:
            for j in range(a, b):
                if e[j] - e[j] + (eta[j] - eta[j]) + (phi[j] - phi[j]) == 0.0:
                    status[i] = NO_CENTRE
                    break


@njit(cache=True, nogil=True)
def _prefetch_last(j, cells):  # type: ignore[no-untyped-def]
    """Ask for the cells before number j, those that `judge` looks at."""
    _, e, eta, phi, sampling = cells[:5]
    for back in range(0, 3 * 64, 64):
        prefetch(sampling, j - back)
    for back in range(64, 2 * 64, WIDE):
        prefetch(e, j - back)
        prefetch(eta, j - back)
        prefetch(phi, j - back)


@njit(cache=True, nogil=True, error_model="numpy")
def _paint_runs(cells, plan, middle, runs, widths, n, image, canvas, boxes, lost):  # type: ignore[no-untyped-def]
    """Paint the cells of one candidate, and add what is outside each grid to `lost`."""
    _, e, eta, phi, _, time, gain, noise, _, _ = cells
    _, _, _, grid_of, first_pixel, shape, pitch, _ = plan
    _, heat, which = canvas
    energy, (edges, places, energies) = image[0], boxes
    # one function with all of it: a call that is handed arrays costs as much as several cells
    for k in range(n):
        j, stop, layer = runs[k, 0], runs[k, 1], runs[k, 2]
        if layer < 0:
            continue
        grid, first = grid_of[layer], first_pixel[layer]
        scale, size = (1.0 / pitch[grid, 0], 1.0 / pitch[grid, 1]), (shape[grid, 0], shape[grid, 1])
        width = widths[k, 0], widths[k, 1]
        box_cells(j, stop, e, eta, phi, middle, scale, size, width, first, edges, places, energies)
        if len(image) == 1:
            wide = width[1] > 1.5
            lost[grid] = paint_energy(energy, e, j, stop, first, size[1], wide, edges, places, energies, lost[grid])
        else:
            lost[grid] = paint_several(
                image, heat, which, j, stop, (e, time, gain, noise), first, size[1], edges, places, lost[grid]
            )


@njit(cache=True, nogil=True)
def _find_centre(i, cells, plan, runs, n):  # type: ignore[no-untyped-def]
    """The middle of the grids of a candidate; NaN where it is not found."""
    eta, phi, eta_0, phi_0 = cells[2], cells[3], cells[8][i], cells[9][i]
    _, _, _, grid_of, _, shape, pitch, layer = plan
    known, hot = np.isfinite(eta_0) and np.isfinite(phi_0), -1
    if layer < 0:
        return (eta_0, phi_0) if known else (np.nan, np.nan)
    grid = grid_of[layer]
    if known:
        half_eta = max(0.5 * shape[grid, 0] * pitch[grid, 0], NEAR)
        half_phi = max(0.5 * shape[grid, 1] * pitch[grid, 1], NEAR)
        hot = _hottest(cells, layer, runs, n, eta_0, phi_0, half_eta, half_phi)
    if hot < 0:
        hot = _hottest(cells, layer, runs, n, 0.0, 0.0, np.inf, np.inf)
    return (float(eta[hot]), float(phi[hot])) if hot >= 0 else (np.nan, np.nan)


@njit(cache=True, nogil=True)
def _hottest(cells, layer, runs, n, eta_0, phi_0, half_eta, half_phi):  # type: ignore[no-untyped-def]
    """Number of the hottest cell of a layer in a window; -1: none is there. Ties as in `hottest`."""
    _, e, eta, phi, _, _, _, _, _, _ = cells
    best, most = -1, -np.inf
    for k in range(n):
        if runs[k, 2] != layer:
            continue
        for j in range(runs[k, 0], runs[k, 1]):
            if not (np.isfinite(e[j]) and e[j] >= most):
                continue
            if not (abs(eta[j] - eta_0) < half_eta and abs(wrap(phi[j] - phi_0)) < half_phi):
                continue
            if best < 0 or (e[j], -eta[j], -phi[j]) > (e[best], -eta[best], -phi[best]):
                best, most = j, e[j]
    return best
