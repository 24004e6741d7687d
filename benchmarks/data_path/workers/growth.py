"""A sample of a given size, streamed, prepared or scored; time and memory are what is wanted."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import uproot
from our_recipe import Epochs, loading_recipe, network_recipe
from protocol import answer, cpu_seconds
from samples import repeat

from calotools import deploy, training
from calotools.recipe import PredictConfig, TrainConfig

_SMALL = {
    "task": "energy",
    "images": "energy",
    "tracks": [],
    "scalars": ["e", "eta_cluster"],
    "model": {"name": "energy_cnn", "settings": {"maps": 4, "blocks": 1, "condition": 8}},
}


def work(*, files: list[str], n: int, how: str, folder: str) -> dict[str, Any]:
    """``stream``, ``prepare`` or ``predict``."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    per_pass = sum(uproot.open(name)["electrons"].num_entries for name in files)
    many = repeat(files, place / "files", -(-n // per_pass))[: -(-n * len(files) // per_pass)]
    bundle = small_bundle(files, place) if how == "predict" else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        cpu, start = cpu_seconds(), time.perf_counter()
        count = _run(many, Path(name), how, bundle)
        seconds = time.perf_counter() - start
    return {
        "candidates": count,
        "seconds": seconds,
        "rate": count / seconds,
        "cpu_us": 1e6 * (cpu_seconds() - cpu) / count,
    }


def _run(files: list[str], folder: Path, how: str, bundle: Path | None) -> int:
    if how == "stream":
        return sum(n for _, n in Epochs(loading_recipe(files, folder, source="stream"))())
    if how == "prepare":
        return len(training.prepare(loading_recipe(files, folder, source="store")))
    output = folder / "scores.root"
    deploy.predict(PredictConfig(model=bundle, files=files, output=output, tree="electrons", on_bad="skip"))
    return sum(uproot.open(name)["electrons"].num_entries for name in files)


def small_bundle(files: list[str], folder: Path) -> Path:
    """A small network that was trained on a few candidates; made once."""
    path = folder / "small.calo"
    if not path.exists():
        sample = {"files": files[:1], "tree": "electrons", "max_candidates": 2000}
        config: TrainConfig = network_recipe(files[:1], folder / "small", sample=sample, **_SMALL)
        deploy.save_bundle(deploy.bundle_of(training.fit(config, training.open_data(config))), path)
    return path


if __name__ == "__main__":
    answer(work)
