"""Where the calorimeter changes its granularity: regular grids in (eta, phi), and the cell widths they give."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import ArrayLike

from calotools.detector.sampling import Sampling, checked_sampling
from calotools.detector.tables import Table, load_table
from calotools.errors import ConfigError, nearest

__all__ = ["REGION", "cell_size", "regions"]

REGION = np.dtype(
    [
        ("sampling", np.int32),
        ("eta_min", np.float64),
        ("eta_max", np.float64),
        ("d_eta", np.float64),
        ("n_eta", np.int32),
        ("phi_min", np.float64),
        ("d_phi", np.float64),
        ("n_phi", np.int32),
        ("first_id", np.int64),
    ]
)
# wider than any |eta|, so that a key made of sampling and eta sorts by sampling first
_STRIDE = 64.0


def regions(*, eta_max: float = math.inf, table: Table | None = None) -> np.ndarray:
    """The regular grids that make up the calorimeter, one row for each granularity region and side.

    The cell in column ``i_eta``, ``i_phi`` of a region covers ``eta_min + (i_eta, i_eta + 1) * d_eta`` and
    ``phi_min + (i_phi, i_phi + 1) * d_phi``, eta signed and increasing on both sides, and has the identifier
    ``first_id + i_eta * n_phi + i_phi``.

    Parameters
    ----------
    eta_max : float
        Only regions that start below this abs(eta); identifiers do not depend on it.
    table : mapping, optional
        What `load_table("granularity", path=...)` gives; default: the packaged table.

    Returns
    -------
    (n_region,) structured array, read-only
        sampling, eta_min, eta_max, d_eta, n_eta, phi_min [rad], d_phi [rad], n_phi, first_id.

    Raises
    ------
    ConfigError
        The table names an unknown sampling, or a region lacks a number, cells or width.

    References
    ----------
    ATLAS identifier dictionaries IdDictLArCalorimeter and IdDictTileCalorimeter.

    Examples
    --------
    >>> rows = regions(eta_max=2.5)
    >>> len(rows), int((rows["n_eta"] * rows["n_phi"]).sum())
    (63, 181440)
    """
    rows = _packaged_regions() if table is None else _build_regions(table)
    inside = np.minimum(np.abs(rows["eta_min"]), np.abs(rows["eta_max"])) < eta_max
    chosen = rows[inside]
    chosen.setflags(write=False)
    return chosen


@functools.cache
def _packaged_regions() -> np.ndarray:
    return _build_regions(load_table("granularity"))


def _build_regions(table: Table) -> np.ndarray:
    rows = [row for region in table["region"] for row in _sides(region, table["eta_shift"])]
    result = np.array(rows, dtype=REGION)
    counts = result["n_eta"].astype(np.int64) * result["n_phi"]
    result["first_id"] = np.concatenate([[0], np.cumsum(counts)[:-1]])
    result.setflags(write=False)
    return result


def _sides(region: Table, shifts: Table) -> list[tuple[float, ...]]:
    """Rows of one region of the table: the positive side, then its mirror image."""
    missing = {"sampling", "eta", "d_eta", "n_eta", "n_phi"} - region.keys()
    if missing:
        raise ConfigError(f"granularity table: region {dict(region)} lacks {', '.join(sorted(missing))}")
    name = region["sampling"]
    if name not in Sampling.__members__:
        raise ConfigError(f"granularity table: unknown sampling '{name}'; {nearest(name, Sampling.__members__)}")
    if min(region["n_eta"], region["n_phi"]) < 1 or region["d_eta"] <= 0:
        raise ConfigError(f"granularity table: region {dict(region)} needs cells of positive width")
    low = region["eta"] + shifts.get(name, 0.0)
    high = low + region["n_eta"] * region["d_eta"]
    d_phi = 2 * math.pi / region["n_phi"]
    grid = (region["d_eta"], region["n_eta"], 0.0, d_phi, region["n_phi"], 0)
    sides = [(low, high)] if not region.get("mirrored", True) else [(low, high), (-high, -low)]
    return [(int(Sampling[name]), *edges, *grid) for edges in sides]


def cell_size(sampling: ArrayLike, eta: ArrayLike, *, table: Table | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Widths of the cell whose centre is at some eta, from the granularity region with the nearest centre.

    Works for cells of a real, aligned detector, whose centres lie a little off the grid.

    Parameters
    ----------
    sampling : array_like of int
        CaloSampling numbers, broadcast against `eta`.
    eta : array_like of float
        Cell centres, detector frame.
    table : mapping, optional
        What `load_table("granularity", path=...)` gives; default: the packaged table.

    Returns
    -------
    d_eta, d_phi : ndarray of float64 [1, rad]
        NaN where `eta` is not finite.

    Raises
    ------
    CellError
        A sampling has no table.

    Examples
    --------
    >>> d_eta, d_phi = cell_size([1, 2, 2], [0.3, 0.3, -1.43])
    >>> d_eta.round(6), d_phi.round(4)
    (array([0.003125, 0.025   , 0.075   ]), array([0.0982, 0.0245, 0.0245]))
    """
    lookup = _packaged_lookup() if table is None else _build_lookup(_build_regions(table))
    numbers, position = np.broadcast_arrays(checked_sampling(sampling), np.abs(np.asarray(eta, dtype=np.float64)))
    finite = np.isfinite(position)
    key = numbers * _STRIDE + np.where(finite, np.minimum(position, _STRIDE / 2), 0.0)
    row = np.searchsorted(lookup[0], key, side="right") - 1
    return np.where(finite, lookup[1][row], np.nan), np.where(finite, lookup[2][row], np.nan)


@functools.cache
def _packaged_lookup() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return _build_lookup(_packaged_regions())


def _build_lookup(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys from which each region is the nearest one in its sampling, and the widths of its cells."""
    side = rows[rows["eta_max"] > 0]
    side = side[np.lexsort((side["eta_min"], side["sampling"]))]
    # half-way between the last centre of one region and the first of the next, where an alignment does least harm
    last, first = side["eta_max"] - side["d_eta"] / 2, side["eta_min"] + side["d_eta"] / 2
    same = side["sampling"][1:] == side["sampling"][:-1]
    low = np.concatenate([[0.0], np.where(same, (last[:-1] + first[1:]) / 2, 0.0)])
    return side["sampling"] * _STRIDE + low, side["d_eta"], side["d_phi"]
