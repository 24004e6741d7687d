"""`calotools prepare`: the store of a recipe, where it is wanted."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from calotools import training
from calotools.cli.main import main
from calotools.errors import ConfigError, OutputExistsError
from calotools.images import ImageStore
from calotools.ntuple import read_candidates
from calotools.recipe import ManyFilesConfig, PrepareConfig, TrainConfig
from calotools.stages import prepare
from calotools.training import open_data
from calotools.training.loading.stored import StoreData
from calotools.training.sample import preparation
from calotools.training.sample.preparation import find_store, store_digest

SAMPLES = Path(__file__).parents[2] / "ntuples"


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(
        f'task = "energy"\noutput = "{tmp_path / "out"}"\nimages = "energy"\nscalars = ["mu"]\n'
        f'[sample]\nfiles = ["{SAMPLES / "electrons.root"}"]\nmax_candidates = 60\n[model]\nname = "energy_cnn"\n'
    )
    return path


def test_the_command_makes_what_training_reads(recipe, tmp_path, capsys):
    store = tmp_path / "mine"
    assert main(["prepare", str(recipe), "-o", str(store)]) == 0
    n = len(read_candidates(str(SAMPLES / "electrons.root"), fields=("et",)))
    said = rf"{store}: 60 candidates of {n} read \('max_candidates' leaves 60\), [0-9.]+ kB, \d+ s\n"
    assert re.fullmatch(said, capsys.readouterr().out)
    made = ImageStore.open(store)
    assert len(made) == 60
    assert not (tmp_path / "out").exists()
    data = open_data(TrainConfig.from_toml(recipe, overrides={"store": store, "fold": "1/3"}))
    assert isinstance(data, StoreData)
    assert np.array_equal(data.store.index.event, made.index.event)


def test_without_a_place_it_is_in_the_folder_of_the_training(recipe, tmp_path, capsys):
    assert main(["prepare", str(recipe)]) == 0
    assert ImageStore.open(tmp_path / "out" / "store").digest
    assert isinstance(open_data(TrainConfig.from_toml(recipe)), StoreData)


def test_a_store_with_a_name_needs_no_folder_of_a_training(recipe, tmp_path, capsys):
    text = recipe.read_text()
    recipe.write_text(text.replace(f'output = "{tmp_path / "out"}"\n', ""))
    assert main(["prepare", str(recipe)]) == ConfigError.exit_code
    assert "'output' is needed and not given (folder of the training; not needed where" in capsys.readouterr().err
    assert main(["prepare", str(recipe), "-o", str(tmp_path / "mine")]) == 0
    assert len(ImageStore.open(tmp_path / "mine")) == 60
    assert sorted(one.name for one in tmp_path.iterdir()) == ["mine", "recipe.toml"]


def test_another_recipes_store_is_not_touched(recipe, tmp_path, capsys):
    store = tmp_path / "mine"
    main(["prepare", str(recipe), "-o", str(store)])
    changed = [str(recipe), "-o", str(store), "--sample.max-candidates", "50"]
    assert main(["prepare", *changed]) == OutputExistsError.exit_code
    assert "was made by another recipe" in capsys.readouterr().err
    assert len(ImageStore.open(store)) == 60
    assert main(["prepare", *changed, "--overwrite"]) == 0
    assert len(ImageStore.open(store)) == 50


def test_another_recipes_store_says_what_differs(recipe, tmp_path):
    store = tmp_path / "mine"
    prepare(PrepareConfig.from_toml(recipe, overrides={"store": store}))
    (tmp_path / "weights.root").touch()
    for changes, differs in (
        ({"sample": {"max_candidates": 50}}, "other max_candidates"),
        ({"sample": {"selection": ("et > 12",), "tree": "electrons"}}, "other tree, selection"),
        ({"sample": {"files": (str(SAMPLES / "zee.root"),)}, "half": ("energy",)}, "other files, half"),
        ({"sample": {"weights": (tmp_path / "weights.root",)}}, r"other weights, columns \['weight'\]"),
        ({"scalars": ("mu", "reta"), "images": "electron"}, r"other images, columns \['reta'\]"),
        ({"tracks": ("d0",), "max_tracks": 3}, "other tracks, max_tracks"),
    ):
        with pytest.raises(OutputExistsError, match=rf"by another version \({differs}\); choose another place"):
            find_store(TrainConfig.from_toml(recipe, overrides={"store": store, **changes}))


def test_a_store_with_one_digest_of_all_is_still_used_and_says_less(recipe, tmp_path):
    config = TrainConfig.from_toml(recipe, overrides={"store": tmp_path / "mine"})
    meta = training.prepare(config).path / "meta.json"
    content = json.loads(meta.read_text())
    content["digest"] = preparation._sha256(preparation._asked(config))
    meta.write_text(json.dumps(content))
    assert len(find_store(config)) == 60
    for changes, differs in (({"half": ("energy",)}, "the same images"), ({"max_tracks": 3}, "other max_tracks")):
        with pytest.raises(OutputExistsError, match=rf"by another version \({differs}"):
            find_store(config.model_copy(update=changes))


def test_files_are_the_same_however_they_are_spelled(recipe, monkeypatch):
    def digest(*files):
        return store_digest(TrainConfig.from_toml(recipe, overrides={"sample": {"files": files}}))

    electrons, fakes = (str(SAMPLES / f"{name}.root") for name in ("electrons", "fakes"))
    monkeypatch.chdir(SAMPLES)
    both = digest(electrons, fakes)
    assert digest("electrons.root", "./fakes.root") == digest(str(SAMPLES / "electron[s].root"), "fake*.root") == both
    assert len({both, digest(fakes, electrons), digest(electrons)}) == 3  # the order is that of the rows


def test_redoing_a_training_replaces_no_store_outside_its_folder(recipe, tmp_path, capsys):
    store = tmp_path / "mine"
    main(["prepare", str(recipe), "-o", str(store)])
    capsys.readouterr()
    changed = [str(recipe), "--sample.max-candidates", "50", "--overwrite", "--store"]
    for command, place, what in (
        (["train"], store, "other max_candidates"),
        (["train", "--folds", "3"], store, "other max_candidates"),
        (["find-rate"], store, "other max_candidates"),
        (["train"], tmp_path, "is not an image store"),
    ):
        assert main([command[0], *changed, str(place), *command[1:]]) == OutputExistsError.exit_code
        said = capsys.readouterr().err
        assert what in said
        assert "make it again with `calotools prepare ... --overwrite`" in said
    assert len(ImageStore.open(store)) == 60
    assert sorted(one.name for one in tmp_path.iterdir()) == ["mine", "recipe.toml"]


def test_inside_its_folder_a_training_may_replace_a_store(recipe, tmp_path):
    inside = {"store": tmp_path / "out" / "images"}
    training.prepare(TrainConfig.from_toml(recipe, overrides=inside))
    changed = TrainConfig.from_toml(recipe, overrides=inside | {"half": ("energy",), "overwrite": True})
    training.guard_store(changed)
    assert find_store(changed) is None
    elsewhere = changed.model_copy(update={"output": tmp_path / "other"})
    with pytest.raises(OutputExistsError, match=r"images' was made by another recipe.*\(other half\)"):
        training.guard_store(elsewhere)
    training.guard_store(elsewhere.model_copy(update={"source": "stream"}))  # which has no store


def test_a_prepare_recipe_is_a_training_recipe():
    assert set(PrepareConfig.model_fields) == set(TrainConfig.model_fields) | set(ManyFilesConfig.model_fields)
