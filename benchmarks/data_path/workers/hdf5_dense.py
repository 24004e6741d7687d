"""Dense images in an HDF5 file, one dataset for each layer, read as deepcalo reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from protocol import answer, cut, read_epochs
from workload import BATCH


def work(*, dense: str, file: str, how: str) -> dict[str, float]:
    """``whole``: a set is loaded and its batches are indexed; ``indices``: each batch is read from the file."""
    if not Path(file).exists():
        _write(np.load(dense, mmap_mode="r"), file)
    rng = np.random.default_rng(1)

    def epoch() -> Iterator[tuple[np.ndarray, int]]:
        with h5py.File(file, "r") as opened:
            layers = [opened["train"][name] for name in sorted(opened["train"])]
            n = len(layers[0])
            loaded = np.stack([layer[:] for layer in layers], axis=-1) if how == "whole" else None
            order = rng.permutation(n)
            for rows in (order[one] for one in cut(n, BATCH)):
                if loaded is None:
                    # h5py wants its indices in order
                    rows = np.sort(rows)
                    np.stack([layer[rows] for layer in layers], axis=-1)
                else:
                    loaded[rows]
                yield rows, len(rows)

    found = read_epochs(epoch)
    return found | {"bytes_per_candidate": Path(file).stat().st_size / found["candidates"]}


def _write(images: np.ndarray, file: str) -> None:
    with h5py.File(file, "w") as opened:
        group = opened.create_group("train")
        for layer in range(images.shape[1]):
            group.create_dataset(f"em_barrel_Lr{layer}", data=images[:, layer])


if __name__ == "__main__":
    answer(work)
