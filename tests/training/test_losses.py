"""Losses, schedules and metrics against numbers worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from calotools.errors import ConfigError
from calotools.recipe import TrainConfig
from calotools.training.fitting.losses import ENERGY_LOSSES, QUANTILES, choose_loss, log_cosh, weighted_mean
from calotools.training.fitting.metrics import mean_auc, relative_iqr, weighted_auc
from calotools.training.fitting.schedules import learning_rate_factor, plateau_factor
from calotools.training.fitting.task import loss_of
from calotools.training.loading.batches import make_batch

ENERGY, TRUE = torch.tensor([55.0]), torch.tensor([50.0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("relative-mse", 0.01),
        ("relative-mae", 0.1),
        ("mse", 25.0),
        ("mae", 5.0),
        ("huber", 4.5),
        ("relative-huber", 0.02 * (0.1 - 0.01)),
        ("log-cosh-gev", math.log(math.cosh(5.0))),
        ("log-cosh", math.log(math.cosh(5.0))),  # 10 % is five times the core of 2 %
    ],
)
def test_energy_losses_of_55_for_50(name, value):
    assert choose_loss(name, task="energy")(ENERGY, TRUE).item() == pytest.approx(value, rel=1e-5)


def test_every_energy_loss_is_covered_and_least_at_the_truth():
    assert len(ENERGY_LOSSES) == 8
    for name in ENERGY_LOSSES:
        loss = choose_loss(name, task="energy")
        assert loss(TRUE, TRUE).item() == pytest.approx(0, abs=1e-6)
        assert loss(ENERGY, TRUE).shape == (1,)


@pytest.mark.parametrize(
    ("name", "scale", "value"),
    [
        ("huber", 2.0, 2 * (5 - 1)),
        ("huber", 10.0, 12.5),  # still quadratic
        ("relative-huber", 0.2, 0.005),
        ("log-cosh", 0.1, math.log(math.cosh(1.0))),
        ("log-cosh-gev", 5.0, math.log(math.cosh(1.0))),
    ],
)
def test_where_losses_become_linear_can_be_chosen(name, scale, value):
    loss = choose_loss(name, task="energy", scale=scale)
    assert loss(ENERGY, TRUE).item() == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "scale", "value"),
    [
        ("huber", None, 0.02 * (0.125 - 0.01)),
        ("huber", 1.0, 0.5 * 0.125**2),  # still quadratic
        ("log-cosh-gev", None, math.log(math.cosh(6.25))),
        ("mae", None, 0.125),
        ("mse", None, 0.125**2),
        ("log-cosh", None, math.log(math.cosh(5.0))),
    ],
)
def test_losses_of_ratios_of_55_for_50_over_a_base_of_40(name, scale, value):
    trainer = {"loss": name, "loss_scale": scale, "target": "ratio"}
    config = TrainConfig(task="energy", output="out", sample={"files": ("none.root",)}, trainer=trainer)
    batch = make_batch(
        {"energy_em": np.zeros((1, 1, 1, 1), np.float32)},
        scalars=np.zeros((1, 0), np.float32),
        tracks=(np.zeros((1, 0, 0), np.float32), np.zeros((1, 0), bool)),
        base_energy=np.array([40.0], np.float32),
    )
    batch = replace(batch, target=TRUE)
    assert loss_of(config)(batch, ENERGY).item() == pytest.approx(value, rel=1e-5)


def test_gaussian_loss_of_55_for_50():
    loss = choose_loss(None, task="energy", uncertainty="gaussian")
    said = torch.tensor([[55.0, 2.5], [55.0, 5.0]])
    assert loss(said, torch.tensor([50.0, 50.0])).tolist() == pytest.approx([2 + math.log(0.05), 0.5 + math.log(0.1)])


def test_gaussian_loss_is_least_where_sigma_is_the_error():
    said = torch.stack([torch.full((99,), 55.0), torch.linspace(0.5, 25, 99)], dim=1)
    losses = choose_loss("gaussian-nll", task="energy", uncertainty="gaussian")(said, torch.full((99,), 50.0))
    assert said[losses.argmin(), 1] == pytest.approx(5, abs=0.25)


def test_quantile_loss_of_55_for_50():
    loss = choose_loss(None, task="energy", uncertainty="quantiles")
    # the energy is 0.1 too high, the lower end 0.02 too high, the upper end 0.2 too high: (1 - level) of each
    value = (1 - QUANTILES[0]) * 0.1 + (1 - QUANTILES[1]) * 0.02 + (1 - QUANTILES[2]) * 0.2
    assert loss(torch.tensor([[55.0, 51.0, 60.0]]), TRUE).item() == pytest.approx(value, rel=1e-5)
    # and too low: the level of each
    value = QUANTILES[0] * 0.1 + QUANTILES[1] * 0.2 + QUANTILES[2] * 0.02
    assert loss(torch.tensor([[45.0, 40.0, 49.0]]), TRUE).item() == pytest.approx(value, rel=1e-5)


def test_quantile_loss_is_least_at_the_quantiles():
    true = torch.tensor(np.random.default_rng(1).normal(50, 2, 20_001), dtype=torch.float32)
    best = torch.quantile(true / 50, torch.tensor(QUANTILES)) * 50
    loss = choose_loss("quantile", task="energy", uncertainty="quantiles")

    def mean(said):
        return (loss(said.expand(len(true), 3), true) * true).mean()  # relative losses, weighted back

    for number in range(3):
        for step in (-0.5, 0.5):
            moved = best.clone()
            moved[number] += step
            assert mean(moved) > mean(best)


def test_losses_that_need_an_uncertainty_say_so():
    with pytest.raises(
        ConfigError, match=r"'gaussian-nll' needs a network with an uncertainty.*uncertainty = 'gaussian'"
    ):
        choose_loss("gaussian-nll", task="energy")
    with pytest.raises(ConfigError, match="'mae' is no loss of task 'energy' with uncertainty = 'quantiles'"):
        choose_loss("mae", task="energy", uncertainty="quantiles")


def test_squared_error_of_probabilities_by_hand():
    logits = torch.log(torch.tensor([[0.2, 0.8]]))
    loss = choose_loss("mse", task="identification")
    assert loss(logits, torch.tensor([0])).item() == pytest.approx(0.8**2 + 0.8**2)


def test_cross_entropy_by_hand():
    logits = torch.log(torch.tensor([[0.2, 0.8]]))
    assert choose_loss(None, task="identification")(logits, torch.tensor([0])).item() == pytest.approx(-math.log(0.2))


def test_losses_belong_to_a_task():
    with pytest.raises(
        ConfigError, match="'huber' is no loss of task 'identification'; allowed: 'cross-entropy', 'mse'"
    ):
        choose_loss("huber", task="identification")


@given(st.floats(-1e4, 1e4))
def test_log_cosh_lies_between_its_limits(x):
    value = log_cosh(torch.tensor(x, dtype=torch.float64)).item()
    assert max(0.0, abs(x) - math.log(2)) - 1e-9 <= value <= min(0.5 * x * x, abs(x)) + 1e-9


def test_weighted_mean_ignores_the_scale_of_weights():
    losses, weight = torch.rand(10), torch.rand(10)
    torch.testing.assert_close(weighted_mean(losses, weight), weighted_mean(losses, 7 * weight))
    torch.testing.assert_close(weighted_mean(losses, weight), torch.tensor(np.average(losses, weights=weight)))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.floats(0.1, 3)), min_size=2, max_size=30),
)
def test_auc_is_the_fraction_of_pairs_in_order(rows):
    score, signal, weight = (np.array(column) for column in zip(*rows, strict=True))
    auc = weighted_auc(score, signal, weight=weight)
    pairs = [
        (wa * wb, 1.0 if a > b else 0.5 if a == b else 0.0) for a, sa, wa in rows for b, sb, wb in rows if sa and not sb
    ]
    if not pairs:
        assert math.isnan(auc)
        return
    assert auc == pytest.approx(sum(w * p for w, p in pairs) / sum(w for w, _ in pairs))


def test_mean_auc_of_two_classes_is_the_auc():
    rng = np.random.default_rng(3)
    score, target, weight = rng.random(50), rng.integers(0, 2, 50), rng.random(50)
    probability = np.stack([1 - score, score], axis=1)
    assert mean_auc(probability, target, weight=weight) == pytest.approx(
        weighted_auc(score, target == 1, weight=weight)
    )


def test_iqr_of_a_gaussian():
    rng = np.random.default_rng(4)
    target = rng.uniform(20, 100, 20_000)
    assert relative_iqr(target * rng.normal(1, 0.03, 20_000), target) == pytest.approx(1.349 * 0.03, rel=0.03)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle", "cyclical", "cosine-restarts", "plateau"])
def test_schedules_stay_between_zero_and_one(schedule):
    cycle = {"cycle_steps": 20, "growth": 1.5}
    factors = [learning_rate_factor(step, schedule=schedule, n_steps=100, **cycle) for step in range(120)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) == pytest.approx(1)


def test_one_cycle_climbs_then_falls():
    factors = [learning_rate_factor(step, schedule="one-cycle", n_steps=100) for step in range(101)]
    assert factors[:26] == sorted(factors[:26])
    assert factors[25:] == sorted(factors[25:], reverse=True)
    assert factors[0] == pytest.approx(0.1)
    assert factors[100] == pytest.approx(1e-3)


def test_restarts_begin_anew_and_grow():
    args = {"schedule": "cosine-restarts", "n_steps": 70, "cycle_steps": 10, "growth": 2}
    factors = [learning_rate_factor(step, **args) for step in range(71)]
    assert [step for step, factor in enumerate(factors) if factor == pytest.approx(1)] == [0, 10, 30, 70]
    assert factors[20] == pytest.approx(0.5, abs=1e-3)  # half of the second cycle
    assert factors[29] < 0.01


def test_a_plateau_lowers_the_rate_once_for_each():
    losses = [5.0, 4.0, 4.1, 4.0, 4.2, 3.9, 4.0, 4.0]
    factors = [plateau_factor(losses[:n], epochs=2, factor=0.5) for n in range(len(losses) + 1)]
    assert factors == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]
    assert plateau_factor([1.0] * 100, epochs=1, factor=0.1) == 1e-3
