"""`evaluate` of energies: with a sigma, beside another network, per conversion class and gain."""

import json
from pathlib import Path

import numpy as np
import pytest

from calotools.containers import Scores
from calotools.errors import ConfigError, EmptyInputError
from calotools.ntuple import index_of, read_candidates, write_friend
from calotools.recipe import EvaluateConfig
from calotools.stages import evaluate

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
    config = config_of(friends, tmp_path / "out", compare=(friends / "poor.root",), gain=True)
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


def test_without_sigma_and_others(friends, tmp_path):
    outcome = evaluate(config_of(friends, tmp_path / "out", scores=(friends / "poor.root",)))
    assert "uncertainty" not in outcome.results
    assert set(outcome.results["inclusive"]) == {"layer sum", "network"}


def test_wrong_friends_are_named(friends, tmp_path):
    with pytest.raises(ConfigError, match="compare holds two networks called 'poor'"):
        evaluate(config_of(friends, tmp_path / "out", compare=(friends / "poor.root",) * 2))
    with pytest.raises(EmptyInputError, match="no candidate is left to measure"):
        evaluate(config_of(friends, tmp_path / "out", compare=(friends / "poor.root",), split="train"))
