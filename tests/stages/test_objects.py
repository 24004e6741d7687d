"""Four objects, from Pythia's events to the table of what each is taken for."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from calotools.containers import Index
from calotools.errors import ConfigError, EmptyInputError
from calotools.ntuple import read_candidates, read_friend
from calotools.recipe import EvaluateConfig, PredictConfig, SimulateConfig, TrainConfig, read_toml
from calotools.stages import evaluate, predict, simulate, train
from calotools.stages.evaluation.classes import measure_classes

pytest.importorskip("pythia8mc", reason="Pythia is an extra")
RECIPES = Path(__file__).parents[2] / "examples" / "recipes"


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    ntuple = folder / "ztautau.root"
    simulate(SimulateConfig(process="ztautau", tree="objects", n=200, seed=5, output=ntuple))
    values = read_toml(RECIPES / "objects.toml")
    values |= {
        "output": folder / "model",
        "sample": {"files": [str(ntuple)], "tree": "objects"},
        "validation_fraction": 0.3,
    }
    values["model"]["settings"] = {"stages": [[8, 8]], "hidden": 16, "dropout": [0.1, 0.1], "nonlinearity": "selu"}
    values["trainer"] |= {
        "epochs": 4,
        "batch_size": 40,
        "threads": 1,
        "loss": "mse",
        "optimizer": "rmsprop",
        "momentum": 0.0,
    }
    outcome = train(TrainConfig(**values))
    predict(PredictConfig(model=folder / "model", files=(str(ntuple),), output=folder / "scores.root", threads=1))
    return folder, outcome


def test_variant_learns(chain):
    losses = [row["train_loss"] for row in chain[1].results["record"]["history"]]
    assert losses[-1] < 0.9 * losses[0] < 0.75  # that of one who knows nothing


def test_no_object_is_lost_for_want_of_energy(chain):
    folder, outcome = chain
    energy = np.asarray(read_candidates(folder / "ztautau.root", fields=["e"])["e"])
    assert (energy <= 0).any()  # clusters of muons
    assert sum(outcome.results["record"]["n"].values()) == len(energy)
    scores = read_friend(folder / "scores.root").values
    np.testing.assert_allclose(
        sum(scores[f"score_{name}"] for name in ("electron", "jet", "muon", "tau")), 1, rtol=1e-5
    )


def test_table_counts_every_candidate_and_shows_single_ones_apart(chain):
    folder, _ = chain
    config = EvaluateConfig(
        files=(str(folder / "ztautau.root"),), scores=(folder / "scores.root",), output=folder / "table", split="all"
    )
    outcome = evaluate(config)
    found = outcome.results["confusion"]
    truth = np.asarray(read_candidates(folder / "ztautau.root", fields=["class_true"])["class_true"])
    np.testing.assert_array_equal(found.n, np.bincount(truth - 10))
    scores = read_friend(folder / "scores.root").values
    said = np.stack([scores[f"score_{name}"] for name in found.names], axis=1)
    np.testing.assert_allclose(found.value[1, 1], (said.argmax(axis=1) == 1)[truth == 11].mean())
    for number, (name, one) in enumerate(outcome.results["one_candidate"].items()):
        row = np.flatnonzero(truth == 10 + number)[0]
        np.testing.assert_allclose(list(one["probability"].values()), 100 * said[row], rtol=1e-5)
        assert found.names[number] == name
    written = json.loads((config.output / "numbers.json").read_text(encoding="utf-8"))
    lines = {line["name"]: line for line in written["headline"]}
    assert lines["efficiency of jet"]["value"] == pytest.approx(100 * found.value[1, 1])
    assert "mean probability" in lines["efficiency of jet"]["comment"]
    assert {one["name"] for one in written["figures"]} >= {"confusion", "probability_tau"}


def test_probabilities_have_the_weights_of_the_table():
    rng = np.random.default_rng(1)
    n = np.arange(400)
    truth, weight = n % 3, np.where(n % 2 == 0, 3.0, 1.0)  # class b collects 1 and 2
    score = rng.random(400)
    sample = SimpleNamespace(
        record={"classes": {"a": [0], "b": [1, 2]}},
        candidates={"class_true": truth},
        scores={"score_a": score, "score_b": 1 - score},
        index=Index(n, n, n),
        cutflow=[],
        weight=lambda unweighted: np.ones(400) if unweighted else weight,
    )
    asked = {"files": ("x.root",), "scores": ("y.root",), "output": "z"}
    found = measure_classes(sample, EvaluateConfig(**asked, class_weights={2: 0.1})).results
    own = truth > 0
    used = weight[own] * np.where(truth[own] == 2, 0.1, 1.0)
    assert found["confusion"].value[1, 1] == pytest.approx(np.average(score[own] < 0.5, weights=used))
    assert found["mean_probability"]["b"] == pytest.approx(
        [np.average(score[own], weights=used), np.average(1 - score[own], weights=used)]
    )
    with pytest.raises(EmptyInputError, match="no candidate of class 'a' is left with a weight"):
        measure_classes(sample, EvaluateConfig(**asked, class_weights={0: 0}))
    with pytest.raises(ConfigError, match="is a weight of class_true = 7, which no class"):
        measure_classes(sample, EvaluateConfig(**asked, class_weights={7: 2}))


def test_what_a_class_is_taken_for_is_told_where_it_is():
    n = np.arange(300)
    truth = n % 3
    said = np.eye(3)[np.where(n < 30, 2, truth)]  # some of a and b are taken for c, none of c for another
    sample = SimpleNamespace(
        record={"classes": {"a": [0], "b": [1], "c": [2]}},
        candidates={"class_true": truth},
        scores={f"score_{name}": said[:, k] for k, name in enumerate("abc")},
        index=Index(n, n, n),
        cutflow=[],
        weight=lambda unweighted: np.ones(300),
    )
    found = measure_classes(sample, EvaluateConfig(files=("x.root",), scores=("y.root",), output="z"))
    told = {line.name: line.comment for line in found.headline}
    assert "most often taken for c (10 %)" in told["efficiency of a"]
    assert "taken for" not in told["efficiency of c"]
    assert "interval" in told["efficiency of c"]
    assert "mean probability 100" in told["efficiency of c"]


def test_a_class_without_candidates_is_named(chain):
    folder, _ = chain
    config = EvaluateConfig(
        files=(str(folder / "ztautau.root"),),
        scores=(folder / "scores.root",),
        output=folder / "empty",
        split="all",
        selection=("class_true != 12",),
    )
    with pytest.raises(EmptyInputError, match="no candidate of class 'muon' among"):
        evaluate(config)
