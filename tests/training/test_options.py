"""Optimisers, schedules, averaged weights, frozen and loaded parts: in fits, and over interruptions."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from calotools.containers import Batch
from calotools.errors import ConfigError, ModelError, NumericalError
from calotools.training import fit
from calotools.training.fitting.mirror import Mirror
from calotools.training.fitting.network_parts import names_like
from calotools.training.fitting.task import Task
from calotools.training.loading.input_scalers import InputScalers

SHORT = {"epochs": 3, "batch_size": 400}


class StoppedError(Exception):
    pass


def interrupted(config, store, *, at):
    """Fit until a part of the whole, then again to the end."""

    def stop(name, done, total):
        if done > at * total:
            raise StoppedError

    with pytest.raises(StoppedError):
        fit(config, store, progress=stop)
    return fit(config, store)


def assert_same(first, second):
    for name, weight in first.items():
        assert torch.equal(weight, second[name]), name


@pytest.mark.parametrize(
    "trainer",
    [
        {"optimizer": "adam", "schedule": "cyclical", "cycle_epochs": 0.7},
        {"optimizer": "nadam", "schedule": "cosine-restarts", "cycle_epochs": 0.5, "cycle_growth": 2},
        {"optimizer": "sgd", "schedule": "plateau", "plateau_epochs": 1, "learning_rate": 1e-6, "average": 0.9},
        {"optimizer": "rmsprop", "schedule": "cosine", "gradient_clip": 0.1, "target": "ratio", "loss": "mae"},
    ],
)
def test_options_train_and_resume(recipe, showers, tmp_path, trainer):
    whole = fit(recipe("energy", trainer=SHORT | trainer, output=tmp_path / "whole"), showers)
    resumed = interrupted(recipe("energy", trainer=SHORT | trainer), showers, at=0.8)
    assert_same(whole.state_dict, resumed.state_dict)
    assert whole.record == resumed.record
    assert all(np.isfinite(row["val_loss"]) for row in whole.record["history"])


def test_plateau_lowers_the_rate(recipe, showers):
    trainer = {"epochs": 4, "schedule": "plateau", "plateau_epochs": 1, "plateau_factor": 0.1, "learning_rate": 1e-12}
    config = recipe("energy", trainer=trainer | {"batch_size": 400})
    fit(config, showers)
    rows = list(csv.DictReader((config.output / "log.csv").read_text().splitlines()))
    rates = [float(row["learning_rate"]) for row in rows]
    losses = [float(row["val_loss"]) for row in rows]
    assert len(set(losses)) == 1  # steps of 1e-12 change nothing
    assert rates == pytest.approx([1e-12, 1e-12, 1e-13, 1e-14])


def test_averaged_weights_are_evaluated_and_kept(recipe, showers, tmp_path):
    config = recipe("energy", trainer=SHORT | {"average": 0.9, "learning_rate": 1e-2})
    result = fit(config, showers)
    best = torch.load(config.output / "checkpoints" / "best.ckpt", weights_only=True)
    averaged = best["callbacks"]["WeightAverage"]["weights"]
    assert_same({f"network.{name}": one for name, one in result.state_dict.items()}, averaged)
    assert any(not torch.equal(one, averaged[name]) for name, one in best["state_dict"].items())
    plain = fit(recipe("energy", trainer=SHORT | {"learning_rate": 1e-2}, output=tmp_path / "plain"), showers)
    assert plain.record["best"]["val_loss"] != result.record["best"]["val_loss"]
    # the same steps are made, whatever is averaged
    last = [
        torch.load(one / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for one in (config.output, tmp_path / "plain")
    ]
    assert_same(*last)


def test_average_by_hand():
    from types import SimpleNamespace

    from calotools.training.fitting.averaging import WeightAverage

    module = torch.nn.Linear(1, 1, bias=False)
    average = WeightAverage(0.5)
    with torch.no_grad():
        module.weight.fill_(1.0)
        average.on_train_start(SimpleNamespace(), module)
        module.weight.fill_(2.0)
        average.on_train_batch_end(SimpleNamespace(), module, None, None, 0)
    # decay (1 + 1) / (10 + 1) at the first step
    assert average.state_dict()["weights"]["weight"].item() == pytest.approx(1 * 2 / 11 + 2 * 9 / 11)


def test_parts_are_loaded_and_frozen(recipe, showers, tmp_path):
    first = fit(recipe("energy", trainer=SHORT, output=tmp_path / "first"), showers)
    bundle = tmp_path / "first.calo"
    save_file(first.state_dict, bundle)
    model = {"name": "energy_cnn", "settings": {"maps": 8, "condition": 16}}
    model |= {"start": bundle, "start_parts": ("stem", "fine"), "freeze": ("stem", "fine")}
    second = fit(recipe("energy", trainer=SHORT, seed=2, model=model), showers)
    for name, weight in second.state_dict.items():
        same = torch.equal(weight, first.state_dict[name])
        assert same == name.startswith(("stem.", "fine.")), name


def test_frozen_normalisation_keeps_its_statistics(recipe, showers):
    settings = {"size": (14, 10), "depths": (1, 1), "filters": 2, "film_widths": (4,)}
    model = {"name": "energy_cnn_2019", "settings": settings, "freeze": ("pyramid",)}
    result = fit(recipe("energy", trainer={"epochs": 1}, model=model), showers)
    moved = [name for name, one in result.state_dict.items() if name.endswith("running_var") and not (one == 1).all()]
    assert not [name for name in moved if name.startswith("pyramid.")]


def test_wrong_parts_are_named(recipe, showers, tmp_path):
    other = tmp_path / "other.calo"
    save_file({"stem.weight": torch.zeros(2)}, other)
    model = {"name": "energy_cnn", "settings": {"maps": 8, "condition": 16}}
    with pytest.raises(ModelError, match=r"weight 'stem.weight' of .* has shape \(2,\), the network's has \(8, 3"):
        fit(recipe("energy", model=model | {"start": other, "start_parts": ("stem.weight",)}), showers)
    with pytest.raises(ModelError, match=r"has no weight 'out.bias'"):
        fit(recipe("energy", model=model | {"start": other, "start_parts": ("out.bias",)}), showers)
    with pytest.raises(
        ConfigError, match=r"model.freeze = 'stemm' is no part of the network; parts: coarse, condition"
    ):
        fit(recipe("energy", model=model | {"freeze": ("stemm",)}), showers)
    with pytest.raises(ConfigError, match="nothing is left to train"):
        fit(recipe("energy", model=model | {"freeze": ("*",)}), showers)
    with pytest.raises(ModelError, match="cannot be read"):
        fit(recipe("energy", model=model | {"start": tmp_path / "absent.calo"}), showers)
    assert names_like(["a.*"], ["a.b", "c"], key="model.freeze") == ["a.b"]


def test_a_bad_input_is_told_from_a_bad_loss(recipe, showers):
    columns = showers._columns | {"e_true": showers.column("e_true") * 1e36}
    store = object.__new__(type(showers))
    store.__dict__.update(showers.__dict__, _columns=columns)
    with pytest.raises(NumericalError, match=r"the loss alone is not finite.*lower trainer.learning_rate"):
        fit(recipe("energy", trainer={"loss": "mse"}), store)
    images = showers._images.copy()
    images[7, 0, 0, 0] = np.inf
    poisoned = object.__new__(type(showers))
    poisoned.__dict__.update(showers.__dict__, _images=images)
    config = recipe("energy", validation_fraction=0.01, test_fraction=0.0)
    with pytest.raises(NumericalError, match=r"their image 'energy_em' is not finite for 1, \(run 1, event 7, cand"):
        fit(config, poisoned)


class Sums(torch.nn.Module):
    """Energies that are products of what is put in."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, batch):
        return self.factor * batch.base_energy * batch.images["energy_em"].flatten(1).sum(1)


