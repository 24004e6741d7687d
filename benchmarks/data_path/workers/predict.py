"""`calotools predict` on files, and the bare forward pass of the same network over the same candidates."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from our_recipe import network_recipe
from protocol import answer, cpu_seconds

from calotools import deploy, training
from calotools.containers import Batch
from calotools.ntuple import read_friend
from calotools.recipe import PredictConfig

SIZE = 2000


def work(*, files: list[str], folder: str, how: str, precision: str = "fp32") -> dict[str, Any]:
    """``predict`` or ``forward``, the second time in this process."""
    bundle = _bundle(files, Path(folder))
    run = _predict(files, bundle, precision) if how == "predict" else _forward(files, bundle, precision)
    run()
    cpu, start = cpu_seconds(), time.perf_counter()
    n = run()
    seconds = time.perf_counter() - start
    return {"candidates": n, "seconds": seconds, "rate": n / seconds, "cpu_us": 1e6 * (cpu_seconds() - cpu) / n}


def _bundle(files: list[str], folder: Path) -> Path:
    """A network that was trained for one epoch on a few candidates; made once."""
    path = folder / "model.calo"
    if not path.exists():
        config = network_recipe(files, folder, sample={"files": files, "tree": "electrons", "max_candidates": 1000})
        folder.mkdir(parents=True, exist_ok=True)
        deploy.save_bundle(deploy.bundle_of(training.fit(config, training.open_data(config))), path)
    return path


def _predict(files: list[str], bundle: Path, precision: str) -> Any:
    def run() -> int:
        with tempfile.TemporaryDirectory() as name:
            output = Path(name) / "scores.root"
            deploy.predict(
                PredictConfig(
                    model=bundle, files=files, output=output, tree="electrons", precision=precision, on_bad="skip",
                    batch_size=SIZE,
                )
            )  # fmt: skip
            return len(read_friend(output).index.run)

    return run


def _forward(files: list[str], bundle: Path, precision: str) -> Any:
    made = deploy.load_bundle(bundle)
    network = made.network()
    batches = _batches(files)

    def run() -> int:
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            return sum(len(torch.softmax(network(batch), dim=1)) for batch in batches)

    return run


def _batches(files: list[str]) -> list[Batch]:
    """All candidates, in batches of `SIZE`."""
    with tempfile.TemporaryDirectory() as name:
        trainer = {"batch_size": SIZE}
        config = network_recipe(files, Path(name), trainer=trainer, validation_fraction=0.01)
        data = training.open_data(config)
        return [_copy(batch) for batch in data.batches(0)]


def _copy(batch: Batch) -> Batch:
    names = ("scalars", "tracks", "track_mask", "base_energy", "target", "weight", "row")
    images = {name: image.clone() for name, image in batch.images.items()}
    return Batch(images=images, **{name: getattr(batch, name).clone() for name in names})


if __name__ == "__main__":
    answer(work)
