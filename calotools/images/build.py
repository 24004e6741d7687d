"""Images of candidates: ragged cells become rectangles of pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import awkward as ak
import numpy as np

from calotools.containers import Images, ImageSpec, column_of, new_array
from calotools.errors import BranchError, CellError
from calotools.images.bands import BandRoll, Bands, join_offsets
from calotools.images.brush import EMPTY, unveil
from calotools.images.dense import output_arrays
from calotools.images.paint import (
    NO_CELLS,
    NO_FINITE,
    OK,
    PADDING,
    Canvas,
    Cells,
    Found,
    cell_kinds,
    paint,
)
from calotools.images.rows import join
from calotools.images.spec import image_spec, panels_of, plan_of
from calotools.images.threads import in_threads
from calotools.variables.jagged import flat_collection

__all__ = [
    "bands_of",
    "build_bands",
    "build_images",
    "cell_fields",
    "cells_of",
    "check_status",
    "new_canvas",
    "new_found",
    "paint_all",
    "painted",
]

_EXTRA = ("time", "gain", "noise")
_CACHE, _MOST_ROWS = 2**20, 64  # bytes, candidates: what is painted at a time


def cell_fields(spec: ImageSpec) -> list[str]:
    """Fields that images of a spec need, as names for the ntuple reader.

    The cluster position, ``eta_cluster`` and ``phi_cluster``, is wanted too where the ntuple has it.

    Examples
    --------
    >>> cell_fields(image_spec("energy"))
    ['cells.e', 'cells.eta', 'cells.phi', 'cells.sampling']
    """
    return [f"cells.{name}" for name in ("e", "eta", "phi", "sampling", *(q for q in _EXTRA if q in spec.quantities))]


def build_images(
    candidates: ak.Array,
    spec: ImageSpec | str,
    *,
    on_bad: Literal["error", "skip"] = "error",
    source: str = "",
    out: Mapping[str, np.ndarray] | None = None,
    threads: int | None = None,
) -> Images:
    """Draw the cells of candidates on the pixels around them.

    A cell's energy goes to the pixels that it covers, in proportion to the overlap, so that the sum over pixels plus
    what lies outside the window is the sum over cells. Its noise is shared in the same proportion: a pixel's noise is
    the standard deviation of its energy, and cells of barrel and endcap that meet in a pixel add in quadrature. Time
    and gain are copied; where two cells meet, those of the one that gives the pixel more energy (absolute value).

    Parameters
    ----------
    candidates : (n,) awkward record array
        With the fields of `cell_fields` and, when the images are centred on the cluster, eta_cluster and phi_cluster.
        With ``centre = "hottest"`` the hottest cell of the centre layer is looked for within the grid's window around
        the cluster (at least 0.1 away), or, where the cluster is not known or nothing is there, among all of the
        candidate's cells.
    spec : ImageSpec or str
        A spec, shipped name or TOML file.
    on_bad : {"error", "skip"}
        A candidate without usable cells is an error, or an empty image with a NaN centre.
    source : str
        File and tree, for messages.
    out : dict of str to (>= n, layer, eta, phi) array, optional
        Where to draw: ``{quantity}_{grid}`` float32 and ``mask_{grid}`` bool. Drawing into the same arrays again and
        again is faster than asking for new ones.
    threads : int, optional
        Default: the processors that this process may use, at most 4; or what the environment variable
        CALOTOOLS_THREADS, NUMBA_NUM_THREADS or OMP_NUM_THREADS says. The result does not depend on it.

    Returns
    -------
    Images

    Raises
    ------
    CellError
        A candidate has no cells, no finite cell, or no cell of the centre layer (and `on_bad` is "error").
    BranchError
        A field that the spec needs was not read.
    ShapeError
        An array of `out` does not fit.

    Examples
    --------
    >>> cell = {"e": 8.0, "eta": 0.0125, "phi": 0.0122718, "sampling": 2}
    >>> candidates = ak.Array([{"eta_cluster": 0.01, "phi_cluster": 0.01, "cells": [cell]}])
    >>> images = build_images(candidates, "energy")
    >>> float(images.values["energy_em"].sum()), images.mask["em"].sum(axis=(0, 2, 3)).tolist()
    (8.0, [0, 0, 8, 0])
    """
    spec = image_spec(spec)
    images = output_arrays(spec, (*spec.quantities, "mask"), n=len(candidates), out=out)
    shapes = spec.shapes()
    firsts = dict(zip(shapes, np.cumsum([0, *(np.prod(shape) for shape in shapes.values())]), strict=False))

    def keep(start: int, stop: int, canvas: Canvas) -> None:
        words, n = canvas.values.view(np.int32), stop - start
        for name, shape in shapes.items():
            own = {quantity: images[f"{quantity}_{name}"][start:stop] for quantity in (*spec.quantities, "mask")}
            energy = own.get("energy", np.empty((n, *shape), np.float32))  # the mask comes from it
            unveil(words, firsts[name], energy.reshape(n, -1).view(np.int32), own["mask"].reshape(n, -1))
            for q, quantity in enumerate(painted(spec)[1:], start=1):
                values = canvas.values[:n, q, firsts[name] : firsts[name] + int(np.prod(shape))]
                own[quantity][:] = values.reshape(n, *shape)

    found = paint_all(cells_of(candidates, spec), spec, keep, threads=threads)
    check_status(candidates, found.status, on_bad=on_bad, source=source, spec=spec)
    return Images(
        values={name: image for name, image in images.items() if not name.startswith("mask_")},
        mask={name: images[f"mask_{name}"] for name in spec.grids},
        outside={name: found.outside[:, k] for k, name in enumerate(spec.grids)},
        centre=found.centre,
        dropped=found.dropped,
    )


def build_bands(
    candidates: ak.Array,
    spec: ImageSpec,
    *,
    on_bad: Literal["error", "skip"] = "error",
    source: str = "",
    threads: int | None = None,
) -> Bands:
    """The sparse form of `build_images`; what the store keeps."""
    bands = bands_of(cells_of(candidates, spec), spec, threads=threads)
    check_status(candidates, bands.status, on_bad=on_bad, source=source, spec=spec)
    return bands


def bands_of(cells: Cells, spec: ImageSpec, *, threads: int | None = None) -> Bands:
    """Sparse images of candidates of which some may be unusable."""
    n, panels = len(cells.offsets) - 1, panels_of(spec)
    rolls: list[BandRoll] = []

    def keep(start: int, stop: int, canvas: Canvas) -> None:
        own = [one for one in rolls if one.stop == start] or [_new_roll(start)]
        own[0].add(canvas.values[: stop - start])

    def _new_roll(start: int) -> BandRoll:
        roll = BandRoll(n - start, n_quantity=len(painted(spec)), panels=panels, empty=EMPTY, start=start)
        rolls.append(roll)
        return roll

    found = paint_all(cells, spec, keep, threads=threads)
    rolls.sort(key=lambda one: one.start)
    offsets, bands, values = zip(*(one.arrays() for one in rolls or [_new_roll(0)]), strict=True)
    columns = dict(zip(painted(spec), join(values, axis=1), strict=True))
    return Bands(join_offsets(list(offsets)), join(bands), columns, *found)


def painted(spec: ImageSpec) -> tuple[str, ...]:
    """Quantities in the order of the canvas; the energy is painted always, for the others need it."""
    return ("energy", *(one for one in spec.quantities if one != "energy"))


def new_canvas(spec: ImageSpec, *, rows: int | None = None) -> Canvas:
    """Room for as many candidates as stay in the processor's cache."""
    names = painted(spec)
    n_pixel = sum(int(np.prod(shape)) for shape in spec.shapes().values())
    fitting = min(max(_CACHE // (4 * n_pixel * len(names)), 1), _MOST_ROWS)
    rows = fitting if rows is None else rows
    which = np.array([names.index(one) if one in names else -1 for one in _EXTRA], dtype=np.int64)
    return Canvas(
        values=new_array((rows, len(names), n_pixel + PADDING), np.float32),
        heat=np.empty(n_pixel if (which[:2] >= 0).any() else 0, dtype=np.float32),
        which=which,
    )


def paint_all(cells: Cells, spec: ImageSpec, keep: Callable[[int, int, Canvas], None], *, threads: int | None) -> Found:
    """Paint all candidates, some at a time, and have the canvas kept."""
    plan = plan_of(spec)
    n = len(cells.offsets) - 1
    rows, found = np.arange(n), new_found(n, spec)
    # exact tuples: the compiler's dispatcher takes a slow road for named ones
    arguments = tuple(cells), tuple(plan), *cell_kinds(plan)

    def work(start: int, stop: int) -> None:
        canvas = new_canvas(spec)
        for begin in range(start, stop, len(canvas.values)):
            end = min(begin + len(canvas.values), stop)
            paint(rows[begin:end], *arguments, tuple(canvas), tuple(found))
            keep(begin, end, canvas)

    in_threads(work, n, threads=threads)
    return found


def new_found(n: int, spec: ImageSpec) -> Found:
    """Room for what is learned of n candidates."""
    return Found(
        outside=np.zeros((n, len(spec.grids)), np.float32),
        centre=np.full((n, 2), np.nan),
        dropped=np.zeros(n, np.int32),
        status=np.zeros(n, np.int8),
    )


def cells_of(candidates: ak.Array, spec: ImageSpec) -> Cells:
    """Flat buffers of what is painted."""
    names = [name.removeprefix("cells.") for name in cell_fields(spec)]
    offsets, columns = flat_collection(candidates, "cells", fields=names)
    e, eta, phi = (np.ascontiguousarray(columns[name], dtype=np.float32) for name in ("e", "eta", "phi"))
    time, gain, noise = (_extra(columns, name, wanted=name in spec.quantities) for name in _EXTRA)
    sampling = np.ascontiguousarray(columns["sampling"], dtype=np.uint8)
    return Cells(offsets, e, eta, phi, sampling, time, gain, noise, *_position(candidates, spec))


def _extra(columns: dict[str, np.ndarray], name: str, *, wanted: bool) -> np.ndarray:
    return np.ascontiguousarray(columns[name] if wanted else np.zeros(0), dtype=np.float32)


def check_status(candidates: ak.Array, status: np.ndarray, *, on_bad: str, source: str, spec: ImageSpec) -> None:
    """Raise what is wrong with the first unusable candidate, if that is an error."""
    bad = np.flatnonzero(status != OK)
    if len(bad) and on_bad == "error":
        raise CellError(_explain(candidates, status, int(bad[0]), n_bad=len(bad), source=source, spec=spec))


def _position(candidates: ak.Array, spec: ImageSpec) -> tuple[np.ndarray, np.ndarray]:
    names = ("eta_cluster", "phi_cluster")
    if all(name in ak.fields(candidates) for name in names):
        eta, phi = (_plain(candidates, name) for name in names)
        return eta, phi
    if spec.centre == "cluster":
        raise BranchError(
            "images centred on the cluster need 'eta_cluster' and 'phi_cluster', which candidates do not have; map "
            "them in the flavour, or set centre = 'hottest' in the image spec"
        )
    unknown = np.full(len(candidates), np.nan)
    return unknown, unknown


def _plain(candidates: ak.Array, name: str) -> np.ndarray:
    # awkward's general way, and filling, cost as much as painting some candidates
    column = column_of(candidates, name)
    filled = column.to_backend_array() if column.is_numpy else ak.fill_none(candidates[name], np.nan)
    return np.asarray(filled, dtype=np.float64)


def _explain(candidates: ak.Array, status: np.ndarray, row: int, *, n_bad: int, source: str, spec: ImageSpec) -> str:
    if status[row] == NO_CELLS:
        reason = "has no cells"
    elif status[row] == NO_FINITE:
        reason = f"has {len(candidates.cells.e[row])} cells, none of them finite"
    else:
        reason = f"has no cell of the layer '{spec.centre_layer}', on which images are centred"
        if spec.centre == "cluster":
            reason = "has no finite cluster position"
    known = [name for name in ("run", "event", "candidate") if name in ak.fields(candidates)]
    index = ", ".join(f"{name} {int(candidates[name][row])}" for name in known)
    place = f"{source}: " if source else ""
    return (
        f"{place}entry {row}{f' ({index})' if index else ''} {reason}; {n_bad} of {len(candidates)} candidates are "
        f"unusable; use on_bad = 'skip' to go on with empty images"
    )
