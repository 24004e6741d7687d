"""Cells painted on the pixels around a candidate, in one pass over flat buffers."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numba import njit

from calotools.images.brush import paint_energy, paint_several
from calotools.images.grid import pixel_span
from calotools.images.spec import Plan
from calotools.variables.windows import PER_ETA, cell_widths, hottest, width_bin, wrap

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
    "find_centres",
    "paint",
]

OK, NO_CELLS, NO_FINITE, NO_CENTRE = range(4)
# The hottest cell is looked for at least this far (in eta and phi) from the cluster, also when the grid is smaller: the
# position may be seen from another vertex than the cells are.
NEAR = 0.1
PADDING = 32  # pixels behind each image, so that 16 at a time can be looked at


class Cells(NamedTuple):
    """Cells of n candidates as flat buffers.

    Attributes
    ----------
    offsets : (n + 1,) int64
    e, eta, phi : (n_cell,) float32
        [GeV], phi in rad.
    sampling : (n_cell,) uint8
    centre : (n_cell,) bool
        The cell's layer is the one on whose hottest cell images are centred.
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
    centre: np.ndarray
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
        Widths in (eta, phi), 0: all goes to the pixel of the cell's centre; first bin of the same widths, and the bin
        after the last one. Kept for the next call: not to be changed.
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
        kind[:, 2], kind[:, 3] = np.repeat(edges[:-1], np.diff(edges)), np.repeat(edges[1:], np.diff(edges))
        kind[kind[:, 3] == n_bin, 3] = np.inf  # the last bin is for all beyond the table
    return kinds


@njit(cache=True, nogil=True)
def find_centres(begin, end, cells, plan, centre):  # type: ignore[no-untyped-def]
    """Write the middles of the grids of candidates ``begin:end``; NaN where it is not found."""
    offsets, e, eta, phi, _, wanted, _, _, _, eta_0, phi_0 = cells
    _, _, _, grid_of, _, shape, pitch, centre_layer = plan
    half_eta, half_phi, hot = NEAR, NEAR, -1
    if centre_layer >= 0:
        grid = grid_of[centre_layer]
        half_eta = max(0.5 * shape[grid, 0] * pitch[grid, 0], NEAR)
        half_phi = max(0.5 * shape[grid, 1] * pitch[grid, 1], NEAR)
    for i in range(begin, end):
        a, b = offsets[i], offsets[i + 1]
        known = np.isfinite(eta_0[i]) and np.isfinite(phi_0[i])
        if centre_layer < 0:
            centre[i, 0], centre[i, 1] = (eta_0[i], phi_0[i]) if known else (np.nan, np.nan)
            continue
        near = (eta_0[i], phi_0[i], half_eta, half_phi)
        hot = hottest(e[a:b], eta[a:b], phi[a:b], wanted[a:b], *near) if known else -1
        if hot < 0:
            hot = hottest(e[a:b], eta[a:b], phi[a:b], wanted[a:b], 0.0, 0.0, np.inf, np.inf)
        centre[i, 0], centre[i, 1] = (float(eta[a + hot]), float(phi[a + hot])) if hot >= 0 else (np.nan, np.nan)


