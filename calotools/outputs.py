"""Files and folders that appear whole or not at all: written under a temporary name, renamed when complete."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calotools.errors import OutputError, OutputExistsError

__all__ = ["beside", "check_output", "new_file", "new_folder"]


def check_output(path: Path | str, *, overwrite: bool) -> Path:
    """Refuse an output that exists, or whose parent cannot be made, before any work is done.

    Parameters
    ----------
    path : path
        File or folder that is going to be written; missing parents are created.
    overwrite : bool
        Accept that it exists.

    Returns
    -------
    Path

    Raises
    ------
    OutputExistsError
        It exists and `overwrite` is false.
    OutputError
        Its parent folder cannot be created.

    Examples
    --------
    >>> check_output("new.root", overwrite=False).name
    'new.root'
    """
    path = Path(path)
    if not overwrite and path.exists():
        raise OutputExistsError(f"output '{path}' exists; choose another name, or allow to overwrite it (--overwrite)")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"folder '{path.parent}' of the output cannot be made: {_reason(path, error)}; choose another (--output)"
        ) from None
    return path


def _reason(path: Path, error: OSError) -> str:
    if not isinstance(error, FileExistsError | NotADirectoryError):
        return str(error.strerror)
    files = (f": '{one}' is a file, not a folder" for one in path.parents if one.is_file())
    return f"{error.strerror}{next(files, '')}"


def beside(path: Path, kind: str) -> Path:
    """A name next to a path that nobody else takes, on whichever machine that shares the folder.

    Parameters
    ----------
    path : Path
    kind : str
        Ends the name, before the suffix of `path`.

    Returns
    -------
    Path
    """
    own = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"  # processes of two machines can have the same number
    return path.with_name(f".{path.stem}.{own}.{kind}{path.suffix}")


@contextmanager
def new_file(path: Path | str, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`, renamed to it on success and removed on failure.

    Parameters
    ----------
    path : path
    overwrite : bool
        Replace an existing file.

    Yields
    ------
    Path
        Where to write; it has the suffix of `path`.

    Raises
    ------
    OutputExistsError
        The file exists and `overwrite` is false.
    OutputError
        It is a folder, or cannot be made in one.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with new_file(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [path.name for path in folder.iterdir()]
    ['a.txt']
    """
    path = check_output(path, overwrite=overwrite)
    if path.is_dir():
        raise OutputError(f"output '{path}' is a folder, a file is going to be written; name a file in it")
    temporary = beside(path, "partial")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path | str, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `path`, renamed to it on success and removed on failure.

    Parameters
    ----------
    path : path
    overwrite : bool
        Replace an existing folder.

    Yields
    ------
    Path
        An empty folder to fill.

    Raises
    ------
    OutputExistsError
        The folder exists and `overwrite` is false.
    """
    path = check_output(path, overwrite=overwrite)
    temporary = beside(path, "partial")
    temporary.mkdir()
    try:
        yield temporary
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
