"""The data: electrons and photons simulated by calotools at the pile-up of run 2, and which simulation that was."""

from __future__ import annotations

import functools
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import awkward as ak
import numpy as np

from calotools import stages
from calotools._version import version
from calotools.ntuple import read_candidates, read_metadata
from calotools.recipe import SimulateConfig

WORK = Path(__file__).parents[1] / ".work" / "energy"
EFFECTS = {"clean": "pileup = 0\nelectronic_noise = 0\n"}
"""What is turned off in the samples that show the ceiling."""

_PER_FILE = 50_000
_DIGESTED = ("e_true", "e", "eta_cluster", "mu", "n_vtx", "n_tracks")
_FIRST_SEED = {"train": 7000, "test": 8000}


@dataclass(frozen=True)
class Size:
    """How many candidates are generated for each particle, before the selection."""

    name: str
    train: int
    test: int

    def of(self, part: str, kind: str) -> int:
        """Of one sample: the ceiling needs half of them."""
        n = self.train if part == "train" else self.test
        return n if kind == "full" else n // 2


@dataclass(frozen=True)
class Sample:
    """Files of one particle (``electrons`` or ``photons``) in one detector (``full`` or ``clean``)."""

    particle: str
    kind: str
    train: tuple[str, ...]
    test: tuple[str, ...]


def make(particle: str, kind: str, size: Size) -> Sample:
    """Simulate what is not there yet; every file has its own seed, so that more files may follow."""
    parts = {part: tuple(_files(particle, kind, part, size)) for part in ("train", "test")}
    return Sample(particle, kind, parts["train"], parts["test"])


def _files(particle: str, kind: str, part: str, size: Size) -> list[str]:
    folder = WORK / f"samples-{digest()[:12]}" / f"{particle}-{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    missing, files = size.of(part, kind), []
    while missing > 0:
        n, seed = min(missing, _PER_FILE), _FIRST_SEED[part] + len(files)
        path = folder / f"{part}-{seed}-{n}.root"
        if not path.exists():
            print(f"simulating {n} {particle} ({kind}, {part}, seed {seed})", flush=True)
            stages.simulate(_config(particle, kind, n, seed, path))
        files.append(str(path))
        missing -= n
    return files


def _config(particle: str, kind: str, n: int, seed: int, path: Path) -> SimulateConfig:
    effects = None
    if kind in EFFECTS:
        effects = WORK / f"{kind}.toml"
        effects.write_text(EFFECTS[kind], encoding="utf-8")
    return SimulateConfig(process=particle, n=n, seed=seed, output=path, effects=effects)  # type: ignore[arg-type]


@functools.cache
def digest() -> str:
    """SHA-256 of a few simulated candidates: it changes with what the simulation does, not with how it is written."""
    total = hashlib.sha256()
    with tempfile.TemporaryDirectory() as folder:
        for particle in ("electrons", "photons"):
            path = Path(folder) / f"{particle}.root"
            stages.simulate(SimulateConfig(process=particle, n=50, seed=1, output=path))  # type: ignore[arg-type]
            candidates = read_candidates(path, fields=(*_DIGESTED, "cells.e"))
            columns = [*(candidates[name] for name in _DIGESTED), ak.flatten(candidates["cells", "e"])]
            for column in columns:
                total.update(ak.to_numpy(column).astype(np.float32).tobytes())
    return total.hexdigest()


def described(sample: Sample) -> dict[str, str]:
    """What a table quotes of the simulation."""
    return {
        "version": version,
        "digest of its candidates": digest()[:16],
        "digest of its tables": str(read_metadata(sample.test[0])["tables"])[:16],
    }
