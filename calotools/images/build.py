"""Images of candidates: ragged cells become rectangles of pixels."""

from __future__ import annotations

from typing import Literal

import awkward as ak
import numpy as np

from calotools.containers import Images, ImageSpec
from calotools.errors import BranchError, CellError
from calotools.images.blocks import NO_CELLS, NO_FINITE, OK, Blocks, cells_to_blocks
from calotools.images.dense import draw
from calotools.images.spec import image_spec, plan_of
from calotools.variables.jagged import flat_collection
from calotools.variables.windows import cell_widths

__all__ = ["build_blocks", "build_images", "cell_fields"]

_EXTRA = ("time", "gain", "noise")


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

    Returns
    -------
    Images

    Raises
    ------
    CellError
        A candidate has no cells, no finite cell, or no cell of the centre layer (and `on_bad` is "error").
    BranchError
        A field that the spec needs was not read.

    Examples
    --------
    >>> cell = {"e": 8.0, "eta": 0.0125, "phi": 0.0122718, "sampling": 2}
    >>> candidates = ak.Array([{"eta_cluster": 0.01, "phi_cluster": 0.01, "cells": [cell]}])
    >>> images = build_images(candidates, "energy")
    >>> float(images.values["energy_em"].sum()), images.mask["em"].sum(axis=(0, 2, 3)).tolist()
    (8.0, [0, 0, 8, 0])
    """
    spec = image_spec(spec)
    blocks = build_blocks(candidates, spec, on_bad=on_bad, source=source)
    drawn = draw(
        np.arange(len(blocks.status)),
        offsets=blocks.offsets,
        pixel=blocks.pixel,
        shape=(blocks.n_eta, blocks.n_phi),
        values=blocks.values,
        spec=spec,
        quantities=(*spec.quantities, "mask"),
    )
    return Images(
        values={name: image for name, image in drawn.items() if not name.startswith("mask_")},
        mask={name: drawn[f"mask_{name}"] for name in spec.grids},
        outside={name: blocks.outside[:, k] for k, name in enumerate(spec.grids)},
        centre=blocks.centre,
        dropped=blocks.dropped,
    )


def build_blocks(
    candidates: ak.Array, spec: ImageSpec, *, on_bad: Literal["error", "skip"] = "error", source: str = ""
) -> Blocks:
    """The sparse form of `build_images`; what the store keeps."""
    names = [name.removeprefix("cells.") for name in cell_fields(spec)]
    offsets, cells = flat_collection(candidates, "cells", fields=names)
    blocks = cells_to_blocks(
        offsets,
        cells,
        position=_position(candidates, spec),
        plan=plan_of(spec),
        widths=cell_widths(),
        quantities=spec.quantities,
    )
    bad = np.flatnonzero(blocks.status != OK)
    if len(bad) and on_bad == "error":
        raise CellError(_explain(candidates, blocks, int(bad[0]), n_bad=len(bad), source=source, spec=spec))
    return blocks


def _position(candidates: ak.Array, spec: ImageSpec) -> tuple[np.ndarray, np.ndarray]:
    names = ("eta_cluster", "phi_cluster")
    if all(name in ak.fields(candidates) for name in names):
        eta, phi = (np.asarray(ak.fill_none(candidates[name], np.nan), dtype=np.float64) for name in names)
        return eta, phi
    if spec.centre == "cluster":
        raise BranchError(
            "images centred on the cluster need 'eta_cluster' and 'phi_cluster', which candidates do not have; map "
            "them in the flavour, or set centre = 'hottest' in the image spec"
        )
    unknown = np.full(len(candidates), np.nan)
    return unknown, unknown


def _explain(candidates: ak.Array, blocks: Blocks, row: int, *, n_bad: int, source: str, spec: ImageSpec) -> str:
    status = blocks.status[row]
    if status == NO_CELLS:
        reason = "has no cells"
    elif status == NO_FINITE:
        reason = f"has {blocks.dropped[row]} cells, none of them finite"
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
