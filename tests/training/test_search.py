"""The search for settings: what it tries, that it finds what is there, goes on, and is shared."""

import pytest
import torch

from calotools.errors import ConfigError
from calotools.models import use_threads
from calotools.recipe import TuneConfig, read_toml
from calotools.training import importance_of, open_study, recipe_of, run_search
from calotools.training import search as module

RATE = {"trainer.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}


@pytest.fixture
def tuning(recipe, tmp_path):
    """A function: changes -> TuneConfig over a recipe that is not trained, but answers with a formula."""

    def make(**changes):
        values = {"output": tmp_path / "tune", "search": RATE, "source": "stream", "trials": 12, "scalars": ("mu",)}
        base = recipe("energy").model_dump(exclude={"search", "output", "source", "scalars"})
        return TuneConfig(**(base | values | changes))

    return make


@pytest.fixture
def formula(monkeypatch):
    """The metric is lowest at a learning rate of 0.01, and 32 maps are better than 8; what was asked for is kept."""
    asked = []

    def train(config, tune, trial):
        rate = config.trainer.learning_rate
        asked.append((config.output.name, rate, config.model.settings["maps"]))
        return abs(rate / 0.01 - 1) + (0.1 if config.model.settings["maps"] == 8 else 0.0)

    monkeypatch.setattr(module, "_train", train)
    return asked


BOTH = RATE | {"model.settings.maps": {"choices": (8, 32)}}


@pytest.mark.parametrize(("jobs", "threads"), [(1, 6), (3, 2), (20, 1)])
def test_processes_share_the_threads(tuning, monkeypatch, jobs, threads):
    seen = []
    monkeypatch.setattr(module, "_train", lambda *_: seen.append(torch.get_num_threads()) or 0.1)
    with use_threads(6):
        run_search(tuning(trials=2, jobs=jobs))
        assert torch.get_num_threads() == 6
    assert seen == [threads, threads]


def test_it_finds_what_is_there(tuning, formula):
    study = run_search(tuning(search=BOTH, trials=30))
    assert study.best_value < 0.3
    assert len({rate for _, rate, _ in formula}) == 30
    assert [name for name, _, _ in formula] == [f"{number:04d}" for number in range(30)]
    importance = importance_of(study)
    assert sum(importance.values()) == pytest.approx(1)
    assert next(iter(importance)) == "trainer.learning_rate"


def test_it_goes_on_as_if_it_had_not_stopped(tuning, formula, tmp_path):
    run_search(tuning(search=BOTH, trials=15))
    whole = list(formula)
    formula.clear()
    config = tuning(search=BOTH, output=tmp_path / "again")
    run_search(config.model_copy(update={"trials": 6}))
    run_search(config.model_copy(update={"trials": 15}))
    assert formula == whole
    run_search(config.model_copy(update={"trials": 15}))
    assert len(formula) == 15


def test_an_interrupt_says_where_the_search_goes_on(tuning, formula, monkeypatch):
    run_search(tuning(search=BOTH, trials=2))

    def interrupted(*_):
        raise KeyboardInterrupt("checkpoints stay in 'trials/0002/checkpoints'")

    with monkeypatch.context() as patch:
        patch.setattr(module, "_train", interrupted)
        with pytest.raises(KeyboardInterrupt, match=r"^the same command goes on after 2 of 4 trials; those under"):
            run_search(tuning(search=BOTH, trials=4))
    study = run_search(tuning(search=BOTH, trials=4))
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 2 + ["RUNNING"] + ["COMPLETE"] * 2


def test_processes_share_a_journal(tuning, formula, tmp_path):
    one, other = (tuning(search=BOTH, output=tmp_path / name, journal=tmp_path / "shared.journal") for name in "ab")
    run_search(one.model_copy(update={"trials": 4}))
    study = run_search(other.model_copy(update={"trials": 8}))
    assert len(study.trials) == len(formula) == 8


def test_bad_trials_fail_and_the_search_goes_on(tuning, monkeypatch):
    from calotools.errors import NumericalError

    def train(config, tune, trial):
        if trial.number % 2:
            raise NumericalError("the loss became non-finite")
        return 1.0

    monkeypatch.setattr(module, "_train", train)
    states = [trial.state.name for trial in run_search(tuning(trials=4)).trials]
    assert states == ["COMPLETE", "FAIL", "COMPLETE", "FAIL"]


def test_a_trial_is_a_training_of_the_recipe(tuning):
    config = tuning(search=BOTH)
    made = recipe_of(config, {"trainer.learning_rate": 0.5, "model.settings.maps": 32}, number=7)
    assert made.trainer.learning_rate == 0.5
    assert made.model.settings == {"maps": 32, "condition": 16}
    assert made.output == config.output / "trials" / "0007"
    assert not made.search
    assert recipe_of(config, {}).output == config.output


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({}, "there is no .search. table in the recipe"),
        ({"scalars": {"choices": (1,)}}, r"search.'scalars': only model.\* and trainer.\* can be searched"),
        ({"trainer.learning_rat": RATE["trainer.learning_rate"]}, "no key of the recipe; nearest: 'learning_rate'"),
    ],
)
def test_wrong_tables_are_named(tuning, search, message):
    with pytest.raises(ConfigError, match=message):
        open_study(tuning(search=search))


def test_a_range_is_a_range(tuning, tmp_path):
    with pytest.raises(ConfigError, match="give low and high, or choices"):
        tuning(search={"trainer.learning_rate": {"low": 1}})
    with pytest.raises(ConfigError, match="low must be below high"):
        tuning(search={"trainer.learning_rate": {"low": 2, "high": 1}})
    with pytest.raises(ConfigError, match=r"log = true needs low above 0, which is 0: such as low = 1e-05"):
        tuning(search={"trainer.learning_rate": {"low": 0.0, "high": 1e-2, "log": True}})
    with pytest.raises(ConfigError, match="log and step exclude each other: leave one out, or give choices"):
        tuning(search={"trainer.learning_rate": {"low": 1e-3, "high": 1e-2, "log": True, "step": 1e-3}})
    with pytest.raises(ConfigError, match=r"step = 0\.5 between whole numbers must be whole; for others write 1\.0"):
        tuning(search={"trainer.learning_rate": {"low": 1, "high": 3, "step": 0.5}})
    with pytest.raises(ConfigError, match="low must be below high"):
        tuning(search={"trainer.learning_rate": {"low": 1e-3, "high": float("inf")}})
    with pytest.raises(ConfigError, match="choices stand alone; low, high, log and step are of a range"):
        tuning(search={"trainer.learning_rate": {"choices": (1e-3, 1e-2), "low": 1e-3}})
    table = tmp_path / "t.toml"
    table.write_text("[search]\ntrainer.learning_rate = {low = 1, high = 2}\n'model.settings.maps' = {choices = [1]}\n")
    assert list(tuning(search=read_toml(table)["search"]).search) == ["trainer.learning_rate", "model.settings.maps"]
