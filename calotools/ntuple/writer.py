"""Write native ntuples: candidates in GeV become branches in MeV; TTree or RNTuple; whole files or none."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import awkward as ak
import numpy as np
import uproot
from awkward.contents import ListOffsetArray, NumpyArray, RecordArray
from awkward.index import Index64

from calotools.errors import BranchError, ConfigError, OutputError, nearest
from calotools.ntuple.metadata import METADATA_KEY
from calotools.ntuple.schema import COLLECTIONS, CanonicalField, canonical_fields
from calotools.ntuple.table import Lists, Table, join_tables, table_of
from calotools.ntuple.units import convert_factor
from calotools.outputs import new_file

__all__ = ["NtupleWriter", "compression_of", "writing_to"]

Format = Literal["ttree", "rntuple"]
_FORMATS = ("ttree", "rntuple")
# Rows of one basket or page: large enough to read fast, and the same whatever the sizes of the chunks that come in.
_BLOCK = 4000
# Fields that the reader adds and that follow from the stored ones.
_NOT_STORED = ("pt",)
_COMPRESSIONS: dict[str, Any] = {"zstd": uproot.ZSTD(3), "lz4": uproot.LZ4(1), "none": None}


def compression_of(name: str) -> Any:
    """The compression that uproot knows by a name.

    Raises
    ------
    ConfigError
        The name is not ``zstd``, ``lz4`` or ``none``.
    """
    if name not in _COMPRESSIONS:
        raise ConfigError(f"compression = '{name}'; {nearest(name, _COMPRESSIONS)}")
    return _COMPRESSIONS[name]


@contextmanager
def writing_to(path: Path | str) -> Iterator[None]:
    """Turn a full disk or a lost file system into an error that names the output.

    Raises
    ------
    OutputError
        The operating system refused to write.
    """
    try:
        yield
    except OSError as error:
        hint = "; free some space, or choose another disk" if error.errno == errno.ENOSPC else ""
        raise OutputError(f"output '{path}' cannot be written: {error.strerror or error}{hint}") from error


class NtupleWriter:
    """A native ntuple that is being written; the file appears under its name when the ``with`` block ends well.

    Parameters
    ----------
    path : path
    format : {"ttree", "rntuple"}
    metadata : mapping
        Stored as one JSON text in the file; `read_metadata` gives it back.
    compression : {"zstd", "lz4", "none"}
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    OutputExistsError
        The file exists and `overwrite` is false.
    OutputError
        The disk is full, or the folder cannot be written.
    ConfigError
        Unknown format or compression.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.root"
    >>> with NtupleWriter(path) as writer:
    ...     writer.extend("electrons", {"run": [1], "event": [2], "candidate": [0], "e": [50.0]})
    >>> float(uproot.open(path)["electrons/e"].array()[0])
    50000.0
    """

    def __init__(
        self,
        path: Path | str,
        *,
        format: Format = "ttree",  # noqa: A002 - the word of the recipe and the command line
        metadata: Mapping[str, Any] | None = None,
        compression: str = "zstd",
        overwrite: bool = False,
    ) -> None:
        if format not in _FORMATS:
            raise ConfigError(f"format = '{format}'; {nearest(format, _FORMATS)}")
        self.path = Path(path)
        self._format = format
        self._metadata = dict(metadata or {})
        self._compression = compression_of(compression)
        self._overwrite = overwrite
        self._stack = ExitStack()
        self._trees: dict[str, _TreeBuffer] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack, writing_to(self.path):
            temporary = stack.enter_context(new_file(self.path, overwrite=self._overwrite))
            self._file = stack.enter_context(uproot.recreate(temporary, compression=self._compression))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with writing_to(self.path):
            if kind is not None:
                self._stack.__exit__(kind, error, trace)
                return
            with self._stack:
                for tree in self._trees.values():
                    tree.flush(everything=True)
                self._file[METADATA_KEY] = json.dumps(self._metadata, default=str)

    def extend(self, tree: str, candidates: Table | Mapping[str, Any] | ak.Array) -> None:
        """Append candidates to a tree, which is made by the first call.

        Parameters
        ----------
        tree : str
            ``electrons``, ``photons``, ...
        candidates : Table, mapping or awkward record array
            Canonical fields in GeV, rad, mm, ns; ``cells`` and ``tracks`` are jagged records. Truth that is absent is
            not written. ``pt`` follows from `et` and is not stored. A `Table` is the fastest.

        Raises
        ------
        BranchError
            A field is not canonical (with the nearest), differs from those of the first call, or holds values that do
            not fit its type.
        """
        native = _native_table(table_of(candidates, tree=tree))
        if tree not in self._trees:
            self._trees[tree] = _TreeBuffer(self._file, tree, self._format, native)
        with writing_to(self.path):
            self._trees[tree].add(native)


class _TreeBuffer:
    """Collects rows of one tree and writes them in blocks of one size."""

    def __init__(self, file: Any, name: str, kind: str, table: Table) -> None:
        self._name = name
        self._fields = _field_names(table)
        self._shape = _as_branches if kind == "rntuple" else _as_records
        self._pending: list[Table] = []
        self._rows = 0
        shaped = self._shape(table.slice(0, 0))
        if kind == "ttree":
            types = {key: ak.type(value).content for key, value in shaped.items()}
            self._tree = file.mktree(name, types, field_name=lambda outer, inner: f"{outer}_{inner}")
        else:
            self._tree = file.mkrntuple(name, ak.Array(shaped).layout.form)

    def add(self, table: Table) -> None:
        fields = _field_names(table)
        if fields != self._fields:
            added = sorted(set(fields) - set(self._fields))
            lost = sorted(set(self._fields) - set(fields))
            raise BranchError(
                f"tree '{self._name}': these candidates lack {lost} and add {added} to those written before"
            )
        self._pending.append(table)
        self._rows += len(table)
        if self._rows >= _BLOCK:
            self.flush()

    def flush(self, *, everything: bool = False) -> None:
        """Write whole blocks, or all that is left."""
        if not self._rows:
            return
        rows = join_tables(self._pending)
        self._pending = []
        stop = self._rows if everything else self._rows - self._rows % _BLOCK
        for start in range(0, stop, _BLOCK):
            self._tree.extend(self._shape(rows.slice(start, min(start + _BLOCK, stop))))
        if stop < self._rows:
            # a copy: a view would keep the whole alive
            self._pending.append(rows.take(np.arange(stop, self._rows)))
        self._rows -= stop


def _as_records(table: Table) -> dict[str, Any]:
    """What a TTree takes: one record per collection, so that all its branches share one counter."""
    jagged = {
        prefix: RecordArray([NumpyArray(one) for one in lists.columns.values()], list(lists.columns))
        for prefix, lists in table.lists.items()
    }
    return table.flat | {
        prefix: ak.Array(ListOffsetArray(Index64(table.lists[prefix].offsets), records))
        for prefix, records in jagged.items()
    }


def _as_branches(table: Table) -> ak.Array:
    """What an RNTuple takes: one list per branch, in the order of the schema."""
    contents: dict[str, Any] = {name: NumpyArray(column) for name, column in table.flat.items()}
    for prefix, lists in table.lists.items():
        for name, column in lists.columns.items():
            contents[f"{prefix}_{name}"] = ListOffsetArray(Index64(lists.offsets), NumpyArray(column))
    names = [field.branch for field in canonical_fields().values() if field.branch in contents]
    return ak.Array(RecordArray([contents[name] for name in names], names, length=len(table)))


def _field_names(table: Table) -> list[str]:
    return [*table.flat, *(f"{prefix}_{name}" for prefix, lists in table.lists.items() for name in lists.columns)]


def _native_table(table: Table) -> Table:
    """Native branches in native units and types, in the order of the schema.

    The lists are named by the word before the underscore in the branches of the collection.
    """
    given = {name: column for name, column in table.flat.items() if name not in _NOT_STORED}
    for collection, entries in table.lists.items():
        given |= {f"{collection}.{name}": column for name, column in entries.columns.items()}
    known = canonical_fields()
    for name in given:
        if name not in known:
            raise BranchError(f"field '{name}' is not of the native ntuple; {nearest(name, known)}")
    native = [(field, _native_values(given[name], field)) for name, field in known.items() if name in given]
    flat = {field.branch: values for field, values in native if field.group not in COLLECTIONS}
    lists = {}
    for collection, prefix in _PREFIXES.items():
        own = [(field.branch, values) for field, values in native if field.group == collection]
        if own:
            members = {branch.removeprefix(f"{prefix}_"): values for branch, values in own}
            lists[prefix] = Lists(table.lists[collection].offsets, members)
    return Table(flat, lists)


def _native_values(values: np.ndarray, field: CanonicalField) -> np.ndarray:
    factor = convert_factor(field.unit)
    if factor != 1.0:
        values = values * np.float32(round(1.0 / factor)) if factor < 1.0 else values / np.float32(factor)
    wanted = np.dtype(field.type)
    if wanted.kind in "iu" and values.dtype.kind == "f" and not np.isfinite(values).all():
        raise BranchError(f"field '{field.name}' is of type {wanted}, but holds values that are not finite")
    return values.astype(wanted, copy=False)


# The word before the underscore in the native branches of each collection; the schema states the names.
_PREFIXES = {
    collection: next(one.branch for one in canonical_fields().values() if one.group == collection).partition("_")[0]
    for collection in COLLECTIONS
}
