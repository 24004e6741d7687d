"""What ntuples hold: trees, flavour, branches that match or are missing, candidates, cells, problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from calotools.errors import BranchError, CalotoolsError, ConfigError, EmptyInputError
from calotools.ntuple.detect import TreeMatch, choose_flavour, choose_tree, match_trees
from calotools.ntuple.flavour import Flavour
from calotools.ntuple.metadata import metadata_of
from calotools.ntuple.paths import expand_files
from calotools.ntuple.plan import Plan, make_plan
from calotools.ntuple.reader import Chunk, iterate_tree
from calotools.ntuple.source import branch_names, counter_names, list_trees, open_file

__all__ = ["FileReport", "TreeReport", "inspect_files"]

# What every use of candidates, or of their cells, begins with; an energy follows from another one.
_ENERGIES = ("e", "et", "pt")
_DIRECTION = ("eta", "phi")
_CELLS = ("cells.e", "cells.eta", "cells.phi", "cells.sampling")
_STEP = 5000
_NAMED = 3


@dataclass(frozen=True)
class TreeReport:
    """What one tree holds.

    Attributes
    ----------
    name : str
        In the file.
    label : str
        What to give as ``--tree``; empty when no flavour knows the tree.
    entries : int
    n_candidates : int
        0 when the flavour is not known.
    matched : dict of str to str
        Canonical field to the branch that it is read from.
    missing : tuple of str
        Fields of the flavour whose branches are not there.
    unknown : tuple of str
        Branches that the flavour does not use.
    cells : tuple of float, int, int
        Mean, least and most cells per candidate; (nan, 0, 0) without cells.
    problems : dict of str to int
        What is odd, counted.
    """

    name: str
    label: str = ""
    entries: int = 0
    n_candidates: int = 0
    matched: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    cells: tuple[float, int, int] = (float("nan"), 0, 0)
    problems: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FileReport:
    """What one file holds.

    Attributes
    ----------
    file : str
    flavour : str
        Empty when none matches.
    kind : str
        What calotools wrote, where it is not candidates: a friend tree; empty otherwise.
    trees : tuple of TreeReport
        Every tree of the file; a tree with two kinds of candidates appears twice.
    error : CalotoolsError, optional
        Why the file, or candidates of it, cannot be read.
    skipped : tuple of str
        Of a friend tree: the files that it leaves out, each with the reason.
    """

    file: str
    flavour: str = ""
    kind: str = ""
    trees: tuple[TreeReport, ...] = ()
    error: CalotoolsError | None = None
    skipped: tuple[str, ...] = ()

    @property
    def n_candidates(self) -> int:
        """Candidates in all trees."""
        return sum(tree.n_candidates for tree in self.trees)


def inspect_files(
    files: str | Path | Sequence[str | Path], *, flavour: str | Path | None = None, tree: str | None = None
) -> list[FileReport]:
    """Look into files, all of them to the end: a bad file is reported and the others go on.

    Parameters
    ----------
    files : str, path or sequence of them
    flavour : str or path, optional
        Shipped name or TOML file; by default detected for each file.
    tree : str, optional
        Only this tree; by default every tree that the flavour knows.

    Returns
    -------
    list of FileReport
        One per file, in order.

    Raises
    ------
    InputFileError
        A name matches no file.
    ConfigError
        The named flavour does not exist.
    """
    return [_inspect_file(path, flavour, tree) for path in expand_files(files)]


def _inspect_file(path: str, flavour: str | Path | None, tree: str | None) -> FileReport:
    try:
        with open_file(path) as file:
            trees = list_trees(file)
            plain = tuple(
                TreeReport(name=name, entries=one.num_entries, unknown=branch_names(one)) for name, one in trees.items()
            )
            metadata = metadata_of(file, path=path)
            if kind := _kind(metadata):
                return FileReport(path, kind=kind, trees=plain, skipped=_skipped(metadata))
            try:
                known = choose_flavour(trees, flavour=flavour, path=path)
            except (ConfigError, EmptyInputError) as error:
                if flavour is not None and isinstance(error, ConfigError):
                    raise
                return FileReport(path, trees=plain, error=error)
            return _inspect_trees(path, trees, plain, known, tree)
    except ConfigError:
        raise
    except CalotoolsError as error:
        return FileReport(path, error=error)


def _kind(metadata: dict[str, Any]) -> str:
    """What a file is that has scores and no candidates; of which files, as its record says."""
    if "friend" not in metadata:
        return ""
    record = metadata.get("record", {})
    files = [str(one["file"]) for one in record.get("inputs", ())]
    model = f" by model {record['model']} ({record['task']})" if {"model", "task"} <= record.keys() else ""
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return f"friend tree{model}{' of ' if files else ''}{', '.join(files[:_NAMED])}{more}"


def _skipped(metadata: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{one['file']}: {one['reason']}" for one in metadata.get("record", {}).get("bad_files", ()))


def _inspect_trees(
    path: str,
    trees: dict[str, Any],
    plain: tuple[TreeReport, ...],
    known: Flavour,
    tree: str | None,
) -> FileReport:
    try:
        matches = match_trees(trees, known) if tree is None else []
        matches = matches or [choose_tree(trees, known, tree=tree, path=path)]
    except CalotoolsError as error:
        return FileReport(path, flavour=known.name, trees=plain, error=error)
    looked = [_inspect_tree(path, trees, match, known) for match in matches]
    used = {match.name for match in matches}
    reports = (*(report for report, _ in looked), *(one for one in plain if one.name not in used))
    wrong = next((error for _, error in looked if error is not None), None)
    return FileReport(path, flavour=known.name, trees=reports, error=wrong)


def _inspect_tree(
    path: str, trees: dict[str, Any], match: TreeMatch, known: Flavour
) -> tuple[TreeReport, CalotoolsError | None]:
    tree = trees[match.name]
    available = branch_names(tree)
    plan = make_plan(known, match, available=available, fields=None, path=path)
    matched = {step.name: step.branches[0] for step in plan.steps if step.branches and step.name in plan.outputs}
    used = {*plan.branches, *counter_names(tree)}
    declared = [one for one in known.fields.values() if one.branches]
    summary, error = _read_summary(path, trees, match, known)
    error = error or _lacking(plan, available, path=path)
    return (
        TreeReport(
            name=match.name,
            label=match.label,
            entries=tree.num_entries,
            matched=matched,
            missing=tuple(one.name for one in declared if one.name not in plan.names),
            unknown=tuple(name for name in available if name not in used),
            **summary,
        ),
        error,
    )


def _lacking(plan: Plan, available: tuple[str, ...], *, path: str) -> BranchError | None:
    """Why reading refuses a tree: what the flavour states of energy, direction or cells, and nothing there makes.

    A tree without any cells is one of candidates without cells.
    """
    stated = plan.flavour.fields.keys()
    needed = [name for name in _ENERGIES if name in stated][:1] + [name for name in _DIRECTION if name in stated]
    if any(name in plan.names for name in _CELLS):
        needed += [name for name in _CELLS if name in stated]
    try:
        make_plan(plan.flavour, plan.tree, available=available, fields=needed, path=path)
    except BranchError as error:
        return error
    return None


def _read_summary(
    path: str, trees: dict[str, Any], match: TreeMatch, known: Flavour
) -> tuple[dict[str, Any], CalotoolsError | None]:
    """Read the whole tree for what has to be counted; an error ends the reading and is kept."""
    counter = _Counter()
    try:
        for chunk in iterate_tree(trees, known, match, path=path, fields=None, step=_STEP):
            counter.add(chunk)
    except CalotoolsError as error:
        return counter.summary(), error
    return counter.summary(), None


class _Counter:
    def __init__(self) -> None:
        self.n = 0
        self.cells = 0
        self.least: int | None = None
        self.most = 0
        self.problems: dict[str, int] = {}

    def add(self, chunk: Chunk) -> None:
        self.n += len(chunk.candidates)
        for what, n in chunk.problems.items():
            self.problems[what] = self.problems.get(what, 0) + n
        if "cells" in chunk.candidates.fields:
            number = ak.to_numpy(ak.num(chunk.candidates["cells"], axis=1))
            self.cells += int(number.sum())
            self.least = int(np.min(number)) if self.least is None else min(self.least, int(np.min(number)))
            self.most = max(self.most, int(np.max(number)))

    def summary(self) -> dict[str, Any]:
        mean = self.cells / self.n if self.least is not None else float("nan")
        return {"n_candidates": self.n, "cells": (mean, self.least or 0, self.most), "problems": self.problems}
