"""Bundles: what is saved is loaded, and nothing else is."""

import json
import os
import pickle
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from calotools.deploy import load_bundle, save_bundle
from calotools.errors import ModelError, OutputExistsError
from calotools.training.calibration.bias import BiasCorrection


@pytest.mark.parametrize("task", ["energy", "identification"])
def test_round_trip(bundle, tmp_path, task):
    saved = bundle(task)
    if task == "energy":
        saved = replace(saved, bias=BiasCorrection((0.0, 1.0), (0.0, float("inf")), ((1.01,),)))
    loaded = load_bundle(save_bundle(saved, tmp_path / "model.calo"))
    for name, weight in saved.state_dict.items():
        assert torch.equal(weight, loaded.state_dict[name])
    for name in ("config", "image_spec", "inputs", "scalers", "record", "bias", "digest", "classes"):
        assert getattr(loaded, name) == getattr(saved, name), name


def test_classes_keep_the_order_of_the_recipe(bundle, recipe, tmp_path):
    config = recipe("identification", classes={"zeta": (0,), "alpha": (5,)})
    saved = replace(bundle("identification"), config=config)
    assert load_bundle(save_bundle(saved, tmp_path / "model.calo")).classes == ("zeta", "alpha")


def test_same_bundle_same_bytes(bundle, tmp_path):
    first, second = (save_bundle(bundle("energy"), tmp_path / f"{k}.calo").read_bytes() for k in range(2))
    assert first == second


def test_digest_follows_weights_and_header(bundle):
    one = bundle("energy")
    weights = {name: weight.clone() for name, weight in one.state_dict.items()}
    weights["out.bias"] += 1
    assert len({one.digest, replace(one, state_dict=weights).digest, replace(one, record={}).digest}) == 3


def test_digest_is_the_same_in_every_version(bundle, tmp_path, monkeypatch):
    path = save_bundle(bundle("identification"), tmp_path / "model.calo")
    digest = load_bundle(path).digest
    monkeypatch.setattr("calotools.deploy.bundle.version", "99.0")
    assert load_bundle(path).digest == digest


def test_a_training_folder_is_accepted(bundle, tmp_path):
    save_bundle(bundle("energy"), tmp_path / "model.calo")
    assert load_bundle(tmp_path).task == "energy"


def test_existing_file_is_kept(bundle, tmp_path):
    save_bundle(bundle("energy"), tmp_path / "model.calo")
    with pytest.raises(OutputExistsError, match=r"model\.calo' exists"):
        save_bundle(bundle("energy"), tmp_path / "model.calo")


def test_absent_and_unfinished(tmp_path):
    with pytest.raises(ModelError, match=r"none\.calo' does not exist"):
        load_bundle(tmp_path / "none.calo")
    with pytest.raises(ModelError, match=r"holds no model\.calo; is its training finished"):
        load_bundle(tmp_path)


def test_truncated(bundle, tmp_path):
    path = save_bundle(bundle("energy"), tmp_path / "model.calo")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="is not a model bundle, or is truncated"):
        load_bundle(path)


def test_a_pickle_is_not_opened(tmp_path):
    path = tmp_path / "model.calo"
    path.write_bytes(pickle.dumps({"weights": [1.0]}))
    with pytest.raises(ModelError, match="is not a model bundle"):
        load_bundle(path)


def test_other_safetensors(tmp_path):
    safetensors.torch.save_file({"a": torch.zeros(1)}, tmp_path / "a.calo")
    with pytest.raises(ModelError, match="without calotools' header"):
        load_bundle(tmp_path / "a.calo")


def with_header(path, change):
    with safetensors.safe_open(path, framework="pt") as opened:
        header = json.loads(opened.metadata()["calotools"])
    weights = safetensors.torch.load_file(path)
    change(header)
    safetensors.torch.save_file(weights, path, metadata={"calotools": json.dumps(header)})


def test_newer_format(bundle, tmp_path):
    path = save_bundle(bundle("energy"), tmp_path / "model.calo")
    with_header(path, lambda header: header.update(format_version=99, calotools="9.9"))
    with pytest.raises(ModelError, match=r"bundle format 99, made by calotools 9\.9.*update it"):
        load_bundle(path)


@pytest.mark.parametrize("key", ["config", "inputs", "scalers", "format_version"])
def test_damaged_header(bundle, tmp_path, key):
    path = save_bundle(bundle("energy"), tmp_path / "model.calo")
    with_header(path, lambda header: header.pop(key))
    with pytest.raises(ModelError, match="cannot be understood"):
        load_bundle(path)


def test_weights_of_another_network(bundle):
    one = bundle("energy")
    weights = {name: weight for name, weight in one.state_dict.items() if name != "out.bias"}
    with pytest.raises(ModelError, match="do not fit model 'energy_cnn'"):
        replace(one, state_dict=weights).network()


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o007, 0o660), (0o077, 0o600)])
def test_a_bundle_can_be_read_by_whom_the_umask_lets(bundle, tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        path = save_bundle(bundle("energy"), tmp_path / "model.calo")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode
