"""On a GPU: epochs from the store and from ROOT files against tensors that are on the GPU already."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from environments import OWN, python_of
from harness import Contestant, Goal, Suite
from samples import WORK, Size

_ASK = "import sys, torch; sys.exit(not torch.cuda.is_available())"
_TEXT = """\
An epoch of {n} candidates in batches of 500 on the GPU: the same loop over tensors that are there already, over the
store and over ROOT files. The published reference for the electron network is 4 s per epoch on a GTX 1080 Ti."""


def suites(size: Size, files: Mapping[str, Sequence[str]]) -> list[Suite]:
    """Nothing where torch finds no GPU."""
    if subprocess.run([python_of(OWN), "-c", _ASK], check=False).returncode:
        print("gpu: torch finds none, nothing is measured", flush=True)
        return []
    return [_suite(size, list(files["uproot-zstd"]), network) for network in ("electron_cnn_2018", "energy_cnn_2019")]


def _suite(size: Size, files: list[str], network: str) -> Suite:
    n = size.large // 2
    given: dict[str, Any] = {"files": files, "n": n, "folder": str(WORK / size.name / "gpu"), "network": network}

    def one(name: str, how: str, note: str, **more: Any) -> Contestant:
        return Contestant(name, "train_loop", {**given, "how": how, "device": "cuda", **more}, cores=64, note=note)

    return Suite(
        name=f"gpu {network}",
        title=f"GPU: {network}",
        text=_TEXT.format(n=n),
        reference="tensors on the GPU",
        contestants=[
            one("tensors on the GPU", "memory", "indexed there"),
            one("from the store", "store", "pinned, copied while the network works"),
            one("streaming from ROOT", "stream", "pinned, copied while the network works"),
            one("tensors on the GPU, bf16", "memory", "autocast", precision="bf16"),
            one("from the store, bf16", "store", "autocast", precision="bf16"),
        ],
        goals=[
            Goal("rate from the store against tensors on the GPU", "from the store", "tensors on the GPU", "rate", 0.9),
            Goal("the same in bf16", "from the store, bf16", "tensors on the GPU, bf16", "rate", 0.9),
            Goal("rate streaming against tensors on the GPU", "streaming from ROOT", "tensors on the GPU", "rate", 0.9),
        ],
        columns=("rate", "ratio", "seconds", "rss_mib", "cpu_us", "loss"),
        rounds=3,
    )
