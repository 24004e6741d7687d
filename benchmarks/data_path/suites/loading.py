"""From ROOT files to shuffled batches, against the limits and against what users would pick instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness import Contestant, Goal, Suite
from samples import Size

Files = Mapping[str, Sequence[str]]
_KINDS = {
    "uproot-zstd": "zstd, written by calotools (uproot)",
    "uproot-lz4": "lz4, written by calotools (uproot)",
    "root-zstd": "zstd, written by ROOT (clusters of 3,000 entries)",
    "root-lz4": "lz4, written by ROOT (clusters of 3,000 entries)",
}
_TEXT = (
    "One epoch of batches of 256 candidates: energy images of 5 × 56 × 11 float32, 4 values of up to 15 tracks, 10 "
    "variables. Contestants named *padded* give cells padded to 512 × 4 in place of images (they have no way to draw); "
    "*images* by a user's own kernel put a cell into the pixel of its centre, calotools shares it among the pixels it "
    "covers. The consumer does nothing."
)
OURS = "calotools stream"
NUMBA = "uproot + numba images"
_MATTER = (
    "raw decompression",
    "raw decompression, 2 threads",
    OURS,
    "calotools stream, one core",
    NUMBA,
    "RDataLoader padded",
    "RDataLoader images",
    "weaver padded, tuned",
    "weaver images",
)


def suites(size: Size, files: Files) -> list[Suite]:
    """One suite for each kind of file; a quick run tries each tool once, and each kind of file.

    The first kind has every contestant and the whole sample, the others half of it and the contestants that matter.
    """
    made = [_suite(kind, title, size, list(files[kind])) for kind, title in _KINDS.items()]
    if size.name != "quick":
        return made
    few = (OURS, "raw decompression", NUMBA)
    return [made[0], *(replace(one, contestants=[x for x in one.contestants if x.name in few]) for one in made[1:])]


def _suite(kind: str, title: str, size: Size, files: list[str]) -> Suite:
    first = kind == "uproot-zstd"
    files = files if first else files[: len(files) // 2]
    contestants = [*_limits(files), *_calotools(files), *_uproot(files), *_root(files), *_weaver(files)]
    contestants += _datasets(files, size)
    contestants = [one for one in contestants if first or one.name in _MATTER]
    return Suite(
        name=f"loading {kind}",
        title=f"ROOT → batches: {title}",
        text=_TEXT,
        reference=OURS,
        contestants=contestants,
        goals=_goals(kind),
        columns=("rate", "ratio", "quality", "coverage", "first_batch_s", "rss_mib", "cpu_us"),
        rounds=None if first else 2,
    )


def _goals(kind: str) -> list[Goal]:
    goals = [
        Goal("against raw decompression of the same bytes, one thread", OURS, "raw decompression", "rate", 0.85),
        Goal("the same, two threads", OURS, "raw decompression, 2 threads", "rate", 0.85),
        Goal("against a careful uproot + numba image loader", OURS, NUMBA, "rate", 2.0),
        Goal("against RDataLoader, padded", OURS, "RDataLoader padded", "rate", 1.2),
        Goal("against weaver, tuned, padded", OURS, "weaver padded, tuned", "rate", 1.2),
        Goal("shuffling quality when streaming", OURS, None, "quality", 0.5),
        Goal("first batch [s]", OURS, None, "first_batch_s", at_most=2.0),
    ]
    if kind == "uproot-zstd":
        goals.append(
            Goal("against a Dataset of awkward candidates", OURS, "Dataset per candidate, awkward", "rate", 50.0)
        )
    return goals


def _limits(files: list[str]) -> list[Contestant]:
    note = "the needed baskets are read and decompressed, nothing else"
    one: dict[str, Any] = {"files": files, "threads": 1}
    return [
        Contestant("memory copy", "limits", {**one, "copy": True}, note="the uncompressed bytes copied once", cores=1),
        Contestant("raw decompression", "limits", one, note=note, cores=1),
        Contestant("raw decompression, 2 threads", "limits", {**one, "threads": 2}, note=note),
    ]


def _calotools(files: list[str]) -> list[Contestant]:
    return [
        Contestant(OURS, "calotools_stream", {"files": files, "share": "overlap"}, note="as `train` streams"),
        Contestant(
            "calotools stream, centre",
            "calotools_stream",
            {"files": files, "share": "centre"},
            note="a cell goes to the pixel of its centre, as in the peers' kernels",
        ),
        Contestant(
            "calotools stream, one core",
            "calotools_stream",
            {"files": files, "share": "overlap"},
            cores=1,
            note="pinned to one core",
        ),
    ]


def _uproot(files: list[str]) -> list[Contestant]:
    notes = {
        NUMBA: "iterate in steps of 5,000, two decompression threads, numba kernels, shuffled within a step",
        "uproot + numba padded": "the same, cells padded",
        "uproot + awkward images": "argmax, bincount",
        "uproot + awkward padded": "pad_none, fill_none",
    }
    made = [
        Contestant(name, "uproot_user", {"files": files, "how": name.removeprefix("uproot + ")}, note=note)
        for name, note in notes.items()
    ]
    behind = {"files": files, "how": "numba images", "loader": True}
    return [
        Contestant(
            "uproot.iterate alone", "uproot_user", {"files": files, "how": "read"}, note="neither images nor padding"
        ),
        *made,
        Contestant("uproot + numba images, DataLoader", "uproot_user", behind, note="in one worker process"),
    ]


def _root(files: list[str]) -> list[Contestant]:
    ways = {
        "RDataLoader padded": (
            "padded",
            "cells as RVec with max_vec_sizes, 40 batches in memory; ROOT compiles the loader before its first batch",
        ),
        "RDataLoader images": ("images", "images by a C++ Define, 40 batches in memory"),
        "RDataLoader padded, eager": ("eager", "the whole sample in memory; its second epoch, so without reading"),
        "RDataFrame event loop": ("event loop", "images by a C++ Define, summed in C++ and thrown away: no batches"),
    }
    return [
        Contestant(name, "root_loader", {"files": files, "how": how, "threads": 2}, environment="root", note=note)
        for name, (how, note) in ways.items()
    ]


def _weaver(files: list[str]) -> list[Contestant]:
    def one(name: str, note: str, **arguments: Any) -> Contestant:
        return Contestant(name, "weaver_loader", {"files": files, **arguments}, environment="weaver", note=note)

    tuned = "fetch_step 0.1, reading in a thread"
    return [
        one("weaver padded, tuned", tuned, images=False, fetch_step=0.1, workers=0),
        one("weaver padded, 2 workers", "fetch_step 0.1", images=False, fetch_step=0.1, workers=2),
        one("weaver images", f"a user's function for new_variables; {tuned}", images=True, fetch_step=0.1, workers=0),
        one("weaver padded, as shipped", "fetch_step 0.01", images=False, fetch_step=0.01, workers=0),
    ]


def _datasets(files: list[str], size: Size) -> list[Contestant]:
    ways = {
        "Dataset per candidate, awkward": ("awkward", min(2000, size.dense), "an awkward array in memory"),
        "Dataset per candidate, numpy": ("numpy", size.dense, "flat arrays and offsets in memory"),
        "Dataset per candidate, ROOT": ("root", 64, "an entry read from the file each time"),
    }
    return [
        Contestant(
            name, "torch_dataset", {"files": files, "how": how, "limit": limit}, note=f"{note}; {limit} candidates"
        )
        for name, (how, limit, note) in ways.items()
    ]
