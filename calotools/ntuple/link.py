"""Follow the links of candidates to another collection of their event, as xAOD files hold them."""

from __future__ import annotations

import awkward as ak
import numpy as np

from calotools.errors import BranchError
from calotools.ntuple.columns import Place

__all__ = ["follow_link"]


def follow_link(target: ak.Array, links: ak.Array, *, branch: str, place: Place) -> ak.Array:
    """What each candidate's first link points to.

    Parameters
    ----------
    target : (n_event, var, ...) awkward array
        A branch of the other collection.
    links : (n_event, var candidate, var link) awkward array of records with ``m_persKey`` and ``m_persIndex``
        A key of 0 means no link. Keys that differ from the commonest one point to another container and are ignored.
    branch : str
    place : Place

    Returns
    -------
    (n_event, var candidate, ...) awkward array
        NaN (or an empty list) where there is no link.

    Raises
    ------
    BranchError
        The link branch holds something else, or points beyond the collection.
    """
    if links.ndim != 3 or "m_persIndex" not in links.fields:
        raise BranchError(
            f"{place}: the links to '{branch}' hold {ak.type(links).content}, not a list of links per candidate"
        )
    first = ak.firsts(links, axis=2)
    keys = ak.to_numpy(ak.flatten(ak.fill_none(first.m_persKey, 0)))
    rows = ak.to_numpy(ak.flatten(ak.fill_none(first.m_persIndex, 0))).astype(np.int64)
    counts = ak.to_numpy(ak.num(links, axis=1))
    linked = (keys == _commonest(keys)) & (keys != 0)
    sizes = np.repeat(ak.to_numpy(ak.num(target, axis=1)), counts)
    if np.any(linked & (rows >= sizes)):
        wrong = int(np.argmax(linked & (rows >= sizes)))
        raise BranchError(
            f"{place}, candidate {wrong}: its link points to element {rows[wrong]} of '{branch}', which has "
            f"{sizes[wrong]}"
        )
    starts = np.repeat(np.cumsum(ak.to_numpy(ak.num(target, axis=1))) - ak.to_numpy(ak.num(target, axis=1)), counts)
    flat = ak.flatten(target, axis=1)
    picked = flat[np.where(linked, starts + rows, 0)] if len(flat) else flat
    return ak.unflatten(_blank(picked, linked), counts)


def _commonest(keys: np.ndarray) -> int:
    values, counts = np.unique(keys[keys != 0], return_counts=True)
    return int(values[np.argmax(counts)]) if len(values) else 0


def _blank(values: ak.Array, keep: np.ndarray) -> ak.Array:
    if not len(values):
        return ak.Array(np.full(len(keep), np.nan, dtype=np.float32))
    if values.ndim > 1:
        return values[ak.broadcast_arrays(keep, values)[0]]
    return ak.Array(np.where(keep, ak.to_numpy(values), np.nan))
