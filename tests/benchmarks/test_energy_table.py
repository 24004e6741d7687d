"""The table of energies: its rows are recipes that exist, its words follow from its numbers."""

import importlib
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import numpy as np
import pytest

from calotools.analysis import read_numbers, write_numbers
from calotools.containers import Resolution
from calotools.recipe import TrainConfig, TuneConfig
from calotools.training.sample.labels import check_inputs
from calotools.variables import select

HOME = Path(__file__).parents[2] / "benchmarks" / "energy"
EDGES = {
    "abs_eta": np.array([0.0, 1.37, 2.47]),
    "et_true": np.array([10.0, 50.0, 300.0]),
    "mu": np.array([0.0, 30.0, 40.0, 80.0]),
}


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmark, whose folder is no package."""
    monkeypatch.syspath_prepend(str(HOME))
    return importlib.import_module


def resolution(gains, *, axis=None, error=0.01):
    gains = np.atleast_1d(np.asarray(gains, float))
    metrics = {"bias": 0 * gains, "iqr": 0.02 * (1 - gains), "sigma68": 0.015 * (1 - gains), "mae": 1 - gains}
    metrics |= {"rel_improvement": gains, "rel_improvement_corr": gains, "ratio": 1 / (1 - gains)}
    errors = {name: np.full(len(gains), error * (0.02 if name == "iqr" else 1)) for name in metrics}
    return Resolution(metrics, errors, {axis: EDGES[axis]} if axis else {}, np.full(len(gains), 50), "row")


def numbers_of(gain, *, rise=0.0, conversion=False):
    regions = {name: resolution(gain) for name in ("barrel", "crack", "endcap")}
    binned = {axis: resolution(gain + rise * np.arange(len(edges) - 1), axis=axis) for axis, edges in EDGES.items()}
    found = {"inclusive": resolution(gain), "binned": binned, "regions": regions}
    if conversion:
        classes = {"unconverted": 0.1, "converted": -0.1}
        found["conversion"] = {name: numbers_of(gain + one, rise=rise) for name, one in classes.items()}
    return found


def filled(gain, *, seed=1, **shape):
    cost = {
        "parameters": 1234,
        "n_train": 100,
        "epochs": 3.0,
        "seconds": 60.0,
        "cpu_seconds": 30.0,
        "candidates_per_s": 5.0,
    }
    key = {"simulation": "abc", "train": 100, "test": 50}
    row = {"numbers": numbers_of(gain, **shape), "cost": cost | {"apply_per_s": 9.0}, "n_test": 50, "seed": seed}
    return row | {"key": key, "minutes": 10.0, "threads": 1}


def test_every_row_is_a_recipe_that_sees_no_truth(load):
    rows, filling, simulated = (load(name) for name in ("table_rows", "filling", "simulated"))
    sample = simulated.Sample("electrons", "full", ("a.root",), ("b.root",))
    for row in rows.ROWS.values():
        for part in row.parts:
            recipe = filling._recipe(part, sample, filling.Limits(1, 1, 2, 9, 3), seed=2, place=Path("somewhere"))
            config = TuneConfig(**recipe) if row.trees else TrainConfig(**recipe)
            check_inputs(config)
            assert config.sample.tree == row.particle
            assert (config.test_fraction, config.sample.files) == (0.0, ("a.root",))


def test_parts_of_a_row_share_the_candidates_and_the_time(load):
    rows = load("table_rows").ROWS
    places = {"eta": np.linspace(-2.46, 2.46, 83), "conversion_type": np.arange(83) % 3}
    for row in rows.values():
        masks = [select(places, [part.where] if part.where else []).mask for part in row.parts]
        assert (np.sum(masks, axis=0) == 1).all(), row.name
        assert sum(part.share for part in row.parts) == pytest.approx(1)


def test_published_networks_have_the_published_inputs(load):
    rows = load("table_rows").ROWS
    assert [len(rows[name].parts[0].changes["scalars"]) for name in ("lgbm_9", "lgbm_12")] == [9, 12]
    assert rows["cnn_ist"].parts[0].changes["images"]["quantities"] == ["energy", "time"]


def test_page_says_what_the_numbers_say(load, tmp_path):
    found = {name: filled(gain) for name, gain in (("tree/1", 0.0), ("lgbm_12/1", 0.02), ("cnn_i/1", 0.01))}
    found |= {
        "compact/1": filled(0.2, rise=0.03),
        "compact/2": filled(0.24, seed=2, rise=0.03),
        "tree_photons/1": filled(0.0),
    }
    found |= {"compact_photons/1": filled(0.15, conversion=True), "compact_clean/1": filled(0.4)}
    key = found["tree/1"]["key"]
    comparisons = {
        "cnn_i over lgbm_12 where abs(eta) < 1.3": {"value": -0.01, "error": 0.002, "key": key},
        "compact over cnn_is": {"value": 0.01, "error": 0.02, "key": key},
        "cnn_is over cnn_i": {"value": 0.1, "error": 0.01, "key": key | {"train": 7}},
    }
    found["cloud/1"] = filled(0.9) | {"key": key | {"train": 7}}
    path = write_numbers(tmp_path / "RESULTS.json", {"rows": found, "comparisons": comparisons})
    load("page").write(read_numbers(path), tmp_path)
    text = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    lines = {line.split(" | ")[0].lstrip("| "): line for line in text.splitlines() if line.startswith("|")}
    assert "**does not hold**" in lines["cnn(i) is better than LGBM(12): barrel"]
    assert "no difference seen" in lines["the compact network is better than cnn(i, s)"]
    assert "not measured yet" in lines["LGBM(12) is better than LGBM(9): barrel"]
    assert "| compact (i, s, r) | – | 22.0 ± 1.0 [2.8] |" in text
    assert "| compact (i, s, r) | – | 15.0 ± 1.0 |" in text
    assert lines["electrons"].endswith("| 22.0 ± 2.2 | 55 ± 6 % |")  # of the 40 % that there are
    assert "**not reached**" in lines["converted photons"]
    assert "grows, as published" in lines["compact (i, s, r), electrons"]
    assert "**Partial**: not filled yet: lgbm_9," in text
    # of other sizes than the trees: in a table of its own, and in no statement
    before, _, older = text.partition("## Rows that learnt from another number of candidates")
    assert "cells as points, attention" not in before
    assert "| cells as points, attention | – | 90.0 ± 1.0 | – |" in older
    assert "not measured yet" in lines["scalars help: cnn(i, s) is better than cnn(i)"]
    assert (tmp_path / "figures" / "gain_electrons_mu.png").stat().st_size > 10_000


def test_slope_of_a_line_is_found(load):
    gains = resolution(0.1 + 0.002 * np.array([15.0, 35.0, 60.0]), axis="mu")
    slope, error = load("claims").slope(gains, "mu")
    assert slope == pytest.approx(0.002)
    assert 0 < error < 0.001


def test_a_worse_place_is_seen_beside_one_of_larger_errors(load):
    gains = resolution([0.1, -0.03, -0.04], axis="mu")
    gains.errors["rel_improvement"][:] = 0.01, 0.01, 0.05
    assert load("claims").somewhere_worse(gains)
    gains.errors["rel_improvement"][:] = 0.01, 0.02, 0.05
    assert not load("claims").somewhere_worse(gains)


def test_seeds_of_a_row_are_averaged_everywhere(load):
    seeds = load("seeds")
    rows = {f"compact/{seed}": filled(0.05 * seed, seed=seed, conversion=True) for seed in (10, 2, 3)}
    assert [one["seed"] for one in seeds.each_seed(rows, "compact")] == [2, 3, 10]
    found = seeds.numbers_of(rows, "compact")
    for one, shift in ((found, 0.0), (found["conversion"]["converted"], -0.1)):
        for part in (one["inclusive"], one["regions"]["crack"], one["binned"]["mu"]):
            assert part.metrics["rel_improvement"] == pytest.approx(0.25 + shift)
            assert part.errors["rel_improvement"] == pytest.approx(
                np.hypot(0.01, np.std([0.1, 0.15, 0.5], ddof=1) / 3**0.5)
            )
    assert seeds.numbers_of(rows, "tree") is None
    honest = {seed: {"inclusive": resolution(gain)} for seed, gain in ((1, 0.1), (2, 0.3))}
    rows = {f"compact_sigma/{seed}": filled(0.1, seed=seed) | {"honesty": one} for seed, one in honest.items()}
    assert seeds.honesty_of(rows)["inclusive"].metrics["iqr"] == pytest.approx(0.02 * 0.8)
    assert seeds.honesty_of({"compact/1": filled(0.1)}) is None


def test_a_row_is_compared_with_the_trees_of_its_seed(load, tmp_path, monkeypatch):
    run, filling = load("run"), load("filling")
    energies = {"tree": 1.0, "compact": 100.0, "lgbm_9": 10.0}
    test = SimpleNamespace(kept=np.ones(2, bool), column=lambda name: np.zeros(2))

    def fill(row, sample, limits, *, seed, folder):
        monkeypatch.setitem(said, (row.name, seed), np.full(2, energies[row.name] * seed))
        return filling.Filled([said[row.name, seed]], [], {})

    said = {}
    monkeypatch.setattr(run.simulated, "WORK", tmp_path)
    monkeypatch.setattr(run.simulated, "make", lambda *which: None)
    monkeypatch.setattr(run.simulated, "digest", lambda: "abc")
    monkeypatch.setattr(run.simulated, "described", lambda sample: {"digest of its candidates": "abc"})
    monkeypatch.setattr(run, "fill", fill)
    monkeypatch.setattr(run, "energy_of", lambda row, energies, test: energies[0])
    monkeypatch.setattr(run, "smeared", lambda trees, abs_eta: trees + 0.5)
    monkeypatch.setattr(run, "measure", lambda energy, test, trees: [float(energy[0]), float(trees[0])])
    monkeypatch.setattr(run.Table, "test", lambda table, row: test)
    monkeypatch.setattr(run.Table, "energy", lambda table, name, seed=1: said.get((name, seed)))
    monkeypatch.setattr(run.Table, "write", lambda table: None)
    monkeypatch.setattr(run.Table, "read", lambda table: None)
    table = run.Table(tmp_path, run.simulated.Size("full", train=9, test=9), replicas=2)
    table.numbers = {"rows": {}, "comparisons": {}}
    limits = filling.Limits(1, 1, 1, 1, 1)
    with pytest.raises(SystemExit, match="row 'compact' is compared with 'tree', which is not there; fill it first"):
        run.fill_row(table, run.ROWS["compact"], 1, limits)
    for name, seed in (("tree", 1), ("compact", 1), ("compact", 2), ("lgbm_9", 3)):
        run.fill_row(table, run.ROWS[name], seed, limits)
    assert {name: row["numbers"] for name, row in table.numbers["rows"].items()} == {
        "tree/1": [1, 1],
        "layer_sum/1": [0, 1],
        "tree_smeared/1": [1.5, 1],
        "compact/1": [100, 1],
        "compact/2": [200, 1],  # there are no others yet
        "lgbm_9/3": [30, 1],
    }
    run.fill_row(table, run.ROWS["tree"], 2, limits)
    after = {name: row["numbers"] for name, row in table.numbers["rows"].items()}
    assert after["compact/2"] == [200, 2]
    assert (after["tree/2"], after["layer_sum/2"], after["tree_smeared/2"]) == ([2, 2], [0, 2], [2.5, 2])
    assert (after["compact/1"], after["lgbm_9/3"], after["tree/1"]) == ([100, 1], [30, 1], [1, 1])


def test_runs_that_fill_other_rows_wait_for_each_other(load, tmp_path, monkeypatch):
    run = load("run")
    monkeypatch.setattr(run.simulated, "WORK", tmp_path / "work")
    order = []

    def other():
        with run._alone(tmp_path):
            order.append("other")

    thread = Thread(target=other)
    with run._alone(tmp_path):
        thread.start()
        thread.join(0.2)
        order.append("this one")
    thread.join()
    assert order == ["this one", "other"]


def test_a_row_of_another_sample_size_is_kept_beside_the_new_one(load, tmp_path, monkeypatch):
    run, simulated = load("run"), load("simulated")
    monkeypatch.setattr(simulated, "digest", lambda: "abc")
    table = run.Table(tmp_path, simulated.Size("full", train=100, test=50), replicas=2)
    table.put("compact", 1, filled(0.1))
    table.put("tree", 1, filled(0.0))
    assert "other_sizes" not in table.numbers

    table.size = simulated.Size("full", train=400, test=50)
    more = filled(0.25)
    table.put("compact", 1, more | {"cost": more["cost"] | {"n_train": 400}})
    table.put("tree", 1, filled(0.0))
    assert table.numbers["other_sizes"] == {
        "compact/100": {
            "gains": {"all": (0.1, 0.01)},
            "cost": {"n_train": 100, "parameters": 1234, "epochs": 3.0, "seconds": 60.0, "cpu_seconds": 30.0},
        }
    }
    table.write()
    page = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "| compact (i, s, r), electrons | 100 | 1,234 | 3 | 1.0 (0.5) | 10.0 ± 1.0 | – | – |" in page
    assert "| compact (i, s, r), electrons | 400 | 1,234 | 3 | 1.0 (0.5) | 25.0 ± 1.0 | – | – |" in page

    table.size = simulated.Size("full", train=100, test=50)  # back: it is the row, and no other size beside it
    table.put("compact", 1, filled(0.12))
    assert list(table.numbers["other_sizes"]) == ["compact/400"]


def test_what_is_kept_of_another_simulation_goes_with_it(load, tmp_path):
    run, simulated = load("run"), load("simulated")
    table = run.Table(tmp_path, simulated.Size("full", train=100, test=50), replicas=2)
    told = {"version": "1", "digest of its candidates": "abc", "digest of its tables": "d"}
    table.tell_simulation(told)
    table.numbers["other_sizes"] = {"compact/7": {}}
    table.tell_simulation(told | {"version": "2"})
    assert table.numbers["other_sizes"] == {"compact/7": {}}
    table.tell_simulation(told | {"digest of its candidates": "new"})
    assert "other_sizes" not in table.numbers
    assert table.numbers["simulation"]["digest of its candidates"] == "new"
