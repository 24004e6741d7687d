"""Speed of the simulation: candidates per second, where the time goes, cost and memory against n, two processes.

    python benchmarks/simulation.py                 # all of it, some minutes
    python benchmarks/simulation.py --n 2000        # a quick look

Writes simulation.json and simulation.md beside this file. Rates are per second of processor time, so that what else the
machine does matters little; the gain of two processes is measured by the wall clock and needs a quiet machine: the load
when it began is written with the numbers. Every measurement is a process of its own that has compiled (or loaded) its
code before the clock starts.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from calotools.ntuple import table, writer
from calotools.recipe import SimulateConfig
from calotools.simulate import blocks, generator, response, simulate

RESULTS = Path(__file__).parent
ENERGY = 50.0
PROFILED = 4000  # electrons of the run that is profiled
REST = "the rest"
LOOP = "compiled loop: showers, pile-up, readout"
STEPS = {
    "generator": [(blocks, "generate")],
    LOOP: [(response, "candidate_loop")],
    "tracks and reconstruction": [(blocks, "reconstruct")],
    "assembling columns": [
        (response, "_response"),
        (table.Table, "take"),
        (blocks, "join_tables"),
        (writer, "join_tables"),
        (writer, "_native_table"),
    ],
    "ROOT writing": [
        (writer.NtupleWriter, "__enter__"),
        (writer.NtupleWriter, "extend"),
        (writer.NtupleWriter, "__exit__"),
    ],
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
        cpu += resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        size = (folder / f"{n}_1.root").stat().st_size
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        steps = {} if arguments["spectrum"] else {"steps": profiled(folder, n=min(n, PROFILED), mu=mu)}
    found = {"seconds": seconds, "cpu_seconds": cpu, "cpu_rate": n / cpu, "memory_mib": memory, "mib": size / 2**20}
    return {**arguments, **found, **steps}


class Clock:
    """Processor time of steps, each without the steps that it calls."""

    def __init__(self) -> None:
        self.times = dict.fromkeys([*STEPS, REST], 0.0)
        self._running = [REST]
        self._since = time.process_time()

    def switch(self) -> None:
        """Book the time since the last call on what was running."""
        now = time.process_time()
        self.times[self._running[-1]] += now - self._since
        self._since = now

    def watch(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self.switch()
            self._running.append(step)
            try:
                return function(*args, **kwargs)
            finally:
                self.switch()
                self._running.pop()

        return timed


def profiled(folder: Path, *, n: int, mu: float) -> dict[str, float]:
    """Processor time [s] in each step of one run."""
    clock = Clock()
    with ExitStack() as stack:
        for step, places in STEPS.items():
            for owner, name in places:
                function = getattr(owner, name)
                watched = clock.watch(step, function)
                if name == "candidate_loop":  # it gives the function that does the work
                    watched = functools.partial(_watched_loop, clock, step, function)
                stack.enter_context(mock.patch.object(owner, name, watched))
        clock.switch()
        clock.times = dict.fromkeys(clock.times, 0.0)
        run(folder, n=n, mu=mu, seed=2)
        clock.switch()
    return clock.times


def _watched_loop(clock: Clock, step: str, function: Callable[..., Any], stamp: int) -> Callable[..., Any]:
    return clock.watch(step, function(stamp))


def measure(*, n: int, mu: float, jobs: int = 1, spectrum: bool = False) -> dict[str, Any]:
    """A worker's answer; E_T from 10 to 300 GeV with `spectrum`, else 50 GeV."""
    arguments = {"n": n, "mu": mu, "jobs": jobs, "spectrum": spectrum}
    command = [sys.executable, __file__, "--worker", json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"n = {n}, mu = {mu:g}, {jobs} process(es): {answer['cpu_rate']:.0f} / s of processor time", flush=True)
    return answer


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    return {
        "cores": f"{os.cpu_count()} shared, {platform.machine()}",
        "load": round(os.getloadavg()[0], 1),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba", "uproot", "awkward")},
    }


