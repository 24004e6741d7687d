"""Cells painted on the pixels around a candidate, in one pass over flat buffers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from calotools.images.grid import split_pixels, whole_pixels
from calotools.images.spec import Plan
from calotools.variables.windows import hottest, width_bin, wrap

__all__ = [
    "NO_CELLS",
    "NO_CENTRE",
    "NO_FINITE",
    "OK",
    "PADDING",
    "Canvas",
    "Cells",
    "Found",
    "cell_sizes",
    "paint",
    "unveil",
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
        The energy first; NaN where no cell is.
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


def cell_sizes(plan: Plan, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Widths of cells in pixels of their layer's grid.

    Parameters
    ----------
    plan : Plan
    widths : (n_sampling, n_bin, 2) float32
        Granularity table.

    Returns
    -------
    row_of : (256,) int64
        Row of the sampling in `sizes`; 0 also for those that are drawn nowhere.
    sizes : (row, n_bin, 2) float64
        (eta, phi); 0: all goes to the pixel of the cell's centre.
    """
    used = np.flatnonzero(plan.layer_of >= 0)
    sizes = np.zeros((len(used), widths.shape[1], 2))
    for row, sampling in zip(sizes, used, strict=True):
        layer = plan.layer_of[sampling]
        if not plan.to_centre[layer]:
            tabled = widths[sampling] if sampling < len(widths) else np.full_like(widths[0], np.nan)
            own = np.where(np.isnan(plan.size[layer]), tabled, plan.size[layer].astype(widths.dtype))
            row[:] = own / plan.pitch[plan.grid_of[layer]]
    row_of = np.zeros(len(plan.layer_of), dtype=np.int64)
    row_of[used] = np.arange(len(used))
    return row_of, sizes


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
def paint(begin, end, cells, plan, row_of, sizes, canvas, found):  # type: ignore[no-untyped-def]
    """Paint candidates ``begin:end``, whose centres were found, on the first rows of the canvas."""
    offsets, cell_e, cell_eta, cell_phi, cell_sampling, _, times, gains, noises, _, _ = cells
    layers, _, _, grid_of, first_pixel, shape, pitch, _ = plan
    canvas_values, heat, which = canvas
    outside, centre, dropped, status = found
    others = canvas_values.shape[1] > 1
    runs, parts = np.empty((2, 2, 3), dtype=np.int64), np.empty((2, 3))  # axis, (first, count), run
    scale, half, n_bin = 1.0 / pitch, 0.5 * shape, sizes.shape[1]
    for i in range(begin, end):
        image = canvas_values[i - begin]
        energy = image[0]
        image[:] = 0
        energy[:] = np.nan
        heat[:] = -1
        a, b = offsets[i], offsets[i + 1]
        x_0, y_0 = centre[i, 0], centre[i, 1]
        known = x_0 == x_0
        finite = 0
        for j in range(a, b):
            e, eta, phi, sampling = cell_e[j], cell_eta[j], cell_phi[j], cell_sampling[j]
            if e - e + (eta - eta) + (phi - phi) != 0.0:
                continue  # not finite
            finite += 1
            layer = layers[sampling]
            if layer < 0 or not known:
                continue
            grid = grid_of[layer]
            k, width = row_of[sampling], width_bin(eta, n_bin)
            x, y = eta - x_0, phi - y_0
            x = x * scale[grid, 0] + half[grid, 0]
            y = (wrap(y) if abs(y) > np.pi else y) * scale[grid, 1] + half[grid, 1]
            d_x, d_y, n_x, n_y = sizes[k, width, 0], sizes[k, width, 1], shape[grid, 0], shape[grid, 1]
            a_x, b_x = whole_pixels(x, d_x)
            a_y, b_y = whole_pixels(y, d_y)
            inside = 0.0
            if b_x > a_x and b_y > a_y and not others:
                part = 1.0 / ((b_x - a_x) * (b_y - a_y))
                a_x, b_x, a_y, b_y = max(a_x, 0), min(b_x, n_x), max(a_y, 0), min(b_y, n_y)
                if b_x > a_x and b_y > a_y:
                    inside = part * (b_x - a_x) * (b_y - a_y)
                    p = first_pixel[layer] + a_x * n_y + a_y
                    _paint_energy(energy, (p, b_x - a_x, b_y - a_y, n_y), np.float32(e * part))
            else:
                n_runs = split_pixels(x, d_x, n_x, 0, runs, parts), split_pixels(y, d_y, n_y, 1, runs, parts)
                for r in range(n_runs[0]):
                    for q in range(n_runs[1]):
                        part = parts[0, r] * parts[1, q]
                        inside += part * runs[0, 1, r] * runs[1, 1, q]
                        p = first_pixel[layer] + runs[0, 0, r] * n_y + runs[1, 0, q]
                        block = (p, runs[0, 1, r], runs[1, 1, q], n_y)
                        if others:
                            extra = _others_of(times, gains, noises, j, part)
                            _paint_others(image, heat, which, block, np.float32(e * part), extra)
                        _paint_energy(energy, block, np.float32(e * part))
            outside[i, grid] += e * (1.0 - inside)
        dropped[i] = b - a - finite
        status[i] = OK if known and finite > 0 else NO_CELLS if a == b else NO_FINITE if finite == 0 else NO_CENTRE
        if status[i] != OK:
            centre[i] = np.nan


