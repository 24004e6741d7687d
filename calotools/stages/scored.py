"""Candidates joined with what a network said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.containers import Index, Scores
from calotools.errors import EmptyInputError
from calotools.ntuple import Lookup, index_of, join_friend, read_resolved, resolve_sample, sample_branches
from calotools.variables import SPLITS, fields_in, select
from calotools.variables.selection import SCORE_STEP, WEIGHT_STEP

if TYPE_CHECKING:
    from calotools.recipe import EvaluateConfig, PeaksConfig, WorkingPointsConfig

__all__ = ["Scored", "read_scored", "read_scored_of"]


@dataclass(frozen=True)
class Scored:
    """Selected candidates and their scores, row by row.

    Attributes
    ----------
    candidates : awkward record array
    scores : dict of str to (n,) array
    record : dict
        Of the prediction: task, model, classes.
    cutflow : list of dict
        Candidates left after each step, from all to used.
    bad_files : list of dict
        ``file`` and ``reason`` of the files that were skipped, now or by `predict`.
    flavour : str
        As the files were read.
    branches : dict of str to str
        The branch that each of the optional fields comes from; empty for what follows from others.
    split : (n,) int, optional
        Part of each candidate, as `predict` wrote it.
    """

    candidates: ak.Array
    scores: dict[str, np.ndarray]
    record: dict[str, Any]
    cutflow: list[dict[str, Any]]
    bad_files: list[dict[str, str]]
    flavour: str = "native"
    branches: Mapping[str, str] = field(default_factory=dict)
    split: np.ndarray | None = None

    def __contains__(self, name: str) -> bool:
        """Whether the candidates have a field."""
        return name in self.candidates.fields

    @property
    def index(self) -> Index:
        """Of the selected rows."""
        return index_of(self.candidates)

    def weight(self, *, unweighted: bool) -> np.ndarray:
        """Event weights, or ones."""
        return np.ones(len(self.candidates)) if unweighted else self.column("weight")

    @property
    def learnt_from(self) -> int:
        """How many of the rows are of the training or validation part of runs that a model was trained on."""
        if self.split is None:
            return 0
        known = np.isin(self.index.run, self.record.get("trained_runs", ()))
        return int((known & (self.split != SPLITS.index("test"))).sum())

    def column(self, name: str) -> np.ndarray:
        """A flat field as a float array."""
        return ak.to_numpy(self.candidates[name]).astype(float)


def read_scored(
    files: Iterable[str],
    friend: Scores,
    *,
    fields: Iterable[str],
    optional: Iterable[str] = (),
    cuts: Iterable[str] = (),
    split: str = "all",
    tree: str | None,
    flavour: str | None,
    skip_bad_files: bool = False,
    weight: Lookup | None = None,
) -> Scored:
    """Read candidates, check that they and the scores agree row by row, join and select.

    Parameters
    ----------
    files : iterable of str
    friend : Scores
        As `read_friend` returns them.
    fields : iterable of str
        Canonical names that the caller needs.
    optional : iterable of str
        Names that it can do without.
    cuts : iterable of str
        Selection; a cut may name a score.
    split : {"test", "validation", "train", "all", "unseen"}
    tree, flavour : str, optional
        As for `read_candidates`.
    skip_bad_files : bool
        Go on without files that cannot be read, and without their scores.
    weight : Lookup, optional
        Weights in place of the candidates' own; a candidate that has none is left out.

    Returns
    -------
    Scored

    Raises
    ------
    EmptyInputError
        Nothing is left; the message has the number after each step.
    """
    cuts = tuple(cuts)
    files = tuple(files)
    sound = resolve_sample(files, tree=tree, flavour=flavour, skip_bad_files=skip_bad_files)
    known = sample_branches(sound.files[:1], tree=sound.tree, flavour=sound.flavour)
    branches = {name: known[name] for name in optional if name in known}
    needed = sorted({*fields, *branches, *(fields_in(cuts) - friend.values.keys())} - ({"weight"} if weight else set()))
    sample, friend = join_friend(read_resolved(sound, fields=needed, skip_bad_files=skip_bad_files), friend)
    candidates = sample.candidates
    for name, values in friend.values.items():
        candidates = ak.with_field(candidates, values, name)
    if weight is not None:
        candidates = ak.with_field(candidates, weight(index_of(candidates), source=str(list(files))), "weight")
    scored = _selected(candidates, friend, cuts, split, sample.bad, weighted=weight is not None)
    return replace(scored, flavour=sound.flavour, branches=branches)


def read_scored_of(
    config: EvaluateConfig | PeaksConfig | WorkingPointsConfig,
    friend: Scores,
    *,
    fields: Iterable[str],
    optional: Iterable[str] = (),
    weight: Lookup | None = None,
) -> Scored:
    """What a stage's recipe asks for, read by `read_scored`.

    Parameters
    ----------
    config : EvaluateConfig, PeaksConfig or WorkingPointsConfig
        Tree and flavour are by default those of the scores.
    friend, fields, optional, weight
        As of `read_scored`.

    Returns
    -------
    Scored
    """
    return read_scored(
        config.files,
        friend,
        fields=fields,
        optional=optional,
        cuts=config.selection,
        split=config.split,
        tree=config.tree or friend.record["tree"],
        flavour=config.flavour or friend.record["flavour"],
        skip_bad_files=config.skip_bad_files,
        weight=weight,
    )


def _part(friend: Scores, split: str) -> np.ndarray:
    """Rows of one part; "unseen" is all that is not of a run the network was trained on, and the test part of those."""
    if split == "all":
        return np.ones(len(friend.split), bool)
    if split == "unseen":
        trained = np.isin(friend.index.run, friend.record["trained_runs"])
        return ~trained | (friend.split == SPLITS.index("test"))
    return friend.split == SPLITS.index(split)


def _selected(
    candidates: ak.Array,
    friend: Scores,
    cuts: tuple[str, ...],
    split: str,
    bad: list[dict[str, str]],
    *,
    weighted: bool,
) -> Scored:
    scored = np.all([np.isfinite(values) for values in friend.values.values()], axis=0)
    part = _part(friend, split)
    selection = select(candidates, cuts)
    steps = {"read": np.ones(len(scored), bool), SCORE_STEP: scored, f"{split} part": part, "selection": selection.mask}
    if weighted:
        steps[WEIGHT_STEP] = np.isfinite(ak.to_numpy(candidates["weight"]))
    kept, cutflow = np.ones(len(scored), bool), []
    for name, mask in steps.items():
        kept = kept & np.asarray(mask)
        cutflow.append({"step": name, "candidates": int(kept.sum())})
    if not kept.any():
        flow = ", ".join(f"{one['candidates']} after '{one['step']}'" for one in cutflow)
        raise EmptyInputError(f"no candidate is left to measure: {flow}; loosen the selection or use --split all")
    values = {name: values[kept] for name, values in friend.values.items()}
    return Scored(candidates[kept], values, friend.record, cutflow, bad, split=friend.split[kept])
