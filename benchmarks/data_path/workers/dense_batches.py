"""Dense batches from calotools' image store, and from dense images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from protocol import answer, cut, read_epochs
from workload import BATCH, TREE, image_table

from calotools.errors import InputFileError
from calotools.images import ImageStore, build_store, cell_fields, spec_from_dict
from calotools.ntuple import iterate_candidates


def work(*, files: list[str], store: str, n: int, how: str, shuffle: bool) -> dict[str, float]:
    """`how`: ``store``, ``memmap`` or ``memory``."""
    opened = _open(files, Path(store), n)
    dense = _dense(opened, Path(store + "-dense.npy"))
    rng = np.random.default_rng(1)
    take = {"store": _Drawn(opened), "memmap": dense.__getitem__, "memory": _InMemory(dense)}[how]
    take(np.arange(BATCH))

    def epoch() -> Iterator[tuple[np.ndarray, int]]:
        order = rng.permutation(len(dense)) if shuffle else np.arange(len(dense))
        for rows in (order[one] for one in cut(len(order), BATCH)):
            take(rows)
            yield rows, len(rows)

    return read_epochs(epoch, epochs=5) | {"bytes_per_candidate": _bytes(opened, dense, how)}


class _Drawn:
    """A store's images, drawn into one buffer."""

    def __init__(self, store: ImageStore) -> None:
        self.store = store
        shapes = store.spec.shapes()
        self.out = {f"energy_{grid}": np.zeros((BATCH, *shape), dtype=np.float32) for grid, shape in shapes.items()}

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return self.store.dense(rows, out=self.out)["energy_em"]


class _InMemory:
    def __init__(self, dense: np.ndarray) -> None:
        self.images = torch.from_numpy(np.array(dense))

    def __call__(self, rows: np.ndarray) -> torch.Tensor:
        return self.images[torch.from_numpy(rows)]


def _open(files: list[str], path: Path, n: int) -> ImageStore:
    try:
        return ImageStore.open(path)
    except InputFileError:  # not there yet, or of an earlier format
        spec = spec_from_dict(image_table("overlap"))
        chunks = (chunk.candidates for chunk in iterate_candidates(files, tree=TREE, fields=cell_fields(spec)))
        return build_store(_first(chunks, n), path, spec, on_bad="skip", overwrite=True)


def _first(chunks: Iterator, n: int) -> Iterator:
    left = n
    for chunk in chunks:
        if left > 0:
            yield chunk[:left]
        left -= len(chunk)


def _dense(store: ImageStore, path: Path) -> np.ndarray:
    if not path.exists():
        parts = [store.dense(np.arange(len(store))[rows])["energy_em"] for rows in cut(len(store), 5000)]
        np.save(path, np.concatenate(parts))
    return np.load(path, mmap_mode="r")


def _bytes(store: ImageStore, dense: np.ndarray, how: str) -> float:
    """On disk; of a store what its images are drawn from."""
    if how != "store":
        return dense.nbytes / len(dense)
    return sum(one.stat().st_size for one in store.path.glob("*") if not _is_column(one.name)) / len(store)


def _is_column(name: str) -> bool:
    return name.startswith(("index_", "column_", "track_"))


if __name__ == "__main__":
    answer(work)
