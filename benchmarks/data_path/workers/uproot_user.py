"""uproot with numba or awkward, as a careful user reads ROOT files into batches."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import awkward as ak
import numpy as np
import torch
import uproot
import user_kernels
from protocol import answer, cut, read_epochs
from workload import (
    BATCH,
    BRANCHES,
    CELLS,
    D_ETA,
    D_PHI,
    LAYER_OF_SAMPLING,
    MAX_CELLS,
    MAX_TRACKS,
    MIDDLE,
    N_ETA,
    N_LAYER,
    N_PHI,
    POSITION,
    SCALARS,
    TRACKS,
    TREE,
)

STEP = 5000


def work(*, files: list[str], how: str, loader: bool = False) -> dict[str, float]:
    """One of `WAYS`; with `loader` behind a DataLoader with one worker process."""
    WAYS[how](_some(files[0]))  # compiled, or loaded from the cache, before the clock starts
    pool = ThreadPoolExecutor(2)

    def epoch() -> Iterator[tuple[np.ndarray, int]]:
        batches = _Stream(files, how) if loader else _batches(files, how, pool)
        if loader:
            batches = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1)
        for batch in batches:
            yield np.asarray(batch["position"]), len(batch["position"])

    return read_epochs(epoch)


class _Stream(torch.utils.data.IterableDataset):
    def __init__(self, files: list[str], how: str) -> None:
        self.files, self.how = files, how

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        return _batches(self.files, self.how, None)


def _some(name: str) -> ak.Array:
    with uproot.open(name) as file:
        return file[TREE].arrays(BRANCHES, entry_stop=10)


def _batches(files: list[str], how: str, pool: ThreadPoolExecutor | None) -> Iterator[dict[str, torch.Tensor]]:
    """Read a few thousand entries, make tensors of them, and deal them in a random order."""
    rng = np.random.default_rng(1)
    sources = [f"{name}:{TREE}" for name in files]
    for chunk in uproot.iterate(sources, BRANCHES, step_size=STEP, decompression_executor=pool):
        tensors = {name: torch.from_numpy(array) for name, array in WAYS[how](chunk).items()}
        order = torch.from_numpy(rng.permutation(len(chunk)))
        for rows in cut(len(chunk), BATCH):
            yield {name: tensor[order[rows]] for name, tensor in tensors.items()}


def _flat(chunk: ak.Array, names: tuple[str, ...]) -> tuple[np.ndarray, list[np.ndarray]]:
    layouts = [ak.to_packed(chunk[name]).layout for name in names]
    return np.asarray(layouts[0].offsets), [np.asarray(one.content.data) for one in layouts]


def _scalars(chunk: ak.Array) -> dict[str, np.ndarray]:
    columns = [ak.to_numpy(chunk[name]).astype(np.float32) for name in SCALARS]
    return {"scalars": np.stack(columns, axis=1), "position": ak.to_numpy(chunk[POSITION]).astype(np.int64)}


def numba_images(chunk: ak.Array) -> dict[str, np.ndarray]:
    """Images by a kernel on the flat buffers."""
    tracks = user_kernels.padded_tracks(*_flat(chunk, TRACKS))
    return {"images": user_kernels.images(*_flat(chunk, CELLS)), "tracks": tracks, **_scalars(chunk)}


def numba_padded(chunk: ak.Array) -> dict[str, np.ndarray]:
    """Padded cells by a kernel on the flat buffers."""
    tracks = user_kernels.padded_tracks(*_flat(chunk, TRACKS))
    return {"cells": user_kernels.padded_cells(*_flat(chunk, CELLS)), "tracks": tracks, **_scalars(chunk)}


def awkward_padded(chunk: ak.Array) -> dict[str, np.ndarray]:
    """Padded cells by awkward's own functions."""

    def rectangle(names: tuple[str, ...], length: int) -> np.ndarray:
        columns = [ak.fill_none(ak.pad_none(chunk[name], length, clip=True), 0) for name in names]
        return np.stack([ak.to_numpy(one).astype(np.float32) for one in columns], axis=2)

    return {"cells": rectangle(CELLS, MAX_CELLS), "tracks": rectangle(TRACKS, MAX_TRACKS), **_scalars(chunk)}


def awkward_images(chunk: ak.Array) -> dict[str, np.ndarray]:
    """Images by awkward and numpy: the hottest cell by argmax, the pixels by one bincount."""
    e, eta, phi, sampling = (chunk[name] for name in CELLS)
    layer = ak.unflatten(np.array(LAYER_OF_SAMPLING)[ak.to_numpy(ak.flatten(sampling))], ak.num(sampling))
    hottest = ak.argmax(ak.where(layer == MIDDLE, e, -np.inf), axis=1, keepdims=True)
    d_phi = phi - ak.flatten(phi[hottest])
    d_phi = d_phi - 2 * np.pi * np.round(d_phi / (2 * np.pi))
    column = np.floor((eta - ak.flatten(eta[hottest])) / D_ETA + N_ETA / 2)
    row = np.floor(d_phi / D_PHI + N_PHI / 2)
    keep = (layer >= 0) & (column >= 0) & (column < N_ETA) & (row >= 0) & (row < N_PHI)
    pixel = ((ak.local_index(e, axis=0) * N_LAYER + layer) * N_ETA + column) * N_PHI + row
    n_pixel = len(chunk) * N_LAYER * N_ETA * N_PHI
    where, weight = (ak.to_numpy(ak.flatten(one[keep])) for one in (pixel, e))
    image = np.bincount(where.astype(np.int64), weights=weight, minlength=n_pixel).astype(np.float32)
    tracks = [ak.fill_none(ak.pad_none(chunk[name], MAX_TRACKS, clip=True), 0) for name in TRACKS]
    padded = np.stack([ak.to_numpy(one).astype(np.float32) for one in tracks], axis=2)
    return {"images": image.reshape(-1, N_LAYER, N_ETA, N_PHI), "tracks": padded, **_scalars(chunk)}


def read_only(chunk: ak.Array) -> dict[str, np.ndarray]:
    """Reading, and neither images nor padding."""
    return _scalars(chunk)


WAYS = {
    "numba images": numba_images,
    "numba padded": numba_padded,
    "awkward images": awkward_images,
    "awkward padded": awkward_padded,
    "read": read_only,
}

if __name__ == "__main__":
    answer(work)
