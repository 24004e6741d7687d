"""`evaluate` of energies: with a sigma, beside another network, per conversion class and gain."""

import json
from pathlib import Path

import numpy as np
import pytest

from calotools.analysis import event_bootstrap, resolution_at, term_reach
from calotools.containers import Index, Scores
from calotools.errors import ConfigError, EmptyInputError
from calotools.ntuple import index_of, read_candidates, read_friend, write_friend
from calotools.recipe import EvaluateConfig
from calotools.stages import evaluate
from calotools.stages.evaluation.energy_terms import measure_terms

PHOTONS = Path(__file__).parents[2] / "ntuples" / "photons.root"


@pytest.fixture(scope="module")
def friends(tmp_path_factory):
    """Two networks that are told the truth with errors of 2 and 4 %; the first knows its sigma."""
    folder = tmp_path_factory.mktemp("friends")
    photons = read_candidates(PHOTONS)
    true, rng = np.asarray(photons["e_true"]), np.random.default_rng(1)
    record = {"task": "energy", "model": "told", "tree": "photons", "flavour": "native", "trained_runs": []}
    for name, width in (("good", 0.02), ("poor", 0.04)):
        values = {"e_network": (true * rng.normal(1, width, len(true))).astype(np.float32)}
        if name == "good":
            values["e_network_sigma"] = (values["e_network"] * 0.02).astype(np.float32)
        split = np.full(len(true), 2, np.int8)
        split[:10] = 0 if name == "poor" else 2
        write_friend(folder / f"{name}.root", Scores(index_of(photons), values, split, record), tree="photons")
    return folder


def config_of(friends, output, **changes):
    values = {"files": (str(PHOTONS),), "scores": (friends / "good.root",), "output": output, "replicas": 20}
    return EvaluateConfig(
        **(values | {"et_bins": (10, 40, 200), "eta_bins": (0, 1.37, 2.5), "mu_bins": (0, 80)} | changes)
    )


def test_everything_is_measured(friends, tmp_path):
    config = config_of(friends, tmp_path / "out", compare=(friends / "poor.root",), gain=True, regions=(0, 2.5))
    outcome = evaluate(config)
    found = json.loads((config.output / "numbers.json").read_text(encoding="utf-8"))
    headline = {one["name"]: one for one in found["headline"]}
    assert headline["relative improvement over poor"]["value"] == pytest.approx(50, abs=25)
    assert "standard deviations, same candidates" in headline["relative improvement over poor"]["comment"]
    assert headline["within σ"]["value"] == pytest.approx(68, abs=4 * headline["within σ"]["error"])
    assert set(outcome.results["binned"]) == {"abs_eta", "et_true", "mu", "conversion_type", "gain"}
    assert outcome.results["binned"]["gain"]["network"].n.sum() == 80
    assert {"pull", "coverage68_mu", "pull_width_abs_eta", "sigma_honesty"} <= set(outcome.figures)
    # the ten on which the other network was trained are not compared
    assert outcome.results["cutflow"][-1]["candidates"] == 80
    assert outcome.results["against"]["poor"].metrics["ratio"] > 1
    # eighty candidates make no bin of energy; what regions of fifty and more are worth is measured all the same
    (region,) = outcome.results["regions"].values()
    assert list(region) == ["inclusive"]
    assert region["inclusive"]["network"].metrics == outcome.results["inclusive"]["network"].metrics
    for name in ("width", "tail_low", "tail_high", "mae"):
        assert found["results"]["inclusive"]["network"]["metrics"][name][0] >= 0
    assert headline["IQR/1.349, network"]["value"] == pytest.approx(headline["IQR, network"]["value"] / 1.349)
    assert {"more than three widths low, network", "mean absolute error, network"} <= set(headline)


