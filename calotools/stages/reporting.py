"""Collect what the other stages left behind into one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from calotools.plots import write_report

if TYPE_CHECKING:
    from calotools.progress import Progress
    from calotools.recipe import ReportConfig

__all__ = ["report"]


def report(config: ReportConfig, *, progress: Progress | None = None) -> Path:  # noqa: ARG001
    """Write one self-contained HTML page of every numbers.json and figure under a folder.

    Parameters
    ----------
    config : ReportConfig
    progress : callable, optional
        Not used.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    EmptyInputError
        The folder holds no stage's output.
    OutputExistsError, InputFileError
    """
    return write_report(config.folder, config.output, title=config.title, overwrite=config.overwrite)
