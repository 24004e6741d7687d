"""Read candidates from ROOT files: only the branches that are needed, in steps, in order."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from calotools.containers import Index
from calotools.errors import BranchError, ConfigError, EmptyInputError
from calotools.ntuple.assemble import assemble_candidates
from calotools.ntuple.checks import check_units, count_problems
from calotools.ntuple.columns import Place
from calotools.ntuple.detect import TreeMatch, choose_flavour, choose_tree
from calotools.ntuple.flavour import Flavour
from calotools.ntuple.numbering import Numbering
from calotools.ntuple.paths import expand_files
from calotools.ntuple.plan import make_plan
from calotools.ntuple.schema import INDEX_FIELDS
from calotools.ntuple.source import branch_names, list_trees, open_file, read_steps

__all__ = ["Chunk", "index_of", "iterate_candidates", "iterate_tree", "read_candidates"]


@dataclass(frozen=True)
class Chunk:
    """Consecutive candidates of one file.

    Attributes
    ----------
    candidates : (n,) awkward record array
        Canonical names; GeV, rad, mm, ns; NaN for missing.
    file, tree : str
    start : int
        Number of the first candidate in its file and tree.
    """

    candidates: ak.Array
    file: str
    tree: str
    start: int

    @property
    def problems(self) -> dict[str, int]:
        """What is odd in this chunk, such as ``cells with non-finite e``, counted when it is asked for."""
        return count_problems(self.candidates)

    @property
    def source(self) -> str:
        """File and tree, for messages."""
        return f"file '{self.file}', tree '{self.tree}'"


def iterate_candidates(
    files: str | Path | Sequence[str | Path],
    *,
    tree: str | None = None,
    flavour: str | Path | None = None,
    fields: Sequence[str] | None = None,
    step: int = 5000,
    allow_empty: bool = False,
) -> Iterator[Chunk]:
    """Candidates of many files, a chunk at a time, in the order of the files.

    Parameters
    ----------
    files : str, path or sequence of them
        ROOT files and globs (a glob is sorted).
    tree : str, optional
        Needed when the flavour knows more than one tree of a file.
    flavour : str or path, optional
        Shipped name or TOML file; by default the first file's, detected.
    fields : sequence of str, optional
        ``et``, ``cells.e``, ``tracks`` (all of its fields), ...; None for everything there is. Run, event and candidate
        are always there.
    step : int
        Entries of the tree per chunk; 3000 or more reads fastest.
    allow_empty : bool
        Files without any candidate are no error.

    Yields
    ------
    Chunk

    Raises
    ------
    InputFileError, TreeError, BranchError, UnitError, ConfigError
        As the names say, with file, tree, branch and entry.
    EmptyInputError
        The files together hold no candidate, and that is not allowed.

    Notes
    -----
    Where a tree has no run and event number, each entry is its own event (`event` is its row and `run` a checksum of
    the file's name), and where it has no candidate number, candidates of consecutive rows of one event are counted.
    """
    if step < 1:
        raise ConfigError(f"step = {step}; at least 1 entry per chunk is needed")
    total, chosen, names = 0, flavour, expand_files(files)
    for path in names:
        with open_file(path) as file:
            trees = list_trees(file)
            known = choose_flavour(trees, flavour=chosen, path=path)
            chosen = chosen or known.name
            match = choose_tree(trees, known, tree=tree, path=path)
            for chunk in iterate_tree(trees, known, match, path=path, fields=fields, step=step):
                total += len(chunk.candidates)
                yield chunk
    if not total and not allow_empty:
        raise EmptyInputError(f"no candidate in {names[:5]}{' ...' if len(names) > 5 else ''}: zero entries")


def iterate_tree(
    trees: Mapping[str, Any], flavour: Flavour, match: TreeMatch, *, path: str, fields: Sequence[str] | None, step: int
) -> Iterator[Chunk]:
    """Candidates of one tree of an open file.

    Parameters
    ----------
    trees : mapping of str to tree
        As `list_trees` gives them.
    flavour : Flavour
    match : TreeMatch
        The tree to read.
    path : str
        The file, for messages.
    fields, step
        As in `iterate_candidates`.

    Yields
    ------
    Chunk
        None of them empty.
    """
    source = trees[match.name]
    plan = make_plan(flavour, match, available=branch_names(source), fields=fields, path=path)
    place = f"file '{path}', tree '{match.label}'"
    numbering, start = Numbering(run=zlib.crc32(Path(path).name.encode())), 0
    for entry, arrays in read_steps(source, plan.branches, path=path, step=step):
        candidates = assemble_candidates(arrays, plan, place=Place(path, match.label, entry))
        if not len(candidates):
            continue
        candidates = numbering.complete(candidates)
        if start == 0:
            declared = f"flavour '{flavour.name}', '{flavour.source}'"
            check_units(candidates, place=place, declared=declared, branches=plan.branch_of)
        yield Chunk(candidates, path, match.label, start)
        start += len(candidates)


def read_candidates(
    files: str | Path | Sequence[str | Path],
    *,
    tree: str | None = None,
    flavour: str | Path | None = None,
    fields: Sequence[str] | None = None,
    max_candidates: int | None = None,
) -> ak.Array:
    """All candidates of some files, in memory.

    Parameters
    ----------
    files, tree, flavour, fields
        As in `iterate_candidates`.
    max_candidates : int, optional
        Stop after this many.

    Returns
    -------
    (n,) awkward record array
        Flat fields, and ``cells`` and ``tracks`` as lists of records.

    Raises
    ------
    CalotoolsError
        As `iterate_candidates`.

    Examples
    --------
    >>> read_candidates("absent.root")
    Traceback (most recent call last):
    calotools.errors.InputFileError: file 'absent.root' does not exist...
    """
    parts, n = [], 0
    for chunk in iterate_candidates(files, tree=tree, flavour=flavour, fields=fields):
        parts.append(chunk.candidates)
        n += len(chunk.candidates)
        if max_candidates is not None and n >= max_candidates:
            break
    whole = parts[0] if len(parts) == 1 else ak.concatenate(parts)
    return whole if max_candidates is None else ak.to_packed(whole[:max_candidates])


def index_of(candidates: ak.Array) -> Index:
    """Run, event and candidate numbers of candidates.

    Parameters
    ----------
    candidates : (n,) awkward record array

    Returns
    -------
    Index

    Raises
    ------
    BranchError
        One of the three fields is absent.

    Examples
    --------
    >>> index_of(ak.Array({"run": [1], "event": [7], "candidate": [0]})).event
    array([7], dtype=uint64)
    """
    absent = [name for name in INDEX_FIELDS if name not in candidates.fields]
    if absent:
        raise BranchError(
            f"candidates lack {absent}, of the index (run, event, candidate); fields: {candidates.fields[:10]}"
        )
    types = (np.uint32, np.uint64, np.int32)
    return Index(*(ak.to_numpy(candidates[name]).astype(kind) for name, kind in zip(INDEX_FIELDS, types, strict=True)))
