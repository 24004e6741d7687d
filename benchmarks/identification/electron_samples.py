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

__all__ = [
    "CLASSES",
    "MATCHING",
    "SELECTION",
    "SHARES",
    "SOURCES",
    "Source",
    "class_weights",
    "describe",
    "simulate_all",
]

SELECTION = ("et > 15", "et < 150", "abs(eta) < 2.47")
SHARES = {2: 0.003, 3: 0.008, 4: 0.239, 5: 0.75}
"""Of the classes in the background: those of Pythia's jets above 15 GeV, before any identification."""
CLASSES = {2: "conversion", 3: "heavy flavour", 4: "light e/gamma", 5: "light hadron"}
MATCHING = "smooth"
"""How each class of the background in the test gets the E_T, |eta| and mu of the signal."""
EVENTS_PER_FILE = 20_000
SEEDS = {"test": 3_000, "train": 2_000}
"""Of the first file of each part; every file has its own, so that a sample can grow."""


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
    Source("dijets", "pythia", 0, 20_000),
    Source("zee", "builtin", 60_000, 50_000),
    Source("electrons", "builtin", 60_000, 50_000),
    Source("fakes", "builtin", 500_000, 700_000),
)


def available(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Those whose generator is installed."""
    return tuple(one for one in sources if one.generator == "builtin" or find_spec("pythia8mc"))


def simulate_all(
    folder: Path, sources: tuple[Source, ...], *, report: Callable[[str], None]
) -> dict[str, dict[str, list[str]]]:
    """Files by part and source, each made unless it is there: an interrupted run goes on, a larger one adds to it.

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
            for piece in range(math.ceil(n / EVENTS_PER_FILE)):
                events = min(EVENTS_PER_FILE, n - piece * EVENTS_PER_FILE)
                path = folder / f"{part}_{source.name}_{piece}_{events}.root"
                if not path.exists():
                    report(f"{path.name} ({piece + 1} of {math.ceil(n / EVENTS_PER_FILE)})")
                    simulate(
                        SimulateConfig(
                            process=source.process,  # type: ignore[arg-type]
                            generator=source.generator,  # type: ignore[arg-type]
                            tree="electrons",
                            n=events,
                            seed=seed + piece,
                            output=path,
                        )
                    )
                found[part].setdefault(source.name, []).append(str(path))
    return found


def describe(sources: tuple[Source, ...], files: Mapping[str, Mapping[str, list[str]]]) -> dict[str, Any]:
    """What was simulated with what, and digests of what came out: samples that have the same are the same.

    That of the training part alone says which trainings belong to it: a larger test sample costs none.
    """
    digests, counts = {}, {}
    for part, some in files.items():
        digest, counts[part] = hashlib.sha256(repr(SELECTION).encode()), dict.fromkeys(some, 0)
        for name, paths in some.items():
            candidates = read_candidates(paths, fields=["et", "eta", "class_true"])
            counts[part][name] = len(candidates)
            for column in ("et", "eta", "class_true"):
                digest.update(np.ascontiguousarray(ak.to_numpy(candidates[column])).tobytes())
        digests[part] = digest.hexdigest()[:16]
    return {
        "version": version,
        "tables": read_metadata(next(iter(files["test"].values()))[0])["tables"],
        "code": code_digest(),
        "sources": [asdict(one) for one in available(sources)],
        "seeds": SEEDS,
        "selection": list(SELECTION),
        "digests": digests,
        "matching": MATCHING,
        "digest": hashlib.sha256("".join([*digests.values(), MATCHING]).encode()).hexdigest()[:16],
        "candidates": counts,
    }


def code_digest() -> str:
    """SHA-256 of the code and the tables that make candidates."""
    digest = hashlib.sha256()
    root = Path(calotools.__file__).parent
    for room in ("detector", "simulate"):
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
