"""Ensembles: members that differ in their draws alone, and one bundle of their mean."""

import json
from contextlib import closing

import numpy as np
import pytest
import torch
import uproot

from calotools import stages
from calotools.deploy import ModelBundle, load_bundle, save_bundle
from calotools.errors import ConfigError
from calotools.ntuple import read_friend
from calotools.recipe import PredictConfig
from calotools.training import fit, member_recipe, open_data
from calotools.training.fitting import network as module


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
    if uncertainty == "gaussian":
        sigma, energy = (np.array([one[name] for one in each]) for name in ("e_network_sigma", "e_network"))
        mixture = np.sqrt((sigma**2).mean(axis=0) + made.sigma_scale**2 * energy.var(axis=0))
        np.testing.assert_allclose(found["e_network_sigma"], mixture, rtol=2e-5)
    assert np.std([one[name] for one in each], axis=0).max() > 0


def test_each_fold_has_an_ensemble_of_its_own(recipe, tmp_path):
    config = recipe("energy", members=2, folds=3)
    stages.train(config)
    made = load_bundle(config.output)
    assert [one.config.members for one in made.folds] == [2, 2, 2]
    found = scores(config.output, config.sample.files, tmp_path)
    for number, one in enumerate(made.folds):
        path = save_bundle(one, tmp_path / f"{number}.calo")
        alone = scores(path, config.sample.files, tmp_path)
        own = alone.split == 2
        assert own.any()
        np.testing.assert_allclose(found.values["e_network"][own], alone.values["e_network"][own], rtol=1e-5)


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


@pytest.mark.parametrize("source", ["store", "stream"])
@pytest.mark.parametrize("task", ["energy", "identification"])
def test_a_network_is_validated_as_at_the_end_of_its_epoch(recipe, task, source):
    trainer = {"epochs": 3, "threads": 1, "accelerator": "cpu", "batch_size": 60, "average": 0.9}
    config = recipe(task, source=source, trainer=trainer, reweight=task == "identification")
    made = fit(config, open_data(config))
    network = module.new_network(config)
    network.load_state_dict(made.state_dict)
    with closing(open_data(config)) as data:
        found = module.validate(config, network, data)
    assert found == pytest.approx(made.record["best"], rel=1e-6)
    assert found.keys() == made.record["best"].keys()


def test_an_interrupt_is_told_and_a_gpu_is_left_alone_before_forks(recipe, monkeypatch):
    """Lightning exits when it is interrupted; and what has used a GPU cannot be forked for the next ensemble."""
    config, asked = recipe("energy"), []

    class Interrupted:
        def __init__(self, **settings):
            asked.append((settings["accelerator"], settings["devices"]))

        def validate(self, *_, **__):
            raise SystemExit(1)

    automatic, two = (
        config.model_copy(update={"trainer": config.trainer.model_copy(update=changes)})
        for changes in ({"accelerator": "auto"}, {"accelerator": "gpu", "devices": 2})
    )
    with monkeypatch.context() as patch, closing(open_data(config)) as data:
        patch.setattr(module.lightning, "Trainer", Interrupted)
        for one in (automatic, two):
            with pytest.raises(KeyboardInterrupt):
                module.validate(one, module.new_network(config), data)
    assert asked == [("auto", 1), ("cpu", 1)]


def test_finished_members_are_kept(recipe, tmp_path):
    config = recipe("energy", members=2)
    stages.train(member_recipe(config, 1))  # as a batch job of its own
    before = (config.output / "members" / "1" / "log.csv").read_bytes()
    stages.train(config)
    assert (config.output / "members" / "1" / "log.csv").read_bytes() == before
    stages.train(config.model_copy(update={"output": tmp_path / "again"}))
    again, made = load_bundle(tmp_path / "again"), load_bundle(config.output)
    assert all(torch.equal(weight, made.state_dict[name]) for name, weight in again.state_dict.items())
    assert (again.bias, again.record) == (made.bias, made.record)


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
    with pytest.raises(ConfigError, match="members are of networks"):
        stages.train(recipe("energy", member=1, model=trees, tracks=(), max_tracks=0))
