"""Four objects, from Pythia's events to probabilities."""

from pathlib import Path

import numpy as np
import pytest

from calotools.ntuple import read_candidates, read_friend
from calotools.recipe import PredictConfig, SimulateConfig, TrainConfig, read_toml
from calotools.stages import predict, simulate, train

pytest.importorskip("pythia8mc", reason="Pythia is an extra")
RECIPES = Path(__file__).parents[2] / "examples" / "recipes"


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    ntuple = folder / "ztautau.root"
    simulate(SimulateConfig(process="ztautau", tree="objects", n=200, seed=5, output=ntuple))
    values = read_toml(RECIPES / "objects.toml")
    values |= {"output": folder / "model", "sample": {"files": [str(ntuple)], "tree": "objects"}}
    values["model"]["settings"] = {"stages": [[8, 8]], "hidden": 16, "dropout": [0.1, 0.1], "nonlinearity": "selu"}
    values["trainer"] |= {"epochs": 4, "batch_size": 40, "threads": 1, "loss": "mse", "optimizer": "rmsprop"}
    outcome = train(TrainConfig(**values))
    predict(PredictConfig(model=folder / "model", files=(str(ntuple),), output=folder / "scores.root", threads=1))
    return folder, outcome


def test_variant_learns(chain):
    losses = [row["train_loss"] for row in chain[1].results["record"]["history"]]
    assert losses[-1] < 0.8 * losses[0]


def test_no_object_is_lost_for_want_of_energy(chain):
    folder, outcome = chain
    energy = np.asarray(read_candidates(folder / "ztautau.root", fields=["e"])["e"])
    assert (energy <= 0).any()  # clusters of muons
    assert sum(outcome.results["record"]["n"].values()) == len(energy)
    scores = read_friend(folder / "scores.root").values
    np.testing.assert_allclose(
        sum(scores[f"score_{name}"] for name in ("electron", "jet", "muon", "tau")), 1, rtol=1e-5
    )
