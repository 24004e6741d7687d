"""The identification benchmark's own arithmetic, its recipes, and that its page is that of its JSON."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from calotools.containers import Index
from calotools.recipe import TrainConfig, TuneConfig, read_toml

ROOM = Path(__file__).parents[2] / "benchmarks" / "identification"


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmark, whose folder is no package."""
    monkeypatch.syspath_prepend(str(ROOM))
    return importlib.import_module


def test_every_row_is_a_recipe(load, tmp_path):
    rows, filling = load("contenders"), load("training_rows")
    for row in rows.ROWS:
        table = filling._merge(read_toml(row.path), dict(row.changes))
        table |= {"output": tmp_path, "class_weights": {5: 2.0}, "search": row.search}
        made = (TuneConfig if row.search else TrainConfig)(**table)
        assert set(made.classes) == set(
            row.changes.get("classes", {"background", "signal"}) or {"background", "signal"}
        )
    names = [row.name for row in rows.ROWS]
    assert len(set(names)) == len(names)
    assert [len(set(one)) for one in (rows.OF_18, rows.OF_22, rows.OF_26, rows.OF_29)] == [18, 22, 26, 29]


@pytest.fixture
def sample(load):
    """Ten thousand candidates, half signal; background of four classes."""
    rejections, n = load("rejections"), 10_000
    rng = np.random.default_rng(1)
    signal = np.arange(n) < n // 2
    truth = np.where(signal, 0, 2 + np.arange(n) % 4)
    columns = {
        "et": rng.uniform(15, 150, n),
        "eta": rng.uniform(-2.4, 2.4, n),
        "mu": rng.uniform(10, 60, n),
        "weight": np.ones(n),
    }
    index = Index(np.ones(n, np.uint32), np.arange(n, dtype=np.uint64), np.zeros(n, np.int32))
    return rejections.Measured(index, columns, truth, signal, ~signal, np.zeros(n, bool), np.ones(n))


def test_ratio_of_rejections_is_that_of_what_is_left(load, sample):
    rejections = load("rejections")
    rng = np.random.default_rng(2)
    good = rng.normal(np.where(sample.signal, 2.0, -1.0))
    worse = good.copy()
    worse[sample.background] += 0.5
    found = rejections.ratio_of(good, worse, sample)
    cut = np.quantile(good[sample.signal], 1 - 0.93)
    left = [np.sum(one[sample.background] >= cut) for one in (good, worse)]
    loose = found["points"]["loose"]
    assert loose["value"] == pytest.approx(left[1] / left[0], rel=0.02)
    assert loose["left"] == pytest.approx(left[1], rel=0.02)
    assert 0 < loose["error"] < np.hypot(*(1 / np.sqrt(left))) * loose["value"]  # both have candidates in common
    assert rejections.ratio_of(good, good, sample)["points"]["loose"]["error"] == 0
    assert sum(one["left"] for one in found["bins"]) == pytest.approx(left[1], rel=0.1)


def test_fisher_gives_the_better_score_more_weight(load, sample):
    rejections = load("rejections")
    rng = np.random.default_rng(3)
    scores = tuple(rng.normal(np.where(sample.signal, mean, 0.0)) for mean in (3.0, 0.5))
    fisher, product = (rejections.combined(scores, sample, how=how) for how in ("fisher", "product"))
    area = [rejections.numbers_of(one, sample)["auc"][0] for one in (fisher, product, scores[0])]
    assert area[0] > area[1]
    assert area[0] > area[2] - 1e-3


def test_background_takes_the_kinematics_and_the_shares(load, sample):
    rejections = load("rejections")
    shares = {2: 0.1, 3: 0.1, 4: 0.2, 5: 0.6}
    truth = sample.truth
    et = sample.columns["et"]
    columns = {**sample.columns, "et": np.where(sample.signal, et, 15 + (et - 15) ** 2 / 135)}
    weight, _ = rejections._weights(sample.index, columns, truth, sample.signal, sample.background, shares)
    for value, share in shares.items():
        assert weight[truth == value].sum() / weight[sample.background].sum() == pytest.approx(share)
    mean = np.average(columns["et"][sample.background], weights=weight[sample.background])
    assert mean == pytest.approx(columns["et"][sample.signal].mean(), rel=0.03)


