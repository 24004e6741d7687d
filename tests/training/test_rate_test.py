"""The range test of learning rates: its steps are those of a training."""

import numpy as np
import pytest

from calotools.errors import ConfigError, NumericalError
from calotools.training import fit, try_learning_rates
from calotools.training.loading.stored import StoreData

RATE = 3e-3


def sweep(config, store, **options):
    return try_learning_rates(config, StoreData(config, store), **options)


@pytest.mark.parametrize("changes", [{}, {"precision": "bf16"}, {"gradient_clip": 1e-3}, {"optimizer": "sgd"}])
@pytest.mark.parametrize("task", ["energy", "identification"])
def test_at_one_rate_it_is_the_first_epoch_of_a_training(recipe, showers, task, changes):
    trainer = {"epochs": 1, "batch_size": 75, "learning_rate": RATE, "schedule": "constant"} | changes
    config = recipe(task, trainer=trainer, tracks=("pt", "d0"), max_tracks=3)
    sizes = [len(batch.target) for batch in StoreData(config, showers).batches(0)]
    found = sweep(config, showers, steps=len(sizes), low=RATE, high=RATE)
    trained = fit(config, showers).record["history"][0]["train_loss"]
    assert np.average(found.loss, weights=sizes) == pytest.approx(trained, rel=1e-6)


def test_the_precision_is_that_of_the_recipe(recipe, showers):
    exact, halved = (
        sweep(recipe("identification", trainer={"precision": one}), showers, steps=20, low=1e-5, high=1e-3).loss
        for one in ("fp32", "bf16")
    )
    assert not np.array_equal(halved, exact)
    np.testing.assert_allclose(halved, exact, rtol=0.05)


def test_a_limited_gradient_lets_larger_rates_do_no_harm(recipe, showers):
    free, limited = (
        sweep(recipe("energy", trainer={"optimizer": "sgd"} | one), showers, steps=60, low=1e-4, high=10)
        for one in ({}, {"gradient_clip": 1e-6})
    )
    assert len(free.loss) < len(limited.loss) == 60


def test_nothing_left_to_train_is_said(recipe, showers):
    with pytest.raises(ConfigError, match=r"model\.freeze holds every parameter"):
        sweep(recipe("energy", model={"name": "energy_cnn", "settings": {"maps": 8}, "freeze": ("*",)}), showers)


def test_a_loss_that_is_not_finite_is_said_at_its_rate(recipe, showers):
    poisoned = object.__new__(type(showers))
    poisoned.__dict__.update(showers.__dict__, _images=np.full_like(showers._images, np.nan))
    with pytest.raises(NumericalError, match=r"not finite after 0 steps at learning rates up to 1\.0e-06"):
        sweep(recipe("energy"), poisoned, steps=20)


def test_without_the_gpu_that_was_asked_for(recipe, showers, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(ConfigError, match=r"trainer\.accelerator = 'gpu' .* this machine has 0"):
        sweep(recipe("energy", trainer={"accelerator": "gpu"}), showers)
