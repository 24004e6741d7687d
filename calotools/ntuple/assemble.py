"""Put candidates together: one awkward record per candidate, jagged cells and tracks, canonical names and units."""

from __future__ import annotations

from dataclasses import dataclass, field

import awkward as ak
import numpy as np
from awkward.contents import ListOffsetArray, NumpyArray, RecordArray
from awkward.index import Index64

from calotools.containers import column_of
from calotools.errors import BranchError
from calotools.ntuple.columns import Place, convert, pick_element, take_apart, to_type
from calotools.ntuple.expression import evaluate
from calotools.ntuple.flavour import Field
from calotools.ntuple.link import follow_link
from calotools.ntuple.plan import Plan
from calotools.ntuple.schema import COLLECTIONS, INDEX_FIELDS, is_collection

__all__ = ["assemble_candidates"]


@dataclass
class _Parts:
    """What has been computed: flat columns, and for each collection its offsets and contents."""

    n_entries: int
    counts: np.ndarray | None = None
    flat: dict[str, np.ndarray] = field(default_factory=dict)
    offsets: dict[str, np.ndarray] = field(default_factory=dict)
    content: dict[str, dict[str, np.ndarray]] = field(default_factory=lambda: {name: {} for name in COLLECTIONS})

    @property
    def n(self) -> int:
        return self.n_entries if self.counts is None else int(self.counts.sum())


def assemble_candidates(arrays: ak.Array, plan: Plan, *, place: Place) -> ak.Array:
    """Candidates from the branches of some entries.

    Parameters
    ----------
    arrays : (n_entry,) awkward record array
        The branches of `plan`.
    plan : Plan
    place : Place
        File, tree and first entry, for messages.

    Returns
    -------
    (n,) awkward record array named ``Candidate``
        The fields of `plan.outputs`, without those of the index that the tree does not hold.

    Raises
    ------
    BranchError
        A branch has the wrong depth or type, or lists that should agree differ in length.
    """
    parts = _Parts(n_entries=len(arrays))
    if plan.flavour.layout == "events":
        parts.counts = _count_candidates(arrays, plan, place)
    for step in plan.steps:
        if step.branches:
            _read(arrays, step, parts, place)
    for step in plan.steps:
        if not step.branches:
            _compute(step, parts, place)
    if parts.counts is not None and "candidate" not in parts.flat:
        parts.flat["candidate"] = _position_in_event(parts.counts)
    if parts.counts is not None and "event" not in parts.flat:
        parts.flat["event"] = np.repeat(np.arange(len(arrays), dtype=np.uint64) + np.uint64(place.start), parts.counts)
    return _to_records(
        parts,
        [name for name in dict.fromkeys((*INDEX_FIELDS, *plan.outputs)) if name in parts.flat or is_collection(name)],
    )


def _count_candidates(arrays: ak.Array, plan: Plan, place: Place) -> np.ndarray:
    step = next(one for one in plan.steps if one.group != "event" and one.branches and not one.link)
    branch = step.branches[0]
    depth = 2 if step.group in COLLECTIONS or step.element is not None else 1
    offsets, _ = take_apart(column_of(arrays, branch), depth=depth, branch=branch, place=place)
    return np.diff(offsets[0])


def _position_in_event(counts: np.ndarray) -> np.ndarray:
    starts = np.cumsum(counts) - counts
    return (np.arange(counts.sum()) - np.repeat(starts, counts)).astype(np.int32)


def _read(arrays: ak.Array, step: Field, parts: _Parts, place: Place) -> None:
    """Take one branch apart and put its numbers where they belong."""
    branch = step.branches[0]
    if step.link:
        array = follow_link(arrays[branch], arrays[step.link], branch=branch, place=place).layout
    else:
        array = column_of(arrays, branch)
    counts = parts.counts if step.group != "event" else None
    in_list = step.group in COLLECTIONS
    depth = int(counts is not None) + int(in_list) + int(step.element is not None)
    offsets, values = take_apart(array, depth=depth, branch=branch, place=place)
    if counts is not None and not np.array_equal(np.diff(offsets[0]), counts):
        raise BranchError(_differing(branch, np.diff(offsets[0]), counts, place, what="candidates"))
    if step.element is not None:
        values = pick_element(offsets[-1], values, element=step.element)
    values = convert(values, step, place=place)
    if in_list:
        _keep_list(step, offsets[-1], values, parts, place)
    elif parts.counts is not None and step.group == "event":
        parts.flat[step.name] = np.repeat(values, parts.counts)
    else:
        parts.flat[step.name] = values


def _keep_list(step: Field, offsets: np.ndarray, values: np.ndarray, parts: _Parts, place: Place) -> None:
    known = parts.offsets.setdefault(step.group, offsets)
    if not np.array_equal(known, offsets):
        raise BranchError(_differing(step.branches[0], np.diff(offsets), np.diff(known), place, what=step.group))
    parts.content[step.group][step.name.partition(".")[2]] = values


def _differing(branch: str, counts: np.ndarray, others: np.ndarray, place: Place, *, what: str) -> str:
    first = int(np.argmax(counts != others)) if len(counts) == len(others) else 0
    return (
        f"{place}, entry {place.start + first}: branch '{branch}' has {counts[first]} {what}, other branches have "
        f"{others[first]}; they must agree"
    )


def _compute(step: Field, parts: _Parts, place: Place) -> None:
    """A constant, or an expression on what was read."""
    if step.group in COLLECTIONS:
        names, n = parts.content[step.group], len(next(iter(parts.content[step.group].values()), ()))
    else:
        names, n = parts.flat, parts.n
    if step.group in COLLECTIONS and step.group not in parts.offsets:
        raise BranchError(f"{place}: '{step.name}' needs a branch of {step.group} beside it")
    values = np.asarray(step.value if step.value is not None else evaluate(step.expression, names))
    if values.ndim == 0:
        values = np.full(n, values, dtype=np.float32 if values.dtype.kind == "f" else values.dtype)
    names[step.name.rpartition(".")[2]] = to_type(values, step, place=place)


def _to_records(parts: _Parts, names: list[str]) -> ak.Array:
    contents = [NumpyArray(np.ascontiguousarray(parts.flat[name])) for name in names if not is_collection(name)]
    fields = [name for name in names if not is_collection(name)]
    for collection in COLLECTIONS:
        members = [name.partition(".")[2] for name in names if name.startswith(f"{collection}.")]
        if members:
            contents.append(_jagged(parts, collection, members))
            fields.append(collection)
    return ak.Array(RecordArray(contents, fields, length=parts.n, parameters={"__record__": "Candidate"}))


def _jagged(parts: _Parts, collection: str, members: list[str]) -> ListOffsetArray:
    content = parts.content[collection]
    records = RecordArray([NumpyArray(np.ascontiguousarray(content[name])) for name in members], members)
    return ListOffsetArray(Index64(parts.offsets[collection]), records)
