"""Friend trees: scores and energies with the same entries, in the same order, as the tree they belong to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import awkward as ak
import numpy as np
import uproot

from calotools.containers import Index, Scores
from calotools.errors import BranchError, EmptyInputError, InputFileError, ShapeError, TreeError
from calotools.ntuple.metadata import METADATA_KEY, read_metadata
from calotools.ntuple.paths import expand_files
from calotools.ntuple.schema import INDEX_FIELDS
from calotools.ntuple.source import branch_names, list_trees, open_file, read_steps
from calotools.ntuple.writer import compression_of, writing_to
from calotools.outputs import new_file

__all__ = ["FriendWriter", "check_one_model", "check_rows", "read_friend", "write_friend"]

_MEV = 1000.0
_STEP = 100_000
_ONE_MODEL = ("task", "model", "digest", "temperature", "cuts")  # of the record: the same in all files
_LISTS = ("inputs", "bad_files", "unscored", "absurd")  # of the record: those of all files


def write_friend(path: Path | str, scores: Scores, *, tree: str, overwrite: bool = False) -> None:
    """Write scores as a tree that ROOT and uproot can attach to the candidates' own.

    Parameters
    ----------
    path : path
    scores : Scores
        Values named ``e_...`` are energies [GeV] and written in MeV, like those of the candidates' tree.
    tree : str
        Name of the friend tree.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    ShapeError
        A column and the index differ in length.
    OutputExistsError
        The file exists and `overwrite` is false.
    OutputError
        The disk is full, or the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "scores.root"
    >>> index = Index(np.array([1], "u4"), np.array([7], "u8"), np.array([0], "i4"))
    >>> scores = Scores(index, {"score_signal": np.array([0.5], "f4")}, np.array([2], "i1"))
    >>> write_friend(path, scores, tree="scores")
    >>> read_friend(path).values["score_signal"]
    array([0.5], dtype=float32)
    """
    with FriendWriter(path, tree=tree, overwrite=overwrite) as writer:
        writer.extend(scores)
        writer.record = scores.record


class FriendWriter:
    """A friend tree that grows part by part; its file appears when the block ends without an error.

    Memory is that of a part, and what is written does not depend on how long the parts are.

    Parameters
    ----------
    path, tree, overwrite
        As in `write_friend`.

    Attributes
    ----------
    record : dict
        Written at the end.

    Raises
    ------
    OutputExistsError
        The file exists and `overwrite` is false.
    """

    def __init__(self, path: Path | str, *, tree: str, overwrite: bool = False) -> None:
        self._path, self._tree, self._overwrite = path, tree, overwrite
        self._stack = ExitStack()
        self._waiting: list[dict[str, np.ndarray]] = []
        self._file: Any = None
        self.record: dict[str, Any] = {}

    def extend(self, scores: Scores) -> None:
        """Add rows; their record is left out, `record` is what is written.

        Parameters
        ----------
        scores : Scores

        Raises
        ------
        ShapeError
            A column and the index differ in length.
        OutputError
            The disk is full.
        """
        columns = {name: getattr(scores.index, name) for name in INDEX_FIELDS}
        columns |= {name: _to_file(name, values) for name, values in scores.values.items()}
        columns["split"] = np.asarray(scores.split, dtype=np.int8)
        for name, values in columns.items():
            if values.shape != (len(scores.index),):
                raise ShapeError(f"'{name}' has shape {values.shape}, the index has {len(scores.index)} rows")
        self._waiting.append(columns)
        if sum(len(one["split"]) for one in self._waiting) >= _STEP:
            self._flush(keep=True)

    def _flush(self, *, keep: bool) -> None:
        """Write what waits, in steps of one size; with `keep`, a shorter rest goes on waiting."""
        waiting = {name: np.concatenate([one[name] for one in self._waiting]) for name in self._waiting[0]}
        n = len(waiting["split"])
        stop = n - n % _STEP if keep else n
        with writing_to(self._path):
            if self._tree not in self._file:
                self._file.mktree(self._tree, {name: values.dtype for name, values in waiting.items()})
            for start in range(0, stop, _STEP):
                self._file[self._tree].extend({k: v[start : min(start + _STEP, stop)] for k, v in waiting.items()})
        self._waiting = [{name: values[stop:] for name, values in waiting.items()}]

    def __enter__(self) -> Self:
        temporary = self._stack.enter_context(new_file(self._path, overwrite=self._overwrite))
        with writing_to(self._path):
            self._file = self._stack.enter_context(uproot.recreate(temporary, compression=compression_of("zstd")))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if kind is not None:
            return self._stack.__exit__(kind, error, trace)
        with self._stack:  # removes the file if completing it fails
            if not self._waiting:
                raise EmptyInputError(f"there is nothing to write to '{self._path}'")
            names = list(self._waiting[0])
            self._flush(keep=False)
            units = {name: "MeV" for name in names if _is_energy(name)}
            with writing_to(self._path):
                metadata = {"friend": self._tree, "record": self.record, "units": units}
                self._file[METADATA_KEY] = json.dumps(metadata, default=str)
        return None


def _is_energy(name: str) -> bool:
    return name.startswith("e_")


def _to_file(name: str, values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    with np.errstate(over="ignore"):  # an absurd energy is counted by who writes it
        return values * values.dtype.type(_MEV) if _is_energy(name) else values


def read_friend(paths: str | Path | Sequence[str | Path], *, index: Index | None = None) -> Scores:
    """Read friend trees, one after the other.

    Parameters
    ----------
    paths : path, glob or sequence of them
        In the order of the candidates' files.
    index : Index, optional
        Of the candidates they are meant for: run, event and candidate must agree row by row.

    Returns
    -------
    Scores
        Energies in GeV; the record is that of the first file, with the lists of all (inputs, bad files, ...).

    Raises
    ------
    ShapeError
        The number of rows, or the index of a row, differs from `index`; the message names the first row.
    TreeError, BranchError, InputFileError
        A file is not a friend tree of calotools, or its scores are of another model or calibration than those of the
        first.
    """
    files = expand_files(paths)
    parts = [_read_columns(path) for path in files]
    names = list(parts[0])
    for path, part in zip(files, parts, strict=True):
        if list(part) != names:
            raise BranchError(
                f"friend '{path}' has values {list(part)}, '{files[0]}' has {names}; read them separately"
            )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in names}
    found = Index(*(columns.pop(name) for name in INDEX_FIELDS))
    split = columns.pop("split")
    scores = Scores(found, columns, split, record=_record(files))
    if index is not None:
        check_rows(scores, index)
    return scores


def _record(files: Sequence[str]) -> dict[str, Any]:
    records: list[dict[str, Any]] = [read_metadata(path).get("record", {}) for path in files]
    _check_alike(files, records)
    lists = {name: [one for record in records for one in record.get(name, ())] for name in _LISTS}
    return records[0] | {name: entries for name, entries in lists.items() if name in records[0]}


def check_one_model(paths: Sequence[str | Path]) -> None:
    """Refuse friend trees whose scores are not of one model, calibration and set of working points.

    Parameters
    ----------
    paths : sequence of path
        What a file of an older version does not say is not checked.

    Raises
    ------
    InputFileError
        Two differ; the message says in what.
    """
    files = expand_files(paths)
    _check_alike(files, [read_metadata(path).get("record", {}) for path in files])


def _check_alike(files: Sequence[str], records: Sequence[dict[str, Any]]) -> None:
    """Refuse scores of several models in one column: no cut and no curve would mean anything."""
    for path, record in zip(files[1:], records[1:], strict=True):
        for name in _ONE_MODEL:
            if name in record and name in records[0] and record[name] != records[0][name]:
                raise InputFileError(
                    f"friend '{path}' is of another model or calibration than '{files[0]}': {name} is {record[name]!r} "
                    f"there and {records[0][name]!r} here; predict all files with one model and one file of cuts"
                )


def _read_columns(path: str) -> dict[str, np.ndarray]:
    with open_file(path) as file:
        trees = list_trees(file)
        if len(trees) != 1:
            raise TreeError(f"friend '{path}' holds trees {sorted(trees)}; exactly one is expected")
        tree = next(iter(trees.values()))
        names = branch_names(tree)
        absent = [name for name in (*INDEX_FIELDS, "split") if name not in names]
        if absent:
            raise BranchError(f"file '{path}', tree '{tree.name}' lacks {absent}: it is not a friend tree of calotools")
        steps = [arrays for _, arrays in read_steps(tree, names, path=path, step=_STEP)]
    columns = {name: _column(steps, name) for name in names}
    energies = read_metadata(path).get("units", {})
    return {name: _from_file(name, values, energies, path) for name, values in columns.items()}


def _column(steps: list[Any], name: str) -> np.ndarray:
    return np.concatenate([ak.to_numpy(step[name]) for step in steps]) if steps else np.zeros(0)


def _from_file(name: str, values: np.ndarray, units: dict[str, str], path: str) -> np.ndarray:
    unit = units.get(name, "")
    if unit not in ("", "MeV"):
        raise InputFileError(f"friend '{path}': '{name}' is in '{unit}', MeV is expected")
    return values / values.dtype.type(_MEV) if unit else values


def check_rows(scores: Scores, index: Index) -> None:
    """Refuse scores that are not those of some candidates, row by row.

    Parameters
    ----------
    scores : Scores
    index : Index
        Of the candidates.

    Raises
    ------
    ShapeError
        The number of rows, or run, event or candidate of a row, differs; the message names the first such row.

    Examples
    --------
    >>> one = Index(np.array([1], "u4"), np.array([7], "u8"), np.array([0], "i4"))
    >>> other = Index(np.array([1], "u4"), np.array([8], "u8"), np.array([0], "i4"))
    >>> check_rows(Scores(one, {}, np.array([2], "i1")), other)
    Traceback (most recent call last):
    calotools.errors.ShapeError: row 0 of the scores is (run, event, candidate) = [1, 7, 0], the candidates have ...
    """
    found = scores.index
    if len(found) != len(index):
        raise ShapeError(
            f"the scores have {len(found)} rows, the candidates {len(index)}; predict again on these files"
        )
    differs = np.zeros(len(found), dtype=bool)
    for name in INDEX_FIELDS:
        differs |= getattr(found, name) != getattr(index, name)
    if differs.any():
        row = int(np.argmax(differs))
        theirs, ours = ([int(getattr(one, name)[row]) for name in INDEX_FIELDS] for one in (found, index))
        raise ShapeError(
            f"row {row} of the scores is (run, event, candidate) = {theirs}, the candidates have {ours}; files in "
            "another order, or another selection? predict again on these files"
        )