@njit(cache=True, nogil=True)
def paint(begin, end, cells, plan, row_of, kinds, canvas, found):  # type: ignore[no-untyped-def]
    """Paint candidates ``begin:end``, whose centres were found, on the first rows of the canvas."""
    offsets, cell_e, times, gains, noises = cells[0], cells[1], cells[6], cells[7], cells[8]
    values, heat, which = canvas
    outside, centre, dropped, status = found
    most = 0
    for i in range(begin, end):
        most = max(most, offsets[i + 1] - offsets[i])
    boxes, places, lost = np.empty((most + 1, 5)), np.empty((most + 1, 3), np.int64), np.empty(outside.shape[1])
    for i in range(begin, end):
        image, energy = values[i - begin], values[i - begin, 0]
        energy[:] = -0.0
        image[1:] = 0
        heat[:] = -1
        a, b = offsets[i], offsets[i + 1]
        n, finite = _find_boxes(a, b, cells, plan, row_of, kinds, (centre[i, 0], centre[i, 1]), boxes, places, lost)
        # each a call for all cells: one that is handed arrays costs as much as several cells
        if values.shape[1] == 1:
            paint_energy(energy, cell_e, boxes[:n], places)
        else:
            paint_several(image, heat, which, cell_e, times, gains, noises, boxes[:n], places)
        outside[i] = lost
        dropped[i] = b - a - finite
        if finite == 0:
            status[i] = NO_CELLS if a == b else NO_FINITE
            centre[i] = np.nan
        else:
            status[i] = NO_CENTRE if np.isnan(centre[i, 0]) else OK


@njit(cache=True, nogil=True)
def _find_boxes(a, b, cells, plan, row_of, kinds, middle, boxes, places, lost):  # type: ignore[no-untyped-def]
    """Where the cells ``a:b`` lie on their grids; returns the numbers of those inside, and of finite ones.

    Written are the edges of their parts inside, in pixels from the corner of the grid, with the fraction of the cell
    that a whole pixel gets, to `boxes`; first pixel of the layer, pixels in a row, and number of the cell to `places`;
    and the energy outside each grid to `lost`.
    """
    _, cell_e, cell_eta, cell_phi, cell_sampling, _, _, _, _, _, _ = cells
    layers, _, _, grid_of, first_pixel, shape, pitch, _ = plan
    x_0, y_0 = middle
    n, finite, n_bin = 0, 0, kinds.shape[1]
    sampling, first_bin, end_bin, layer, grid, d_x, d_y = 256, 0.0, 0.0, -1, 0, 0.0, 0.0
    scale_x, scale_y, n_x, n_y = 0.0, 0.0, 0, 0
    lost[:] = 0.0
    for j in range(a, b):
        e, eta, phi = cell_e[j], cell_eta[j], cell_phi[j]
        if e - e + (eta - eta) + (phi - phi) != 0.0:
            continue  # not finite
        finite += 1
        at_bin = abs(eta) * PER_ETA
        if cell_sampling[j] != sampling or at_bin < first_bin or at_bin >= end_bin:
            # neighbours in the list are mostly of one kind
            sampling = cell_sampling[j]
            layer = layers[sampling] if x_0 == x_0 else -1
            d_x, d_y, first_bin, end_bin = kinds[row_of[sampling], width_bin(eta, n_bin)]
            grid = grid_of[max(layer, 0)]
            n_x, n_y, scale_x, scale_y = shape[grid, 0], shape[grid, 1], 1.0 / pitch[grid, 0], 1.0 / pitch[grid, 1]
        if layer < 0:
            continue
        x, y = eta - x_0, phi - y_0
        y = wrap(y) if abs(y) > np.pi else y
        a_x, b_x = pixel_span(x * scale_x + 0.5 * n_x, d_x)
        a_y, b_y = pixel_span(y * scale_y + 0.5 * n_y, d_y)
        part = 1.0 / ((b_x - a_x) * (b_y - a_y))
        a_x, b_x, a_y, b_y = max(a_x, 0.0), min(b_x, float(n_x)), max(a_y, 0.0), min(b_y, float(n_y))
        # what is written for a cell outside is written over: a branch would often be mispredicted
        inside = (b_x > a_x) & (b_y > a_y)
        lost[grid] += e * (1.0 - (part * (b_x - a_x) * (b_y - a_y) if inside else 0.0))
        boxes[n, 0], boxes[n, 1], boxes[n, 2], boxes[n, 3], boxes[n, 4] = a_x, b_x, a_y, b_y, part
        places[n, 0], places[n, 1], places[n, 2] = first_pixel[layer], n_y, j
        n += inside
    return n, finite
