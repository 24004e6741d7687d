"""Ensembles: members that differ in their draws alone, and one bundle of their mean."""

import json

import numpy as np
import pytest
import torch
import uproot

from calotools import stages
from calotools.deploy import ModelBundle, load_bundle, save_bundle
from calotools.errors import ConfigError
from calotools.ntuple import read_friend
from calotools.recipe import PredictConfig
from calotools.training import fit, member_recipe


def scores(model, files, folder):
    output = folder / "scores.root"
    stages.predict(PredictConfig(model=model, files=files, output=output, tree="electrons", threads=1, overwrite=True))
    return read_friend(output)


def weights_of(bundle, number):
    prefix = f"networks.{number}."
    return {name.removeprefix(prefix): one for name, one in bundle.state_dict.items() if name.startswith(prefix)}


@pytest.mark.parametrize("source", ["store", "stream"])
def test_members_share_the_split_and_nothing_else(recipe, tmp_path, source):
    alone, config = recipe("energy", source=source), recipe("energy", source=source, members=2, output=tmp_path / "two")
    stages.train(alone)
    stages.train(config)
    one, two = load_bundle(alone.output), load_bundle(config.output)
    assert all(torch.equal(weight, one.state_dict[name]) for name, weight in weights_of(two, 0).items())
    assert weights_of(two, 1).keys() == one.state_dict.keys()
    assert not torch.equal(weights_of(two, 1)["out.weight"], one.state_dict["out.weight"])
    assert two.scalers == one.scalers
    assert [record["n"] for record in two.record["members"]] == 2 * [one.record["n"]]
    assert two.record["parameters"] == 2 * one.record["parameters"]
    files = config.sample.files
    split = scores(config.output, files, tmp_path).split
    np.testing.assert_array_equal(split, scores(alone.output, files, tmp_path).split)


@pytest.mark.parametrize(
    ("task", "uncertainty"), [("energy", "none"), ("energy", "gaussian"), ("identification", "none")]
)
def test_predict_gives_the_mean(recipe, tmp_path, task, uncertainty):
    config = recipe(task, members=3, uncertainty=uncertainty, bias_correction="none", calibrate=False)
    stages.train(config)
    made = load_bundle(config.output)
    each = []
    for number in range(3):
        member = ModelBundle(
            **(vars(made) | {"state_dict": weights_of(made, number), "config": member_recipe(config, number)})
        )
        path = save_bundle(member, tmp_path / f"{number}.calo")
        each.append(scores(path, config.sample.files, tmp_path).values)
    found = scores(config.output, config.sample.files, tmp_path).values
    for name in found:
        if not name.endswith("_sigma"):
            mean = np.mean([one[name] for one in each], axis=0)
            np.testing.assert_allclose(found[name], mean, rtol=2e-5, atol=1e-6)
    assert np.std([one[name] for one in each], axis=0).max() > 0


def test_what_is_measured_is_of_the_mean(recipe, tmp_path):
    config = recipe("energy", members=2, bias_correction="none")
    outcome = stages.train(config)
    made = load_bundle(config.output)
    friend = scores(config.output, config.sample.files, tmp_path)
    trees = [uproot.open(f"{path}:electrons") for path in config.sample.files]
    true = np.concatenate([tree["e_true"].array(library="np") for tree in trees]) / 1000  # GeV
    et = np.concatenate([tree["et"].array(library="np") for tree in trees]) / 1000
    watched = (friend.split == 1) & (et > 25)
    low, high = np.percentile((friend.values["e_network"] / true)[watched], [25, 75])
    assert made.record["best"]["val_iqr"] == pytest.approx(high - low, rel=0.05)
    lines = {line.name: line for line in outcome.headline}
    assert lines["networks, whose mean it is"].value == 2
    singles = [one["best"]["val_iqr"] for one in made.record["members"]]
    assert lines["val_iqr, single network"].value == pytest.approx(np.mean(singles))
    assert {"history_0", "history_1"} <= outcome.figures.keys()
    told = json.loads((config.output / "numbers.json").read_text())
    assert told["results"]["record"]["best"] == made.record["best"]


def test_finished_members_are_kept(recipe, tmp_path):
    config = recipe("energy", members=2)
    stages.train(member_recipe(config, 1))  # as a batch job of its own
    before = (config.output / "members" / "1" / "log.csv").read_bytes()
    stages.train(config)
    assert (config.output / "members" / "1" / "log.csv").read_bytes() == before
    first = load_bundle(config.output).digest
    stages.train(config.model_copy(update={"output": tmp_path / "again"}))
    assert weights_of(load_bundle(tmp_path / "again"), 1).keys() == weights_of(load_bundle(config.output), 1).keys()
    assert load_bundle(config.output).digest == first


def test_what_cannot_be_asked_for(recipe):
    with pytest.raises(ConfigError, match="members trains every member, member a single one"):
        stages.train(recipe("energy", members=2, member=1))
    with pytest.raises(ConfigError, match="members = 2: fit trains one network; fit_ensemble trains all of them"):
        fit(recipe("energy", members=2), None)
    trees = {"name": "trees", "settings": {}}
    with pytest.raises(
        ConfigError, match="model 'trees' is the same however often it is fitted; members are of networks"
    ):
        stages.train(recipe("energy", members=2, model=trees, tracks=(), max_tracks=0))
