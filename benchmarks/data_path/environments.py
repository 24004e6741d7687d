"""The peers' environments: one each, under benchmarks/.envs, so that calotools' own is never touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOM = Path(__file__).parent
REPOSITORY = ROOM.parent.parent
FOLDER = ROOM.parent / ".envs"
OWN = "calotools"
REQUIREMENTS = {
    "root": ("root==0.1a12", "torch"),
    "weaver": ("weaver-core==0.5.3", "torch", "numba"),
    "hdf5": ("h5py==3.16.0", "torch"),
}
SHOWN = {
    OWN: ("numpy", "numba", "awkward", "uproot", "cramjam", "torch", "lightning"),
    "root": ("root", "numpy", "torch"),
    "weaver": ("weaver-core", "numpy", "numba", "awkward", "uproot", "torch"),
    "hdf5": ("h5py", "numpy", "torch"),
}
_VERSIONS = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"


def python_of(name: str) -> Path:
    """The interpreter of an environment."""
    return Path(sys.executable) if name == OWN else FOLDER / name / "bin" / "python"


def install(names: set[str]) -> None:
    """Make the environments that are missing or older than their list; some minutes each, for torch and ROOT."""
    for name in sorted(names - {OWN}):
        wanted = "\n".join(REQUIREMENTS[name])
        ready = FOLDER / name / "ready.txt"
        if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
            continue
        print(f"installing {', '.join(REQUIREMENTS[name])} into benchmarks/.envs/{name}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", FOLDER / name], check=True)
        # the same torch, numpy, uproot and awkward as calotools': peers differ in what they do, not in libraries
        constraint = ("--constraint", str(REPOSITORY / "constraints.txt"))
        subprocess.run([python_of(name), "-m", "pip", "install", "-q", *constraint, *REQUIREMENTS[name]], check=True)
        ready.write_text(wanted, encoding="utf-8")


def versions(name: str) -> dict[str, str]:
    """Versions of what matters in an environment."""
    done = subprocess.run([python_of(name), "-c", _VERSIONS, *SHOWN[name]], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def variables(name: str, *, cores: int) -> dict[str, str]:
    """Environment variables of a worker: where the shared code is, and as many threads as it has cores."""
    paths = [str(ROOM), str(ROOM / "workers"), *([str(REPOSITORY)] if name == OWN else [])]
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(cores)
    )
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **threads, "PYTHONWARNINGS": "ignore"}
