"""Shower shapes and layer energies of electron and photon candidates, from their cells."""

from __future__ import annotations

import math

import awkward as ak
import numpy as np
from numba import njit

from calotools.errors import ShapeError
from calotools.variables.clusters import REACH, half_eta, mark_columns, satellite_thresholds, touches
from calotools.variables.jagged import flat_collection
from calotools.variables.strips import MAX_STRIPS, Strips, gather_strips, strip_shapes
from calotools.variables.windows import TOUCH, Local, cell_widths, hottest, local_frame, wrap

__all__ = ["SHAPES", "candidate_shapes", "shower_shapes"]

SHAPES = (
    "e0",
    "e1",
    "e2",
    "e3",
    "e_cluster",
    "e_acc",
    "eta_cluster",
    "phi_cluster",
    "eta_s1",
    "eta_s2",
    "phi_s2",
    "reta",
    "rphi",
    "weta2",
    "rhad",
    "rhad1",
    "f1",
    "f3",
    "f1core",
    "f3core",
    "eratio",
    "delta_e",
    "wstot",
    "ws3",
    "fside",
    "e_tile_gap3",
)
_COLUMN = {name: column for column, name in enumerate(SHAPES)}
(_E0, _E_CLUSTER, _E_ACC, _ETA, _PHI, _ETA_S1, _ETA_S2, _PHI_S2) = (
    _COLUMN[name] for name in ("e0", "e_cluster", "e_acc", "eta_cluster", "phi_cluster", "eta_s1", "eta_s2", "phi_s2")
)
(_RETA, _RHAD, _F1, _F3, _F1CORE, _F3CORE, _ERATIO, _GAP3) = (
    _COLUMN[name] for name in ("reta", "rhad", "f1", "f3", "f1core", "f3core", "eratio", "e_tile_gap3")
)
# Half of the 0.2 x 0.2 window in which hadronic cells are added; a cell whose centre is on its edge is outside.
_HALF_HADRONIC = 0.099


def shower_shapes(
    offsets: np.ndarray,
    e: np.ndarray,
    eta: np.ndarray,
    phi: np.ndarray,
    sampling: np.ndarray,
    *,
    eta_cluster: np.ndarray,
    phi_cluster: np.ndarray,
) -> dict[str, np.ndarray]:
    """Compute layer energies and shower shapes on flat jagged buffers.

    Everything is counted from the hottest middle cell within 7 x 7 middle cells of the given position. Layer energies
    are those of the cluster: all cells that overlap a window of 3 x 7 (barrel) or 5 x 7 (endcap, and the barrel from
    \\|eta\\| = 1.325 on) middle cells (eta x phi) there, and its satellites, as the field draws radiated photons and
    pairs apart along phi: a middle cell above 4 times its noise at <mu> = 30, up to 6 columns from the centre, adds its
    column of phi and those beside it. Shower shapes use all cells in their windows, barrel and endcap added, except
    those of the strips, which use cells of a 3 x 7 (barrel) or 5 x 7 (endcap) window. Non-finite cells are left out.

    Parameters
    ----------
    offsets : (n + 1,) int
        Candidate i owns cells ``offsets[i]:offsets[i + 1]``.
    e : (n_cell,) float [GeV]
    eta, phi : (n_cell,) float
        Cell centres [phi in rad].
    sampling : (n_cell,) int
        CaloSampling numbers.
    eta_cluster, phi_cluster : (n,) float
        Where to look for the hottest middle cell, detector frame.

    Returns
    -------
    dict of str to (n,) float32
        Keys of `SHAPES`; energies in GeV, phi in rad. ``eta_cluster`` and ``phi_cluster`` are the energy-weighted
        centre of the cluster. NaN where a quantity is undefined: no middle cell there, a denominator that is not
        positive, strips in 1.4 < \\|eta\\| < 1.5 or \\|eta\\| > 2.4.

    Raises
    ------
    ShapeError
        Buffers differ in length or do not fit the offsets.

    Notes
    -----
    Definitions of ATLAS' egammaCaloTools (egammaShowerShape, egammaMiddleShape, egammaStripsShape, egammaqweta1c and
    egammaqweta2c): ``reta`` e(3x7)/e(7x7), ``rphi`` e(3x3)/e(3x7), ``weta2`` in 3x5 cells with its correction for the
    impact point, ``rhad`` without the crack scintillators, ``eratio`` 1 and ``delta_e`` 0 without second maximum. The
    satellites stand in for the topological ones of ATLAS' superclusters (JINST 14 (2019) P12006).

    Examples
    --------
    >>> k = np.arange(-3, 4)
    >>> eta, phi = (grid.ravel() for grid in np.meshgrid(0.0125 + 0.025 * k, 0.0122718 + 0.0245437 * k))
    >>> e = 10.0 * ((abs(eta - 0.0125) < 0.03) & (abs(phi - 0.0122718) < 0.03))
    >>> e[24] += 10.0
    >>> middle = np.full(49, 2)
    >>> shapes = shower_shapes([0, 49], e, eta, phi, middle, eta_cluster=[0.01], phi_cluster=[0.01])
    >>> float(shapes["e2"][0]), float(shapes["reta"][0]), float(shapes["f1"][0])
    (100.0, 1.0, 0.0)
    """
    offsets = np.ascontiguousarray(offsets, dtype=np.int64)
    cells = [np.ascontiguousarray(column, dtype=np.float32) for column in (e, eta, phi)]
    samplings = np.ascontiguousarray(sampling, dtype=np.uint8)
    centres = [np.ascontiguousarray(column, dtype=np.float64) for column in (eta_cluster, phi_cluster)]
    _check(offsets, [*cells, samplings], centres)
    out = np.full((len(SHAPES), len(offsets) - 1), np.nan, dtype=np.float32)
    _shapes(offsets, *cells, samplings, *centres, (cell_widths(), satellite_thresholds()), out)
    return dict(zip(SHAPES, out, strict=True))


