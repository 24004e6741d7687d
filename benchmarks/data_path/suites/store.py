"""From what lies on disk after the ROOT files were read once to dense batches, and what it costs to make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness import Contestant, Goal, Suite
from samples import WORK, Size

OURS = "store, sequential"
SHUFFLED = "store, shuffled"
_DENSE = (
    "The 5 × 56 × 11 energy image of every candidate, once, in batches of 256, on one core and from the page cache; "
    "*bytes* are those of the images on disk."
)
_EPOCH = (
    "One epoch of training batches from ROOT files, on two cores: streaming, streaming while the store is written, and "
    "from the store that was written. The consumer does nothing, so that every cost is seen."
)


def suites(size: Size, files: Mapping[str, Sequence[str]]) -> list[Suite]:
    """Store to dense, and the first epoch."""
    return [_dense(size, list(files["uproot-zstd"])), _first_epoch(size, list(files["uproot-zstd"]))]


def _dense(size: Size, files: list[str]) -> Suite:
    folder = WORK / size.name
    given: dict[str, Any] = {"files": files, "store": str(folder / "store"), "n": size.dense}

    def ours(name: str, note: str, **arguments: Any) -> Contestant:
        return Contestant(name, "dense_batches", {**given, **arguments}, cores=1, note=note)

    def hdf5(name: str, note: str, how: str) -> Contestant:
        where = {"dense": given["store"] + "-dense.npy", "file": given["store"] + "-dense.h5", "how": how}
        return Contestant(name, "hdf5_dense", where, environment="hdf5", cores=1, note=note)

    return Suite(
        name="store",
        title="Store → dense batches",
        text=_DENSE,
        reference=OURS,
        contestants=[
            ours(OURS, "sparse pixels on disk, drawn into a batch that is used again", how="store", shuffle=False),
            ours(SHUFFLED, "a random choice from the whole sample", how="store", shuffle=True),
            ours("dense float32 memmap, sequential", "a .npy file", how="memmap", shuffle=False),
            ours("dense float32 memmap, shuffled", "fancy indexing", how="memmap", shuffle=True),
            ours("dense in memory, shuffled", "a tensor, indexed", how="memory", shuffle=True),
            hdf5("dense HDF5, whole set in memory", "as deepcalo loads a set: read in the time, then indexed", "whole"),
            hdf5("dense HDF5, by lists of indices", "as deepcalo's generator reads a batch", "indices"),
        ],
        goals=[
            Goal("candidates/s on one core", OURS, None, "rate", 1.5e6),
            Goal("shuffled against sequential", SHUFFLED, OURS, "rate", 0.6),
            Goal("bytes per candidate for energy", OURS, None, "bytes_per_candidate", at_most=2200),
        ],
        columns=("rate", "ratio", "bytes_per_candidate", "quality", "coverage", "first_batch_s", "rss_mib", "cpu_us"),
    )


def _first_epoch(size: Size, files: list[str]) -> Suite:
    ways = {
        "streaming": ("stream", "nothing is written but the validation part"),
        "streaming, store being built": ("build", "the first epoch of `train`"),
        "from the store": ("store", "every later epoch"),
    }
    return Suite(
        name="first epoch",
        title="The epoch that builds the store",
        text=_EPOCH,
        reference="streaming",
        contestants=[
            Contestant(name, "epochs", {"files": files, "how": how, "folder": str(WORK / size.name)}, note=note)
            for name, (how, note) in ways.items()
        ],
        goals=[
            Goal("time against pure streaming", "streaming, store being built", "streaming", "seconds", at_most=1.15),
            Goal("the same in processor time", "streaming, store being built", "streaming", "cpu_us", at_most=1.15),
        ],
        columns=("rate", "ratio", "seconds", "quality", "coverage", "first_batch_s", "rss_mib", "cpu_us"),
    )
