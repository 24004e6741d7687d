"""Train a network with a precision and a memory layout; speed and the metric of the validation part."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from our_recipe import network_recipe
from protocol import answer, cpu_seconds, round_number

from calotools.models import build_model
from calotools.recipe import TrainConfig
from calotools.training import fit, open_data
from calotools.training.fitting import network as fitting

_ENERGY = {
    "task": "energy",
    "images": "energy",
    "tracks": [],
    "scalars": ["e", "eta_cluster", "e0", "e1", "e2", "e3", "mu", "n_vtx"],
    "model": {"name": "energy_cnn"},
}


def work(
    *, files: list[str], n: int, task: str, epochs: int, precision: str, layout: str, folder: str
) -> dict[str, Any]:
    """Rate of the last epoch, and the best epoch's metric."""
    keep = {"selection": ["class_true == 0"]} if task == "energy" else {}
    changes = {"sample": {"files": files, "tree": "electrons", "max_candidates": n, **keep}, "seed": round_number()}
    changes |= {"trainer": {"epochs": epochs, "precision": precision}, "validation_fraction": 0.4}
    with tempfile.TemporaryDirectory(dir=folder) as name:
        config = network_recipe(files, Path(name), **changes, **(_ENERGY if task == "energy" else {}))
        return _fit(config, layout)


def _fit(config: TrainConfig, layout: str) -> dict[str, Any]:
    cpu = cpu_seconds()
    with mock.patch.object(fitting, "build_model", partial(_build, layout=layout)):
        result = fit(config, open_data(config))
    metric = {"val_auc": "auc", "val_iqr": "iqr"}
    found = {metric[name]: value for name, value in result.record["best"].items() if name in metric}
    rows = (config.output / "log.csv").read_text(encoding="utf-8").splitlines()
    speed = dict(zip(rows[0].split(","), rows[-1].split(","), strict=True))
    seconds, rate = float(speed["seconds"]), float(speed["candidates_per_s"])
    work_done = rate * seconds * len(result.record["history"])
    return {"seconds": seconds, "rate": rate, "cpu_us": 1e6 * (cpu_seconds() - cpu) / work_done, **found}


def _build(*inputs: Any, layout: str) -> torch.nn.Module:
    """A network chooses its layout where it is made; here another one is chosen for it."""
    formats = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
    network = build_model(*inputs)
    if layout in formats:
        torch.nn.utils.convert_conv2d_weight_memory_format(network, formats[layout])
    return network


if __name__ == "__main__":
    answer(work)