def candidate_shapes(candidates: ak.Array) -> dict[str, np.ndarray]:
    """Compute the shower shapes of candidates whose cells were read.

    Parameters
    ----------
    candidates : (n,) awkward record array
        With ``cells.e``, ``cells.eta``, ``cells.phi``, ``cells.sampling``, ``eta_cluster`` and ``phi_cluster``.

    Returns
    -------
    dict of str to (n,) float32
        See `shower_shapes`.

    Raises
    ------
    BranchError
        One of these fields was not read.
    """
    offsets, cells = flat_collection(candidates, "cells", fields=["e", "eta", "phi", "sampling"])
    eta, phi = (ak.to_numpy(candidates[name]) for name in ("eta_cluster", "phi_cluster"))
    return shower_shapes(
        offsets, cells["e"], cells["eta"], cells["phi"], cells["sampling"], eta_cluster=eta, phi_cluster=phi
    )


def _check(offsets: np.ndarray, cells: list[np.ndarray], centres: list[np.ndarray]) -> None:
    lengths = [len(column) for column in cells]
    if len(offsets) == 0 or offsets[0] != 0 or np.any(np.diff(offsets) < 0) or set(lengths) != {int(offsets[-1])}:
        raise ShapeError(
            f"cell buffers have lengths {lengths}; offsets must rise from 0 to that length, and end at "
            f"{offsets[-1] if len(offsets) else 'nothing'}"
        )
    if any(len(centre) != len(offsets) - 1 for centre in centres):
        raise ShapeError(
            f"{len(offsets) - 1} candidates have cells, but eta_cluster and phi_cluster have "
            f"{len(centres[0])} and {len(centres[1])} values"
        )


