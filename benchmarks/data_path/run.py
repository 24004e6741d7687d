"""Benchmarks of the data path: environments of the peers, data, every suite, and the page of results.

make benchmark                                  # all of it, on a quiet machine; see benchmarks/README.md
make benchmark QUICK=1                          # a few thousand candidates, one round, for checking
python benchmarks/data_path/run.py --only loading training --rounds 3
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import environments
import report
import samples
from harness import Suite, run_suite
from machine import describe
from suites import applying, gpu, loading, store, training

# One entry for each question; the order of the page.
QUESTIONS: dict[str, Callable[[samples.Size, loading.Files], Sequence[Suite]]] = {
    "loading": loading.suites,
    "store": store.suites,
    "training": training.suites,
    "applying": applying.suites,
    "gpu": gpu.suites,
}
# What a page says of a question that has no suite on this machine.
WHY_NOT = {"gpu": "epochs on a GPU against tensors that are there already; torch finds none on this machine"}


def main() -> None:
    """Install, make data, measure, write."""
    given = _arguments()
    size = samples.QUICK if given.quick else samples.FULL
    size = replace(size, rounds=given.rounds or size.rounds)
    environments.install(set(environments.REQUIREMENTS))
    files = samples.make(size)
    described = {"machine": describe(), "size": asdict(size), "files_mib": samples.summary(files)}
    described["versions"] = {name: environments.versions(name) for name in environments.SHOWN}
    known = {name: list(question(size, files)) for name, question in QUESTIONS.items()}
    order = [suite.name for some in known.values() for suite in some]
    suites = _asked(given.only, known)
    described["not_run"] = {name: WHY_NOT[name] for name, some in known.items() if not some}
    # A quick run has a page of its own: it checks the benchmarks, it measures nothing.
    folder = samples.WORK / size.name if given.quick else report.BENCHMARKS
    kept = _earlier(folder, size) if given.add else []
    measured: list[dict[str, Any]] = []
    for suite in suites:
        start = time.perf_counter()
        measured.append(run_suite(suite, rounds=size.rounds, say=lambda text: print(text, flush=True)))
        print(f"{suite.name}: {time.perf_counter() - start:.0f} s", flush=True)
        together = sorted(_together(kept, measured), key=lambda one: order.index(one["name"]))
        report.write({**described, "suites": together}, folder)  # what there is, after every suite
    failed = [f"{one['name']}: {name}" for one in measured for name in report.failures(one)]
    print("\n".join([f"wrote {folder.name}/RESULTS.md", *(f"FAILED {name}" for name in failed)]))
    sys.exit(bool(failed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few thousand candidates, one round")
    parser.add_argument("--rounds", type=int, help="measurements of every contestant; default: 5, quick 1")
    parser.add_argument(
        "--only", nargs="+", default=list(QUESTIONS), metavar="NAME", help=f"of {', '.join(QUESTIONS)}, or of a suite"
    )
    parser.add_argument("--add", action="store_true", help="keep the earlier results of other suites")
    return parser.parse_args()


def _asked(names: Sequence[str], known: dict[str, list[Suite]]) -> list[Suite]:
    """The suites of some questions, and those that are asked for by their own name."""
    every = {suite.name: suite for some in known.values() for suite in some}
    unknown = [name for name in names if name not in known and name not in every]
    if unknown:
        sys.exit(f"--only: there is no {', '.join(unknown)}; there are {', '.join([*known, *every])}")
    found = {suite.name: suite for name in names for suite in known.get(name, [every[name]] if name in every else [])}
    return list(found.values())


def _earlier(folder: Any, size: samples.Size) -> list[dict[str, Any]]:
    path = folder / "RESULTS.json"
    if not path.exists():
        return []
    results = json.loads(path.read_text(encoding="utf-8"))
    return results["suites"] if results["size"]["name"] == size.name else []


def _together(kept: list[dict[str, Any]], measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Earlier suites in their place, those measured now instead of the earlier ones of the same name."""
    new = {one["name"]: one for one in measured}
    merged = [new.pop(one["name"], one) for one in kept]
    return [*merged, *new.values()]


if __name__ == "__main__":
    main()
