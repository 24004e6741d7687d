"""Make ntuples; say what is in them; look at one candidate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from calotools.errors import BranchError, ConfigError
from calotools.ntuple import FileReport, inspect_files, read_candidates
from calotools.outputs import check_output

if TYPE_CHECKING:
    from calotools.progress import Progress
    from calotools.recipe import DisplayConfig, InspectConfig, SimulateConfig

__all__ = ["display", "inspect", "simulate"]


def simulate(config: SimulateConfig, *, progress: Progress | None = None) -> Path:
    """Simulate candidates and write them as a native ntuple.

    Parameters
    ----------
    config : SimulateConfig
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    Path
        ``config.output``; pseudo-data have a sidecar with the injected truth beside it.

    Raises
    ------
    OutputExistsError, ConfigError, InputFileError
    """
    from calotools.simulate import simulate as run

    return run(config, progress=progress)


def inspect(config: InspectConfig, *, progress: Progress | None = None) -> list[FileReport]:  # noqa: ARG001
    """Report trees, flavour, branches, candidates, cells and problems of files.

    Parameters
    ----------
    config : InspectConfig
    progress : callable, optional
        Not used: one file after the other is reported.

    Returns
    -------
    list of FileReport

    Raises
    ------
    InputFileError
        A pattern matches no file.
    """
    return inspect_files(config.files, flavour=config.flavour, tree=config.tree)


def display(config: DisplayConfig, *, progress: Progress | None = None) -> Path:  # noqa: ARG001
    """Draw one candidate: every layer's cells, times and gains, and the tracks.

    Parameters
    ----------
    config : DisplayConfig
    progress : callable, optional
        Not used.

    Returns
    -------
    Path
        ``config.output``.

    Raises
    ------
    ConfigError
        The tree has fewer entries.
    OutputExistsError, InputFileError, BranchError
    """
    from calotools.plots import draw_candidate, save_file

    check_output(config.output, overwrite=config.overwrite)
    candidates = read_candidates(config.file, tree=config.tree, flavour=config.flavour, max_candidates=config.entry + 1)
    if config.entry >= len(candidates):
        raise ConfigError(f"entry {config.entry} of '{config.file}' was asked for; it has {len(candidates)}, from 0")
    if missing := {"e", "eta", "phi", "cells"}.difference(candidates.fields):
        raise BranchError(
            f"'{config.file}' has no {sorted(missing)} for its candidates, which a display needs; "
            "let the flavour map them (an expression may do)"
        )
    return save_file(draw_candidate(candidates[config.entry]), config.output, overwrite=config.overwrite)
