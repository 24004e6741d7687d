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

from calotools.errors import BranchError, ConfigError, InputFileError, nearest
from calotools.ntuple.metadata import METADATA_KEY
from calotools.ntuple.schema import COLLECTIONS, CanonicalField, canonical_fields
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
    InputFileError
        The operating system refused to write.
    """
    try:
        yield
    except OSError as error:
        hint = "; free some space, or choose another disk" if error.errno == errno.ENOSPC else ""
        raise InputFileError(f"output '{path}' cannot be written: {error.strerror or error}{hint}") from error


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
    InputFileError
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

    def extend(self, tree: str, candidates: Mapping[str, Any] | ak.Array) -> None:
        """Append candidates to a tree, which is made by the first call.

        Parameters
        ----------
        tree : str
            ``electrons``, ``photons``, ...
        candidates : mapping or awkward record array
            Canonical fields in GeV, rad, mm, ns; ``cells`` and ``tracks`` are jagged records. Truth that is absent is
            not written. ``pt`` follows from `et` and is not stored.

        Raises
        ------
        BranchError
            A field is not canonical (with the nearest), or differs from those of the first call.
        """
        columns = _native_columns(candidates)
        if tree not in self._trees:
            self._trees[tree] = _TreeBuffer(self._file, tree, self._format, columns)
        with writing_to(self.path):
            self._trees[tree].add(columns)


class _TreeBuffer:
    """Collects rows of one tree and writes them in blocks of one size."""

    def __init__(self, file: Any, name: str, kind: str, columns: dict[str, ak.Array]) -> None:
        self._name = name
        self._fields = list(columns)
        self._kind = kind
        self._pending: list[ak.Array] = []
        self._rows = 0
        types = {key: ak.type(value).content for key, value in self._shape(columns).items()}
        if kind == "ttree":
            self._tree = file.mktree(name, types, field_name=lambda outer, inner: f"{outer}_{inner}")
        else:
            self._tree = file.mkrntuple(name, ak.Array(self._shape(columns)).layout.form)

    def add(self, columns: dict[str, ak.Array]) -> None:
        if list(columns) != self._fields:
            added = sorted(set(columns) - set(self._fields))
            lost = sorted(set(self._fields) - set(columns))
            raise BranchError(
                f"tree '{self._name}': these candidates lack {lost} and add {added} to those written before"
            )
        rows = ak.Array(columns)
        self._pending.append(rows)
        self._rows += len(rows)
        if self._rows >= _BLOCK:
            self.flush()

    def flush(self, *, everything: bool = False) -> None:
        """Write whole blocks, or all that is left."""
        if not self._rows:
            return
        rows = self._pending[0] if len(self._pending) == 1 else ak.concatenate(self._pending)
        stop = self._rows if everything else self._rows - self._rows % _BLOCK
        for start in range(0, stop, _BLOCK):
            block = ak.to_packed(rows[start : min(start + _BLOCK, stop)])
            shaped = self._shape({name: block[name] for name in self._fields})
            self._tree.extend(shaped if self._kind == "ttree" else ak.Array(shaped))
        self._pending = [ak.to_packed(rows[stop:])] if stop < self._rows else []
        self._rows -= stop

    def _shape(self, columns: dict[str, ak.Array]) -> dict[str, ak.Array]:
        """A TTree takes records (one counter for all cell branches), an RNTuple one list per branch."""
        if self._kind == "rntuple":
            return columns
        shaped: dict[str, ak.Array] = {name: column for name, column in columns.items() if column.ndim == 1}
        for prefix in _PREFIXES.values():
            members = {
                name.removeprefix(f"{prefix}_"): columns[name]
                for name in columns
                if columns[name].ndim == 2 and name.startswith(f"{prefix}_")
            }
            if members:
                shaped[prefix] = ak.zip(members)
        return shaped


def _native_columns(candidates: Mapping[str, Any] | ak.Array) -> dict[str, ak.Array]:
    """Native branches in native units and types, in the order of the schema."""
    names = candidates.fields if isinstance(candidates, ak.Array) else list(candidates)
    given = {name: candidates[name] for name in names}
    flat = {name: value for name, value in given.items() if name not in COLLECTIONS and name not in _NOT_STORED}
    for collection in COLLECTIONS:
        if collection in given:
            records = ak.Array(given[collection])
            flat |= {f"{collection}.{name}": records[name] for name in records.fields}
    known = canonical_fields()
    for name in flat:
        if name not in known:
            raise BranchError(f"field '{name}' is not of the native ntuple; {nearest(name, known)}")
    return {field.branch: _native_values(flat[name], field) for name, field in known.items() if name in flat}


def _native_values(values: Any, field: CanonicalField) -> ak.Array:
    array = ak.Array(values)
    factor = convert_factor(field.unit)
    if factor != 1.0:
        array = array * np.float32(round(1.0 / factor)) if factor < 1.0 else array / np.float32(factor)
    return ak.values_astype(ak.Array(array.layout, behavior={}), np.dtype(field.type))


# The word before the underscore in the native branches of each collection; the schema states the names.
_PREFIXES = {
    collection: next(one.branch for one in canonical_fields().values() if one.group == collection).partition("_")[0]
    for collection in COLLECTIONS
}
