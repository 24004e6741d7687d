"""A store that workers drew is the one that is drawn here, and bad files are left out of both."""

import json
import pickle
from contextlib import contextmanager
from pathlib import Path

import pytest

from calotools.errors import BadFileWarning, EmptyInputError, InputFileError
from calotools.recipe import PrepareConfig
from calotools.stages import prepare


@pytest.fixture
def config(recipe, tmp_path):
    """A function: name of the store and changes -> PrepareConfig."""

    def make(name, **changes):
        values = recipe("energy").model_dump() | {"store": tmp_path / name}
        return PrepareConfig(**(values | changes))

    return make


@pytest.fixture
def elsewhere(monkeypatch):
    """Workers that are given pickles and do the last file first."""

    def execute(work, files):
        done = {file: pickle.loads(pickle.dumps(work))(file) for file in reversed(files)}
        return [done[file] for file in files]

    @contextmanager
    def workers(where):
        yield execute

    monkeypatch.setattr("calotools.deploy.preparation.workers", workers)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def test_workers_draw_the_same_store(config, request):
    here = contents(prepare(config("here")))
    request.getfixturevalue("elsewhere")
    there = contents(prepare(config("there")))
    assert len(here) > 5
    assert there.keys() == here.keys()
    assert [name for name in here if there[name] != here[name] and name != "meta.json"] == []
    first, second = (json.loads(one["meta.json"]) for one in (here, there))
    assert first["counts"] == second["counts"]
    assert first["digest"] == second["digest"]
    assert first["record"] == second["record"] != {}


def test_nothing_is_left_beside_the_store(config, elsewhere, tmp_path):
    prepare(config("store"))
    assert [path.name for path in tmp_path.iterdir() if "parts" in path.name] == []


def test_a_share_of_the_sample(config, request, ntuple):
    sample = {"files": tuple(ntuple), "tree": "electrons", "max_candidates": 31}
    here = contents(prepare(config("here", sample=sample)))
    request.getfixturevalue("elsewhere")
    there = contents(prepare(config("there", sample=sample)))
    assert [name for name in here if there[name] != here[name] and name != "meta.json"] == []


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_bad_files_are_listed_beside_the_store(config, ntuple, tmp_path, where, request):
    if where == "elsewhere":
        request.getfixturevalue("elsewhere")
    cut = tmp_path / "cut.root"
    data = bytearray(Path(ntuple[1]).read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = b"\0" * 4000  # opens, and fails when it is read
    cut.write_bytes(data)
    sample = {
        "files": (*ntuple, str(cut), str(tmp_path / "absent.root")),
        "tree": "electrons",
        "selection": ("et > 25",),
    }
    with pytest.raises(InputFileError, match=r"absent\.root' does not exist"):
        prepare(config("store", sample=sample))
    expected = contents(prepare(config("good")))
    with pytest.warns(BadFileWarning, match=r"(cut|absent)\.root"):
        path = prepare(config("store", sample=sample, skip_bad_files=True))
    found = contents(path)
    assert [name for name in expected if found[name] != expected[name] and name != "meta.json"] == []
    listed = json.loads((tmp_path / "store.bad_files.json").read_text())["bad_files"]
    assert sorted(Path(one["file"]).name for one in listed) == ["absent.root", "cut.root"]


def test_nothing_passes(config, elsewhere, ntuple):
    with pytest.raises(EmptyInputError, match="loosen it"):
        prepare(config("store", sample={"files": tuple(ntuple), "tree": "electrons", "selection": ("et > 9000",)}))
