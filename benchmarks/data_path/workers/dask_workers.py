"""Prepare or score files by some Dask worker processes that are running already."""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import uproot
from growth import small_bundle
from our_recipe import loading_recipe
from protocol import answer, cpu_seconds
from samples import repeat

from calotools.recipe import PredictConfig, PrepareConfig
from calotools.stages import predict, prepare

_PASSES = 2


def work(*, files: list[str], how: str, jobs: int, folder: str) -> dict[str, Any]:
    """``prepare`` or ``predict``; the workers have done one file before the clock starts."""
    from distributed import LocalCluster

    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    many = repeat(files, place / "files", _PASSES)
    run = {"prepare": _prepare, "predict": _predict}[how]
    local = LocalCluster(
        n_workers=jobs, threads_per_worker=1, memory_limit=0, dashboard_address=None, silence_logs=logging.ERROR
    )
    with local as cluster, tempfile.TemporaryDirectory(dir=place) as name:
        run(many[:jobs], Path(name) / "warm", cluster.scheduler_address)
        cpu, start = cpu_seconds(), time.perf_counter()
        run(many, Path(name) / "all", cluster.scheduler_address)
        seconds = time.perf_counter() - start
    n = sum(uproot.open(one)["electrons"].num_entries for one in many)
    return {"candidates": n, "seconds": seconds, "rate": n / seconds, "cpu_us": 1e6 * (cpu_seconds() - cpu) / n}


def _prepare(files: list[str], folder: Path, scheduler: str) -> None:
    recipe = loading_recipe(files, folder, source="store").model_dump()
    prepare(PrepareConfig(**recipe, scheduler=scheduler))


def _predict(files: list[str], folder: Path, scheduler: str) -> None:
    folder.mkdir(parents=True)
    bundle = small_bundle(files, folder.parent.parent)
    predict(
        PredictConfig(
            model=bundle,
            files=files,
            output=folder / "scores.root",
            tree="electrons",
            on_bad="skip",
            threads=1,
            scheduler=scheduler,
        )
    )


if __name__ == "__main__":
    answer(work)
