"""Dask workers as jobs of HTCondor or Slurm."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from calotools.errors import ConfigError

if TYPE_CHECKING:
    from calotools.recipe import BatchConfig

__all__ = ["job_script", "open_batch"]

_SUBMIT = {"htcondor": "condor_submit", "slurm": "sbatch"}


@contextmanager
def open_batch(config: BatchConfig, *, jobs: int) -> Iterator[Any]:
    """Submit jobs, each of which is a worker, and remove them at the end.

    Parameters
    ----------
    config : BatchConfig
    jobs : int
        How many. Work starts with the first one that runs.

    Yields
    ------
    dask_jobqueue cluster

    Raises
    ------
    ConfigError
        dask-jobqueue is not installed, this machine has no client of the batch system, or a setting does not exist
        there.
    """
    command = _SUBMIT[str(config.system)]
    if shutil.which(command) is None:
        raise ConfigError(
            f"batch.system = '{config.system}': this machine has no '{command}'; run on one that submits jobs"
        )
    with _cluster(config) as cluster:
        cluster.scale(jobs=jobs)
        yield cluster


def job_script(config: BatchConfig) -> str:
    """What is submitted for one worker, to look at before it is.

    Parameters
    ----------
    config : BatchConfig

    Returns
    -------
    str

    Raises
    ------
    ConfigError
        As `open_batch`.
    """
    with _cluster(config) as cluster:
        script: str = cluster.job_script()
    return script


def _cluster(config: BatchConfig) -> AbstractContextManager[Any]:
    try:
        from dask_jobqueue import HTCondorCluster, SLURMCluster
    except ImportError:
        raise ConfigError("batch jobs need dask-jobqueue: pip install 'calotools[dask]'") from None
    common: dict[str, Any] = {
        "cores": config.cores,
        "processes": config.cores,
        "memory": config.memory,
        "interface": config.interface,
        "log_directory": None if config.logs is None else str(config.logs),
        "job_script_prologue": list(config.setup),
        "scheduler_options": {"dashboard_address": ":0"},
    }
    if config.system == "slurm":
        return SLURMCluster(
            **common,
            queue=config.queue,
            account=config.account,
            walltime=config.walltime,
            job_extra_directives=list(config.directives),
        )
    for name in ("queue", "account"):
        if getattr(config, name) is not None:
            raise ConfigError(f"batch.{name} = '{getattr(config, name)}': HTCondor has none; use batch.directives")
    return HTCondorCluster(**common, disk=config.disk, job_extra_directives=_pairs(config.directives))


def _pairs(directives: tuple[str, ...]) -> dict[str, str]:
    """Lines of a submit file, ``key = value``, by key."""
    for line in directives:
        if "=" not in line:
            raise ConfigError(f"batch.directives: '{line}' is no line of a submit file; write it like 'priority = 5'")
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in directives)}