@njit(cache=True, nogil=True)
def _shapes(offsets, e, eta, phi, sampling, eta_0, phi_0, tables, out):  # type: ignore[no-untyped-def]
    widths, thresholds = tables
    longest = np.max(np.diff(offsets)) if len(offsets) > 1 else 0
    buffers = np.empty((5, longest))
    scratch = Local(buffers[0], buffers[1], buffers[2], np.empty(longest, np.int64), buffers[3], buffers[4])
    strip_buffers = np.empty((3, MAX_STRIPS))
    strips = Strips(strip_buffers[0], strip_buffers[1], strip_buffers[2])
    s2_eta, s2_phi = float(widths[2, 0, 0]), float(widths[2, 0, 1])
    middle = (sampling == 2) | (sampling == 6)
    columns = np.empty(2 * REACH + 1, np.bool_)
    for i in range(len(offsets) - 1):
        a, b = offsets[i], offsets[i + 1]
        hot = hottest(e[a:b], eta[a:b], phi[a:b], middle[a:b], eta_0[i], phi_0[i], 3.5 * s2_eta, 3.5 * s2_phi)
        if hot < 0:
            continue
        local = local_frame(e[a:b], eta[a:b], phi[a:b], sampling[a:b], hot, widths, scratch)
        hot_eta, hot_phi, barrel = float(eta[a + hot]), float(phi[a + hot]), sampling[a + hot] == 2
        half = half_eta(barrel, hot_eta, s2_eta)
        mark_columns(local, half, s2_phi, hot_eta, thresholds, columns)
        _cluster(local, half, s2_phi, columns, hot_eta, hot_phi, out[:, i])
        _middle(local, s2_eta, s2_phi, hot_eta, out[:, i])
        _back_and_hadronic(local, s2_phi, hot_eta, out[:, i])
        own = gather_strips(local, 1 if barrel else 5, (1.5 if barrel else 2.5) * s2_eta, strips)
        _strips(own, hot_eta, 1.25 * s2_eta, out[:, i])


@njit(cache=True, nogil=True)
def _ratio(above, below):  # type: ignore[no-untyped-def]
    return above / below if below > 0 else math.nan


@njit(cache=True, nogil=True)
def _centre(moments, half, half_phi):  # type: ignore[no-untyped-def]
    """Energy-weighted (x, y); from positive cells only when the signed one is undefined or leaves the window.

    `moments` is (sum e, sum e x, sum e y) of all cells, then the same of the positive ones.
    """
    for part in range(2):
        total = moments[3 * part]
        if total > 0:
            x, y = moments[3 * part + 1] / total, moments[3 * part + 2] / total
            if (abs(x) <= half and abs(y) <= half_phi) or part == 1:
                return x, y
    return math.nan, math.nan


@njit(cache=True, nogil=True)
def _cluster(local, half, s2_phi, columns, hot_eta, hot_phi, row):  # type: ignore[no-untyped-def]
    """Layer energies of the cluster, its centre and those of its strips and middle cells."""
    moments = np.zeros((5, 6))  # four layers and, last, their sum
    for j in range(len(local.e)):
        if local.sampling[j] > 7 or abs(local.x[j]) >= half + (0.5 - TOUCH) * local.d_eta[j]:
            continue
        if not touches(local.y[j], (0.5 - TOUCH) * local.d_phi[j], s2_phi, columns):
            continue
        for layer in (local.sampling[j] % 4, 4):
            for part in range(2 if local.e[j] > 0 else 1):
                moments[layer, 3 * part] += local.e[j]
                moments[layer, 3 * part + 1] += local.e[j] * local.x[j]
                moments[layer, 3 * part + 2] += local.e[j] * local.y[j]
    half_phi = (REACH + 0.5) * s2_phi
    row[_E0 : _E0 + 4] = moments[:4, 0]
    row[_E_CLUSTER] = moments[4, 0]
    row[_E_ACC] = np.sum(moments[1:4, 0])
    row[_F1], row[_F3] = _ratio(moments[1, 0], moments[4, 0]), _ratio(moments[3, 0], moments[4, 0])
    x, y = _centre(moments[4], half, half_phi)
    row[_ETA], row[_PHI] = hot_eta + x, wrap(hot_phi + y)
    row[_ETA_S1] = hot_eta + _centre(moments[1], half, half_phi)[0]
    x, y = _centre(moments[2], half, half_phi)
    row[_ETA_S2], row[_PHI_S2] = hot_eta + x, wrap(hot_phi + y)


