"""The recipes that calotools' workers run, and its loader without a trainer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from workload import BATCH, MAX_TRACKS, SCALARS, TRACKS, TREE, image_table

from calotools.containers import Batch
from calotools.recipe import TrainConfig
from calotools.training import open_data
from calotools.training.loading.loader import Loader


def loading_recipe(
    files: list[str], folder: Path, *, source: str, share: str = "overlap", n: int | None = None
) -> TrainConfig:
    """Batches of the common work; a hundredth of the candidates is held out, for a recipe has to."""
    return TrainConfig(
        task="identification",
        output=folder,
        source=source,
        sample={"files": files, "tree": TREE, "max_candidates": n},
        images=image_table(share),
        scalars=SCALARS,
        tracks=[name.removeprefix("track_") for name in TRACKS],
        max_tracks=MAX_TRACKS,
        reweight=False,
        model={"name": "electron_cnn_2018"},
        trainer={"batch_size": BATCH},
        validation_fraction=0.01 if n is None else 0.1,
        test_fraction=0.0,
        on_bad="skip",
    )


def network_recipe(files: list[str], folder: Path, **changes: Any) -> TrainConfig:
    """The electron network of 118,652 parameters, with its published inputs and batches of 500."""
    given: dict[str, Any] = {
        "task": "identification",
        "output": folder,
        "sample": {"files": files, "tree": TREE},
        "images": "electron_slides",
        "tracks": ["e_frac", "delta_eta1", "delta_phi2", "d0"],
        "max_tracks": MAX_TRACKS,
        "reweight": False,
        "model": {"name": "electron_cnn_2018"},
        "trainer": {"batch_size": 500, "learning_rate": 2e-3, "epochs": 1},
        "validation_fraction": 0.1,
        "test_fraction": 0.0,
        "on_bad": "skip",
    }
    trainer = given["trainer"] | changes.pop("trainer", {})
    return TrainConfig(**(given | changes | {"trainer": trainer}))


class Epochs:
    """Epoch after epoch of a recipe's batches, made ahead as in training; the sample is looked at by the first."""

    def __init__(self, config: TrainConfig, *, pin: bool = False) -> None:
        self.config, self.pin = config, pin
        self.data: Any = None
        self.number = -1

    def batches(self) -> Iterable[Batch]:
        """The next epoch."""
        if self.data is None:
            self.data = open_data(self.config)
        self.number += 1
        return Loader(self.data, epoch=lambda: self.number, depth=self.config.trainer.prefetch, pin=self.pin)

    def __call__(self) -> Iterator[tuple[np.ndarray, int]]:
        """The next epoch, as positions in the sample and numbers of candidates."""
        for batch in self.batches():
            yield batch.row.numpy(), len(batch.row)


def warm_up(files: list[str]) -> None:
    """Import and load the compiled kernels, with a few candidates."""
    with tempfile.TemporaryDirectory() as folder:
        for _ in Epochs(loading_recipe(files[:1], Path(folder), source="stream", n=200))():
            pass