@njit(cache=True, nogil=True)
def _others_of(times, gains, noises, j, part):  # type: ignore[no-untyped-def]
    """Time, gain and noise that a part of a cell gives to its pixels; gain codes plus one, so that 0 is 'no cell'."""
    zero, one = np.float32(0.0), np.float32(1.0)
    return _at(times, j, zero), _at(gains, j, one), np.float32(_at(noises, j, zero) * part)


@njit(cache=True, nogil=True)
def _at(column, j, shift):  # type: ignore[no-untyped-def]
    """A further quantity of a cell; 0 if it is missing."""
    return column[j] + shift if len(column) and np.isfinite(column[j]) else np.float32(0.0)


@njit(cache=True, nogil=True)
def _paint_energy(energy, block, value):  # type: ignore[no-untyped-def]
    """One cell on a rectangle of pixels: energies add."""
    p, n_eta, n_phi, stride = block
    # columns outside: most cells are one pixel wide, and a loop over a few neighbours costs more than it does
    for first in range(p, p + n_phi):
        for one in range(first, first + n_eta * stride, stride):
            energy[one] = energy[one] + value if energy[one] == energy[one] else value


@njit(cache=True, nogil=True)
def _paint_others(image, heat, which, block, energy, values):  # type: ignore[no-untyped-def]
    """Time and gain are those of the cell that gives the pixel more energy; noise adds in quadrature."""
    p, n_eta, n_phi, stride = block
    for _ in range(n_eta):
        for one in range(p, p + n_phi):
            if which[2] > 0:
                covered = image[0, one] == image[0, one]
                image[which[2], one] = np.hypot(image[which[2], one], values[2]) if covered else abs(values[2])
            if len(heat) == 0:
                continue
            for kind in range(2):
                q = which[kind]
                # of two equally hot cells the larger value, so that the order of cells does not matter
                if q > 0 and (abs(energy) > heat[one] or (abs(energy) == heat[one] and values[kind] > image[q, one])):
                    image[q, one] = values[kind]
            heat[one] = max(heat[one], abs(energy))
        p += stride


@njit(cache=True, nogil=True)
def unveil(painted, mask):  # type: ignore[no-untyped-def]
    """Turn NaN energies, (m, quantity, pixel), into 0, and write where they were not, (m, pixel)."""
    for i in range(len(painted)):
        energy, covered = painted[i, 0], mask[i]
        for p in range(len(energy)):
            covered[p] = energy[p] == energy[p]
        for p in range(len(energy)):
            energy[p] = energy[p] if energy[p] == energy[p] else 0
