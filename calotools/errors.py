"""Errors that a user can act on: one class and one exit code for each kind of trouble.

Every message says what was asked, where (file, tree, branch, entry, shape), what is allowed or nearest, and what to
do. Only `calotools.cli` turns an error into an exit code; everything else raises.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BadFileWarning",
    "BranchError",
    "CalotoolsError",
    "CellError",
    "ConfigError",
    "EmptyInputError",
    "EmptyShardWarning",
    "InputFileError",
    "ModelError",
    "NumericalError",
    "OutputError",
    "OutputExistsError",
    "ShapeError",
    "SlowPrecisionWarning",
    "TreeError",
    "UncheckedWarning",
    "UnitError",
    "WorkerError",
    "nearest",
]


class CalotoolsError(Exception):
    """Base of every error that calotools raises on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class ConfigError(CalotoolsError):
    """A recipe, flavour file or command line asks for something that does not exist or is out of range."""

    exit_code = 2


class InputFileError(CalotoolsError):
    """An input file is absent, truncated or not of the expected kind."""

    exit_code = 3


class TreeError(CalotoolsError):
    """A file does not hold the tree that was asked for."""

    exit_code = 4


class BranchError(CalotoolsError):
    """A tree lacks a branch that is needed, or the branch has another type."""

    exit_code = 5


class EmptyInputError(CalotoolsError):
    """There is nothing to work on: zero entries, or none left after the selection."""

    exit_code = 6


class UnitError(CalotoolsError):
    """Values cannot be in the unit that the flavour declares (MeV read as GeV, degrees as radians)."""

    exit_code = 7


class CellError(CalotoolsError):
    """The cells of a candidate are absent, or none of them is finite."""

    exit_code = 8


class OutputExistsError(CalotoolsError):
    """The output is already there and overwriting was not asked for."""

    exit_code = 9


class OutputError(CalotoolsError):
    """An output cannot be written: the disk is full, its folder cannot be made, or it is a folder itself."""

    exit_code = 10


class WorkerError(CalotoolsError):
    """A process that did a part of the work ended before it was done."""

    exit_code = 11


class ShapeError(CalotoolsError):
    """Arrays that must agree in length or shape do not."""

    exit_code = 12


class ModelError(CalotoolsError):
    """A model bundle cannot be read, or does not fit the input it is given."""

    exit_code = 13


class NumericalError(CalotoolsError):
    """A loss, weight or input became non-finite; the message names the candidates."""

    exit_code = 14


class BadFileWarning(UserWarning):
    """An input file was skipped, as the user allowed (`skip_bad_files`); the text has its name and what is wrong."""


class EmptyShardWarning(UserWarning):
    """A sample has fewer blocks than shards, so that this shard has no events."""


class UncheckedWarning(UserWarning):
    """Files of an older version do not say whether they belong together; the text says which, and what to do."""


class SlowPrecisionWarning(UserWarning):
    """This processor imitates the precision that was asked for: slower than full precision, not faster."""


_SHOWN = 20


def nearest(name: str, allowed: Iterable[str], *, n: int = 3) -> str:
    """Phrase for an error message: the allowed names nearest to a misspelt one.

    Parameters
    ----------
    name : str
        What the user wrote.
    allowed : iterable of str
        What exists.
    n : int
        At most this many names.

    Returns
    -------
    str
        ``nearest: 'a', 'b'``, or ``allowed: ...`` when nothing is close.

    Examples
    --------
    >>> nearest("p_ett", ["p_et", "p_eta", "run"])
    "nearest: 'p_et', 'p_eta'"
    >>> nearest("zzz", ["p_et", "run"])
    "allowed: 'p_et', 'run'"
    """
    allowed = sorted(allowed)
    close = difflib.get_close_matches(name, allowed, n=n)
    word, names = ("nearest", close) if close else ("allowed", allowed[:_SHOWN])
    more = len(allowed) - _SHOWN
    return f"{word}: " + ", ".join(repr(one) for one in names) + (f" and {more} more" if not close and more > 0 else "")
