"""Cells painted on the pixels around a candidate, in one pass over flat buffers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from calotools.images.grid import split_pixels, whole_pixels
from calotools.images.spec import Plan
from calotools.variables.windows import hottest, width_bin, wrap

__all__ = ["NO_CELLS", "NO_CENTRE", "NO_FINITE", "OK", "Canvas", "Cells", "Found", "cell_sizes", "paint"]

OK, NO_CELLS, NO_FINITE, NO_CENTRE = range(4)
# The hottest cell is looked for at least this far (in eta and phi) from the cluster, also when the grid is smaller: the
# position may be seen from another vertex than the cells are.
NEAR = 0.1


class Cells(NamedTuple):
    """Cells of n candidates as flat buffers.

    Attributes
    ----------
    offsets : (n + 1,) int64
    e, eta, phi : (n_cell,) float32
        [GeV], phi in rad.
    sampling : (n_cell,) uint8
    time, gain, noise : (n_cell,) or (0,) float32
        [ns], code + 1, [GeV]; empty when not painted.
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
    values : (m, quantity, pixel) float32
        The energy first.
    covered : (m, pixel) bool
    heat : (pixel,) float32
        Greatest energy that a cell gave to the pixel, where time or gain is painted.
    which : (3,) int64
        Number of time, gain and noise among the quantities; -1: not painted.
    """

    values: np.ndarray
    covered: np.ndarray
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
def paint(begin, end, cells, plan, row_of, sizes, canvas, found):  # type: ignore[no-untyped-def]
    """Paint candidates ``begin:end`` on the first rows of the canvas."""
    # named here once: looking arrays up in a tuple inside the loops counts references
    cell_e, cell_eta, cell_phi, cell_sampling = cells.e, cells.eta, cells.phi, cells.sampling
    layers, grid_of, first_pixel = plan.layer_of, plan.grid_of, plan.first_pixel
    shape, outside, others = plan.shape, found.outside, canvas.values.shape[1] > 1
    times, gains, noises, heat, which = cells.time, cells.gain, cells.noise, canvas.heat, canvas.which
    runs, parts = np.empty((2, 2, 3), dtype=np.int64), np.empty((2, 3))  # axis, (first, count), run
    n_bin = sizes.shape[1]
    scale, half = 1.0 / plan.pitch, 0.5 * plan.shape
    for i in range(begin, end):
        image, covered = canvas.values[i - begin], canvas.covered[i - begin]
        energy = image[0]
        image[:] = 0
        covered[:] = False
        heat[:] = -1
        a, b = cells.offsets[i], cells.offsets[i + 1]
        x_0, y_0, known = _centre_of(cells, i, plan)
        finite = 0
        for j in range(a, b):
            e, eta, phi, sampling = cell_e[j], cell_eta[j], cell_phi[j], cell_sampling[j]
            if not (np.isfinite(e) and np.isfinite(eta) and np.isfinite(phi)):
                continue
            finite += 1
            layer = layers[sampling]
            if layer < 0 or not known:
                continue
            grid = grid_of[layer]
            k, width = row_of[sampling], width_bin(eta, n_bin)
            y = phi - y_0
            x = (eta - x_0) * scale[grid, 0] + half[grid, 0]
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
                    value = np.float32(e * part)
                    p = first_pixel[layer] + a_x * n_y
                    for _ in range(a_x, b_x):
                        for one in range(p + a_y, p + b_y):
                            energy[one] += value
                            covered[one] = True
                        p += n_y
            else:
                n_runs = split_pixels(x, d_x, n_x, 0, runs, parts), split_pixels(y, d_y, n_y, 1, runs, parts)
                for r in range(n_runs[0]):
                    for q in range(n_runs[1]):
                        part = parts[0, r] * parts[1, q]
                        inside += part * runs[0, 1, r] * runs[1, 1, q]
                        p = first_pixel[layer] + runs[0, 0, r] * n_y + runs[1, 0, q]
                        block = (p, runs[0, 1, r], runs[1, 1, q], n_y)
                        if others:
                            extra = (_at(times, j), _at(gains, j), np.float32(_at(noises, j) * part))
                            _paint_others(image, covered, heat, which, block, np.float32(e * part), extra)
                        _paint_energy(energy, covered, block, np.float32(e * part))
            outside[i, grid] += e * (1.0 - inside)
        found.dropped[i] = b - a - finite
        status = OK if known and finite > 0 else NO_CELLS if a == b else NO_FINITE if finite == 0 else NO_CENTRE
        found.status[i] = status
        if status == OK:
            found.centre[i, 0], found.centre[i, 1] = x_0, y_0


@njit(cache=True, nogil=True)
def _at(column, j):  # type: ignore[no-untyped-def]
    return column[j] if len(column) else np.float32(0.0)


@njit(cache=True, nogil=True)
def _paint_energy(image, covered, block, energy):  # type: ignore[no-untyped-def]
    """One cell on a rectangle of pixels: energies add."""
    p, n_eta, n_phi, stride = block
    for _ in range(n_eta):
        for one in range(p, p + n_phi):
            image[one] += energy
            covered[one] = True
        p += stride


@njit(cache=True, nogil=True)
def _paint_others(image, covered, heat, which, block, energy, values):  # type: ignore[no-untyped-def]
    """Time and gain are those of the cell that gives the pixel more energy; noise adds in quadrature."""
    p, n_eta, n_phi, stride = block
    for _ in range(n_eta):
        for one in range(p, p + n_phi):
            if which[2] > 0:
                noise = np.hypot(image[which[2], one], values[2]) if covered[one] else abs(values[2])
                image[which[2], one] = noise
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
def _centre_of(cells, i, plan):  # type: ignore[no-untyped-def]
    """Middle of the grids and whether it was found."""
    eta_0, phi_0 = cells.eta_0[i], cells.phi_0[i]
    known = np.isfinite(eta_0) and np.isfinite(phi_0)
    if plan.centre_layer < 0:
        return eta_0, phi_0, known
    grid = plan.grid_of[plan.centre_layer]
    half_eta = max(0.5 * plan.shape[grid, 0] * plan.pitch[grid, 0], NEAR)
    half_phi = max(0.5 * plan.shape[grid, 1] * plan.pitch[grid, 1], NEAR)
    a, b = cells.offsets[i], cells.offsets[i + 1]
    e, eta, phi = cells.e[a:b], cells.eta[a:b], cells.phi[a:b]
    wanted = plan.layer_of[cells.sampling[a:b]] == plan.centre_layer
    hot = hottest(e, eta, phi, wanted, eta_0, phi_0, half_eta, half_phi) if known else -1
    if hot < 0:
        hot = hottest(e, eta, phi, wanted, 0.0, 0.0, np.inf, np.inf)
    if hot < 0:
        return np.nan, np.nan, False
    return float(eta[hot]), float(phi[hot]), True
