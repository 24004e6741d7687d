"""Fits: they learn what is there and nothing else, twice the same, and go on where they stopped."""

import csv
import json
import re
import signal

import numpy as np
import pytest
import torch

from calotools.analysis import fit_temperature
from calotools.errors import ConfigError, EmptyInputError, NumericalError
from calotools.models import ModelInputs, build_model
from calotools.training import fit
from calotools.training.fitting.network import new_network
from calotools.training.loading.stored import StoreData


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, weight in first.items():
        assert torch.equal(weight, second[name]), name


def with_columns(store, **columns):
    """The same store with some columns replaced."""
    other = object.__new__(type(store))
    other.__dict__.update(store.__dict__, _columns=store._columns | columns)
    return other


def test_same_seed_same_weights(recipe, showers, tmp_path):
    torch.manual_seed(3)
    config = recipe("energy", tracks=("pt", "d0"), max_tracks=3)
    first = fit(config, showers)
    torch.manual_seed(4)
    second = fit(config.model_copy(update={"output": tmp_path / "again"}), showers)
    assert_same(first.state_dict, second.state_dict)
    assert first.record == second.record
    other = fit(recipe("energy", seed=2, output=tmp_path / "other", tracks=("pt", "d0"), max_tracks=3), showers)
    assert not torch.equal(first.state_dict["out.weight"], other.state_dict["out.weight"])


def test_the_callers_generator_and_threads_are_left_alone(recipe, showers):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    fit(recipe("energy", trainer={"epochs": 1}), showers)
    assert torch.equal(torch.rand(1), expected)
    assert torch.get_num_threads() == threads


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("task", ["energy", "identification"])
def test_resume_gives_the_uninterrupted_weights(recipe, showers, tmp_path, task):
    small = {"epochs": 3, "batch_size": 400, "schedule": "one-cycle"}
    whole = fit(recipe(task, trainer=small, output=tmp_path / "whole"), showers)
    config = recipe(task, trainer=small)

    def stop_in_the_last_epoch(name, done, total):
        if done > 0.8 * total:
            raise StoppedError

    with pytest.raises(StoppedError):
        fit(config, showers, progress=stop_in_the_last_epoch)
    resumed = fit(config.model_copy(update={"resume": True}), showers)
    assert_same(whole.state_dict, resumed.state_dict)
    assert whole.record == resumed.record