def blamed(recipe, *, factor=1.0, **changes):
    config = recipe("energy", trainer={"loss": "mse"})
    mirror = Mirror((), scalers=InputScalers())
    task = Task(
        Sums(factor), config=config, steps_per_epoch=1, name_rows=lambda rows: f"rows {rows.tolist()}", mirror=mirror
    )
    ones, images = torch.ones(3), torch.ones(3, 1, 2, 2)
    batch = Batch(
        {"energy_em": images}, ones[:, None], ones[:, None, None], ones[:, None] > 0, *[ones] * 3, ones.long()
    )
    batch = replace(batch, row=torch.tensor([10, 11, 12]), **changes)
    with pytest.raises(NumericalError, match="the loss became non-finite") as refused:
        task.validation_step(batch, 0)
    return str(refused.value)


def test_absurd_energies_are_told_from_a_high_learning_rate(recipe):
    image = torch.ones(3, 1, 2, 2)
    image[1, 0, 1, 1] = -1e30
    said = blamed(recipe, images={"energy_em": image})
    assert "for 1 of 3 candidates of a batch: their image 'energy_em' is beyond 1e6 GeV for 1, rows [11]; look" in said
    assert "learning_rate" not in said
    said = blamed(recipe, base_energy=torch.tensor([1.0, 1.0, 1e30]))
    assert "their base_energy is beyond 1e6 GeV for 1, rows [12]; look at them" in said
    said = blamed(recipe, factor=1e30)
    assert "the loss alone is not finite for 3, rows [10, 11, 12]; lower trainer.learning_rate" in said
