"""Attribution: what a network was told to rest on is found, and gradients add up."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from calotools.deploy import (
    OwnBatch,
    combine_folds,
    integrate_gradients,
    permutation_importance,
    read_batches,
    save_bundle,
)
from calotools.deploy.attribution import input_shuffles
from calotools.deploy.shuffling import measure_shuffled
from calotools.errors import EmptyInputError, NumericalError
from calotools.ntuple import read_candidates
from calotools.recipe import AttributeConfig
from calotools.stages import attribute
from calotools.variables import fold_numbers


@pytest.fixture
def given(bundle, ntuple, tmp_path):
    """Bundle of random weights, and a batch of all candidates."""
    one = bundle("energy")
    save_bundle(one, tmp_path / "one.calo")
    config = AttributeConfig(
        model=tmp_path / "one.calo", files=tuple(ntuple), output=tmp_path / "out", split="all", repeats=3, steps=8
    )
    (part,) = read_batches(one, config)
    return one, config, part.batch, part.truth


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

    parts = [OwnBatch(one, batch, truth)]
    found = permutation_importance(parts, lambda _: iqr, rng=np.random.default_rng(3), repeats=4)
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
    batch = read_batches(one, config)[0].batch
    found, _ = integrate_gradients(one, batch, steps=config.steps, batch_size=config.batch_size)
    base = batch.base_energy.numpy()
    for name, share in found.items():
        gev = outcome.results["integrated_gradients_gev"][name]
        assert gev["value"] == pytest.approx(np.mean(share * base), abs=1e-6)
        assert gev["error"] == pytest.approx(np.std(share * base, ddof=1) / np.sqrt(len(base)), rel=1e-3, abs=1e-9)


def test_too_few_are_refused(given):
    one, config, *_ = given
    with pytest.raises(EmptyInputError, match=r"0 candidates of .* are of the all part.*'et > 1000'.*50 are needed"):
        read_batches(one, config.model_copy(update={"selection": ("et > 1000",)}))


@pytest.fixture
def folds(bundle, ntuple, tmp_path):
    """Bundle of three networks with weights and a scaler of their own, and the recipe of its attribution."""

    def make(task):
        one = bundle(task)
        bundles = []
        for k in range(3):
            weights = {name: weight * (1 + 0.2 * k) for name, weight in one.state_dict.items()}
            scaler = one.scalers.scalars and replace(one.scalers.scalars, centre=(30.0 + 10 * k,))
            scalers = replace(one.scalers, scalars=scaler)
            record = one.record | {"best": {}, "runs": [1]}
            bundles.append(replace(one, state_dict=weights, scalers=scalers, record=record))
        whole = combine_folds(one.config.model_copy(update={"folds": 3}), bundles)
        save_bundle(whole, tmp_path / "folds.calo")
        asked = {"model": tmp_path / "folds.calo", "files": tuple(ntuple), "output": tmp_path / "out"}
        return whole, AttributeConfig(**asked, repeats=3, steps=4)

    return make


@pytest.mark.parametrize("task", ["energy", "identification"])
def test_of_folds_each_network_is_asked_about_what_it_did_not_learn_from(folds, ntuple, task):
    """All candidates are of the test part of one; as if each network were alone, on candidates of its own fold."""
    whole, config = folds(task)
    parts = read_batches(whole, config)
    candidates = read_candidates(ntuple)
    candidates = candidates[candidates["et"] > 25]
    fold = fold_numbers(candidates["run"].to_numpy(), candidates["event"].to_numpy(), folds=3, seed=whole.config.seed)
    outcome = attribute(config)
    assert outcome.results["candidates"] == len(candidates) == sum(len(one.truth) for one in parts)
    alone = []
    for number, (one, part) in enumerate(zip(whole.folds, parts, strict=True)):
        assert part.bundle.digest == one.digest
        (every,) = read_batches(one, config.model_copy(update={"split": "all"}))
        own = torch.from_numpy(np.flatnonzero(fold == number))
        torch.testing.assert_close(part.batch.base_energy, every.batch.base_energy[own])
        torch.testing.assert_close(part.batch.scalars, every.batch.scalars[own])  # by its own scaler
        np.testing.assert_array_equal(part.truth, every.truth[own])
        if task == "energy":
            alone.append(
                {name: share[own] for name, share in integrate_gradients(one, every.batch, steps=4)[0].items()}
            )
    for name in alone[0] if alone else ():
        share = np.concatenate([one[name] for one in alone])
        assert outcome.results["integrated_gradients"][name]["value"] == pytest.approx(share.mean(), abs=1e-6)
    assert set(outcome.results["permutation"]) == set(input_shuffles(whole))


def test_a_model_that_makes_no_mistake_is_not_divided_by():
    def nothing(output, weight):
        return 0.0

    with pytest.raises(NumericalError, match=r"on these 60 candidates the model makes no mistake .*give more"):
        measure_shuffled(
            lambda name, order: order, nothing, names=("a",), n=60, rng=np.random.default_rng(1), repeats=2
        )