@pytest.fixture
def interrupts():
    """Lightning ignores further interrupts after the first; the tests after it should not."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_says_where_it_goes_on_and_so_does_resuming(recipe, showers, caplog):
    config = recipe("energy", trainer={"epochs": 2}, resume=True)
    seen = []

    def interrupt(name, done, total):
        if done > 0.6 * total:
            raise KeyboardInterrupt

    def note(name, done, total):
        seen.append((name, done, total))

    with pytest.raises(KeyboardInterrupt, match=r"the same command goes on after epoch 1, from '.*last\.ckpt'"):
        fit(config, showers, progress=interrupt)
    with caplog.at_level("INFO", logger="calotools"):
        fit(config, showers, progress=note)
    (said,) = (one.getMessage() for one in caplog.records if one.name.startswith("calotools"))
    assert re.fullmatch(r"goes on after epoch 1 of 2, from '.*last\.ckpt'", said)
    assert {name for name, _, _ in seen} == {"train"}


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_promises_nothing_that_does_not_hold(recipe, showers):
    def interrupt(name, done, total):
        if done > at * total:
            raise KeyboardInterrupt

    at = 0.0
    with pytest.raises(KeyboardInterrupt) as nothing:
        fit(recipe("energy", trainer={"epochs": 2}, resume=True), showers, progress=interrupt)
    assert str(nothing.value) == ""
    at = 0.6
    with pytest.raises(KeyboardInterrupt, match=r"^checkpoints stay in '.*checkpoints'$"):
        fit(recipe("energy", trainer={"epochs": 2}, resume=False), showers, progress=interrupt)


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize(
    ("number", "share", "average"),
    [(signal.SIGINT, 0.2, 0), (signal.SIGTERM, 0.7, 0.9), (signal.SIGTERM, 0.5, 0), (signal.SIGINT, 1, 0)],
    ids=["first epoch", "second epoch", "end of an epoch", "end"],
)
def test_a_signal_loses_no_step(recipe, showers, tmp_path, number, share, average):
    trainer = {"epochs": 2, "average": average}
    whole = fit(recipe("energy", trainer=trainer, output=tmp_path / "whole"), showers)
    config, before, seen = recipe("energy", trainer=trainer), signal.getsignal(signal.SIGTERM), []

    def send(name, done, total):
        seen.append(done)
        if done >= share * total and not sent:
            sent.append(len(seen))
            signal.raise_signal(number)

    sent = []
    where = "inside epoch 1" if share < 0.5 else "after epoch 2" if share == 1 else "after epoch 1"
    with pytest.raises(KeyboardInterrupt, match=f"the same command goes on {where}, from"):
        fit(config, showers, progress=send)
    assert len(seen) == sent[0]
    assert signal.getsignal(signal.SIGTERM) == before
    last = torch.load(config.output / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == len(seen)
    resumed = fit(config.model_copy(update={"resume": True}), showers)
    assert_same(whole.state_dict, resumed.state_dict)
    assert whole.record == resumed.record


@pytest.mark.usefixtures("interrupts")
def test_a_second_signal_does_not_wait_for_the_step(recipe, showers):
    def send(name, done, total):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt) as nothing:
        fit(recipe("energy", trainer={"epochs": 1}), showers, progress=send)
    assert str(nothing.value) == ""


def test_resume_refuses_another_recipe(recipe, showers):
    fit(recipe("energy", trainer={"epochs": 1}), showers)
    with pytest.raises(ConfigError, match="belongs to another recipe or other files"):
        fit(recipe("energy", trainer={"epochs": 1, "learning_rate": 0.5}, resume=True), showers)


def test_energy_network_beats_the_base_energy(recipe, showers):
    config = recipe("energy", trainer={"epochs": 12, "batch_size": 100, "learning_rate": 5e-3}, reweight=False)
    result = fit(config, showers)
    base, true = showers.column("e"), showers.column("e_true")
    low, high = np.percentile(base / true, [25, 75])
    assert result.record["best"]["val_iqr"] < 0.6 * (high - low)


def test_identification_network_separates(recipe, showers):
    result = fit(recipe("identification", trainer={"epochs": 4, "batch_size": 100}), showers)
    assert result.record["best"]["val_auc"] > 0.85


def test_the_temperature_is_that_of_the_validation_part(recipe, showers):
    config = recipe("identification", trainer={"epochs": 4, "batch_size": 100}, validation_fraction=0.4)
    result = fit(config, showers)
    data = StoreData(config, showers)
    network = new_network(config).eval()
    network.load_state_dict(result.state_dict)
    with torch.inference_mode():
        parts = [(network(batch), batch.target, batch.weight) for batch in data.validation().batches(0)]
    logits, target, weight = (torch.cat(one).double() for one in zip(*parts, strict=True))
    said = torch.softmax(logits / result.temperature, dim=1).numpy()
    left = fit_temperature(said, target.long().numpy(), weight=weight.numpy())
    assert left.value == pytest.approx(1, abs=1e-3)
    assert left.error < 0.5
    assert result.temperature != 1
    other = recipe("identification", trainer={"epochs": 1}, calibrate=False, output=config.output / "other")
    assert fit(other, showers).temperature == 1


def test_shuffled_targets_teach_nothing(recipe, showers):
    shuffled = np.random.default_rng(5).permutation(showers.column("class_true"))
    result = fit(
        recipe("identification", trainer={"epochs": 3, "batch_size": 100}, validation_fraction=0.4),
        with_columns(showers, class_true=shuffled),
    )
    n = result.record["n"]["validation"]
    # The standard deviation of the AUC of two equally large samples without separation is sqrt(1 / (3 n)).
    assert abs(result.record["best"]["val_auc"] - 0.5) < 4 / np.sqrt(3 * n)


def test_log_has_one_row_per_epoch_and_progress_counts_candidates(recipe, showers):
    seen = []
    config = recipe("energy")
    result = fit(config, showers, progress=lambda name, done, total: seen.append((name, done, total)))
    rows = list(csv.DictReader((config.output / "log.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(float(row["candidates_per_s"]) > 0 for row in rows)
    assert [float(row["val_loss"]) for row in rows] == [row["val_loss"] for row in result.record["history"]]
    n_train = result.record["n"]["train"]
    assert seen[-1] == ("train", 2 * n_train, 2 * n_train)
    names = {path.name for path in (config.output / "checkpoints").iterdir()}
    assert names == {"best.ckpt", "last.ckpt", "recipe.json"}
    json.dumps(result.record)


def test_early_stopping_keeps_the_best_epoch(recipe, showers):
    noise = np.random.default_rng(2).permutation(showers.column("class_true"))
    config = recipe(
        "identification",
        trainer={"epochs": 12, "patience": 2, "learning_rate": 5e-3, "schedule": "constant", "batch_size": 100},
    )
    result = fit(config, with_columns(showers, class_true=noise))
    losses = [row["val_loss"] for row in result.record["history"]]
    assert len(losses) < 12
    assert result.record["best_epoch"] == 1 + int(np.argmin(losses)) == len(losses) - 2


def test_resuming_what_had_stopped_changes_nothing(recipe, showers):
    noise = np.random.default_rng(2).permutation(showers.column("class_true"))
    trainer = {"epochs": 12, "patience": 2, "learning_rate": 5e-3, "schedule": "constant", "batch_size": 100}
    config = recipe("identification", trainer=trainer)
    first, again = (fit(config, with_columns(showers, class_true=noise)) for _ in range(2))
    assert_same(first.state_dict, again.state_dict)
    assert first.record == again.record


def test_resuming_what_was_complete_changes_nothing(recipe, showers):
    first = fit(recipe("energy"), showers)
    again = fit(recipe("energy", trainer={"threads": 2}), showers)
    assert_same(first.state_dict, again.state_dict)
    assert first.record == again.record


def test_overwrite_starts_anew(recipe, showers):
    fit(recipe("energy", trainer={"epochs": 2}), showers)
    result = fit(recipe("energy", trainer={"epochs": 1}, overwrite=True), showers)
    assert len(result.record["history"]) == 1


def test_best_weights_are_those_of_the_best_epoch(recipe, showers):
    config = recipe("energy", trainer={"epochs": 3})
    result = fit(config, showers)
    best = torch.load(config.output / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["epoch"] + 1 == result.record["best_epoch"]
    assert_same({f"network.{name}": weight for name, weight in result.state_dict.items()}, best["state_dict"])


def test_nan_names_the_candidates(recipe, showers):
    e_true = showers.column("e_true").copy()
    images = showers._images.copy()
    images[7] = np.nan
    poisoned = with_columns(showers, e_true=e_true)
    poisoned._images = images
    config = recipe("energy", validation_fraction=0.01, test_fraction=0.0)
    with pytest.raises(NumericalError, match=r"non-finite in epoch 1 .*\(run 1, event 7, candidate 0\)"):
        fit(config, poisoned)


def test_candidates_without_target_are_not_used(recipe, showers):
    e_true = showers.column("e_true").copy()
    e_true[::3] = np.nan
    result = fit(recipe("energy", trainer={"epochs": 1}), with_columns(showers, e_true=e_true))
    assert result.record["n_unused"] == 500
    assert sum(result.record["n"].values()) == 1000


def test_missing_scalars_are_counted(recipe, showers):
    mu = showers.column("mu").copy()
    mu[::2] = np.nan
    result = fit(recipe("energy", scalars=("mu", "eta"), trainer={"epochs": 1}), with_columns(showers, mu=mu))
    assert set(result.record["missing"]) == {"mu"}
    assert result.record["missing"]["mu"] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", ["run", "event", "candidate", "lumi_block", "channel", "weight"])
def test_the_number_of_a_sample_is_no_input(name, recipe, showers):
    with pytest.raises(ConfigError, match=f"scalars holds '{name}': it tells files apart, not candidates"):
        fit(recipe("energy", scalars=("mu", name)), showers)


def test_truth_is_no_input(recipe, showers):
    with pytest.raises(ConfigError, match="scalars holds 'e_true': truth cannot be an input"):
        fit(recipe("energy", scalars=("mu", "e_true")), showers)
    with pytest.raises(ConfigError, match="base_energy holds 'e_true'"):
        fit(recipe("energy", base_energy="e_true"), showers)


def test_an_absent_class_is_named(recipe, showers):
    only = np.zeros(len(showers), np.int32)
    with pytest.raises(EmptyInputError, match="no candidate of 'background' in the train part"):
        fit(recipe("identification"), with_columns(showers, class_true=only))


def test_classes_must_not_overlap(recipe, showers):
    with pytest.raises(ConfigError, match="class_true = 5 is in classes 'a' and 'b'"):
        fit(recipe("identification", classes={"a": (0, 5), "b": (5,)}), showers)


def test_unknown_loss_names_the_nearest(recipe, showers):
    with pytest.raises(ConfigError, match=r"trainer.loss = 'logcosh' .* nearest: 'log-cosh'"):
        fit(recipe("energy", trainer={"loss": "logcosh"}), showers)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu_is_said_before_any_work(recipe, showers):
    with pytest.raises(ConfigError, match="this machine has 0"):
        fit(recipe("energy", trainer={"accelerator": "gpu"}), showers)


def test_scalers_see_the_training_part_only(recipe, showers):
    config = recipe("energy", trainer={"epochs": 1})
    result = fit(config, showers)
    train = StoreData(config, showers).rows(1)
    mu = showers.column("mu").copy()
    others = np.setdiff1d(np.arange(len(showers)), train)
    mu[others] = 1e6
    assert fit(config, with_columns(showers, mu=mu)).scalers == result.scalers


def test_result_describes_its_network(recipe, showers):
    result = fit(recipe("energy", trainer={"epochs": 1}, tracks=("pt", "d0"), max_tracks=3), showers)
    assert result.inputs == ModelInputs(shapes={"em": (3, 14, 10)}, n_scalars=1, n_tracks=3, n_track_features=2)
    network = build_model("energy_cnn", {"maps": 8, "condition": 16}, result.inputs)
    network.load_state_dict(result.state_dict)


@pytest.mark.slow
def test_two_processes_learn_as_one_does(recipe, showers, tmp_path):
    trainer = {"epochs": 2, "batch_size": 200, "threads": 1}
    seen = []
    one = fit(recipe("energy", trainer=trainer, output=tmp_path / "one", reweight=False), showers)
    config = recipe("energy", trainer=trainer | {"devices": 2}, output=tmp_path / "two", reweight=False)
    two = fit(config, showers, progress=lambda *step: seen.append(step))
    assert len(two.record["history"]) == 2
    # The same batches, whose halves are averaged: equal up to rounding, and halves that differ by one candidate.
    assert two.record["best"]["val_loss"] == pytest.approx(one.record["best"]["val_loss"], rel=0.02)


@pytest.mark.slow
def test_nan_in_one_of_two_processes_names_the_candidates(recipe, showers):
    images = showers._images.copy()
    images[7] = np.nan
    poisoned = with_columns(showers)
    poisoned._images = images
    config = recipe("energy", trainer={"devices": 2}, validation_fraction=0.01, test_fraction=0.0)
    with pytest.raises(NumericalError, match=r"non-finite in epoch 1 .*\(run 1, event 7, candidate 0\)"):
        fit(config, poisoned)


def test_bf16_learns_as_well(recipe, showers):
    trainer = {"epochs": 4, "batch_size": 100}
    exact = fit(recipe("identification", trainer=trainer), showers)
    config = recipe("identification", trainer=trainer | {"precision": "bf16"})
    halved = fit(config.model_copy(update={"output": config.output / "bf16"}), showers)
    assert halved.record["best"]["val_auc"] > 0.85
    assert halved.record["best"]["val_loss"] != exact.record["best"]["val_loss"]
    assert all(weight.dtype == torch.float32 for weight in halved.state_dict.values())
