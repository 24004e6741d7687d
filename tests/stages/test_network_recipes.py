"""The recipes of the networks, through the public stages, on the shipped samples: they learn, and can be applied."""

from pathlib import Path

import numpy as np
import pytest

from calotools.ntuple import read_candidates, read_friend
from calotools.recipe import PredictConfig, TrainConfig, read_toml
from calotools.stages import predict, train

ROOT = Path(__file__).parents[2]
ELECTRONS, FAKES = (str(ROOT / "ntuples" / f"{name}.root") for name in ("electrons", "fakes"))
SMALL = {
    "energy_compact": {"maps": 8, "blocks": 1},
    "energy_cloud": {"cells": 32, "width": 16, "blocks": 1},
    "identification_compact": {"maps": 8},
    "identification_rnn": {"units": 8, "cell": "lstm"},
    "identification_2020": {"maps": [8, 8], "track_widths": [8], "widths": [16]},
}


@pytest.mark.parametrize("name", SMALL)
def test_recipe_learns_and_is_applied(name, tmp_path):
    values = read_toml(ROOT / "examples" / "recipes" / f"{name}.toml")
    energy = values["task"] == "energy"
    files = [ELECTRONS] if energy else [ELECTRONS, FAKES]
    values |= {"output": tmp_path / name, "sample": values["sample"] | {"files": files}, "validation_fraction": 0.3}
    values["model"]["settings"] = SMALL[name]
    values["trainer"] |= {"epochs": 3, "batch_size": 40, "threads": 1, "accelerator": "cpu", "learning_rate": 3e-3}
    config = TrainConfig(**values)
    outcome = train(config)
    losses = [row["train_loss"] for row in outcome.results["record"]["history"]]
    assert losses[-1] < losses[0]
    predict(PredictConfig(model=config.output, files=(FAKES,), output=tmp_path / "scores.root", threads=1))
    scores, candidates = read_friend(tmp_path / "scores.root"), read_candidates(FAKES, fields=["e"])
    if energy:
        ratio = scores.values["e_network"] / np.asarray(candidates["e"])
        assert 0.5 < np.median(ratio) < 1.5
    else:
        total = sum(scores.values[f"score_{one}"] for one in config.classes)
        np.testing.assert_allclose(total, 1, rtol=1e-5)
