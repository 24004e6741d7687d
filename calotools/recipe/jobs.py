"""What every stage that works file by file can be told: bad files, processes, batch jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from calotools.recipe.settings import Settings, StageConfig

__all__ = ["BatchConfig", "ManyFilesConfig"]


class BatchConfig(Settings):
    """Jobs of a batch system that do the work."""

    system: Literal["htcondor", "slurm"] | None = Field(None, description="submit to this batch system")
    queue: str | None = Field(None, description="partition (slurm)")
    account: str | None = Field(None, description="who pays (slurm)")
    cores: int = Field(1, description="cores of a job, each of which works on one file", ge=1)
    memory: str = Field("4GB", description="memory of a job")
    disk: str = Field("10GB", description="disk of a job (htcondor)")
    walltime: str = Field("02:00:00", description="time limit of a job (slurm)")
    setup: tuple[str, ...] = Field((), description="shell lines that a job starts with, such as 'source setup.sh'")
    directives: tuple[str, ...] = Field(
        (), description="more of the submit file: '--qos=short', '+JobFlavour = \"long\"'"
    )
    logs: Path | None = Field(None, description="folder for the output of jobs")
    interface: str | None = Field(None, description="network interface that jobs reach this machine by")


class ManyFilesConfig(StageConfig):
    """What every stage that works file by file can be told."""

    skip_bad_files: bool = Field(False, description="go on without files that cannot be read, and list them")
    jobs: int = Field(1, description="processes, or batch jobs; the result does not depend on it", ge=1)
    scheduler: str | None = Field(None, description="Dask scheduler that is running, such as tcp://HOST:8786")
    batch: BatchConfig = Field(BatchConfig())