def test_page_says_what_is_not_reached(load):
    page = load("rejection_page")
    said = [page._reached(value, 0.2, 1.3) for value in (1.2, 1.4, 1.6)]
    assert said == ["**not reached**", "reached, by less than the error", "reached"]
    assert page._pm(123.4, 5.6) == "123.4 ± 5.6"
    assert page._mean([(1.0, 0.1), (3.0, 0.1)]) == pytest.approx((2.0, np.hypot(0.1, 1.0)))


@pytest.mark.parametrize("results", list(ROOM.glob("RESULTS.json")))
def test_page_in_the_repository_is_that_of_its_json(load, results):
    page = load("rejection_page").as_markdown(json.loads(results.read_text(encoding="utf-8")))
    assert page == results.with_suffix(".md").read_text(encoding="utf-8")


def test_goals_come_in_one_order(load):
    one = {"points": {"loose": {"value": 2.0, "error": 0.1}}}
    forests = [f"trees_{name}" for name in ("track", "all", "29", "18", "calo", "26", "22")]
    results = {"rows": {"compact": {"runs": {"1": {"over": dict.fromkeys(forests, one)}}}}}
    said = [line for line in load("rejection_page")._goals(results).splitlines() if "trees_" in line]
    assert [line.partition("(")[2].partition(")")[0] for line in said] == sorted(forests)


def test_page_takes_its_numbers_of_the_background_from_the_results(load):
    page = load("rejection_page")
    counts = {"signal": 7, "conversion": 10, "heavy flavour": 20, "light e/gamma": 30, "light hadron": 40}
    assert page._range(counts) == "10 to 40"
    shares = {"used": {}, "dijets": {"light hadron": [0.75, 0.02]}}
    said = page._jets({"shares": shares, "jets": {"n": 4000, "effective": 456.7}})
    assert "an effective number of 457 of 4000 selected the shares are 75 ± 2 % light hadron." in said
    assert page._jets({"shares": {"used": {}}}) == ""


def test_goal_of_the_bins_is_of_all_seeds_and_knows_bins_where_nothing_is_left(load):
    def ratio(value, error, left=300):
        return {"value": value, "error": error, "low": value - error, "high": value + error, "left": left}

    nothing = ratio(float("nan"), float("nan"))
    seeds = {"3": [nothing, ratio(4.0, 0.5), ratio(9.0, 1.0)], "1": [nothing, ratio(6.0, 0.5), nothing]}
    points = {"loose": {"value": 5.0, "error": 0.1}}
    runs = {seed: {"over": {"likelihood": {"points": points, "bins": bins}}} for seed, bins in seeds.items()}
    page = load("rejection_page")
    said = page._goals({"rows": {"compact": {"runs": runs}}})
    assert "| 5.0 ± 1.1 is the lowest of 3 bins | reached |" in said
    assert page._in_bins({"runs": runs})[2]["value"] == 9.0


def test_regions_are_compared_over_all_seeds(load):
    runs = {
        seed: {
            "over": {
                "likelihood": {
                    "regions": {
                        place: {"value": value, "error": 1.0, "low": value - 1, "high": value + 1, "left": 300}
                        for place, value in {"barrel": 14.0, "crack": crack, "forward": 17.0}.items()
                    }
                }
            }
        }
        for seed, crack in {"1": 9.0, "2": 18.0}.items()
    }
    said = load("rejection_page")._where({"rows": {"compact": {"title": "it", "runs": runs}}})
    assert "crack 13.5 ± 4.6" in said[0]
    assert said[1].endswith("Here: crack not told within the errors, forward yes.")
