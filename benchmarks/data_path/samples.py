"""The data of the benchmarks: simulated by calotools, repeated to size, written by uproot and by ROOT."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from environments import ROOM
from harness import prepare

WORK = ROOM.parent / ".work"
COMPRESSIONS = ("zstd", "lz4")


@dataclass(frozen=True)
class Size:
    """How much data and how often.

    Attributes
    ----------
    simulated : int
        Different candidates, half electrons and half fakes.
    files, per_file : int
        The sample of most suites: the simulated ones again and again, each with its own event number.
    dense : int
        Candidates of the suites about dense images on disk or in memory.
    large : int
        Candidates of the suite about memory; ten times those of its small sample.
    rounds : int
    """

    name: str
    simulated: int
    files: int
    per_file: int
    dense: int
    large: int
    rounds: int


QUICK = Size("quick", simulated=1000, files=2, per_file=2000, dense=2000, large=20_000, rounds=1)
FULL = Size("full", simulated=20_000, files=4, per_file=20_000, dense=10_000, large=2_000_000, rounds=3)


def make(size: Size) -> dict[str, list[str]]:
    """Files by kind: ``uproot-zstd``, ``uproot-lz4``, ``root-zstd``, ``root-lz4``; what exists is kept."""
    folder = WORK / size.name
    folder.mkdir(parents=True, exist_ok=True)
    base = [str(_simulated(folder, process, size.simulated // 2)) for process in ("electrons", "fakes")]
    found = {}
    for compression in COMPRESSIONS:
        kind = f"uproot-{compression}"
        names = [folder / f"{kind}-{k}.root" for k in range(size.files)]
        if not all(name.exists() for name in names):
            prepare(
                "write_sample", {"base": base, "names": list(map(str, names)), "n": size.per_file, "how": compression}
            )
        found[kind] = list(map(str, names))
        rewritten = [folder / f"root-{compression}-{k}.root" for k in range(size.files)]
        for old, new in zip(names, rewritten, strict=True):
            if not new.exists():
                prepare("root_rewrite", {"old": str(old), "new": str(new), "how": compression}, environment="root")
        found[f"root-{compression}"] = list(map(str, rewritten))
    return found


def _simulated(folder: Path, process: str, n: int) -> Path:
    path = folder / f"{process}-{n}.root"
    if not path.exists():
        print(f"simulating {n} {process}", flush=True)
        prepare("simulate", {"process": process, "n": n, "output": str(path)})
    return path


def repeat(files: list[str], folder: Path, times: int) -> list[str]:
    """The same files under new names: links, which a reader takes for other files."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for number in range(times):
        for old in files:
            new = folder / f"{number}-{Path(old).name}"
            if not new.exists():
                os.link(old, new)
            names.append(str(new))
    return names


def summary(files: dict[str, list[str]]) -> dict[str, float]:
    """MiB on disk by kind of file."""
    sizes = {kind: sum(Path(name).stat().st_size for name in names) / 2**20 for kind, names in files.items()}
    return json.loads(json.dumps({kind: round(size, 1) for kind, size in sizes.items()}))
