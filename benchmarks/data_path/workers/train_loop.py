"""The same training loop over tensors in memory, over the store, over ROOT files; and `calotools train`."""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
import uproot
from our_recipe import Epochs, network_recipe
from protocol import answer, cpu_seconds
from samples import repeat

from calotools.containers import Batch
from calotools.images import image_spec
from calotools.models import build_model
from calotools.recipe import TrainConfig
from calotools.training import fit, open_data
from calotools.training.fitting.losses import choose_loss
from calotools.training.fitting.network import model_inputs

_CHANGES: dict[str, dict[str, Any]] = {
    "electron_cnn_2018": {},
    "energy_cnn_2019": {
        "task": "energy",
        "images": "energy",
        "tracks": [],
        "scalars": ["e", "eta_cluster", "e0", "e1", "e2", "e3", "mu", "n_vtx"],
        "model": {"name": "energy_cnn_2019"},
    },
}


def work(
    *,
    files: list[str],
    n: int,
    folder: str,
    how: str,
    device: str = "cpu",
    network: str = "electron_cnn_2018",
    precision: str = "fp32",
) -> dict[str, Any]:
    """Time of the second epoch: ``memory``, ``store``, ``stream`` or ``train``."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    per_pass = sum(uproot.open(name)["electrons"].num_entries for name in files)
    sample = {"files": repeat(files, place / "files", -(-n // per_pass)), "tree": "electrons", "max_candidates": n}
    source = "stream" if how == "stream" else "store"
    trainer = {"epochs": 2, "precision": precision}
    with tempfile.TemporaryDirectory(dir=folder) as name:
        config = network_recipe(files, Path(name), **_CHANGES[network], sample=sample, source=source, trainer=trainer)
        if how == "train":
            return _train(config)
        epochs = Epochs(config, pin=device != "cpu")
        loop = _Loop(config, device)
        batches = _in_memory(list(epochs.batches()), device) if how == "memory" else epochs.batches
        loop(batches())
        return loop(batches())


class _Loop:
    """Forward, loss, backward, step."""

    def __init__(self, config: TrainConfig, device: str) -> None:
        torch.manual_seed(1)
        inputs = model_inputs(config, image_spec(config.images))
        self.network = build_model(config.model.name, config.model.settings, inputs).to(device)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=1e-3)
        self.loss, self.device = choose_loss(None, task=config.task), device
        self.low = config.trainer.precision == "bf16"

    def __call__(self, batches: Iterable[Batch]) -> dict[str, float]:
        cpu, start, count = cpu_seconds(), time.perf_counter(), 0
        for batch in batches:
            there = batch.to(self.device)
            with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.low):
                output = self.network(there)
            loss = (self.loss(output.float(), there.target) * there.weight).mean()
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()
            count += len(batch.row)
        last = float(loss.detach())  # waits for a GPU
        seconds = time.perf_counter() - start
        cpu_us = 1e6 * (cpu_seconds() - cpu) / count
        return {"seconds": seconds, "candidates": count, "rate": count / seconds, "cpu_us": cpu_us, "loss": last}


def _in_memory(batches: list[Batch], device: str) -> Callable[[], Iterator[Batch]]:
    """All tensors in one piece each, dealt in a random order into batches of the same size."""
    size = len(batches[0].row)
    images = {name: torch.cat([one.images[name] for one in batches]).to(device) for name in batches[0].images}
    names = ("scalars", "tracks", "track_mask", "base_energy", "target", "weight", "row")
    columns = {name: torch.cat([getattr(one, name) for one in batches]).to(device) for name in names}
    n = len(columns["row"])

    def epoch() -> Iterator[Batch]:
        for rows in torch.randperm(n, device=device).split(size):
            drawn = {name: tensor[rows] for name, tensor in images.items()}
            yield Batch(images=drawn, **{name: tensor[rows] for name, tensor in columns.items()})

    return epoch


def _train(config: TrainConfig) -> dict[str, float]:
    cpu = cpu_seconds()
    fit(config, open_data(config))
    last = list(csv.DictReader((config.output / "log.csv").open(encoding="utf-8")))[-1]
    rate, seconds = float(last["candidates_per_s"]), float(last["seconds"])
    both = rate * seconds * config.trainer.epochs
    return {
        "seconds": seconds,
        "candidates": round(rate * seconds),
        "rate": rate,
        "cpu_us": 1e6 * (cpu_seconds() - cpu) / both,
    }


if __name__ == "__main__":
    answer(work)