def test_terms_and_linearity_come_back_region_by_region(friends, tmp_path):
    """Widths of known terms and a scale that rises with the energy are put in; the crack has too few candidates."""
    rng = np.random.default_rng(3)
    n, truth = 60_000, {"a": 0.11, "b": 0.4, "c": 0.008}
    true, eta = np.exp(rng.uniform(np.log(10), np.log(400), n)), rng.uniform(-1.3, 1.3, n)
    eta[:40] = 1.4
    slope = 0.004
    network = true * (1 + slope * np.log10(true / 50) + resolution_at(true, **truth) * rng.normal(size=n))
    poor = true * (0.99 + 1.5 * resolution_at(true, **truth) * rng.normal(size=n))
    network[100] = np.nan
    number = np.arange(n)
    lines, found, figures = measure_terms(
        {"layer sum": poor, "network": network},
        {"e_true": true, "eta": eta, "weight": np.ones(n)},
        config_of(friends, tmp_path / "out"),
        bootstrap=event_bootstrap(Index(number, number, number), rng=rng, replicas=50),
    )
    assert list(found) == ["|η| 0 to 1.3"]
    (region,) = found.values()
    terms, line = region["terms"]["network"], region["linearity"]["network"]
    assert terms["valid"]
    for name, value in truth.items():
        assert terms["values"][name] == pytest.approx(value, abs=4 * terms["errors"][name]), name
        assert region["terms"]["layer sum"]["values"][name] == pytest.approx(
            1.5 * value, abs=4 * region["terms"]["layer sum"]["errors"][name]
        )
    assert line["slope"] == pytest.approx(slope, abs=4 * line["slope_error"])
    assert 0 < line["slope_error"] < slope / 4
    assert region["linearity"]["layer sum"]["offset"] == pytest.approx(-0.01, abs=0.001)
    assert {one.name for one in lines} >= {
        "a, network, |η| 0 to 1.3",
        "bias per decade of energy, network, |η| 0 to 1.3",
    }
    assert set(figures) == {"resolution_0_13", "linearity_0_13"}


def test_a_term_at_its_limit_has_an_error(friends, tmp_path):
    rng, n = np.random.default_rng(5), 20_000
    true = np.exp(rng.uniform(np.log(10), np.log(400), n))
    number = np.arange(n)
    lines, found, _ = measure_terms(
        {"network": true * (1 + resolution_at(true, 0.12, 0.0, 0.0) * rng.normal(size=n))},
        {"e_true": true, "eta": np.zeros(n), "weight": np.ones(n)},
        config_of(friends, tmp_path / "out", regions=(0, 2.5)),
        bootstrap=event_bootstrap(Index(number, number, number), rng=rng, replicas=30),
    )
    (region,) = found.values()
    terms = region["terms"]["network"]
    assert terms["values"]["a"] == pytest.approx(0.12, abs=4 * terms["errors"]["a"])
    points = region["points"]["network"]
    reach = term_reach(region["points"]["e_true"], points.metrics["width"], points.errors["width"])
    for name in ("b", "c"):  # four standard deviations of the squares
        assert terms["values"][name] < 2 * reach[name]
        assert terms["errors"][name] > 0
        if terms["values"][name] <= reach[name]:
            assert terms["errors"][name] >= reach[name]
    assert all(line.error > 0 for line in lines)


def test_one_energy_makes_no_line(friends, tmp_path):
    config = config_of(friends, tmp_path / "out", regions=(0, 2.5), energy_bins=(1, 5000))
    found = evaluate(config).results["regions"]["|η| 0 to 2.5"]
    assert found["terms"]["network"] is None
    assert found["linearity"]["network"] is None
    assert found["points"]["network"].n.tolist() == [90]
    assert not list((config.output / "figures").glob("resolution_0_25*"))


def test_without_sigma_and_others(friends, tmp_path):
    outcome = evaluate(config_of(friends, tmp_path / "out", scores=(friends / "poor.root",)))
    assert "uncertainty" not in outcome.results
    assert set(outcome.results["inclusive"]) == {"layer sum", "network"}
    config = config_of(friends, tmp_path / "acc", scores=(friends / "poor.root",), reference="e_acc")
    outcome = evaluate(config)
    assert set(outcome.results["inclusive"]) == {"e_acc", "network"}
    assert "ratio of IQR, e_acc over network" in {one.name for one in outcome.headline}


def test_candidates_without_an_energy_are_on_the_page(friends, tmp_path, monkeypatch):
    monkeypatch.setattr("calotools.stages.publish.save_figure", lambda *_, **__: None)  # takes most of the time
    poor = read_friend(friends / "poor.root")
    poor.values["e_network"][20:27] = np.nan
    write_friend(tmp_path / "gaps.root", poor, tree="photons")
    outcome = evaluate(config_of(friends, tmp_path / "out", scores=(tmp_path / "gaps.root",)))
    (line,) = [one for one in outcome.headline if one.name == "candidates without a finite score"]
    assert (line.value, line.comment) == (7, "of 90; they are left out")
    assert outcome.results["inclusive"]["network"].n.tolist() == [73]


def test_wrong_friends_are_named(friends, tmp_path):
    with pytest.raises(ConfigError, match="compare holds two networks called 'poor'"):
        evaluate(config_of(friends, tmp_path / "out", compare=(friends / "poor.root",) * 2))
    with pytest.raises(EmptyInputError, match="no candidate is left to measure"):
        evaluate(config_of(friends, tmp_path / "out", compare=(friends / "poor.root",), split="train"))
