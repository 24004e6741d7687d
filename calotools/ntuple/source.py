"""Files and trees: which can be opened, and one way to read a TTree or an RNTuple in steps."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import awkward as ak
import uproot
from cramjam import CompressionError, DecompressionError

from calotools.errors import InputFileError
from calotools.ntuple.baskets import Baskets
from calotools.ntuple.remote import forget, is_remote, prepare_client, transfer_errors

__all__ = ["branch_names", "counter_names", "list_trees", "open_baskets", "open_file", "read_baskets", "read_steps"]

# What uproot raises on bytes that do not make sense; anything else is a defect and is not caught.
_READ_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    EOFError,
    RuntimeError,
    AttributeError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    CompressionError,
    DecompressionError,
    uproot.deserialization.DeserializationError,
)
_TREE_CLASSES = ("TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple", "ROOT::Experimental::RNTuple")


@contextmanager
def open_file(path: str) -> Iterator[Any]:
    """Open a ROOT file for reading.

    Yields
    ------
    uproot.ReadOnlyDirectory

    Raises
    ------
    InputFileError
        The file is absent, empty, truncated, or not a ROOT file.
    """
    if is_remote(path):
        prepare_client(path)
    else:
        _check_header(path)
    try:
        file = uproot.open(path)
    except FileNotFoundError:
        raise InputFileError(f"file '{path}' does not exist") from None
    except (*_READ_ERRORS, *transfer_errors()) as error:
        forget(path)
        raise InputFileError(f"file '{path}' cannot be read: {_first_line(error)}; {_advice(path)}") from error
    with file:
        yield file


def _check_header(path: str) -> None:
    """Compare the end of the file that its header declares with its size, so that a truncated copy is named as such."""
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(20)
        size = Path(path).stat().st_size
    except OSError as error:
        raise InputFileError(f"file '{path}' cannot be read: {error.strerror}") from None
    if head[:4] != b"root":
        kind = "is empty (0 bytes)" if size == 0 else f"is not a ROOT file: it starts with {head[:4]!r}, not b'root'"
        raise InputFileError(f"file '{path}' {kind}")
    if len(head) < 20:
        raise InputFileError(
            f"file '{path}' is truncated: {size} bytes, shorter than its header; copy or make it again"
        )
    version = struct.unpack(">i", head[4:8])[0]
    end: int = struct.unpack(">q", head[12:20])[0] if version >= 1_000_000 else struct.unpack(">i", head[12:16])[0]
    if end > size:
        raise InputFileError(
            f"file '{path}' is truncated: its header declares {end} bytes, it has {size}; copy or make it again"
        )


def list_trees(file: Any) -> dict[str, Any]:
    """The TTrees and RNTuples of an open file by name (without cycle), in the order of the file.

    Raises
    ------
    InputFileError
        A tree's header cannot be read.
    """
    try:
        names = {
            key.rpartition(";")[0]: key
            for key, kind in file.classnames(recursive=True, cycle=True).items()
            if kind in _TREE_CLASSES
        }
        return {name: file[name] for name in names}
    except (*_READ_ERRORS, *transfer_errors()) as error:
        raise InputFileError(f"file '{file.file_path}': its trees cannot be read: {_first_line(error)}") from error


def branch_names(tree: Any) -> tuple[str, ...]:
    """Branches of a tree; a sub-branch by its own name, without those above it."""
    return tuple(dict.fromkeys(key.rpartition("/")[2] for key in tree.keys()))  # noqa: SIM118 - not a dict


def counter_names(tree: Any) -> frozenset[str]:
    """Branches that only hold the lengths of other branches' lists."""
    counters = (getattr(branch, "count_branch", None) for branch in getattr(tree, "branches", ()))
    return frozenset(one.name for one in counters if one is not None)


def read_steps(
    tree: Any,
    branches: Sequence[str],
    *,
    path: str,
    step: int,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[tuple[int, ak.Array]]:
    """Read some branches of a tree, `step` entries at a time.

    Parameters
    ----------
    tree : uproot TTree or RNTuple
    branches : sequence of str
        At least one.
    path : str
        The file, for messages.
    step : int
        Entries per step.
    start, stop : int
        Entries to read, `stop` excluded; default: all.

    Yields
    ------
    tuple of int, awkward array
        Number of the first entry, and a record array with the branches.

    Raises
    ------
    InputFileError
        The bytes of a basket or page cannot be read; the message names file, tree and entry.
    """
    found = open_baskets(tree, branches, path=path)
    if found is not None:
        yield from read_baskets(found, step=step, start=start, stop=stop)
        return
    steps = _uproot_steps(tree, branches, step=step, start=start, stop=stop)
    yield from _number(steps, branches, path=path, tree=tree.name, start=start)


def read_baskets(
    baskets: Baskets, *, step: int, start: int = 0, stop: int | None = None
) -> Iterator[tuple[int, ak.Array]]:
    """The same as `read_steps`, of what `open_baskets` found.

    Parameters
    ----------
    baskets : Baskets
    step, start, stop
        As in `read_steps`.

    Yields
    ------
    tuple of int, awkward array

    Raises
    ------
    InputFileError
    """
    steps = baskets.steps(step=step, start=start, stop=baskets.n if stop is None else stop)
    yield from _number(steps, baskets.names, path=baskets.path, tree=baskets.tree, start=start)


def _number(
    steps: Iterator[ak.Array], branches: Sequence[str], *, path: str, tree: str, start: int
) -> Iterator[tuple[int, ak.Array]]:
    while True:
        with _named(branches, path=path, tree=tree, start=start):
            arrays = next(steps, None)
        if arrays is None:
            return
        yield start, arrays
        start += len(arrays)


def _uproot_steps(tree: Any, branches: Sequence[str], *, step: int, start: int, stop: int | None) -> Iterator[ak.Array]:
    wanted, inside = frozenset(branches), {"entry_start": start, "entry_stop": stop}
    yield from tree.iterate(filter_name=lambda name: name.rpartition("/")[2] in wanted, step_size=step, **inside)


def open_baskets(tree: Any, branches: Sequence[str], *, path: str) -> Baskets | None:
    """The fast way to some branches of a tree, which needs the tree no longer; None where there is none.

    Parameters
    ----------
    tree : uproot TTree or RNTuple
    branches : sequence of str
    path : str
        The file.

    Returns
    -------
    Baskets, optional

    Raises
    ------
    InputFileError
        The header of a branch cannot be read.
    """
    with _named(branches, path=path, tree=tree.name, start=0):
        return Baskets.of(tree, branches, path=path)


@contextmanager
def _named(branches: Sequence[str], *, path: str, tree: str, start: int) -> Iterator[None]:
    """Say where it was that bytes made no sense."""
    try:
        yield
    except (*_READ_ERRORS, *transfer_errors()) as error:
        forget(path)
        raise InputFileError(
            f"file '{path}', tree '{tree}', entries from {start}: {sorted(set(branches))[:5]} cannot be read: "
            f"{_first_line(error)}; {_advice(path, damaged=True)}"
        ) from error


def _advice(path: str, *, damaged: bool = False) -> str:
    if is_remote(path):
        return "the server went away, or its copy is damaged" if damaged else "is the server up, and the file there?"
    return "the file is damaged, copy or make it again" if damaged else "copy or make it again"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
