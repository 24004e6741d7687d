"""Fill one row: search (trees) or time (networks), train, apply to the test candidates. Whatever is done is kept."""

from __future__ import annotations

import csv
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from simulated import Sample
from table_rows import RECIPES, SELECTION, Part, Row, merged

from calotools import stages
from calotools.deploy import load_bundle
from calotools.ntuple import read_friend
from calotools.outputs import new_file
from calotools.recipe import PredictConfig, TrainConfig, TuneConfig, read_toml
from calotools.training import member_recipe

_PILOT = 8000  # candidates of the two epochs whose speed says how many there is time for
_VALIDATION = 0.1


@dataclass(frozen=True)
class Limits:
    """What a row may cost: minutes of training, threads, trials of a search and its candidates, epochs at most."""

    minutes: float
    threads: int
    trials: int
    searched: int
    epochs: int


@dataclass(frozen=True)
class Filled:
    """Energies of the test candidates by part of the row, and what they cost."""

    energy: list[np.ndarray]
    sigma: list[np.ndarray]
    cost: dict[str, Any]


def fill(row: Row, sample: Sample, limits: Limits, *, seed: int, folder: Path) -> Filled:
    """Train what is not trained and apply what is not applied."""
    costs, energies, sigmas = [], [], []
    for number, part in enumerate(row.parts):
        place = folder / str(number)
        if not (place / "cost.json").exists():
            _train(row, part, sample, limits, seed=seed, place=place)
        costs.append(json.loads((place / "cost.json").read_text(encoding="utf-8")))
        said = read_friend(place / "test.root").values
        energies.append(said["e_network"])
        sigmas.append(said.get("e_network_sigma", np.full(len(said["e_network"]), np.nan)))
    return Filled(energies, sigmas, _together(costs))


