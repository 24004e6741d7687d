"""`find-rate` and `tune` on a small sample, and the recipe that comes out."""

from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from calotools.recipe import FindRateConfig, TrainConfig, TuneConfig
from calotools.stages import find_rate, tune
from calotools.stages.tuning import _count_of, draw_rates
from calotools.training.rate_test import RateTest, suggest_rate

ELECTRONS = Path(__file__).parents[2] / "ntuples" / "electrons.root"
TRAINER = {"epochs": 2, "batch_size": 60, "threads": 1, "accelerator": "cpu"}


@pytest.fixture
def values(tmp_path):
    return {
        "task": "energy",
        "output": tmp_path / "out",
        "images": "energy",
        "scalars": ("e", "eta_cluster"),
        "sample": {"files": (str(ELECTRONS),), "selection": ("class_true == 0",)},
        "model": {"name": "energy_cnn", "settings": {"maps": 2, "condition": 4}},
        "trainer": TRAINER,
    }


def test_a_rate_is_suggested(values):
    config = FindRateConfig(**values, steps=40, low=1e-6, high=10.0)
    outcome = find_rate(config)
    assert outcome.folder == config.output / "learning_rate"
    suggested = outcome.headline[0].value
    assert 1e-6 <= suggested < 10
    rate, loss, smooth = (outcome.results[name] for name in ("rate", "loss", "smooth"))
    assert suggested == suggest_rate(rate[10:], loss[10:], smooth[10:])
    assert np.isfinite(smooth).all()
    assert np.all(np.diff(rate) > 0)
    names = {path.name for path in (config.output / "learning_rate" / "figures").iterdir()}
    assert names == {"learning_rate.png", "learning_rate.pdf"}
    assert not (config.output / "checkpoints").exists()


def test_losses_of_the_end_do_not_set_the_axis(values):
    """Of 100 batches the last is a thousand times worse: the others and the suggestion can be seen."""
    loss = np.append(np.linspace(0.7, 0.5, 99), 830.0)
    figure, beyond = draw_rates(RateTest(np.geomspace(1e-6, 0.1, 100), loss, loss, 7e-3))
    assert figure.axes[0].get_ylim()[1] < 2
    suggested = next(line for line in figure.axes[0].lines if line.get_label() == "suggested")
    assert np.ptp(suggested.get_ydata()) > 0.1 * np.ptp(figure.axes[0].get_ylim())
    assert beyond == "; 1 of 100 batches have losses above the axis, up to 830"
    assert draw_rates(RateTest(np.geomspace(1e-6, 0.1, 99), loss[:-1], loss[:-1], 7e-3))[1] == ""


def test_why_there_are_fewer_steps_is_said(values):
    outcome = find_rate(FindRateConfig(**values, steps=40, low=1e-6, high=1e3))
    steps = outcome.headline[1]
    assert steps.value == len(outcome.results["rate"]) < 40
    assert steps.comment == f"of 40: beyond a rate of {outcome.results['rate'][-1]:.2g} the loss is lost"


def test_a_search_ends_with_a_recipe_to_train(values):
    table = {
        "trainer.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "model.settings.maps": {"choices": (2, 3)},
    }
    config = TuneConfig(**values, search=table, trials=3)
    outcome = tune(config)
    best = TrainConfig.from_toml(config.output / "best.toml")
    assert best.model.settings["maps"] in (2, 3)
    assert best.trainer.learning_rate == outcome.results["best"]["trainer.learning_rate"]
    assert best.output == config.output
    assert [one["state"] for one in outcome.results["trials"]] == ["COMPLETE"] * 3
    value = min(one["value"] for one in outcome.results["trials"])
    assert outcome.headline[0].value == value > 0
    assert (config.output / "figures" / "trials.png").exists()


TABLE = {"trainer.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}}


def test_two_processes_search_together_and_a_finished_search_is_not_gone_on_with(values):
    values["trainer"] = TRAINER | {"epochs": 1}
    config = TuneConfig(**values, search=TABLE, trials=4, jobs=2)
    outcome = tune(config)
    trials = outcome.results["trials"]
    # each process stops when it sees that enough are over: the other may be in the middle of one
    assert len(trials) in (4, 5)
    assert sorted(one["number"] for one in trials) == list(range(len(trials)))
    complete = [one for one in trials if one["state"] == "COMPLETE"]
    assert len({one["settings"]["trainer.learning_rate"] for one in complete}) == len(complete) >= 2
    store = (config.output / "store" / "meta.json").stat().st_mtime_ns
    again = tune(config)
    assert again.results["trials"] == trials
    assert (config.output / "store" / "meta.json").stat().st_mtime_ns == store


def test_trials_that_did_not_finish_are_counted_apart():
    line = _count_of(["COMPLETE", "PRUNED", "RUNNING", "COMPLETE"])
    assert (line.value, line.comment) == (3, "1 pruned, 0 failed; beside these 1 not finished")
    assert _count_of(["COMPLETE"]).comment == "0 pruned, 0 failed"


def test_the_store_is_there_before_others_begin(values, monkeypatch):
    made = []

    class Alone:
        """In place of a pool of processes: nobody comes."""

        def __init__(self, workers, **_):
            made.append((workers, (values["output"] / "store" / "meta.json").exists()))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def submit(self, *_):
            done = Future()
            done.set_result(None)
            return done

    monkeypatch.setattr("calotools.stages.tuning.ProcessPoolExecutor", Alone)
    values["trainer"] = TRAINER | {"epochs": 1}
    tune(TuneConfig(**values, search=TABLE, trials=1, jobs=3))
    assert made == [(2, True)]


def test_a_flat_loss_gives_the_rate_before_it_grows():
    """A network that begins well learns little in so few steps: the lowest of many equal losses says nothing."""
    rng = np.random.default_rng(1)
    rate = np.geomspace(1e-6, 1, 121)
    loss = np.where(rate < 0.04, 1 + 0.1 * rng.normal(size=121), 3.0)
    smooth = np.array([np.average(loss[: k + 1], weights=0.9 ** np.arange(k, -1, -1)) for k in range(121)])
    assert 5e-5 < suggest_rate(rate, loss, smooth) < 0.01
