"""Histograms in a ROOT file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uproot

from calotools.ntuple.metadata import METADATA_KEY
from calotools.ntuple.writer import writing_to
from calotools.outputs import new_file

__all__ = ["write_histograms"]


def write_histograms(
    path: Path | str,
    histograms: Mapping[str, Any],
    *,
    metadata: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write histograms as TH1D and TH2D, with their flow bins and sums of squared weights.

    Parameters
    ----------
    path : path
    histograms : dict of str to Hist
        By name in the file.
    metadata : mapping
        Stored as one JSON text in the file; `read_metadata` gives it back.
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    Path

    Raises
    ------
    OutputExistsError
        The file exists and `overwrite` is false.
    InputFileError
        The disk is full, or the folder cannot be written.

    Examples
    --------
    >>> import tempfile, hist
    >>> counts = hist.Hist(hist.axis.Regular(2, 0, 1), storage=hist.storage.Weight()).fill([0.1, 0.7, 3.0])
    >>> path = write_histograms(Path(tempfile.mkdtemp()) / "h.root", {"x": counts})
    >>> uproot.open(path)["x"].values(flow=True)
    array([0., 1., 1., 1.])
    """
    with new_file(path, overwrite=overwrite) as temporary, writing_to(path), uproot.recreate(temporary) as file:
        for name, one in histograms.items():
            file[name] = one
        file[METADATA_KEY] = json.dumps(dict(metadata or {}), default=str)
    return Path(path)
