"""Identification measured: likelihood, trees and networks on the same simulated candidates.

    python benchmarks/identification/run.py                             # every row that is not there, seed 1
    python benchmarks/identification/run.py --rows compact --seeds 1 2 3
    python benchmarks/identification/run.py --quick                     # a few thousand candidates: shows that it runs

Simulates its samples (once; kept in benchmarks/.work), trains each row for at most --minutes of processor time, and
writes RESULTS.json, RESULTS.md and figures after every row: an interrupted run goes on where it was. A network that was
trained for fewer minutes is trained again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from contenders import COMBINATIONS, ROWS, Row
from drawings import draw_all
from electron_samples import (
    CLASSES,
    SELECTION,
    SHARES,
    SOURCES,
    Source,
    class_weights,
    describe,
    simulate_all,
)
from rejection_page import as_markdown, restored
from rejections import Measured, combined, numbers_of, ratio_of, read_test, score_of, shares_of
from training_rows import Plan, fill, scores_file

from calotools.analysis import to_dict

HERE = Path(__file__).parent
WORK = HERE.parent / ".work" / "identification"
QUICK = {"zee": (1500, 1000), "electrons": (1500, 1000), "fakes": (10_000, 5000), "dijets": (0, 200)}


def main() -> None:
    """Simulate, fill, measure, write."""
    given = arguments()
    folder = given.output or (WORK / "quick" / "results" if given.quick else HERE)
    work = WORK / "quick" if given.quick else WORK
    folder.mkdir(parents=True, exist_ok=True)
    sources = sized(given)
    files = simulate_all(work / "samples", sources, report=say)
    if given.rows == []:
        return
    samples = describe(sources, files)
    results = opened(folder / "RESULTS.json", samples)
    test, closeness = read_test(files["test"], shares=SHARES)
    results |= jets_of(test) | {
        "reweighting": closeness,
        "shares": {"used": {str(key): one for key, one in SHARES.items()}}
        | ({"dijets": shares_of(test, test.check)} if test.check.any() else {}),
        "counts": {"signal": int(test.signal.sum())} | counts_of(test),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    plan = Plan(
        work=work,
        train=[name for some in files["train"].values() for name in some],
        test=[name for some in files["test"].values() for name in some],
        selection=SELECTION,
        class_weights=class_weights(files["train"]),
        shares=SHARES,
        minutes=given.minutes,
        threads=given.threads,
        trials=given.trials,
        precision=given.precision,
        digests=samples["digests"],
        report=say,
    )
    for seed, row in [(seed, row) for seed in given.seeds for row in ROWS]:
        if given.rows and row.name not in given.rows:
            continue
        if row.kind == "likelihood" and seed > min(given.seeds):
            continue  # nothing in it is drawn
        try_row(row, seed, plan, test, results, folder)
    take_in(results, folder)
    combine(plan, test, results)
    compare(plan, test, results)
    write(results, folder)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [row.name for row in ROWS]
    parser.add_argument(
        "--rows", nargs="*", metavar="ROW", help=f"of {', '.join(names)}; default: all; nothing: samples"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--minutes", type=float, default=45.0, help="processor time of each training (networks)")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--trials", type=int, default=25, help="of the searches for likelihood and trees; 0: none")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16", help="of the networks")
    parser.add_argument("--events", nargs="+", default=[], metavar="PROCESS=TRAIN,TEST", help="events of a source")
    parser.add_argument("--output", type=Path, help="folder of results; default: this one")
    parser.add_argument("--quick", action="store_true", help="a few thousand candidates; results under .work/quick")
    given = parser.parse_args()
    unknown = set(given.rows or ()) - set(names)
    if unknown:
        parser.error(f"--rows: there is no row {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return given


def sized(given: argparse.Namespace) -> tuple[Source, ...]:
    """Sources with the numbers that were asked for."""
    wanted = dict(QUICK) if given.quick else {}
    for one in given.events:
        name, _, numbers = one.partition("=")
        train, _, test = numbers.partition(",")
        wanted[name] = int(train), int(test)
    unknown = set(wanted) - {one.process for one in SOURCES}
    if unknown:
        sys.exit(f"--events: no source {sorted(unknown)}; there are {[one.process for one in SOURCES]}")
    sizes = {one: wanted.get(one.process, (one.train, one.test)) for one in SOURCES}
    return tuple(replace(one, train=train, test=test) for one, (train, test) in sizes.items())


def opened(path: Path, samples: dict[str, Any]) -> dict[str, Any]:
    """Results so far, if they are of the same samples; others are begun anew."""
    if path.exists():
        stored: dict[str, Any] = restored(json.loads(path.read_text(encoding="utf-8")))
        if stored["samples"]["digest"] == samples["digest"]:
            return stored
        say("the samples are others than those of RESULTS.json: the table is begun anew")
    return {"samples": samples, "rows": {}}


def jets_of(test: Measured) -> dict[str, Any]:
    """How many jets check the fakes, and what their weights leave of them."""
    weight = test.columns["weight"][test.check]
    if not len(weight):
        return {}
    return {"jets": {"n": len(weight), "effective": float(weight.sum() ** 2 / np.sum(weight**2))}}


def counts_of(test: Measured) -> dict[str, int]:
    """Background candidates by class."""
    return {name: int(test.of_class(value).sum()) for value, name in CLASSES.items()}


def try_row(row: Row, seed: int, plan: Plan, test: Measured, results: dict[str, Any], folder: Path) -> None:
    """Fill a row unless the table has it, with as many minutes at least; measure it, write the table."""
    take_in(results, folder)
    told = results["rows"].setdefault(
        row.name,
        {"title": row.title, "sees": row.sees, "kind": row.kind, "variables": row.n_variables, "runs": {}},
    )
    there = told["runs"].get(str(seed))
    if there and (row.kind != "network" or there["training"]["minutes_allowed"] >= plan.minutes):
        return
    say(f"{row.name}, seed {seed}")
    training = fill(row, seed, plan)
    score = score_of(scores_file(row.name, seed, plan), test, shares=plan.shares)
    run = {"training": training, "numbers": numbers_of(score, test), "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}
    told["runs"][str(seed)] = run
    write(results, folder)


def compare(plan: Plan, test: Measured, results: dict[str, Any]) -> None:
    """Ratios to the likelihood and to the best forest, where they are missing and the scores are there."""
    runs = {
        (row.name, seed): run
        for row in ROWS
        for seed, run in results["rows"].get(row.name, {"runs": {}})["runs"].items()
    }
    for (name, seed), run in runs.items():
        trained = replace(plan, minutes=run["training"].get("minutes_allowed", plan.minutes))
        over = run.setdefault("over", {})
        for rival in rivals_of(name, results):
            files = [scores_file(name, int(seed), trained), scores_file(rival, 1, plan)]
            if rival not in over and all(file.exists() for file in files):
                score, reference = (score_of(file, test, shares=plan.shares) for file in files)
                over[rival] = ratio_of(score, reference, test)


def rivals_of(name: str, results: dict[str, Any]) -> list[str]:
    """Rows that this one is compared with: the likelihood, and for networks the best forest."""
    kind = results["rows"][name]["kind"]
    found = ["likelihood"] if name != "likelihood" else []
    forests = {
        name: min(run["numbers"]["points"]["loose"][0] for run in one["runs"].values())
        for name, one in results["rows"].items()
        if one["kind"] == "trees" and one["runs"]
    }
    return found + ([min(forests, key=forests.__getitem__)] if forests and kind == "network" else [])


def combine(plan: Plan, test: Measured, results: dict[str, Any]) -> None:
    """Rows that are made of the scores of two others."""
    for one in COMBINATIONS:
        files = [scores_file(name, 1, plan) for name in one.rows]
        if not all(file.exists() for file in files):
            continue
        scores = [score_of(file, test, shares=plan.shares) for file in files]
        score = combined((scores[0], scores[1]), test, how=one.how)
        run: dict[str, Any] = {"training": {}, "numbers": numbers_of(score, test)}
        reference = scores_file("likelihood", 1, plan)
        if reference.exists():
            run["over"] = {"likelihood": ratio_of(score, score_of(reference, test, shares=plan.shares), test)}
        results["rows"][one.name] = {
            "title": one.title,
            "sees": f"scores of {' and '.join(one.rows)}",
            "kind": "combination",
            "variables": 2,
            "runs": {"1": run},
        }


def take_in(results: dict[str, Any], folder: Path) -> None:
    """Rows that another run, filling others of the same samples, has written meanwhile."""
    path = folder / "RESULTS.json"
    stored = restored(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {"samples": {}}
    if stored["samples"].get("digest") != results["samples"]["digest"]:
        return
    for name, row in stored["rows"].items():
        runs = results["rows"].setdefault(name, row)["runs"]
        for seed, run in row["runs"].items():
            if seed not in runs or run.get("date", "") > runs[seed].get("date", ""):
                runs[seed] = run


def write(results: dict[str, Any], folder: Path) -> None:
    """JSON, figures and page."""
    take_in(results, folder)
    order = [*(row.name for row in ROWS if row.kind != "network"), *(one.name for one in COMBINATIONS)]
    order += [row.name for row in ROWS if row.kind == "network"]
    results["rows"] = {name: results["rows"][name] for name in order if name in results["rows"]}
    results["figures"] = draw_all(results, folder / "figures")
    results["made"] = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    plain = json.dumps(to_dict(results), allow_nan=False)
    rounded = json.loads(plain, parse_float=lambda one: float(f"{float(one):.6g}"))
    (folder / "RESULTS.json").write_text(in_lines(rounded, depth=6) + "\n", encoding="utf-8")
    (folder / "RESULTS.md").write_text(as_markdown(rounded), encoding="utf-8")


def in_lines(value: Any, *, depth: int, indent: int = 1) -> str:
    """JSON with a line for each key down to a depth, so that a diff shows which row changed."""
    if depth == 0 or not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    items = (f"{json.dumps(key)}: {in_lines(one, depth=depth - 1, indent=indent + 1)}" for key, one in value.items())
    space = "\n" + " " * indent
    return "{" + space + f",{space}".join(items) + space[:-1] + "}"


def say(line: str) -> None:
    """A line with the time."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


if __name__ == "__main__":
    main()
