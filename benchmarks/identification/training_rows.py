"""Fill a row: search, plan the epochs, train, predict. Everything is done by calotools' own stages."""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contenders import Row, row_named

from calotools.deploy import load_bundle
from calotools.images import ImageStore
from calotools.recipe import PredictConfig, PrepareConfig, TrainConfig, TuneConfig, read_toml
from calotools.stages import predict, prepare, train, tune

__all__ = ["Plan", "fill", "scores_file"]

PROBE = 6_000  # candidates of the training that measures the speed
SEARCHED = 60_000  # candidates of a trial


@dataclass(frozen=True)
class Plan:
    """What is common to all rows.

    Attributes
    ----------
    work : path
        Stores, trainings and scores.
    train, test : list of str
        Files.
    selection : tuple of str
    class_weights : dict
        That give the background its composition.
    shares : dict
        The composition, by class_true.
    minutes : float
        Processor minutes of a training.
    threads, trials : int
    precision : str
    digests : dict of str to str
        Of the training and of the test sample.
    report : callable
        ``report(line)``.
    """

    work: Path
    train: list[str]
    test: list[str]
    selection: tuple[str, ...]
    class_weights: Mapping[int, float]
    shares: Mapping[int, float]
    minutes: float
    threads: int
    trials: int
    precision: str
    digests: Mapping[str, str]
    report: Callable[[str], None]


def fill(row: Row, seed: int, plan: Plan) -> dict[str, Any]:
    """Train a row and score the test sample; what is there already is not done again.

    Returns
    -------
    dict
        Of the training: parameters, epochs, times.
    """
    scores = scores_file(row.name, seed, plan)
    folder, trained = scores.parent, scores.with_name("trained.json")
    if not trained.exists():  # a training that was interrupted goes on from its checkpoint
        folder.mkdir(parents=True, exist_ok=True)
        told = _train(row, _recipe(row, plan, output=folder / "training", seed=seed), folder, plan)
        trained.write_text(json.dumps(told, indent=1))
    if not scores.exists():
        model = folder / "training"
        predict(PredictConfig(model=model, files=plan.test, output=scores, threads=plan.threads))
    return dict(json.loads(trained.read_text()))


def scores_file(name: str, seed: int, plan: Plan) -> Path:
    """Where a row's scores of the test sample are; a network that was given other minutes is another one."""
    long = f"-{plan.minutes:g}m" if row_named(name).kind == "network" else ""
    folder = plan.work / "rows" / plan.digests["train"] / f"{name}-{seed}{long}"
    return folder / f"scores_{plan.digests['test']}.root"


def _recipe(row: Row, plan: Plan, *, output: Path, seed: int, **changes: Any) -> TrainConfig:
    """The recipe as the row has it, on the benchmark's sample."""
    common: dict[str, Any] = {
        "output": output,
        "sample": {"files": plan.train, "tree": "electrons", "selection": plan.selection},
        "classes": row.changes.get("classes", {"background": [2, 3, 4, 5], "signal": [0]}),
        "class_weights": dict(plan.class_weights),
        "test_fraction": 0.0,
        "seed": seed,
        "trainer": {"threads": plan.threads},
    }
    table = _merge(_merge(read_toml(row.path), dict(row.changes)), common)
    table = _merge(table, {"model": {"settings": _found(row, plan)}})
    if row.kind == "network":
        table = _merge(table, {"store": _store(row, plan), "trainer": {"precision": plan.precision}})
    return TrainConfig(**_merge(table, changes))


