"""A sample of files, some of which may be bad: which can be read, what the good ones hold, and their friend's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from calotools.containers import Scores
from calotools.errors import CalotoolsError, ConfigError, EmptyInputError
from calotools.ntuple.detect import choose_flavour, choose_tree
from calotools.ntuple.each import FILE_ERRORS, Execute, bad_files, each_file, none_is_good
from calotools.ntuple.friend import check_rows
from calotools.ntuple.headers import open_trees
from calotools.ntuple.paths import expand_files
from calotools.ntuple.reader import index_of, iterate_candidates

__all__ = ["ResolvedSample", "Sample", "join_friend", "read_resolved", "read_sample", "resolve_sample"]


@dataclass(frozen=True)
class ResolvedSample:
    """Files that can be opened, and how each of them is read, on this machine or another.

    Attributes
    ----------
    files : tuple of str
        In order.
    tree, flavour : str
        As `iterate_candidates` takes them.
    bad : list of dict
        ``file`` and ``reason`` of the files that were left out.
    """

    files: tuple[str, ...]
    tree: str
    flavour: str
    bad: list[dict[str, str]]


def resolve_sample(
    files: str | Path | Sequence[str | Path],
    *,
    tree: str | None = None,
    flavour: str | Path | None = None,
    skip_bad_files: bool = False,
    execute: Execute[tuple[str, str]] | None = None,
) -> ResolvedSample:
    """Find out, from headers alone, which files of a sample can be read, and how.

    Parameters
    ----------
    files : str, path or sequence of them
    tree, flavour : str, optional
        As in `iterate_candidates`; by default, the first good file's.
    skip_bad_files : bool
        Open every file and leave out those that are absent, damaged, on a server that does not answer, or without the
        tree. Without it, only the first is opened.
    execute : callable, optional
        See `each_file`.

    Returns
    -------
    ResolvedSample
        Damage inside a file does not show yet.

    Raises
    ------
    CalotoolsError
        As `iterate_candidates`, of the first file; or all files are bad.

    Warns
    -----
    BadFileWarning
        For each file that is left out.

    Examples
    --------
    >>> resolve_sample("absent.root")
    Traceback (most recent call last):
    calotools.errors.InputFileError: file 'absent.root' does not exist...
    """
    names = expand_files(files, absent=skip_bad_files)
    known, label = _first(names if skip_bad_files else names[:1], tree=tree, flavour=flavour)
    if not skip_bad_files:
        return ResolvedSample(tuple(names), label, known, [])
    look = partial(_look, tree=label, flavour=known)
    results = list(each_file(look, names, skip_bad_files=True, execute=execute))
    good = tuple(one.file for one in results if one.error is None)
    return ResolvedSample(good, label, known, bad_files(results))


def _first(names: Sequence[str], *, tree: str | None, flavour: str | Path | None) -> tuple[str, str]:
    """Flavour and tree of the first good file."""
    # a file that no flavour fits is one bad file, unless all are; a flavour that is named has to exist
    allowed = FILE_ERRORS if flavour is not None else (*FILE_ERRORS, ConfigError)
    first: CalotoolsError | None = None
    for name in names:
        try:
            found, label = _look(name, tree=tree, flavour=flavour)
        except allowed as error:
            first = first or error
        else:
            return (found if flavour is None else str(flavour)), label
    raise none_is_good(first or EmptyInputError("no input file was given"), len(names))


def _look(path: str, *, tree: str | None, flavour: str | Path | None) -> tuple[str, str]:
    with open_trees(path) as trees:
        known = choose_flavour(trees, flavour=flavour, path=path)
        return known.name, choose_tree(trees, known, tree=tree, path=path).label


@dataclass(frozen=True)
class Sample:
    """Candidates of several files, and how many are from which.

    Attributes
    ----------
    candidates : awkward record array
        Of the good files, in order.
    counts : dict of str to int
        Candidates by file, in order; bad files are not among them.
    bad : list of dict
        ``file`` and ``reason`` of the files that were skipped.
    """

    candidates: ak.Array
    counts: dict[str, int]
    bad: list[dict[str, str]]


def read_sample(
    files: str | Path | Sequence[str | Path],
    *,
    tree: str | None = None,
    flavour: str | Path | None = None,
    fields: Sequence[str] | None = None,
    skip_bad_files: bool = False,
) -> Sample:
    """All candidates of some files, in memory; of a bad file, none.

    Parameters
    ----------
    files, tree, flavour, fields
        As in `iterate_candidates`.
    skip_bad_files : bool
        Leave out files that cannot be read to their end, and list them.

    Returns
    -------
    Sample

    Raises
    ------
    CalotoolsError
        As `iterate_candidates`; or all files are bad.

    Warns
    -----
    BadFileWarning
        For each file that is left out.

    Examples
    --------
    >>> read_sample("absent.root")
    Traceback (most recent call last):
    calotools.errors.InputFileError: file 'absent.root' does not exist...
    """
    sample = resolve_sample(files, tree=tree, flavour=flavour, skip_bad_files=skip_bad_files)
    return read_resolved(sample, fields=fields, skip_bad_files=skip_bad_files)


def read_resolved(
    sample: ResolvedSample, *, fields: Sequence[str] | None = None, skip_bad_files: bool = False
) -> Sample:
    """All candidates of a sample that was resolved before; see `read_sample`.

    Parameters
    ----------
    sample : ResolvedSample
    fields : sequence of str, optional
    skip_bad_files : bool

    Returns
    -------
    Sample
    """
    read = partial(_read, tree=sample.tree, flavour=sample.flavour, fields=fields)
    results = list(each_file(read, sample.files, skip_bad_files=skip_bad_files))
    parts = [part for one in results for part in one.value or ()]
    if not parts:
        raise EmptyInputError(f"no candidate in {list(sample.files[:5])}: zero entries")
    counts = {one.file: sum(map(len, one.value or ())) for one in results if one.error is None}
    whole = parts[0] if len(parts) == 1 else ak.concatenate(parts)
    return Sample(whole, counts, [*sample.bad, *bad_files(results)])


def _read(path: str, *, tree: str, flavour: str, fields: Sequence[str] | None) -> list[ak.Array]:
    chunks = iterate_candidates(path, tree=tree, flavour=flavour, fields=fields, allow_empty=True)
    return [chunk.candidates for chunk in chunks]


def join_friend(sample: Sample, scores: Scores) -> tuple[Sample, Scores]:
    """Candidates and the scores that were predicted for them, of the files that both could read.

    Parameters
    ----------
    sample : Sample
    scores : Scores
        Their record says how many rows are of which file, as `predict` writes it.

    Returns
    -------
    Sample, Scores
        Row by row the same candidates. A file that `predict` skipped is among the sample's bad ones.

    Raises
    ------
    ShapeError
        Rows differ.
    """
    rows: dict[str, int] = {one["file"]: one["candidates"] for one in scores.record.get("inputs", ())}
    missed = [one for one in scores.record.get("bad_files", ()) if one["file"] in sample.counts]
    if (sample.bad or missed) and sum(rows.values()) == len(scores.index):
        scores = _rows_of(scores, np.repeat([file in sample.counts for file in rows], list(rows.values())))
        sample = _without(sample, missed)
    check_rows(scores, index_of(sample.candidates))
    return sample, scores


def _rows_of(scores: Scores, keep: np.ndarray) -> Scores:
    values = {name: column[keep] for name, column in scores.values.items()}
    return replace(scores, index=scores.index.take(keep), values=values, split=scores.split[keep])


def _without(sample: Sample, missed: Sequence[dict[str, Any]]) -> Sample:
    names = {one["file"] for one in missed}
    keep = np.repeat([file not in names for file in sample.counts], list(sample.counts.values()))
    reasons = [{"file": one["file"], "reason": f"predict skipped it: {one['reason']}"} for one in missed]
    counts = {file: n for file, n in sample.counts.items() if file not in names}
    return Sample(sample.candidates[keep], counts, [*sample.bad, *reasons])
