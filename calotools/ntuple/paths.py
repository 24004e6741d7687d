"""The files that names, globs and URLs stand for."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path

from calotools.errors import InputFileError
from calotools.ntuple.remote import is_remote, match_remote

__all__ = ["expand_files"]


def expand_files(files: str | Path | Sequence[str | Path], *, absent: bool = False) -> list[str]:
    """The files that names and globs stand for: in the order given, each glob sorted.

    Parameters
    ----------
    files : str, path, or sequence of them
        ``*``, ``?``, ``[...]`` and ``**`` are globs; in a URL (``root://host//folder/*.root``), ``?`` is not.
    absent : bool
        Let the name of a local file pass that does not exist, for the caller to report.

    Raises
    ------
    InputFileError
        A file does not exist, a glob matches nothing, a name is a folder, or a file is named twice.

    Examples
    --------
    >>> expand_files("absent_*.root")
    Traceback (most recent call last):
    calotools.errors.InputFileError: no file matches 'absent_*.root'
    """
    names = [str(files)] if isinstance(files, str | Path) else [str(one) for one in files]
    if not names:
        raise InputFileError("no input file was given; name at least one ROOT file or glob")
    paths = [path for name in names for path in (match_remote(name) if is_remote(name) else _match(name, absent))]
    _refuse_repeated(paths)
    return paths


def _refuse_repeated(paths: list[str]) -> None:
    seen: set[str] = set()
    for path in paths:
        real = path if is_remote(path) else str(Path(path).resolve())
        if real in seen:
            raise InputFileError(f"file '{path}' is named more than once; its candidates would count twice")
        seen.add(real)


def _alike(path: Path, n: int = 3) -> list[str]:
    """ROOT files of the folder of a path, those with the most similar names first."""
    files = sorted(path.parent.glob("*.root")) if path.parent.is_dir() else []
    name = path.name.lower()
    likeness = [-SequenceMatcher(None, one.name.lower(), name).ratio() for one in files]
    return [str(one) for _, one in sorted(zip(likeness, files, strict=True))[:n]]


def _match(name: str, absent: bool) -> list[str]:
    path = Path(name)
    if path.is_dir():
        raise InputFileError(f"'{name}' is a folder; give the files in it, such as '{path / '*.root'}'")
    if path.exists():
        return [name]
    if not glob.has_magic(name):
        if absent:
            return [name]
        near = _alike(path)
        raise InputFileError(f"file '{name}' does not exist" + (f"; its folder holds {near}" if near else ""))
    found = sorted(one for one in glob.glob(name, recursive=True) if Path(one).is_file())  # noqa: PTH207 - keeps the text
    if not found:
        raise InputFileError(f"no file matches '{name}'")
    return found
