"""Networks that say how sure they are: their outputs, what they learn, and the factor on the validation part."""

import numpy as np
import pytest
import torch

from calotools.errors import ConfigError
from calotools.models import ModelInputs, build_model
from calotools.models.heads import energies, energy_of
from calotools.training import fit
from calotools.training.calibration.uncertainty import corrected_energies, fit_sigma_scale
from calotools.training.loading.batches import make_batch
from calotools.training.loading.stored import StoreData

BASE = torch.tensor([40.0, 80.0])


def test_outputs_by_hand():
    assert energies(torch.tensor([[1.1], [0.5]]), BASE).tolist() == pytest.approx([44.0, 40.0])
    assert energies(torch.tensor([[0.1], [-2.0]]), BASE, offset=1.0, positive=True).tolist() == pytest.approx([44.0, 0])
    log = np.log(0.05)
    gaussian = energies(torch.tensor([[1.0, log], [1.0, log]]), BASE)
    assert gaussian.flatten().tolist() == pytest.approx([40.0, 2.0, 80.0, 4.0])
    ends = energies(torch.tensor([[1.0, log, log]] * 2), BASE)
    assert ends.flatten().tolist() == pytest.approx([40.0, 38.0, 42.0, 80.0, 76.0, 84.0])
    assert energy_of(ends).tolist() == energy_of(BASE).tolist()


def test_sigma_is_positive_and_finite_whatever_the_layer_says():
    wild = energies(torch.tensor([[1.0, 1e6], [1.0, -1e6]]), BASE)
    assert torch.isfinite(wild).all()
    assert (wild[:, 1] > 0).all()


@pytest.mark.parametrize("name", ["energy_cnn", "energy_cnn_2019", "energy_compact", "energy_cloud"])
@pytest.mark.parametrize("n_outputs", [1, 2, 3])
def test_untrained_networks_return_the_base_energy(name, n_outputs, showers):
    inputs = ModelInputs(shapes={"em": (3, 14, 10)}, n_outputs=n_outputs)
    settings = {"energy_cnn_2019": {"size": (14, 10), "depths": (1, 1), "filters": 2}}.get(name, {})
    none = np.zeros((2, 0, 0), np.float32), np.zeros((2, 0), bool)
    batch = make_batch(
        showers.dense(np.arange(2)), scalars=np.zeros((2, 0), np.float32), tracks=none, base_energy=BASE.numpy()
    )
    output = build_model(name, settings, inputs).eval()(batch)
    assert output.shape == ((2,) if n_outputs == 1 else (2, n_outputs))
    torch.testing.assert_close(energy_of(output), BASE)


@pytest.mark.parametrize("uncertainty", ["gaussian", "quantiles"])
def test_sigma_follows_what_cannot_be_known(recipe, showers, uncertainty):
    """Half of the candidates, marked by a scalar, have a truth that nothing in the image tells within 10 %."""
    rng = np.random.default_rng(3)
    blurred = rng.random(len(showers)) < 0.5
    e_true = np.where(blurred, showers.column("e_true") * rng.normal(1, 0.1, len(showers)), showers.column("e_true"))
    store = object.__new__(type(showers))
    columns = {"e_true": e_true.astype(np.float32), "mu": np.where(blurred, 60, 20).astype(np.float32)}
    store.__dict__.update(showers.__dict__, _columns=showers._columns | columns)
    trainer = {"epochs": 12, "batch_size": 100, "learning_rate": 5e-3}
    result = fit(recipe("energy", trainer=trainer, uncertainty=uncertainty, reweight=False), store)
    network = build_model(result.config.model.name, result.config.model.settings, result.inputs)
    network.load_state_dict(result.state_dict)
    data = StoreData(result.config, store)
    batch = data._make(np.arange(len(store)))
    with torch.inference_mode():
        said = network.eval()(batch).numpy()
    bias = result.bias.divisor(said[:, 0], np.abs(showers.column("eta")))
    values = corrected_energies(said, divisor=bias, sigma_scale=result.sigma_scale)
    relative = values[:, 1] / values[:, 0]
    assert np.median(relative[blurred]) > 2 * np.median(relative[~blurred])
    covered = np.abs(values[:, 0] - e_true) < values[:, 1]
    assert np.mean(covered) == pytest.approx(0.683, abs=0.06)
    assert 0.3 < result.sigma_scale < 3


def test_sigma_scale_makes_the_interval_cover():
    rng = np.random.default_rng(2)
    true = rng.uniform(20, 80, 20_000)
    energy = true * rng.normal(1, 0.04, 20_000)
    said = np.stack([energy, energy * 0.98, energy * 1.04], axis=1)
    scale = fit_sigma_scale(said, true)
    low, high = corrected_energies(said, divisor=np.ones(20_000), sigma_scale=scale)[:, 2:].T
    assert np.mean((true > low) & (true < high)) == pytest.approx(0.6827, abs=0.005)


def test_the_bias_correction_scales_everything_once():
    said = np.array([[50.0, 2.0]])
    assert corrected_energies(said, divisor=np.array([1.25]), sigma_scale=2.0).tolist() == [[40.0, 3.2]]


def test_classes_have_no_uncertainty(recipe, showers):
    with pytest.raises(ConfigError, match="uncertainty = 'gaussian' is for energies"):
        fit(recipe("identification", uncertainty="gaussian"), showers)
