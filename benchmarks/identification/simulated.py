"""The samples: what is simulated for training and for the test, and what the page says of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

import calotools
from calotools._version import version
from calotools.ntuple import read_candidates, read_metadata
from calotools.recipe import SimulateConfig
from calotools.stages import simulate
from calotools.variables import select

__all__ = ["CLASSES", "SELECTION", "SHARES", "SOURCES", "Source", "class_weights", "describe", "simulate_all"]

SELECTION = ("et > 15", "et < 150", "abs(eta) < 2.47")
SHARES = {2: 0.003, 3: 0.01, 4: 0.2, 5: 0.787}
"""Of the classes in the background: those of Pythia's jets above 15 GeV, before any identification."""
CLASSES = {2: "conversion", 3: "heavy flavour", 4: "light e/gamma", 5: "light hadron"}
EVENTS_PER_FILE = 25_000
SEEDS = {"train": 2_001, "test": 2_002}


@dataclass(frozen=True)
class Source:
    """A process, and how many events of it are simulated for each part."""

    process: str
    generator: str
    train: int
    test: int

    @property
    def name(self) -> str:
        """In file names and on the page."""
        return self.process if self.generator == "builtin" else f"{self.process}_{self.generator}"


SOURCES = (
    Source("zee", "builtin", 60_000, 50_000),
    Source("electrons", "builtin", 60_000, 50_000),
    Source("fakes", "builtin", 500_000, 500_000),
    Source("dijets", "pythia", 0, 20_000),
)


def available(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Those whose generator is installed."""
    return tuple(one for one in sources if one.generator == "builtin" or find_spec("pythia8mc"))


def simulate_all(
    folder: Path, sources: tuple[Source, ...], *, report: Callable[[str], None]
) -> dict[str, dict[str, list[str]]]:
    """Files by part and source, each made unless it is there: an interrupted run goes on.

    Parameters
    ----------
    folder : path
    sources : tuple of Source
    report : callable
        ``report(line)`` for each new file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, list[str]]] = {part: {} for part in SEEDS}
    for part, seed in SEEDS.items():
        for source in available(sources):
            n = getattr(source, part)
            pieces = math.ceil(n / EVENTS_PER_FILE)
            for piece in range(pieces):
                path = folder / f"{part}_{source.name}_{n}_{piece}.root"
                if not path.exists():
                    report(f"{path.name} ({piece + 1} of {pieces})")
                    simulate(
                        SimulateConfig(
                            process=source.process,  # type: ignore[arg-type]
                            generator=source.generator,  # type: ignore[arg-type]
                            tree="electrons",
                            n=n,
                            seed=seed,
                            shard=(piece, pieces),
                            output=path,
                        )
                    )
                found[part].setdefault(source.name, []).append(str(path))
    return found


def describe(sources: tuple[Source, ...], files: Mapping[str, Mapping[str, list[str]]]) -> dict[str, Any]:
    """What was simulated with what; two samples with the same `digest` are the same."""
    first = files["train"]["zee"][0]
    told = {
        "version": version,
        "tables": read_metadata(first)["tables"],
        "code": code_digest(),
        "sources": [asdict(one) for one in available(sources)],
        "seeds": SEEDS,
        "selection": SELECTION,
    }
    digest = hashlib.sha256(repr(sorted(told.items())).encode()).hexdigest()[:16]
    counts = {
        part: {name: len(read_candidates(some, fields=["et"])) for name, some in one.items()}
        for part, one in files.items()
    }
    return {**told, "digest": digest, "candidates": counts}


def code_digest() -> str:
    """SHA-256 of the code and the tables that make candidates."""
    digest = hashlib.sha256()
    root = Path(calotools.__file__).parent
    for room in ("detector", "simulate", "variables"):
        for path in sorted((root / room).rglob("*")):
            if path.suffix in (".py", ".toml"):
                digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()


def class_weights(files: Mapping[str, list[str]]) -> dict[int, float]:
    """What gives the background of the training part its shares; the mean weight is 1."""
    candidates = read_candidates(files["fakes"], fields=["et", "eta", "class_true"])
    truth = ak.to_numpy(candidates["class_true"])[select(candidates, SELECTION).mask]
    found = {value: float(np.mean(truth[np.isin(truth, list(CLASSES))] == value)) for value in CLASSES}
    return {value: round(SHARES[value] / found[value], 4) for value in CLASSES}
