"""A PyTorch Dataset that gives one candidate at a time, behind a DataLoader: what tutorials begin with."""

from __future__ import annotations

from collections.abc import Iterator

import awkward as ak
import numpy as np
import torch
import uproot
import user_kernels
from protocol import answer, read_epochs
from workload import BATCH, BRANCHES, CELLS, POSITION, SCALARS, TRACKS, TREE


def work(*, files: list[str], how: str, limit: int) -> dict[str, float]:
    """`how`: ``awkward`` or ``numpy`` hold the sample in memory, ``root`` reads an entry at a time."""
    data = _DATASETS[how](files, limit)
    data[0]

    def epoch() -> Iterator[tuple[np.ndarray, int]]:
        for batch in torch.utils.data.DataLoader(data, batch_size=BATCH, shuffle=True):
            yield batch["position"].numpy(), len(batch["position"])

    return read_epochs(epoch, epochs=1)


def _tensors(offsets: np.ndarray, cells: list[np.ndarray], tracks: list[np.ndarray]) -> dict[str, np.ndarray]:
    ends = np.array([0, len(tracks[0])])
    return {"images": user_kernels.images(offsets, cells)[0], "tracks": user_kernels.padded_tracks(ends, tracks)[0]}


def _one(row: ak.Record) -> dict[str, object]:
    cells, tracks = ([np.asarray(row[name]) for name in names] for names in (CELLS, TRACKS))
    scalars = np.array([row[name] for name in SCALARS], dtype=np.float32)
    return {**_tensors(np.array([0, len(cells[0])]), cells, tracks), "scalars": scalars, "position": int(row[POSITION])}


class _Awkward(torch.utils.data.Dataset):
    def __init__(self, files: list[str], limit: int) -> None:
        self.rows = uproot.concatenate([f"{name}:{TREE}" for name in files], BRANCHES)[:limit]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> dict[str, object]:
        return _one(self.rows[number])


class _Root(torch.utils.data.Dataset):
    def __init__(self, files: list[str], limit: int) -> None:
        self.tree = uproot.open(files[0])[TREE]
        self.limit = min(limit, self.tree.num_entries)

    def __len__(self) -> int:
        return self.limit

    def __getitem__(self, number: int) -> dict[str, object]:
        return _one(self.tree.arrays(BRANCHES, entry_start=number, entry_stop=number + 1)[0])


class _Numpy(torch.utils.data.Dataset):
    def __init__(self, files: list[str], limit: int) -> None:
        rows = uproot.concatenate([f"{name}:{TREE}" for name in files], BRANCHES)[:limit]
        self.flat = [
            (np.asarray(one.offsets), np.asarray(one.content.data))
            for one in (ak.to_packed(rows[name]).layout for name in (*CELLS, *TRACKS))
        ]
        self.scalars = np.stack([ak.to_numpy(rows[name]).astype(np.float32) for name in SCALARS], axis=1)
        self.position = ak.to_numpy(rows[POSITION]).astype(np.int64)

    def __len__(self) -> int:
        return len(self.position)

    def __getitem__(self, number: int) -> dict[str, object]:
        parts = [values[ends[number] : ends[number + 1]] for ends, values in self.flat]
        cells, tracks = parts[: len(CELLS)], parts[len(CELLS) :]
        tensors = _tensors(np.array([0, len(cells[0])]), cells, tracks)
        return {**tensors, "scalars": self.scalars[number], "position": self.position[number]}


_DATASETS = {"awkward": _Awkward, "numpy": _Numpy, "root": _Root}

if __name__ == "__main__":
    answer(work)
