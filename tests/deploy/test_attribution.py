"""Attribution: what a network was told to rest on is found, and gradients add up."""

import numpy as np
import pytest
import torch

from calotools.deploy import integrate_gradients, permutation_importance, read_batch, save_bundle
from calotools.deploy.attribution import input_shuffles
from calotools.deploy.shuffling import measure_shuffled
from calotools.errors import EmptyInputError, NumericalError
from calotools.recipe import AttributeConfig
from calotools.stages import attribute


@pytest.fixture
def given(bundle, ntuple, tmp_path):
    """Bundle of random weights, and a batch of all candidates."""
    one = bundle("energy")
    save_bundle(one, tmp_path / "one.calo")
    config = AttributeConfig(
        model=tmp_path / "one.calo", files=tuple(ntuple), output=tmp_path / "out", split="all", repeats=3, steps=8
    )
    return one, config, *read_batch(one, config)


def test_shuffles_keep_what_they_should(given):
    one, _, batch, _ = given
    order = torch.from_numpy(np.random.default_rng(1).permutation(len(batch.base_energy)))
    shuffles = input_shuffles(one)
    assert list(shuffles) == [
        *("presampler energy", "strips energy", "middle energy", "back energy"),
        *("mu", "tracks", "tracks e_frac", "tracks d0"),
    ]
    turned = shuffles["middle energy"](batch, order)
    image, other = batch.images["energy_em"], turned.images["energy_em"]
    assert torch.equal(image[:, [0, 1, 3]], other[:, [0, 1, 3]])
    fraction = image[:, 2].sum(dim=(1, 2)) / batch.base_energy
    torch.testing.assert_close(other[:, 2].sum(dim=(1, 2)) / batch.base_energy, fraction[order])
    turned = shuffles["tracks d0"](batch, order)
    assert torch.equal(turned.tracks[..., 0], batch.tracks[..., 0])
    assert torch.equal(turned.track_mask, batch.track_mask)
    assert not torch.equal(turned.tracks, batch.tracks)
    real = batch.track_mask
    assert torch.equal(turned.tracks[..., 1][real].sort()[0], batch.tracks[..., 1][real].sort()[0])
    assert (turned.tracks[~real] == 0).all()


def test_only_what_the_network_uses_matters(given):
    """A network that adds the scalar to the base energy, and looks at nothing else."""
    one, _, batch, _ = given
    one = type(one)(**one.__dict__)

    class Adds(torch.nn.Module):
        def forward(self, batch):
            return batch.base_energy * (1 + 0.1 * batch.scalars[:, 0])

    object.__setattr__(one, "network", lambda: Adds())
    truth = (batch.base_energy * (1 + 0.1 * batch.scalars[:, 0])).numpy() * np.random.default_rng(2).normal(
        1, 0.01, len(batch.base_energy)
    )

    def iqr(energy, weight):
        low, high = np.quantile(np.repeat(energy / truth, weight.astype(int)), [0.25, 0.75])
        return high - low

    found = permutation_importance(one, batch, iqr, rng=np.random.default_rng(3), repeats=4)
    assert found.pop("mu")[0] > 3
    assert all(value == (0.0, 0.0) for value in found.values())
    shares, gap = integrate_gradients(one, batch, steps=4)
    np.testing.assert_allclose(shares["mu"], 0.1 * batch.scalars[:, 0].numpy(), rtol=1e-4, atol=1e-6)
    assert np.abs(gap).max() < 1e-5
    assert all(np.all(share == 0) for name, share in shares.items() if name != "mu")


def test_gradients_add_up_to_the_energy(given):
    one, _, batch, _ = given
    shares, gap = integrate_gradients(one, batch, steps=64)
    total = np.sum(list(shares.values()), axis=0)
    assert np.abs(total).mean() > 0.001
    assert np.abs(gap).mean() < 0.05 * np.abs(total).mean()
    rough = integrate_gradients(one, batch, steps=2)[1]
    assert np.abs(gap).mean() < np.abs(rough).mean()


@pytest.mark.parametrize("task", ["energy", "identification"])
def test_the_stage_measures_and_draws(bundle, ntuple, tmp_path, task):
    save_bundle(bundle(task), tmp_path / "one.calo")
    outcome = attribute(
        AttributeConfig(
            model=tmp_path / "one.calo",
            files=tuple(ntuple),
            output=tmp_path / "out",
            split="all",
            repeats=2,
            steps=2,
            n=60,
        )
    )
    assert outcome.results["candidates"] <= 60
    gradients = ["integrated_gradients", "integrated_gradients_gev"] if task == "energy" else []
    assert set(outcome.figures) == {"importance", *gradients}
    assert (tmp_path / "out" / "figures" / "importance.png").exists()
    assert all(line.error is not None and line.error >= 0 for line in outcome.headline[:-1])


def test_shares_times_the_base_energy_are_gev(given, tmp_path):
    one, config, *_ = given
    config = config.model_copy(update={"n": 60, "output": tmp_path / "gev"})
    outcome = attribute(config)
    batch, _ = read_batch(one, config)
    found, _ = integrate_gradients(one, batch, steps=config.steps, batch_size=config.batch_size)
    base = batch.base_energy.numpy()
    for name, share in found.items():
        gev = outcome.results["integrated_gradients_gev"][name]
        assert gev["value"] == pytest.approx(np.mean(share * base), abs=1e-6)
        assert gev["error"] == pytest.approx(np.std(share * base, ddof=1) / np.sqrt(len(base)), rel=1e-3, abs=1e-9)


def test_too_few_are_refused(given):
    one, config, *_ = given
    with pytest.raises(EmptyInputError, match=r"0 candidates of .* are of the all part.*'et > 1000'.*50 are needed"):
        read_batch(one, config.model_copy(update={"selection": ("et > 1000",)}))


def test_a_model_that_makes_no_mistake_is_not_divided_by():
    def nothing(output, weight):
        return 0.0

    with pytest.raises(NumericalError, match=r"on these 60 candidates the model makes no mistake .*give more"):
        measure_shuffled(
            lambda name, order: order, nothing, names=("a",), n=60, rng=np.random.default_rng(1), repeats=2
        )