def measure_all(n: int, n_linear: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """Everything, one measurement after the other."""
    described = machine()
    speed = [measure(n=n, mu=mu) for mu in GOALS]
    linear = [measure(n=one, mu=0.0) for one in n_linear]
    pairs = [[measure(n=2 * n, mu=40.0, jobs=jobs, spectrum=True) for jobs in (1, 2)] for _ in range(rounds)]
    return {"machine": described, "speed": speed, "linear": linear, "processes": pairs}


def as_markdown(results: dict[str, Any]) -> str:
    """The numbers as tables."""
    speed, linear = results["speed"], results["linear"]
    lines = [
        "# Speed of the simulation",
        "",
        "Electrons of 50 GeV, |η| < 2.47: all cells of the window, tracks, variables, to a closed ROOT file (zstd).",
        "Made by `python benchmarks/simulation.py`; seconds are those of one core's processor time.",
        "",
        "| <μ> | electrons / s | goal | MiB per 1000 |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {x['mu']:g} | {x['cpu_rate']:.0f} | {GOALS[x['mu']]:.0f} | {1000 * x['mib'] / x['n']:.1f} |" for x in speed
    ]
    lines += ["", "| part of the time | " + " | ".join(f"<μ> = {x['mu']:g}" for x in speed) + " |", "|---|---|---|"]
    for step in speed[0]["steps"]:
        parts = (f"{x['steps'][step] / sum(x['steps'].values()):.0%}" for x in speed)
        lines.append(f"| {step} | " + " | ".join(parts) + " |")
    without, with_pileup = (1e3 * x["steps"][LOOP] / min(x["n"], PROFILED) for x in speed)
    added = with_pileup - without
    lines += [
        "",
        f"The compiled loop takes {without:.2f} ms per electron without pile-up; <μ> = 40 adds {added:.2f} ms.",
    ]
    lines += ["", "| n | electrons / s | peak memory [MiB] |", "|---|---|---|"]
    lines += [f"| {x['n']} | {x['cpu_rate']:.0f} | {x['memory_mib']:.0f} |" for x in linear]
    gains = [one["seconds"] / two["seconds"] for one, two in results["processes"]]
    if gains:
        lines += ["", "Two processes at <μ> = 40, E_T 10–300 GeV, by the wall clock with the start of the processes:"]
        lines += [", ".join(f"{gain:.2f}" for gain in gains) + " × the rate of one (goal 1.8)."]
        slower = statistics.median(two["cpu_seconds"] / one["cpu_seconds"] for one, two in results["processes"])
        busy = statistics.median(two["cpu_seconds"] / (2 * two["seconds"]) for _, two in results["processes"])
        lines += [
            f"The two took {slower:.2f} × the processor time of one, for the same work, and were busy for",
            f"{100 * busy:.0f} % of the time: cores that slow each other so much allow {2 / slower:.2f} at most.",
        ]
        if results["machine"]["load"] > 1:
            lines += ["The machine was busy (see its load), so that this may say too little of the gain."]
    facts = ", ".join(f"{key} {value}" for key, value in results["machine"].items())
    return "\n".join([*lines, "", f"Machine: {facts}.", ""])


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000, help="electrons of the speed measurements")
    parser.add_argument("--linear", type=int, nargs="+", help="sizes for cost and memory; default: n, 3 n, 10 n")
    parser.add_argument("--rounds", type=int, default=3, help="comparisons of one process with two")
    parser.add_argument("--page", action="store_true", help="only write the page again from the numbers")
    parser.add_argument("--worker", type=json.loads, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(worker(given.worker)))
        return
    if given.page:
        results = json.loads((RESULTS / "simulation.json").read_text(encoding="utf-8"))
        (RESULTS / "simulation.md").write_text(as_markdown(results), encoding="utf-8")
        return
    results = measure_all(given.n, tuple(given.linear or (given.n, 3 * given.n, 10 * given.n)), given.rounds)
    (RESULTS / "simulation.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "simulation.md").write_text(as_markdown(results), encoding="utf-8")
    print(as_markdown(results))


if __name__ == "__main__":
    main()
