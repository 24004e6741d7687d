"""The shipped baselines: the calibration's trees, LGBM of 2018, and scalars alone, on the shipped samples."""

from pathlib import Path

import numpy as np
import pytest

from calotools.deploy import load_bundle
from calotools.errors import ConfigError
from calotools.models import ModelInputs, build_model
from calotools.ntuple import read_candidates, read_friend
from calotools.recipe import PredictConfig, TrainConfig, read_toml
from calotools.stages import predict, train

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "examples" / "recipes"
# inputs of the experiment's egammaMVACalib; of converted photons there are three more
CALIBRATION = {
    "e_acc", "f0", "r12", "shower_depth", "f_tile_gap3", "eta_cluster", "cell_index", "eta_mod", "phi_mod",
    "dphi_tile_gap3",
}  # fmt: skip
CONVERSION = {"conversion_radius_used", "conversion_et_over_pt", "conversion_pt_ratio"}
TREES = {
    "calibration_electrons": 10,
    "calibration_unconverted": 10,
    "calibration_converted": 13,
    "lgbm_9": 9,
    "lgbm_12": 12,
}


def shipped(name, tmp_path):
    values = read_toml(RECIPES / f"{name}.toml")
    file = ROOT / "ntuples" / f"{values['sample']['tree']}.root"
    values |= {"output": tmp_path / name, "validation_fraction": 0.3, "test_fraction": 0.0}
    values["sample"] |= {"files": [str(file)]}
    values["trainer"] = values.get("trainer", {}) | {"threads": 1, "accelerator": "cpu"}
    return values, file


@pytest.mark.parametrize("name", TREES)
def test_trees_learn_the_true_over_the_accordion_energy(name, tmp_path):
    values, file = shipped(name, tmp_path)
    values["model"]["settings"] |= {"min_leaf": 5, "rounds": 30, "eta_bins": [0, 2.5], "et_bins": [0, 500]}
    config = TrainConfig(**values, reweight=False, bias_correction="none")
    train(config)
    made = load_bundle(config.output)
    assert len(made.config.scalars) == TREES[name]
    predict(PredictConfig(model=config.output, files=(str(file),), output=tmp_path / "s.root", threads=1))
    photons = read_candidates(file, fields=("e_acc", "e_true", "conversion_type", "class_true"))
    converted = np.asarray(photons["conversion_type"]) > 0
    here = np.asarray(photons["class_true"]) == 0
    here &= {"calibration_unconverted": ~converted, "calibration_converted": converted}.get(name, here)
    said = read_friend(tmp_path / "s.root").values["e_network"]
    e_acc, true = (np.asarray(photons[one], float)[here] for one in ("e_acc", "e_true"))
    assert np.abs(said[here] / true - 1).mean() < np.abs(e_acc / true - 1).mean()


@pytest.mark.parametrize("name", ["calibration_electrons", "calibration_unconverted", "calibration_converted"])
def test_the_calibration_has_every_input_and_a_forest_in_each_bin(name):
    config = TrainConfig.from_toml(RECIPES / f"{name}.toml")
    expected = CALIBRATION | (CONVERSION if name.endswith("_converted") and "un" not in name else set())
    assert set(config.scalars) == expected
    assert config.base_energy == "e_acc"
    assert len(config.model.settings["eta_bins"]) == len(config.model.settings["et_bins"]) == 7
    assert config.search


def test_scalars_alone_learn_and_do_not_look_at_cells(tmp_path):
    values, file = shipped("energy_scalars", tmp_path)
    values["trainer"] |= {"epochs": 20, "batch_size": 40, "learning_rate": 3e-3}
    values["model"]["settings"] = {"width": 16}
    config = TrainConfig(**values)
    outcome = train(config)
    losses = [row["train_loss"] for row in outcome.results["record"]["history"]]
    assert losses[-1] < 0.9 * losses[0]
    predict(PredictConfig(model=config.output, files=(str(file),), output=tmp_path / "s.root", threads=1))
    assert np.isfinite(read_friend(tmp_path / "s.root").values["e_network"]).all()
    network = build_model("energy_scalars", {}, ModelInputs(shapes={"em": (4, 56, 11)}, n_scalars=14))
    assert not [name for name, _ in network.named_parameters() if "image" in name or "stem" in name]


def test_without_scalars_and_tracks_there_is_nothing_to_see():
    with pytest.raises(ConfigError, match="energy_scalars sees scalars and tracks alone; name some"):
        build_model("energy_scalars", {}, ModelInputs(shapes={"em": (4, 56, 11)}))
    with pytest.raises(ConfigError, match="energy_scalars returns an energy"):
        build_model("energy_scalars", {}, ModelInputs(shapes={}, n_scalars=2, n_classes=2))
