"""Which checkpoints a fit goes on from: those of the same recipe, also where the recipe has had fewer keys."""

import json

import pytest

from calotools.errors import ConfigError
from calotools.training.fitting.checkpoints import checkpoint_folder, prepare_folder


@pytest.fixture
def kept(recipe):
    """A function: leave a checkpoint, and change what is kept of its recipe."""

    def make(task, change):
        config = recipe(task, resume=False)
        assert prepare_folder(config, digest="d") is None
        folder = checkpoint_folder(config)
        (folder / "last.ckpt").touch()
        content = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
        change(content["recipe"])
        (folder / "recipe.json").write_text(json.dumps(content), encoding="utf-8")
        return folder / "last.ckpt"

    return make


def resumed(recipe, task, *, digest="d", **changes):
    return prepare_folder(recipe(task, resume=True, **changes), digest=digest)


REFUSED = r"belongs to another recipe or other files .*or start anew with resume = false \(--no-resume\)$"


def without_later_keys(content):
    del content["trainer"]["mirror"], content["trainer"]["plateau_factor"], content["half"], content["sample"]["tree"]


@pytest.mark.parametrize("task", ["energy", "identification"])
def test_keys_that_came_later_have_their_defaults(recipe, kept, task):
    last = kept(task, without_later_keys)
    assert resumed(recipe, task) == last
    for changes, said in (
        ({"trainer": {"mirror": ("eta",)}}, 'trainer.mirror is [] there, ["eta"] here'),
        ({"half": ("energy",)}, 'half is [] there, ["energy"] here'),
        ({"seed": 7}, "seed is 1 there, 7 here"),
        ({"digest": "other"}, "the sample is another one"),
    ):
        with pytest.raises(ConfigError, match=REFUSED) as refused:
            resumed(recipe, task, **changes)
        assert f"recipe.json': {said})" in str(refused.value)
    assert last.exists()


def test_what_says_where_it_runs_may_change(recipe, kept):
    last = kept("energy", without_later_keys)
    assert resumed(recipe, "energy", trainer={"threads": 2, "prefetch": 0}) == last


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content.update(colour="red"), 'colour is "red" there, null here'),
        (lambda content: content["trainer"].update(colour="red"), 'trainer.colour is "red" there, null here'),
        (lambda content: content["trainer"].update(mirror=["eta"]), 'trainer.mirror is ["eta"] there, [] here'),
        (lambda content: content.pop("task"), 'task is null there, "identification" here'),
        (
            lambda content: content.update(classes=dict(reversed(content["classes"].items()))),
            "classes in another order",
        ),
    ],
    ids=["unknown key", "unknown key of the trainer", "no default", "no task", "order of the classes"],
)
def test_another_recipe_is_refused(recipe, kept, change, said):
    kept("identification", change)
    with pytest.raises(ConfigError, match=REFUSED) as refused:
        resumed(recipe, "identification")
    assert f"recipe.json': {said})" in str(refused.value)


def test_half_a_file_is_no_recipe(recipe, kept):
    last = kept("energy", without_later_keys)
    whole = last.with_name("recipe.json").read_text(encoding="utf-8")
    last.with_name("recipe.json").write_text(whole[:-9], encoding="utf-8")
    with pytest.raises(ConfigError, match=REFUSED):
        resumed(recipe, "energy")


def test_files_may_be_spelled_otherwise(recipe, kept):
    last = kept("energy", lambda content: content["sample"].update(files=["./n*.root"]))
    assert resumed(recipe, "energy") == last
    for changes in ({"sample": {"files": ("none.root",), "selection": ("et > 12",)}}, {"digest": "other"}):
        with pytest.raises(ConfigError, match=REFUSED):
            resumed(recipe, "energy", **changes)
