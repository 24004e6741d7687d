"""Run contestants against each other: a process for every measurement, round after round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from environments import OWN, REPOSITORY, ROOM, python_of, variables
from protocol import MARK

Record = dict[str, Any]


@dataclass(frozen=True)
class Contestant:
    """One way to do the work.

    Attributes
    ----------
    name : str
    worker : str
        A file of `workers`, without ``.py``.
    arguments : dict
        Keywords of its function.
    environment : str
    cores : int
        CPUs that it may use.
    note : str
        What it does of the work, and how it is used.
    """

    name: str
    worker: str
    arguments: dict[str, Any] = field(default_factory=dict)
    environment: str = OWN
    cores: int = 2
    note: str = ""


@dataclass(frozen=True)
class Goal:
    """A ratio of two contestants that the project wants, or a bound on one of them."""

    text: str
    of: str
    to: str | None
    metric: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Suite:
    """Contestants at the same work."""

    name: str
    title: str
    text: str
    reference: str
    contestants: Sequence[Contestant]
    goals: Sequence[Goal] = ()
    columns: Sequence[str] = ("rate", "ratio", "quality", "first_batch_s", "rss_mib", "cpu_us")
    rounds: int | None = None  # at most
    warm: bool = True  # with a round before that is not kept; without, where workers warm up themselves


def run_worker(
    worker: str,
    arguments: dict[str, Any],
    *,
    environment: str = OWN,
    cores: int = 2,
    number: int = 0,
    timeout: float = 1800,
) -> Record:
    """One measurement in a process of its own; a failure is an answer too."""
    command = [str(python_of(environment)), str(ROOM / "workers" / f"{worker}.py"), json.dumps(arguments)]
    allowed = sorted(os.sched_getaffinity(0))[-cores:]
    try:
        done = subprocess.run(
            command,
            env=variables(environment, cores=len(allowed)) | {"BENCHMARK_ROUND": str(number)},
            preexec_fn=lambda: os.sched_setaffinity(0, allowed),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"no answer in {timeout:.0f} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not lines:
        said = (done.stderr.strip() or done.stdout.strip()).replace(f"{REPOSITORY}/", "").splitlines()
        return {"failed": said[-1][-300:] if said else f"ended with {done.returncode}"}
    return json.loads(lines[-1].removeprefix(MARK))


def run_suite(suite: Suite, *, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Every contestant once in every round, forwards and backwards in turn.

    A round of calotools' environment comes first and is not kept: it fills the caches of kernels and of files.
    """
    rounds, load = min(rounds, suite.rounds or rounds), round(os.getloadavg()[0], 1)
    kept: dict[str, list[Record]] = {one.name: [] for one in suite.contestants}
    broken: set[str] = set()
    for number in range(0 if suite.warm and rounds > 1 else 1, rounds + 1):
        order = suite.contestants if number % 2 else suite.contestants[::-1]
        for one in order:
            if one.name in broken or (number == 0 and one.environment != OWN):
                continue
            where = {"environment": one.environment, "cores": one.cores}
            record = run_worker(one.worker, one.arguments, **where, number=number)
            say(f"{suite.name} {number}/{rounds} {one.name}: {_short(record)}")
            if "failed" in record:
                broken.add(one.name)
            if number or "failed" in record:
                kept[one.name].append(record)
    contestants = [{**asdict(one), "arguments": None, "rounds": kept[one.name]} for one in suite.contestants]
    return {
        "name": suite.name,
        "title": suite.title,
        "text": suite.text,
        "reference": suite.reference,
        "load": load,
        "columns": list(suite.columns),
        "contestants": contestants,
        "goals": [asdict(goal) for goal in suite.goals],
    }


def _short(record: Record) -> str:
    if "failed" in record:
        return f"FAILED: {record['failed']}"
    shown = {key: record[key] for key in ("rate", "seconds", "first_batch_s", "rss_mib") if key in record}
    return ", ".join(f"{key} {value:.4g}" for key, value in shown.items())


def prepare(worker: str, arguments: dict[str, Any], *, environment: str = OWN) -> Record:
    """A step that has to work, such as making data."""
    record = run_worker(worker, arguments, environment=environment)
    if "failed" in record:
        sys.exit(f"{worker} {arguments}: {record['failed']}")
    return record
