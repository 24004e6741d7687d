"""The page of the objects' rows says what their numbers say, and its variants are recipes."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from calotools.recipe import TrainConfig, read_toml

HOME = Path(__file__).parents[2] / "benchmarks" / "objects"
CLASSES = ["electron", "jet", "muon", "tau"]


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmark, whose folder is no package."""
    monkeypatch.syspath_prepend(str(HOME))
    return importlib.import_module


def row(*right):
    value = np.array([[p if j == k else (1 - p) / 3 for j in range(4)] for k, p in enumerate(right)])
    shape = {"value": value.tolist(), "low": (value - 0.01).tolist(), "high": (value + 0.01).tolist()}
    words = {"classes": CLASSES, "n": dict.fromkeys(CLASSES, 100), "parameters": 1250858}
    words |= {"mean_probability": {name: value[k].tolist() for k, name in enumerate(CLASSES)}}
    return {"finished": True, "minutes": 3.0, "best_epoch": 2, "epochs": 5, "epochs_allowed": 30, **words, **shape}


def test_page_tells_the_best_row_and_what_it_reaches(load):
    page = load("object_page")
    rows = {"baseline/1": row(0.9, 0.9, 0.9, 0.9), "selu/1": row(0.985, 0.99, 0.93, 0.95)}
    rows["mse/1"] = {"finished": False, "minutes": 45.0}
    sample = {"events": 10, "processes": ["zee"], "candidates": [7], "tables": "abc"}
    text = page.as_markdown({"sample": sample, "rows": rows})
    assert page.best_of(rows) == "selu/1"
    assert "## What is taken for what, the best row: `selu/1`" in text
    assert "the best of the study's" not in text
    assert "| electron | 100 | 98.5 ± 1.0 | 0.5 ± 1.0 | 0.5 ± 1.0 | 0.5 ± 1.0 | 98.5: reached |" in text
    assert "95.2: not reached |" in text
    assert "**Partial**: not filled yet: `rmsprop` (RMSprop); `sgd`" in text
    assert "`mse`" in text.split("**Partial**")[1].split("\n")[0]
    assert "| mse: mean squared error | 1 | (goes on in the next run)" in text
    assert page.best_of({"mse/1": rows["mse/1"]}) == ""
    rows["tracks/1"] = row(0.985, 0.99, 0.95, 0.95)
    text = page.as_markdown({"sample": sample, "rows": rows})
    assert "the best row: `tracks/1`" in text
    assert "the best of the study's: `selu/1`" in text


def test_every_variant_is_a_recipe(load, tmp_path):
    run, variants = load("run"), load("object_variants").VARIANTS
    given = type("Given", (), {"threads": 1, "epochs": None})()
    for name, variant in variants.items():
        config = run.recipe_of(tmp_path, ["a.root"], name, 2, given)
        assert isinstance(config, TrainConfig)
        assert config.resume
        assert not config.overwrite  # a training that ran out of time goes on
        for key, value in variant.changes.get("trainer", {}).items():
            assert getattr(config.trainer, key) == (tuple(value) if isinstance(value, list) else value)
        assert config.trainer.epochs == variant.changes.get("trainer", {}).get("epochs", run.EPOCHS)
        assert config.output.name == f"{name}-2-{config.trainer.epochs}"
        assert list(config.tracks) == variant.changes.get("tracks", [])
        assert (config.store.name == "store_tracks") == bool(config.tracks)
    settings = read_toml(run.RECIPE)["model"]["settings"]
    assert run.recipe_of(tmp_path, ["a.root"], "selu", 1, given).model.settings == settings | {"nonlinearity": "selu"}


def test_a_row_that_went_on_has_the_minutes_of_all_its_runs(load, tmp_path, monkeypatch):
    """And its figures stand beside the page as soon as it is finished."""
    run = load("run")
    sample = {"events": 10, "processes": ["zee"], "candidates": [7], "tables": "abc"}
    monkeypatch.setattr(run, "WORK", tmp_path)
    monkeypatch.setattr(run, "samples", lambda *_: ["a.root"])
    monkeypatch.setattr(run, "numbers_of", lambda _: sample)
    monkeypatch.setattr("sys.argv", ["run.py", "--quick", "--rows", "baseline"])
    figures = tmp_path / "quick" / "rows" / "baseline-1-30" / "measured" / "figures"
    figures.mkdir(parents=True)
    (figures / "confusion.png").write_bytes(b"drawn")
    for found, minutes in (({"finished": False, "minutes": 45.0}, 45.0), (row(0.9, 0.9, 0.9, 0.9), 48.0)):
        monkeypatch.setattr(run, "fill", lambda *_, found=found: found)
        run.main()
        text = (tmp_path / "quick" / "RESULTS.md").read_text(encoding="utf-8")
        assert f"| {minutes:.0f} |" in text
        assert (tmp_path / "quick" / "figures" / "confusion.png").exists() == found["finished"]


def test_two_runs_at_once_lose_no_row(load, tmp_path):
    """And the page has the order of the variants, whatever was finished first."""
    run, sample = load("run"), {"events": 10, "processes": ["zee"], "candidates": [7], "tables": "abc"}
    path = tmp_path / "RESULTS.json"
    run.write({"sample": sample, "rows": {"sgd/1": row(0.8, 0.8, 0.8, 0.8)}}, path, tmp_path)
    mine = {"sample": sample, "rows": {"baseline/1": row(0.9, 0.9, 0.9, 0.9)}}
    run.write(mine, path, tmp_path)
    assert list(mine["rows"]) == ["baseline/1", "sgd/1"]
    assert list(json.loads(path.read_text(encoding="utf-8"))["rows"]) == ["baseline/1", "sgd/1"]
    others = {"sample": sample | {"events": 20}, "rows": {}}
    run.write(others, path, tmp_path)
    assert others["rows"] == {}
