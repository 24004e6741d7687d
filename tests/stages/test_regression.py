"""`regress`: scalars alone, search, training, bias correction, measurement: one command, which can be interrupted."""

import json
from pathlib import Path

import pytest

from calotools.cli.main import main
from calotools.deploy import load_bundle
from calotools.errors import ConfigError, OutputExistsError
from calotools.recipe import RegressConfig
from calotools.stages import regress, regression

ELECTRONS = Path(__file__).parents[2] / "ntuples" / "electrons.root"


@pytest.fixture
def values(tmp_path):
    return {
        "task": "energy",
        "output": tmp_path / "out",
        "images": "energy",
        "scalars": ("e", "eta_cluster"),
        "tracks": ("e_frac",),
        "max_tracks": 2,
        "sample": {"files": (str(ELECTRONS),), "selection": ("class_true == 0",)},
        "model": {"name": "energy_cnn", "settings": {"maps": 2, "condition": 4}},
        "scalar_settings": {"width": 8},
        "trainer": {"epochs": 1, "batch_size": 40, "threads": 1, "accelerator": "cpu"},
        "search": {"model.settings.maps": {"choices": (2, 3)}},
        "trials": 2,
        "validation_fraction": 0.3,
        "test_fraction": 0.4,
    }


def test_all_steps_once_and_an_interrupt_on_the_way(values, monkeypatch):
    config = RegressConfig(**values)

    def stop(*_args, **_kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(regression, "predict", stop)
        with pytest.raises(KeyboardInterrupt):
            regress(config)
    with pytest.raises(ConfigError, match=r"was begun with the best of 2 trials, not of 3; remove it"):
        regress(config.model_copy(update={"trials": 3}))
    made = {name: (config.output / name / "model.calo").stat().st_mtime_ns for name in ("scalars", "model")}
    outcome = regress(config)
    assert made == {name: (config.output / name / "model.calo").stat().st_mtime_ns for name in made}
    alone, final = (load_bundle(config.output / name) for name in ("scalars", "model"))
    assert alone.config.model.name == "energy_scalars"
    assert not [name for name in alone.state_dict if "tracks" in name]
    assert final.config.model.name == "energy_cnn"
    trials = json.loads((config.output / "search" / "numbers.json").read_text(encoding="utf-8"))["results"]
    assert final.config.model.settings["maps"] == trials["best"]["model.settings.maps"]
    assert final.bias is not None
    assert outcome.results["bias"] == final.bias.to_dict()
    names = [one.name for one in outcome.headline]
    assert names[:2] == ["IQR, scalars alone", "relative IQR of the best trial"]
    assert {"IQR, final training", "relative improvement over scalars"} <= set(names)
    assert (config.output / "evaluation" / "numbers.json").exists()
    assert (config.output / "numbers.json").exists()
    with pytest.raises(OutputExistsError, match=r"numbers\.json' exists"):
        regress(config)


def test_another_recipe_is_not_mixed_with_it(values, monkeypatch):
    fewer = {"search": {}, "measure": False, "scalars_alone": False}
    first = RegressConfig(**(values | fewer))
    regress(first)
    (first.output / "numbers.json").unlink()
    with pytest.raises(ConfigError, match=r"was begun with another recipe .*: seed differ; choose another folder"):
        regress(RegressConfig(**(values | fewer | {"seed": 5})))
    regress(RegressConfig(**(values | fewer | {"seed": 5, "overwrite": True})))
    assert load_bundle(first.output / "model").config.seed == 5
    assert {path.name for path in first.output.iterdir()} == {
        *("model", "store", "regress.toml", "recipe.toml", "numbers.json")
    }

    def stop(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(regression, "train", stop)
    with pytest.raises(KeyboardInterrupt):
        regress(RegressConfig(**(values | fewer | {"seed": 6, "overwrite": True})))
    assert not (first.output / "numbers.json").exists()  # of seed 5; what is begun can go on
    with pytest.raises(KeyboardInterrupt):
        regress(RegressConfig(**(values | fewer | {"seed": 6})))


@pytest.mark.parametrize("overwrite", [False, True])
def test_steps_of_nobody_knows_what_are_not_taken_for_finished(values, overwrite):
    (values["output"] / "model").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"out' holds model, but no regress\.toml that says of which recipe; choose"):
        regress(RegressConfig(**(values | {"overwrite": overwrite})))
    assert (values["output"] / "model").exists()


def test_it_is_for_energies(values, tmp_path, capsys):
    with pytest.raises(ConfigError, match="regress is for energies"):
        regress(RegressConfig(**(values | {"task": "identification"})))
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        f'task = "identification"\noutput = "x"\nmodel.name = "electron_compact"\nsample.files = ["{ELECTRONS}"]\n',
        encoding="utf-8",
    )
    assert main(["regress", str(recipe), "-o", str(tmp_path / "y")]) == 2
    assert "use tune and train" in capsys.readouterr().err
