"""Electron, jet, muon or tau: the network of 2017 and the variants that were studied then, on the same candidates.

    python benchmarks/objects/run.py                        # rows that are missing, one after the other
    python benchmarks/objects/run.py --rows baseline selu --seeds 1 2 3
    python benchmarks/objects/run.py --quick                # shows that it runs

Simulates Z -> ee, mumu and tautau with Pythia (once; kept in benchmarks/.work/objects) and trains each row for at most
--minutes of processor time. RESULTS.json, RESULTS.md and the figures are written after every row; a row that ran out of
time goes on where it was the next time.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import time
from pathlib import Path
from typing import Any

from object_page import as_markdown, best_of, numbers_of
from object_variants import VARIANTS

from calotools.deploy import load_bundle
from calotools.recipe import EvaluateConfig, PredictConfig, SimulateConfig, TrainConfig, read_toml
from calotools.stages import evaluate, predict, simulate, train

HERE = Path(__file__).parent
WORK = HERE.parent / ".work" / "objects"
RECIPE = HERE.parents[1] / "examples" / "recipes" / "objects.toml"
PROCESSES = ("zee", "zmumu", "ztautau")
SEED = 21
EPOCHS = 8


class TimeUpError(Exception):
    """A row has had its minutes."""


def main() -> None:
    """Simulate, train, measure, write."""
    given = arguments()
    work = WORK / ("quick" if given.quick else f"{given.events}")
    results_path = (work if given.quick else HERE) / "RESULTS.json"
    files = samples(work, given)
    results = opened(results_path, files, given)
    for seed, name in [(seed, name) for seed in given.seeds for name in given.rows]:
        row = f"{name}/{seed}"
        if row in results["rows"] and results["rows"][row]["finished"]:
            continue
        print(row, flush=True)
        before = results["rows"].get(row, {"minutes": 0.0})["minutes"]
        found = fill(work, files, name, seed, given)
        results["rows"][row] = found | {"minutes": before + found["minutes"]}
        write(results, results_path, work)
    write(results, results_path, work)
    print(as_markdown(results))


def write(results: dict[str, Any], path: Path, work: Path) -> None:
    """JSON, page and its figures, with the rows that another run has finished meanwhile."""
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"sample": None}
    if stored["sample"] == results["sample"]:
        for key, row in stored["rows"].items():
            if row["finished"] and not results["rows"].get(key, {"finished": False})["finished"]:
                results["rows"][key] = row
    order = list(VARIANTS)
    results["rows"] = dict(sorted(results["rows"].items(), key=lambda one: order.index(one[0].split("/")[0])))
    path.write_text(json.dumps(results, indent=1), encoding="utf-8")
    path.with_suffix(".md").write_text(as_markdown(results), encoding="utf-8")
    show(work, path.parent / "figures", results)


def show(work: Path, folder: Path, results: dict[str, Any]) -> None:
    """The figures of the best row beside the page."""
    name, _, seed = best_of(results["rows"]).partition("/")
    if not name:
        return
    folder.mkdir(parents=True, exist_ok=True)
    found = work / "rows" / f"{name}-{seed}-{results['rows'][f'{name}/{seed}']['epochs_allowed']}"
    for path in (found / "measured" / "figures").glob("*.png"):
        shutil.copyfile(path, folder / path.name)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=list(VARIANTS), default=list(VARIANTS), metavar="ROW")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--events", type=int, default=10_000, help="of each process")
    parser.add_argument("--epochs", type=int, help=f"default: {EPOCHS}, or the row's own")
    parser.add_argument("--minutes", type=float, default=45.0, help="processor time of each training in one go")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="300 events of each, 2 epochs; results under .work")
    given = parser.parse_args()
    if given.quick:
        given.events, given.epochs, given.rows = 300, 2, given.rows[:2]
    return given


def samples(work: Path, given: argparse.Namespace) -> list[str]:
    """Files of each process; those that are there stay."""
    paths = [work / f"{process}.root" for process in PROCESSES]
    for process, path in zip(PROCESSES, paths, strict=True):
        if not path.exists():
            print(f"simulate {process}", flush=True)
            options: Any = {"process": process, "generator": "pythia", "tree": "objects", "n": given.events}
            simulate(SimulateConfig(**options, seed=SEED, jobs=given.threads, output=path))
    return [str(path) for path in paths]


def opened(path: Path, files: list[str], given: argparse.Namespace) -> dict[str, Any]:
    """Results so far; of other candidates they are put away."""
    sample = {"events": given.events, "seed": SEED, "processes": list(PROCESSES), **numbers_of(files)}
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["sample"] == sample:
            return dict(found)
        path.replace(path.with_suffix(".old.json"))
    return {"sample": sample, "rows": {}}


def fill(work: Path, files: list[str], name: str, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    """Train a row as far as its time goes, and measure what it has reached on the test part."""
    config = recipe_of(work, files, name, seed, given)
    start = time.process_time()

    def watch(task: str, done: int, total: int) -> None:
        if task == "train" and 0 < done < total and time.process_time() - start > 60 * given.minutes:
            raise TimeUpError

    if (config.output / "model.calo").exists():  # it was trained, and interrupted while it was measured
        record = load_bundle(config.output).record
        epochs = csv.DictReader((config.output / "log.csv").read_text(encoding="utf-8").splitlines())
        minutes = sum(float(one["seconds"]) for one in epochs) / 60
    else:
        try:
            record = train(config, progress=watch).results["record"]
        except TimeUpError:
            return {"finished": False, "minutes": (time.process_time() - start) / 60}
        minutes = (time.process_time() - start) / 60
    scores = config.output / "scores.root"
    options: Any = {"model": config.output, "files": tuple(files), "output": scores, "threads": given.threads}
    predict(PredictConfig(**options, overwrite=True))
    asked: Any = {"files": tuple(files), "scores": (scores,), "output": config.output / "measured"}
    found = evaluate(EvaluateConfig(**asked, overwrite=True)).results
    matrix = found["confusion"]
    return {
        "finished": True,
        "minutes": minutes,
        "parameters": record["parameters"],
        "best_epoch": record["best_epoch"],
        "epochs": len(record["history"]),
        "epochs_allowed": config.trainer.epochs,
        "train": record["n"]["train"],
        "classes": list(matrix.names),
        "n": found["n"],
        "value": matrix.value.tolist(),
        "low": matrix.low.tolist(),
        "high": matrix.high.tolist(),
        "mean_probability": {key: [float(x) for x in one] for key, one in found["mean_probability"].items()},
        "one_candidate": {key: one["probability"] for key, one in found["one_candidate"].items()},
    }


def recipe_of(work: Path, files: list[str], name: str, seed: int, given: argparse.Namespace) -> TrainConfig:
    """The shipped recipe with a row's changes; rows that see the same have one store."""
    values = read_toml(RECIPE)
    changes = dict(VARIANTS[name].changes)
    values["sample"] |= {"files": files}
    values["model"]["settings"] |= changes.pop("settings", {})
    given_to_all = {"epochs": EPOCHS, "threads": given.threads, "precision": "bf16"}
    values["trainer"] |= given_to_all | changes.pop("trainer", {})
    values |= changes
    if given.epochs:
        values["trainer"]["epochs"] = given.epochs
    folder = work / "rows" / f"{name}-{seed}-{values['trainer']['epochs']}"
    store = work / ("store_tracks" if "tracks" in changes else "store")
    return TrainConfig(**values | {"output": folder, "store": store, "seed": seed})


if __name__ == "__main__":
    main()
