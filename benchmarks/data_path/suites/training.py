"""What the data path costs beside a network, and what precision and memory layout do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness import Contestant, Goal, Suite
from samples import WORK, Size

MEMORY, STORE, STREAM = "tensors in memory", "from the store", "streaming from ROOT"
_LOOP = """\
An epoch of the electron network of 118,652 parameters in batches of 500, on two cores: the same loop (forward, loss,
backward, step) over tensors that are in memory, over batches from the store and over batches from ROOT files, made
ahead in a thread as in `train`. The last line is `calotools train` itself, with Lightning, its checks and its log."""
_PRECISION = """\
Trainings of the same recipe and seed, a seed for each round, on the same candidates: what memory layout and bf16 do to
speed and to the result on the validation part."""


def suites(size: Size, files: Mapping[str, Sequence[str]]) -> list[Suite]:
    """Overhead, then precision for both tasks."""
    some = list(files["uproot-zstd"])
    return [_overhead(size, some), _precision(size, some, "identification"), _precision(size, some, "energy")]


def _overhead(size: Size, files: list[str]) -> Suite:
    given: dict[str, Any] = {"files": files, "n": size.dense, "folder": str(WORK / size.name / "training")}

    def one(name: str, how: str, note: str) -> Contestant:
        return Contestant(name, "train_loop", {**given, "how": how}, note=note)

    return Suite(
        name="training",
        title="Training: the data path beside the network",
        text=_LOOP,
        reference=MEMORY,
        contestants=[
            one(MEMORY, "memory", "every tensor of the sample is there, batches are indexed"),
            one(STORE, "store", "the second epoch"),
            one(STREAM, "stream", "the second epoch"),
            one("calotools train, store", "train", "the second epoch of its log, without validation"),
        ],
        goals=[
            Goal("time from the store against tensors in memory", STORE, MEMORY, "seconds", at_most=1.03),
            Goal("time streaming against tensors in memory", STREAM, MEMORY, "seconds", at_most=1.10),
            Goal(
                "time of `train` against tensors in memory", "calotools train, store", MEMORY, "seconds", at_most=1.03
            ),
        ],
        columns=("rate", "ratio", "seconds", "rss_mib", "cpu_us", "loss"),
        warm=False,
    )


def _precision(size: Size, files: list[str], task: str) -> Suite:
    metric = "auc" if task == "identification" else "iqr"
    given: dict[str, Any] = {"files": files, "n": size.dense, "task": task, "epochs": 1 if size.name == "quick" else 3}
    ways = {
        "fp32": ("fp32", "default", "the layout that the network chooses"),
        "fp32, contiguous": ("fp32", "contiguous", "weights as (output, input, eta, phi)"),
        "fp32, channels_last": ("fp32", "channels_last", "weights as (output, eta, phi, input)"),
        "bf16": ("bf16", "default", "the layout that the network chooses"),
    }
    return Suite(
        name=f"precision {task}",
        title=f"Precision and memory layout: {task}",
        text=_PRECISION,
        reference="fp32",
        contestants=[
            Contestant(
                name,
                "train_precision",
                {**given, "precision": precision, "layout": layout, "folder": str(WORK / size.name)},
                note=note,
            )
            for name, (precision, layout, note) in ways.items()
        ],
        goals=[
            Goal("speed of the default layout against contiguous", "fp32", "fp32, contiguous", "rate", 1.0),
            Goal("speed of the default layout against channels_last", "fp32", "fp32, channels_last", "rate", 0.95),
            Goal("speed of bf16 against fp32", "bf16", "fp32", "rate", 1.0),
            Goal(f"{metric.upper()} of bf16 against fp32", "bf16", "fp32", metric, 0.995)
            if metric == "auc"
            else Goal("IQR of bf16 against fp32", "bf16", "fp32", metric, at_most=1.02),
        ],
        columns=("rate", "ratio", metric, "rss_mib", "cpu_us"),
        rounds=2,
        warm=False,
    )