def _train(row: Row, part: Part, sample: Sample, limits: Limits, *, seed: int, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    wanted = _recipe(part, sample, limits, seed=seed, place=place)
    recipe = _searched(wanted, limits, place) if row.trees else _timed(wanted, part, limits, place)
    print(f"{row.name}, seed {seed}: training {place.name}", flush=True)
    begun = recipe.output.exists()  # by a run that was interrupted: what it took of the processor is not known
    start, cpu = time.perf_counter(), time.process_time()
    if not (recipe.output / "model.calo").exists():
        stages.train(recipe)
    seconds, cpu = time.perf_counter() - start, None if begun else time.process_time() - cpu
    start = time.process_time()
    stages.predict(
        PredictConfig(
            model=recipe.output,
            files=sample.test,
            output=place / "test.root",
            threads=limits.threads,
            accelerator=recipe.trainer.accelerator,
            batch_size=500,
            overwrite=True,  # what an interrupted run has applied says nothing of its time
        )
    )
    apply = time.process_time() - start
    cost = _cost(recipe, seconds=seconds, cpu=cpu) | {"apply_per_s": _n(place / "test.root") / max(apply, 1e-9)}
    cost |= json.loads((place / "plan.json").read_text(encoding="utf-8"))
    _write(place / "cost.json", json.dumps(cost, indent=1) + "\n")
    shutil.rmtree(recipe.output / "store", ignore_errors=True)  # a gigabyte that is made again in a minute


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a later run takes what is there for finished."""
    with new_file(path, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _n(friend: Path) -> int:
    return len(read_friend(friend).split)


def _recipe(part: Part, sample: Sample, limits: Limits, *, seed: int, place: Path) -> dict[str, Any]:
    """The shipped recipe, with what this benchmark and the part change."""
    cuts = (*SELECTION, part.where) if part.where else SELECTION
    common = {
        "output": place / "model",
        "seed": seed,
        "validation_fraction": _VALIDATION,
        "test_fraction": 0.0,
        "overwrite": False,
        "sample": {"files": sample.train, "selection": cuts},
        "trainer": {"threads": limits.threads},
    }
    return merged(merged(read_toml(RECIPES / f"{part.recipe}.toml"), part.changes), common)


def _searched(recipe: dict[str, Any], limits: Limits, place: Path) -> TrainConfig:
    """Trees with the settings that their search found best on the validation part."""
    best, plan = place / "search" / "best.toml", place / "plan.json"
    if not plan.exists():
        print(f"searching {limits.trials} settings", flush=True)
        fewer = {"sample": {"max_candidates": limits.searched}}
        changes = {"output": place / "search", "trials": limits.trials, "overwrite": True}
        start, begun = time.perf_counter(), (place / "search").exists()
        stages.tune(TuneConfig(**merged(recipe, merged(changes, fewer))))
        seconds = None if begun else time.perf_counter() - start
        facts = {"search_seconds": seconds, "trials": limits.trials, "searched": limits.searched}
        _write(plan, json.dumps(facts) + "\n")
    whole = {"output": place / "model", "overwrite": False, "sample": {"max_candidates": None}}
    return TrainConfig.from_toml(best, overrides=whole)


def _timed(recipe: dict[str, Any], part: Part, limits: Limits, place: Path) -> TrainConfig:
    """A network with as many epochs as there is time for; the same again when it is taken up later."""
    plan = place / "plan.json"
    if not plan.exists():
        rate = _rate(recipe, place / "pilot")
        shutil.rmtree(place / "pilot", ignore_errors=True)
        n = _count(recipe) * recipe.get("members", 1)
        epochs = int(np.clip(round(60 * limits.minutes * part.share * rate / n), 1, limits.epochs))
        facts = {"epochs": epochs, "pilot_candidates_per_s": rate, "about_n_train": n}
        _write(plan, json.dumps(facts) + "\n")
    epochs = json.loads(plan.read_text(encoding="utf-8"))["epochs"]
    return TrainConfig(**merged(recipe, {"trainer": {"epochs": epochs}}))


def _rate(recipe: dict[str, Any], place: Path) -> float:
    """Training candidates per second, validation included, of the second epoch of a short training."""
    shutil.rmtree(place, ignore_errors=True)
    pilot = {
        "output": place,
        "members": 1,
        "sample": {"max_candidates": _PILOT},
        "trainer": {"epochs": 2, "schedule": "constant"},
    }
    stages.train(TrainConfig(**merged(recipe, pilot)))
    return float(_log(place)[-1]["candidates_per_s"])


def _count(recipe: dict[str, Any]) -> int:
    from calotools.training import take_survey

    return int(take_survey(TrainConfig(**recipe)).tally.n[0].sum())


def _log(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _logs(recipe: TrainConfig) -> list[dict[str, str]]:
    """Epochs of a network, or of all members of an ensemble."""
    if recipe.members == 1:
        return _log(recipe.output)
    return [epoch for number in range(recipe.members) for epoch in _log(member_recipe(recipe, number).output)]


def _cost(recipe: TrainConfig, *, seconds: float, cpu: float | None) -> dict[str, Any]:
    """What the training was and took; of one that was interrupted, all its epochs count."""
    record = load_bundle(recipe.output).record
    cost = {
        "n_train": record["n"]["train"],
        "n_validation": record["n"]["validation"],
        "parameters": record.get("parameters"),
        "validation": record["best"],
        "seconds": seconds,
        "cpu_seconds": cpu,
        "settings": {"model": recipe.model.settings, "scalars": len(recipe.scalars), "tracks": len(recipe.tracks)},
    }
    if "parameters" in record:
        epochs = _logs(recipe)
        seconds = sum(float(one["seconds"]) for one in epochs)
        best = [one["best_epoch"] for one in record.get("members", [record])]
        cost |= {"epochs": recipe.trainer.epochs, "best_epoch": best, "seconds": seconds, "members": recipe.members}
        cost |= {"candidates_per_s": record["n"]["train"] * len(epochs) / seconds}
        cost |= {name: getattr(recipe.trainer, name) for name in ("batch_size", "learning_rate", "precision")}
    return cost


def _together(costs: list[dict[str, Any]]) -> dict[str, Any]:
    """Sums over the trainings of a row."""
    sums = ("n_train", "n_validation", "parameters", "seconds", "cpu_seconds")
    total = {name: sum(one[name] for one in costs) for name in sums if all(one[name] is not None for one in costs)}
    total |= {"apply_per_s": 1 / sum(1 / one["apply_per_s"] for one in costs)}
    if all("epochs" in one for one in costs):
        seen = sum(one["n_train"] * one["epochs"] for one in costs)
        trained = sum(one["n_train"] * one["epochs"] * one.get("members", 1) for one in costs)
        total |= {"candidates_per_s": trained / total["seconds"], "epochs": seen / total["n_train"]}
    return total | {"parts": costs}
