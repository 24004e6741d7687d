"""Probes of tag-and-probe, from candidates that are paired here or from a tree that holds one pair per row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np

from calotools.analysis import TagProbeSample, tag_probe_sample
from calotools.errors import EmptyInputError
from calotools.ntuple import (
    ResolvedSample,
    index_of,
    join_friend,
    read_friend,
    read_resolved,
    resolve_sample,
    sample_fields,
)
from calotools.variables import fields_in, select

if TYPE_CHECKING:
    from calotools.recipe import TagProbeConfig

__all__ = ["read_probes"]

PAIR_MASS = "pair_mass"
_FIELDS = ("et", "eta", "phi", "e", "charge", "weight")


def read_probes(
    config: TagProbeConfig, files: Sequence[str], scores: Sequence[Path], *, matched: bool
) -> tuple[TagProbeSample, int, list[dict[str, str]]]:
    """Read candidates, make pairs of tag and probe of opposite charge, and say which probes pass.

    A candidate where the working point that `passing` names has no cut (branch ``id_NAME`` of a friend tree is -1)
    neither passes nor fails: it is no probe.

    Parameters
    ----------
    config : TagProbeConfig
        A cut may name a score. In a tree with one pair per row (field ``pair_mass``), candidates are the probes, and
        the tag's cuts are about its fields: ``et`` is ``tag_et``.
    files : sequence of str
    scores : sequence of path
        Friend trees of the files; may be empty.
    matched : bool
        Keep pairs of true electrons alone; for simulation.

    Returns
    -------
    TagProbeSample, int, list of dict
        The probes, how many candidates were none for want of a cut, and ``file`` and ``reason`` of the files that were
        skipped.

    Raises
    ------
    EmptyInputError
        No pair is left.
    BranchError
        A tag's cut needs a field that a tree of pairs does not have.
    """
    skip = config.skip_bad_files
    sound = resolve_sample(tuple(files), tree=config.tree, flavour=config.flavour, skip_bad_files=skip)
    in_pairs = PAIR_MASS in sample_fields(sound.files[:1], tree=sound.tree, flavour=sound.flavour)
    candidates, bad = _read(config, sound, scores, in_pairs=in_pairs, matched=matched)
    tags = _tags(candidates, config.tag) if in_pairs else candidates
    tag, probe = select(tags, config.tag).mask, select(candidates, config.probe).mask
    passing = select(candidates, (config.passing,)).mask
    cut = _has_cut(candidates, config.passing)
    n_without, probe = int((probe & ~cut).sum()), probe & cut
    if in_pairs:
        probe = probe & (ak.to_numpy(candidates["class_true"]) == 0) if matched else probe
        sample = _from_rows(candidates, tag=tag, probe=probe, passing=passing)
    else:
        sample = tag_probe_sample(candidates, tag=tag, probe=probe, passing=passing, matched=matched)
    if not len(sample):
        raise EmptyInputError(
            f"{len(candidates)} candidates of {list(files)} make no tag-and-probe pair of opposite charge; "
            f"loosen the tag {list(config.tag)} or the probe {list(config.probe)}"
        )
    return sample, n_without, bad


def _has_cut(candidates: ak.Array, passing: str) -> np.ndarray:
    """Where every working point that a cut names has one."""
    has = np.ones(len(candidates), bool)
    for name in fields_in((passing,)):
        if name.startswith("id_"):  # as `predict` names them
            has &= ak.to_numpy(candidates[name]) >= 0
    return has


def _read(
    config: TagProbeConfig, sound: ResolvedSample, scores: Sequence[Path], *, in_pairs: bool, matched: bool
) -> tuple[ak.Array, list[dict[str, str]]]:
    friend = read_friend(tuple(scores)) if scores else None
    known = friend.values.keys() if friend else set()
    named = (fields_in(config.probe) | fields_in((config.passing,))) - known
    tags = fields_in(config.tag) - known
    if in_pairs:
        tags = {f"tag_{name}" for name in tags} | {"tag_charge", PAIR_MASS}
    wanted = {*_FIELDS, *named, *tags, *(["class_true"] if matched else [])}
    sample = read_resolved(sound, fields=tuple(sorted(wanted)), skip_bad_files=config.skip_bad_files)
    if not friend:
        return sample.candidates, sample.bad
    sample, friend = join_friend(sample, friend)
    candidates = sample.candidates
    for name, values in friend.values.items():
        candidates = ak.with_field(candidates, values, name)
    return candidates, sample.bad


def _tags(candidates: ak.Array, cuts: Sequence[str]) -> ak.Array:
    """The tags of a tree of pairs, under the names that cuts use."""
    return ak.zip({name: candidates[f"tag_{name}"] for name in sorted({*fields_in(cuts), "charge"})})


def _from_rows(candidates: ak.Array, *, tag: np.ndarray, probe: np.ndarray, passing: np.ndarray) -> TagProbeSample:
    opposite = ak.to_numpy(candidates["charge"] * candidates["tag_charge"] < 0)
    used = np.flatnonzero(np.asarray(tag) & np.asarray(probe) & opposite)

    def column(name: str) -> np.ndarray:
        return ak.to_numpy(candidates[name]).astype(float)[used]

    index = index_of(candidates)
    _, event = np.unique(np.stack([index.run, index.event]), axis=1, return_inverse=True)
    return TagProbeSample(
        column(PAIR_MASS),
        np.asarray(passing)[used],
        {"et": column("et"), "abs_eta": np.abs(column("eta"))},
        column("weight"),
        event.ravel()[used],
    )
