"""weaver-core's SimpleIterDataset behind the DataLoader that its training makes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import weaver_images
import yaml
from protocol import answer, read_epochs
from weaver.utils.data.eval_utils import _register_funcs
from weaver.utils.dataset import SimpleIterDataset
from workload import BATCH, CELLS, MAX_CELLS, MAX_TRACKS, POSITION, SCALARS, TRACKS, TREE

_CALL = f"cell_images({', '.join(CELLS)})"


def work(*, files: list[str], images: bool, fetch_step: float, workers: int) -> dict[str, float]:
    """`workers` 0 reads in a thread of the main process."""
    _register_funcs(weaver_images)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "data.yaml"
        config.write_text(yaml.safe_dump(_config(images)), encoding="utf-8")
        _drain(_loader(files[:1], config, fetch_step, 0), limit=1)  # compiled before the clock starts

        def epoch() -> Iterator[tuple[np.ndarray, int]]:
            return _drain(_loader(files, config, fetch_step, workers))

        return read_epochs(epoch)


def _loader(files: list[str], config: Path, fetch_step: float, workers: int) -> torch.utils.data.DataLoader:
    data = SimpleIterDataset(
        {"sample": files},
        str(config),
        batch_size=BATCH,
        for_training=True,
        load_range_and_fraction=((0, 1), 1, 1),
        fetch_step=fetch_step,
        name="train",
    )
    return torch.utils.data.DataLoader(data, batch_size=BATCH, drop_last=False, num_workers=workers)


def _drain(loader: torch.utils.data.DataLoader, limit: int | None = None) -> Iterator[tuple[np.ndarray, int]]:
    for number, (_, _, observed) in enumerate(loader):
        yield observed[POSITION].numpy(), len(observed[POSITION])
        if limit is not None and number + 1 >= limit:
            return


def _config(images: bool) -> dict[str, object]:
    plain = [[name, None] for name in (*CELLS, *TRACKS, *SCALARS)]
    cells, tracks, scalars = plain[: len(CELLS)], plain[len(CELLS) : -len(SCALARS)], plain[-len(SCALARS) :]
    drawn = {"length": None, "vars": [["image", None]]}
    return {
        "treename": TREE,
        "new_variables": {"image": _CALL} if images else {},
        "preprocess": {"method": "manual"},
        "inputs": {
            "cells": drawn if images else {"length": MAX_CELLS, "vars": cells},
            "tracks": {"length": MAX_TRACKS, "vars": tracks},
            "scalars": {"length": None, "vars": scalars},
        },
        "labels": {"type": "custom", "value": {"target": "class_true"}},
        "monitor_variables": [POSITION],
    }


if __name__ == "__main__":
    answer(work)
