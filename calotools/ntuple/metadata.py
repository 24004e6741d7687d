"""The JSON text that calotools stores in its ROOT files: who made them, from what, with which seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from calotools.errors import InputFileError
from calotools.ntuple.source import open_file

__all__ = ["METADATA_KEY", "metadata_of", "read_metadata"]

METADATA_KEY = "calotools"


def read_metadata(path: Path | str) -> dict[str, Any]:
    """What `NtupleWriter` or `write_friend` stored beside the trees.

    Parameters
    ----------
    path : path

    Returns
    -------
    dict
        Empty for a file that calotools did not make.

    Raises
    ------
    InputFileError
        The file cannot be read, or its metadata is not JSON.

    Examples
    --------
    >>> read_metadata("absent.root")
    Traceback (most recent call last):
    calotools.errors.InputFileError: file 'absent.root' cannot be read: No such file or directory
    """
    with open_file(str(path)) as file:
        return metadata_of(file, path=str(path))


def metadata_of(file: Any, *, path: str) -> dict[str, Any]:
    """The same of a file that is open.

    Raises
    ------
    InputFileError
        The metadata is not JSON.
    """
    if METADATA_KEY not in file.keys(cycle=False):
        return {}
    try:
        metadata: dict[str, Any] = json.loads(str(file[METADATA_KEY]))
    except json.JSONDecodeError as error:
        raise InputFileError(f"file '{path}': object '{METADATA_KEY}' is not JSON: {error}") from None
    return metadata
