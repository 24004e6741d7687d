"""Errors that a process of a distributed fit raised."""

from __future__ import annotations

import re
from typing import NoReturn

from torch.multiprocessing.spawn import ProcessRaisedException

from calotools import errors

__all__ = ["raise_ours"]


def raise_ours(error: ProcessRaisedException) -> NoReturn:
    """Raise the error of calotools that ended another process, which arrives here as the text of its traceback.

    Parameters
    ----------
    error : ProcessRaisedException

    Raises
    ------
    CalotoolsError
        The one that the text ends with, or the given error when it ends with another one.

    Examples
    --------
    >>> text = "Traceback ...\\ncalotools.errors.NumericalError: the loss became non-finite"
    >>> raise_ours(ProcessRaisedException(text, 0, 1))
    Traceback (most recent call last):
    calotools.errors.NumericalError: the loss became non-finite
    """
    for name, message in re.findall(r"^calotools\.errors\.(\w+): (.*)$", str(error), flags=re.MULTILINE):
        kind = getattr(errors, name, None)
        if isinstance(kind, type) and issubclass(kind, errors.CalotoolsError):
            raise kind(message) from None
    raise error
