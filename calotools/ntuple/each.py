"""The same work on each of many files: whole files or none of a file, and what to do with a bad one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from calotools.errors import (
    BadFileWarning,
    BranchError,
    CalotoolsError,
    EmptyInputError,
    InputFileError,
    TreeError,
)
from calotools.ntuple.paths import expand_files

__all__ = ["FILE_ERRORS", "Execute", "FileResult", "FileWork", "bad_files", "each_file", "none_is_good"]

T = TypeVar("T")
# What is one file's trouble. Wrong units, an unknown flavour or a bad cell are the sample's: they always stop the work.
FILE_ERRORS = (InputFileError, TreeError, BranchError, EmptyInputError)


@dataclass(frozen=True)
class FileResult(Generic[T]):
    """What came of one file.

    Attributes
    ----------
    file : str
    value : T or None
        What the work returned; None when the file is bad.
    error : CalotoolsError or None
        What is wrong.
    """

    file: str
    value: T | None
    error: CalotoolsError | None = None


@dataclass(frozen=True)
class FileWork(Generic[T]):
    """A function of one file that returns, rather than raises, what is wrong.

    Attributes
    ----------
    function : callable
        ``function(path)``; to run in another process it has to be picklable, as a `functools.partial` of a function of
        a module is.
    """

    function: Callable[[str], T]

    def __call__(self, file: str) -> FileResult[T]:
        """Do the work on one file."""
        try:
            return FileResult(file, self.function(file))
        except CalotoolsError as error:
            return FileResult(file, None, error)


Execute = Callable[[FileWork[T], Sequence[str]], Iterable[FileResult[T]]]


def each_file(
    function: Callable[[str], T],
    files: str | Path | Sequence[str | Path],
    *,
    skip_bad_files: bool = False,
    execute: Execute[T] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[FileResult[T]]:
    """Do the same work on every file, and give the results in the order of the files.

    Parameters
    ----------
    function : callable
        ``function(path)``.
    files : str, path or sequence of them
        Files, globs and URLs.
    skip_bad_files : bool
        Go on after a file that is absent, damaged, on a server that went away, empty, or without the tree or a branch:
        its result has the error and nothing else, whatever could be read of it.
    execute : callable, optional
        Where the work is done: ``execute(work, files)`` gives the results in order, as ``map`` does, the default.
    progress : callable, optional
        ``progress(done, total)`` in files.

    Yields
    ------
    FileResult

    Raises
    ------
    InputFileError, TreeError, BranchError, EmptyInputError
        The first bad file, unless they are skipped; or all files are bad.
    CalotoolsError
        Any other trouble of the work.

    Warns
    -----
    BadFileWarning
        For each file that is skipped.

    Examples
    --------
    >>> [one.file for one in each_file(len, ["absent.root"])]
    Traceback (most recent call last):
    calotools.errors.InputFileError: file 'absent.root' does not exist...
    """
    names = expand_files(files, absent=skip_bad_files)
    first: CalotoolsError | None = None
    good = 0
    for done, result in enumerate((execute or map)(FileWork(function), names), start=1):
        if result.error is None:
            good += 1
        elif skip_bad_files and isinstance(result.error, FILE_ERRORS):
            first = first or result.error
            warnings.warn(f"skipped: {result.error}", BadFileWarning, stacklevel=2)
        else:
            raise _with_hint(result.error, len(names))
        yield result
        if progress is not None:
            progress(done, len(names))
    if first is not None and not good:
        raise none_is_good(first, len(names))


def _with_hint(error: CalotoolsError, n: int) -> CalotoolsError:
    if n == 1 or not isinstance(error, InputFileError):  # an unknown field or tree is rather the user's slip
        return error
    return type(error)(f"{error}; --skip-bad-files goes on with the other {n - 1}")


def none_is_good(first: CalotoolsError, n: int) -> CalotoolsError:
    """The error of a sample of which every file is bad, from the first file's."""
    return type(first)(f"all {n} files are bad; the first: {first}") if n > 1 else first


def bad_files(results: Iterable[FileResult[T]]) -> list[dict[str, str]]:
    """The bad ones among results, as outputs list them.

    Parameters
    ----------
    results : iterable of FileResult

    Returns
    -------
    list of dict
        ``file`` and ``reason``.

    Examples
    --------
    >>> bad_files([FileResult("a.root", 3), FileResult("b.root", None, InputFileError("file 'b.root' is empty"))])
    [{'file': 'b.root', 'reason': "InputFileError: file 'b.root' is empty"}]
    """
    return [{"file": one.file, "reason": f"{type(one.error).__name__}: {one.error}"} for one in results if one.error]
