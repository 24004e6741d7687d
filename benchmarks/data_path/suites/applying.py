"""Prediction on files against the bare forward pass; how memory and time grow; two workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness import Contestant, Goal, Suite
from samples import WORK, Size

_PREDICT = """\
Score every candidate of some files with the electron network of 118,652 parameters, on two cores: `calotools predict`
(read, draw, scale, forward, write the friend tree) against the forward pass alone, over batches of 2,000 that are in
memory as the network takes them."""
_GROWTH = """\
The same files again and again under other names, {small} and {large} candidates. Streaming reads an epoch of batches,
`prepare` writes the store, `predict` (a small network, so that files and not convolutions are measured) writes the
friend tree."""
_WORKERS = """\
The same files prepared and scored by one process, and by two, which Dask has started, each with one thread."""


def suites(size: Size, files: Mapping[str, Sequence[str]]) -> list[Suite]:
    """Prediction, growth, workers."""
    some = list(files["uproot-zstd"])
    return [_predict(size, some), *_growth(size, some), _workers(size, some)]


def _predict(size: Size, files: list[str]) -> Suite:
    given: dict[str, Any] = {"files": files[:1], "folder": str(WORK / size.name / "predict")}

    def one(name: str, how: str, note: str, **more: Any) -> Contestant:
        return Contestant(name, "predict", {**given, "how": how, **more}, note=note)

    return Suite(
        name="predict",
        title="Prediction on files",
        text=_PREDICT,
        reference="forward pass",
        contestants=[
            one("forward pass", "forward", "tensors in memory, nothing else"),
            one("calotools predict", "predict", "files to friend tree; loading the bundle is in the time"),
            one("forward pass, bf16", "forward", "the same with precision = bf16", precision="bf16"),
            one("calotools predict, bf16", "predict", "the same with precision = bf16", precision="bf16"),
        ],
        goals=[
            Goal("rate against the forward pass", "calotools predict", "forward pass", "rate", 0.85),
            Goal("the same in bf16", "calotools predict, bf16", "forward pass, bf16", "rate", 0.85),
        ],
        columns=("rate", "ratio", "seconds", "rss_mib", "cpu_us"),
        warm=False,
    )


def _growth(size: Size, files: list[str]) -> list[Suite]:
    folder = str(WORK / size.name / "growth")
    made = []
    for what in ("stream", "prepare", "predict"):
        names = {f"{what} {n}": n for n in (size.large // 10, size.large)}
        small, large = names
        made.append(
            Suite(
                name=f"growth {what}",
                title=f"Ten times the sample: {what}",
                text=_GROWTH.format(small=size.large // 10, large=size.large),
                reference=small,
                contestants=[
                    Contestant(name, "growth", {"files": files, "n": n, "how": what, "folder": folder})
                    for name, n in names.items()
                ],
                goals=[
                    Goal("peak memory", large, small, "rss_mib", at_most=1.10),
                    Goal("time", large, small, "seconds", at_most=10.5),
                ],
                columns=("seconds", "rate", "rss_mib", "cpu_us"),
                rounds=1,
                warm=False,
            )
        )
    return made


def _workers(size: Size, files: list[str]) -> Suite:
    given: dict[str, Any] = {"files": files, "folder": str(WORK / size.name / "workers")}
    names = {
        f"{what}, {jobs} worker{'s' * (jobs > 1)}": (what, jobs) for what in ("prepare", "predict") for jobs in (1, 2)
    }
    return Suite(
        name="workers",
        title="Two Dask workers against one",
        text=_WORKERS,
        reference="prepare, 1 worker",
        contestants=[
            Contestant(
                name,
                "dask_workers",
                {**given, "how": how, "jobs": jobs},
                note="starting the workers is not in the time",
            )
            for name, (how, jobs) in names.items()
        ],
        goals=[
            Goal("prepare", "prepare, 2 workers", "prepare, 1 worker", "rate", 1.8),
            Goal("predict", "predict, 2 workers", "predict, 1 worker", "rate", 1.8),
        ],
        columns=("seconds", "rate", "rss_mib"),
        rounds=2,
        warm=False,
    )