def _merge(base: dict[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    nested = {
        key: _merge(base[key], value)
        for key, value in top.items()
        if key not in ("classes", "class_weights") and isinstance(value, Mapping) and isinstance(base.get(key), dict)
    }
    return {**base, **top, **nested}


def _store(row: Row, plan: Plan) -> Path:
    """Rows that see the same share a store."""
    table = _merge(read_toml(row.path), dict(row.changes))
    seen = repr([table.get(name) for name in ("images", "scalars", "tracks", "max_tracks", "reweight")])
    return plan.work / "stores" / f"{plan.digests['train']}_{hashlib.sha256(seen.encode()).hexdigest()[:12]}"


def _found(row: Row, plan: Plan) -> dict[str, Any]:
    """Settings that a search has found, of this row or of the one whose search it uses."""
    if not row.search_of or plan.trials == 0:
        return {}
    owner = row_named(row.search_of)
    folder = plan.work / "searches" / f"{plan.digests['train']}_{owner.name}"
    if not (folder / "best.toml").exists():
        plan.report(f"search for {owner.name}, {plan.trials} trials")
        own = _recipe(owner, replace(plan, trials=0), output=folder, seed=1)
        table = own.model_dump(mode="python") | {"trials": plan.trials, "search": dict(owner.search)}
        table["sample"] |= {"max_candidates": SEARCHED}
        tune(TuneConfig(**table))
    best: dict[str, Any] = read_toml(folder / "best.toml")["model"]["settings"]
    return {name.rpartition(".")[2]: best[name.rpartition(".")[2]] for name in owner.search}


def _train(row: Row, config: TrainConfig, folder: Path, plan: Plan) -> dict[str, Any]:
    """Train, and say what it took."""
    planned: dict[str, Any] = {}
    if row.kind == "network":
        prepare(PrepareConfig(**config.model_dump()))
        planned = _planned(row, folder, plan)
        config = config.model_copy(update={"trainer": config.trainer.model_copy(update={"epochs": planned["epochs"]})})
    start, wall = time.process_time(), time.perf_counter()
    outcome = train(config)
    record = outcome.results["record"]
    told = {
        "parameters": _size(row, outcome.results["record"], folder),
        "candidates": record["n"],
        "best": record["best"],
        "minutes_allowed": plan.minutes,
        "train_cpu_s": time.process_time() - start,
        "train_wall_s": time.perf_counter() - wall,
        "threads": plan.threads,
        "settings": config.model.settings,
        **planned,
    }
    if row.kind == "network":
        log = list(csv.DictReader((config.output / "log.csv").open()))
        told |= {"epochs_done": len(log), "best_epoch": record["best_epoch"], "precision": config.trainer.precision}
        told["epoch_cpu_s"] = planned["cpu_s_per_candidate"] * record["n"]["train"]
    return told


def _planned(row: Row, folder: Path, plan: Plan) -> dict[str, Any]:
    """As many epochs as fit into the minutes, from the speed of a short training; decided once for a row."""
    path = folder / "plan.json"
    if not path.exists():
        config = _recipe(row, plan, output=folder / "probe", seed=1, trainer={"epochs": 1}, overwrite=True)
        sample = config.sample.model_copy(update={"max_candidates": PROBE})
        times: list[tuple[int, float]] = []

        def watch(task: str, done: int, _total: int) -> None:
            if task == "train":
                times.append((done, time.process_time()))

        train(config.model_copy(update={"sample": sample, "store": None}), progress=watch)
        (first, began), (last, ended) = times[len(times) // 3], times[-1]
        each = (ended - began) / (last - first)
        n = _in_training(config)
        epochs = max(1, int(60 * plan.minutes / (each * n)))
        path.write_text(json.dumps({"epochs": epochs, "cpu_s_per_candidate": each}))
        plan.report(f"{row.name}: {1e6 * each:.0f} µs a candidate, {n} candidates, {epochs} epochs")
    return dict(json.loads(path.read_text()))


def _in_training(config: TrainConfig) -> int:
    return int(len(ImageStore.open(config.store or config.output / "store")) * (1 - config.validation_fraction))


def _size(row: Row, record: Mapping[str, Any], folder: Path) -> int:
    """Parameters of a network, leaves of a forest, contents of the densities' bins."""
    if row.kind == "network":
        return int(record["parameters"])
    arrays = load_bundle(folder / "training").variable_model().arrays()
    if row.kind == "likelihood":
        return int(arrays["log_ratio"].size)
    lines = [line for one in arrays.values() for line in bytes(one).decode().splitlines()]
    return sum(int(line.partition("=")[2]) for line in lines if line.startswith("num_leaves="))