@njit(cache=True, nogil=True)
def _middle(local, s2_eta, s2_phi, hot_eta, row):  # type: ignore[no-untyped-def]
    """reta, rphi and weta2."""
    e33, e37, e77 = 0.0, 0.0, 0.0
    total, first, second = 0.0, 0.0, 0.0
    for j in range(len(local.e)):
        x, y = abs(local.x[j]) / s2_eta, abs(local.y[j]) / s2_phi
        if local.sampling[j] not in (2, 6) or max(x, y) >= 3.5 - TOUCH:
            continue
        e77 += local.e[j]
        if x < 1.5 - TOUCH:
            e37 += local.e[j]
            e33 += local.e[j] if y < 1.5 - TOUCH else 0.0
            if y < 2.5 - TOUCH:
                total += local.e[j]
                first += local.e[j] * local.x[j]
                second += local.e[j] * local.x[j] ** 2
    row[_RETA], row[_RETA + 1] = _ratio(e37, e77), _ratio(e33, e37)
    mean = _ratio(first, total)
    variance = _ratio(second, total) - mean**2
    if variance >= 0:
        u = (abs(mean - 0.5 * s2_eta) % s2_eta) / s2_eta
        row[_RETA + 2] = math.sqrt(variance) - _weta2_bias(abs(hot_eta + mean), u)


@njit(cache=True, nogil=True)
def _weta2_bias(eta, u):  # type: ignore[no-untyped-def]
    """Dependence of the width on the impact point u in the cell, from 0 to 1 (egammaqweta2c)."""
    if eta < 0.8:
        p = (
            (0.0045, -0.0016, -0.0866)
            if u < 0.1
            else (0.005375, -0.0215, 0.0215)
            if u < 0.9
            else (-0.0562, 0.114, -0.053)
        )
    elif eta < 1.8:
        p = (
            (0.0039, 0.00816, -0.145)
            if u < 0.1
            else (0.005075, -0.0203, 0.0203)
            if u < 0.9
            else (-0.0324, 0.0653, -0.0286)
        )
    elif eta < 2.0:
        p = (0.0047, -0.0184, 0.0180)
    else:
        p = (0.0035, -0.0139, 0.0137)
    return p[0] + p[1] * u + p[2] * u**2


@njit(cache=True, nogil=True)
def _back_and_hadronic(local, s2_phi, hot_eta, row):  # type: ignore[no-untyped-def]
    """f3core, rhad, rhad1 and the energy of the crack scintillators."""
    core, hadronic, first, gap = 0.0, 0.0, 0.0, 0.0
    wide = 1.5 - TOUCH
    for j in range(len(local.e)):
        sampling, x, y = local.sampling[j], abs(local.x[j]), abs(local.y[j])
        if sampling in (3, 7):
            core += local.e[j] if x < wide * local.d_eta[j] and y < wide * s2_phi else 0.0
        elif 8 <= sampling <= 20 and x < _HALF_HADRONIC and y < _HALF_HADRONIC:
            transverse = local.e[j] / math.cosh(hot_eta + local.x[j])
            gap += local.e[j] if sampling == 17 else 0.0
            hadronic += transverse if sampling != 17 else 0.0
            first += transverse if sampling in (8, 12, 15, 16, 18) else 0.0
    cluster = row[_E_CLUSTER]
    cluster_et = cluster / math.cosh(row[_ETA_S2])
    row[_RHAD], row[_RHAD + 1] = _ratio(hadronic, cluster_et), _ratio(first, cluster_et)
    row[_F3CORE], row[_GAP3] = _ratio(core, cluster), gap


@njit(cache=True, nogil=True)
def _strips(strips, hot_eta, half_wstot, row):  # type: ignore[no-untyped-def]
    if len(strips.e) == 0:
        return
    eratio, delta_e, wstot, ws3, fside, core = strip_shapes(strips, hot_eta, half_wstot)
    row[_ERATIO], row[_ERATIO + 1], row[_ERATIO + 2] = eratio, delta_e, wstot
    row[_ERATIO + 3], row[_ERATIO + 4] = ws3, fside
    row[_F1CORE] = _ratio(core, row[_E_CLUSTER])
