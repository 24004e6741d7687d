import re

import pytest

from calotools.containers import ImageGrid, ImageSpec, Index, Layer
from calotools.errors import ConfigError, InputFileError, ShapeError, nearest
from calotools.images import image_spec, spec_to_dict
from calotools.recipe import SimulateConfig, TagProbeConfig, TrainConfig, TuneConfig, read_toml

RECIPE = """
task = "energy"
output = "out"
scalars = ["eta"]
[sample]
files = ["a.root"]
[model]
name = "energy_cnn"
settings = { width = 8, note = "a \\"quoted\\" µ" }
[trainer]
epochs = 3
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


def test_flags_win_over_file_and_file_over_defaults(recipe):
    config = TrainConfig.from_toml(recipe, overrides={"trainer": {"epochs": "7"}})
    assert config.trainer.epochs == 7
    assert config.scalars == ("eta",)
    assert config.trainer.batch_size == 500


def test_a_table_that_is_given_replaces_the_one_of_the_file_and_keywords_are_added(tmp_path):
    """Classes of a recipe and of a flag together were neither's."""
    path = tmp_path / "recipe.toml"
    path.write_text(
        'task = "identification"\noutput = "out"\nclasses = { background = [2, 5], signal = [0] }\n'
        '[sample]\nfiles = ["a.root"]\n[model]\nsettings = { width = 8, depth = 2, blocks = { low = 3, high = 4 } }\n'
    )
    change = {"classes": {"signal": [0], "conversion": [2]}, "model": {"settings": {"width": 16, "blocks": {"low": 1}}}}
    config = TrainConfig.from_toml(path, overrides=change)
    assert config.classes == {"signal": (0,), "conversion": (2,)}
    assert config.model.settings == {"width": 16, "depth": 2, "blocks": {"low": 1, "high": 4}}


def test_a_search_and_an_image_spec_are_replaced_as_a_whole(tmp_path):
    """Parameters of two searches, or grids of two calorimeters, are no search and no calorimeter together."""
    one, other = (spec_to_dict(image_spec(name)) for name in ("energy", "electron"))
    path = tmp_path / "recipe.toml"
    search = {"model.settings.width": {"low": 4, "high": 8}}
    recipe = {"task": "energy", "output": "out", "sample": {"files": ["a.root"]}, "images": one, "search": search}
    path.write_text(TuneConfig(**recipe).to_toml())
    change = {"images": other, "search": {"trainer.learning_rate": {"low": 1e-4, "high": 1e-2}}}
    config = TuneConfig.from_toml(path, overrides=change)
    assert list(config.search) == ["trainer.learning_rate"]
    assert spec_to_dict(config.images) == other


def test_resolved_recipe_runs_again(recipe, tmp_path):
    config = TrainConfig.from_toml(recipe)
    again = tmp_path / "again.toml"
    again.write_text(config.to_toml())
    assert TrainConfig.from_toml(again) == config


@pytest.mark.parametrize("task", ["energy", "identification"])
@pytest.mark.parametrize("model", ["", "[model]\nsettings = { width = 8 }\n"])
def test_a_recipe_that_names_no_model_is_for_the_compact_one(tmp_path, task, model):
    path = tmp_path / "recipe.toml"
    path.write_text(f'task = "{task}"\noutput = "out"\n[sample]\nfiles = ["a.root"]\n{model}')
    config = TrainConfig.from_toml(path)
    assert config.model.name == {"energy": "energy_compact", "identification": "electron_compact"}[task]
    assert config.model.settings == ({"width": 8} if model else {})
    assert TrainConfig.from_toml(path, overrides={"model": {"name": "trees"}}).model.name == "trees"
    path.write_text(config.to_toml())
    assert TrainConfig.from_toml(path) == config


def test_every_default_configuration_round_trips(tmp_path):
    for config in (
        SimulateConfig(process="zee", n=3, output="z.root", shard="1/4"),
        TagProbeConfig(data=["d"], output="o"),
    ):
        path = tmp_path / "config.toml"
        path.write_text(config.to_toml())
        assert type(config).from_toml(path) == config


def test_image_table_round_trips(recipe, tmp_path):
    spec = ImageSpec(grids={"a": ImageGrid(5, 5, 0.1, 0.1)}, layers=(Layer("one", (1, 2), "a"),), centre="cluster")
    layers = [{"name": "one", "samplings": [1, 2], "grid": "a"}]
    table = {"grids": {"a": vars(spec.grids["a"])}, "centre": "cluster", "layers": layers}
    config = TrainConfig.from_toml(recipe, overrides={"images": table})
    assert config.images == spec
    path = tmp_path / "again.toml"
    path.write_text(config.to_toml())
    assert TrainConfig.from_toml(path).images == spec


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochz": 3}, "unknown key 'epochz'; "),
        ({"trainer": {"epoch": 3}}, "unknown key 'trainer.epoch'; nearest: 'epochs'"),
        ({"sample": {"file": "x"}}, "unknown key 'sample.file'; nearest: 'files'"),
        ({"trainer": {"epochs": 0}}, "'trainer.epochs' = 0 is not allowed: Input should be greater than 0"),
        ({"task": "energi"}, "; nearest: 'energy'"),
        (
            {"images": {"grids": {}, "layers": [{"name": "a", "samplings": [1], "gridd": "x"}]}},
            "'images.layers.0.gridd'",
        ),
    ],
)
def test_errors_name_file_key_and_nearest(recipe, change, message):
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        TrainConfig.from_toml(recipe, overrides=change)
    assert str(recipe) in str(error.value)


def test_a_long_list_of_names_says_how_many_are_left_out():
    assert nearest("zzz", [f"p{i:02}" for i in range(25)]).endswith("'p18', 'p19' and 5 more")
    assert nearest("zzz", ["a", "b"]) == "allowed: 'a', 'b'"


def test_missing_key():
    with pytest.raises(ConfigError, match="'output' is needed and not given"):
        SimulateConfig(process="zee", n=3)


def test_negative_mu():
    with pytest.raises(ConfigError, match="'mu' = -1 is not allowed: Input should be greater than or equal to 0"):
        SimulateConfig(process="zee", n=3, output="z", mu=-1)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputFileError, match=r"recipe '.*none\.toml' does not exist"):
        read_toml(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a = [1,\nb")
    with pytest.raises(ConfigError, match=r"bad\.toml' is not valid TOML: .*line 2"):
        read_toml(tmp_path / "bad.toml")


def test_image_spec_names_what_is_missing():
    with pytest.raises(
        ConfigError, match=r"layer 'one' is drawn on grid 'emm', which .* does not define; nearest: 'em'"
    ):
        ImageSpec(grids={"em": ImageGrid(5, 5, 0.1, 0.1)}, layers=(Layer("one", (1,), "emm"),))
    with pytest.raises(ConfigError, match="centred on layer 'midle'; nearest: 'middle'"):
        ImageSpec(grids={"em": ImageGrid(5, 5, 0.1, 0.1)}, layers=(Layer("middle", (1,)),), centre_layer="midle")


def test_index_lengths():
    with pytest.raises(ShapeError, match="run 2, event 1, candidate 2"):
        Index([1, 2], [1], [0, 0])
