"""Speed of the simulation: candidates per second, where the time goes, cost and memory against n, two processes.

    python benchmarks/simulation.py                 # all of it, some minutes
    python benchmarks/simulation.py --n 2000        # a quick look

Writes results/simulation.json and results/simulation.md beside this file. Run it on a quiet machine: the load when it
began is written with the numbers. Every measurement is a process of its own that has compiled (or loaded) its code
before the clock starts.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import platform
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from calotools.recipe import SimulateConfig
from calotools.simulate import generator, simulate

RESULTS = Path(__file__).parent / "results"
ENERGY = 50.0
STEPS = {
    "generator": ("generator.py", "generate"),
    "showers, pile-up, readout": ("response.py", "simulate_response"),
    "tracks and reconstruction": ("reconstruction.py", "reconstruct"),
    "writing": ("writer.py", "extend"),
}
GOALS = {0.0: 1500.0, 40.0: 300.0}


def at_one_energy(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Electrons of 50 GeV in place of a spectrum."""
    eta = rng.uniform(-generator.ETA_MAX, generator.ETA_MAX, n)
    return np.full(n, ENERGY), eta, rng.uniform(-np.pi, np.pi, n)


def run(folder: Path, *, n: int, mu: float, jobs: int = 1, seed: int = 1) -> float:
    """Seconds that a sample takes from the configuration to the closed file."""
    start = time.perf_counter()
    simulate(SimulateConfig(process="electrons", n=n, mu=mu, jobs=jobs, seed=seed, output=folder / f"{n}_{seed}.root"))
    return time.perf_counter() - start


def worker(arguments: dict[str, Any]) -> dict[str, Any]:
    """One measurement; called in a process of its own."""
    n, mu, jobs = arguments["n"], arguments["mu"], arguments["jobs"]
    energies = generator._single if arguments["spectrum"] else at_one_energy
    with tempfile.TemporaryDirectory() as name, mock.patch.object(generator, "_single", energies):
        folder = Path(name)
        run(folder, n=400, mu=mu, seed=99)
        cpu = time.process_time()
        seconds = run(folder, n=n, mu=mu, jobs=jobs)
        cpu = time.process_time() - cpu
        size = (folder / f"{n}_1.root").stat().st_size
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        steps = {} if arguments["spectrum"] else {"steps": profiled(folder, n=min(n, 2000), mu=mu)}
    found = {"seconds": seconds, "rate": n / seconds, "cpu_rate": n / cpu, "memory_mib": memory, "mib": size / 2**20}
    return {**arguments, **found, **steps}


def profiled(folder: Path, *, n: int, mu: float) -> dict[str, float]:
    """Part of the time in each step; a run of its own, because the profiler slows what calls many functions."""
    profile = cProfile.Profile()
    profile.enable()
    seconds = run(folder, n=n, mu=mu, seed=2)
    profile.disable()
    return shares(profile, seconds)


def shares(profile: cProfile.Profile, seconds: float) -> dict[str, float]:
    """Part of the time spent in each step, with everything that it calls."""
    found = dict.fromkeys(STEPS, 0.0)
    for (file, _, function), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        for step, (name, called) in STEPS.items():
            if Path(file).name == name and function == called and Path(file).parent.name in ("simulate", "ntuple"):
                found[step] += cumulative / seconds
    return found | {"assembling columns, and the rest": 1 - sum(found.values())}


def measure(*, n: int, mu: float, jobs: int = 1, spectrum: bool = False) -> dict[str, Any]:
    """A worker's answer; E_T from 10 to 300 GeV with `spectrum`, else 50 GeV."""
    arguments = {"n": n, "mu": mu, "jobs": jobs, "spectrum": spectrum}
    command = [sys.executable, __file__, "--worker", json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    rate, memory = answer["rate"], answer["memory_mib"]
    print(f"n = {n}, mu = {mu:g}, {jobs} process(es): {rate:.0f} / s, {memory:.0f} MiB", flush=True)
    return answer


def machine() -> dict[str, Any]:
    """What the numbers depend on, without its name."""
    info = Path("/proc/cpuinfo")
    models = [line for line in info.read_text().splitlines() if "model name" in line] if info.exists() else []
    return {
        "processor": models[0].split(":")[1].strip() if models else platform.processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba", "uproot", "awkward")},
    }


def measure_all(n: int, n_linear: tuple[int, ...]) -> dict[str, Any]:
    """Everything, one measurement after the other."""
    described = machine()
    speed = [measure(n=n, mu=mu) for mu in GOALS]
    linear = [measure(n=one, mu=0.0) for one in n_linear]
    pairs = [measure(n=2 * n, mu=40.0, jobs=jobs, spectrum=True) for jobs in (1, 2)]
    return {"machine": described, "speed": speed, "linear": linear, "processes": pairs}


def as_markdown(results: dict[str, Any]) -> str:
    """The numbers as tables."""
    speed, linear, pairs = results["speed"], results["linear"], results["processes"]
    lines = ["# Speed of the simulation", "", "Electrons of 50 GeV, |η| < 2.47, one core, to a closed ROOT file.", ""]
    lines += ["| <μ> | electrons / s | per second of processor time | goal | MiB / 1000 |", "|---|---|---|---|---|"]
    for x in speed:
        speeds = f"| {x['mu']:g} | {x['rate']:.0f} | {x['cpu_rate']:.0f} | {GOALS[x['mu']]:.0f} "
        lines.append(speeds + f"| {1000 * x['mib'] / x['n']:.1f} |")
    lines += ["", "| part of the time | " + " | ".join(f"<μ> = {x['mu']:g}" for x in speed) + " |", "|---|---|---|"]
    lines += [
        f"| {step} | " + " | ".join(f"{x['steps'][step]:.0%}" for x in speed) + " |" for step in speed[0]["steps"]
    ]
    lines += ["", "| n | electrons / s | per second of processor time | peak memory [MiB] |", "|---|---|---|---|"]
    lines += [f"| {x['n']} | {x['rate']:.0f} | {x['cpu_rate']:.0f} | {x['memory_mib']:.0f} |" for x in linear]
    gain = pairs[1]["rate"] / pairs[0]["rate"]
    lines += ["", f"Two processes at <μ> = 40, E_T 10–300 GeV: {gain:.2f} × the rate of one (goal 1.8)."]
    facts = ", ".join(f"{key} {value}" for key, value in results["machine"].items())
    return "\n".join([*lines, "", f"Machine: {facts}.", ""])


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000, help="electrons of the speed measurements")
    parser.add_argument("--linear", type=int, nargs="+", help="sizes for cost and memory; default: n, 3 n, 10 n")
    parser.add_argument("--worker", type=json.loads, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(worker(given.worker)))
        return
    results = measure_all(given.n, tuple(given.linear or (given.n, 3 * given.n, 10 * given.n)))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "simulation.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "simulation.md").write_text(as_markdown(results), encoding="utf-8")
    print(as_markdown(results))


if __name__ == "__main__":
    main()
