"""Histograms of many files: what was filled, what was left out, which files were bad."""

from pathlib import Path

import numpy as np
import pytest
import uproot

from calotools.analysis import read_numbers
from calotools.errors import BadFileWarning, BranchError, ConfigError, EmptyInputError, InputFileError
from calotools.ntuple import NtupleWriter, read_metadata
from calotools.recipe import HistogramConfig
from calotools.stages import histogram

MAP = {"x": "abs(eta): 4, 0, 2", "y": {"value": "et / e", "edges": (0, 1, 3)}}


def write(path, et, *, weight=1.0):
    n = len(et)
    columns = {"run": np.ones(n, "u4"), "event": np.arange(n, dtype="u8"), "candidate": np.zeros(n, "i4")}
    columns |= {"e": np.full(n, 60, "f4"), "et": np.asarray(et, "f4"), "eta": np.linspace(-2, 2, n).astype("f4")}
    columns |= {"phi": np.zeros(n, "f4"), "weight": np.full(n, weight, "f4")}
    with NtupleWriter(path) as writer:
        writer.extend("electrons", columns)
    return str(path)


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(1)
    return [write(tmp_path / f"{k}.root", rng.uniform(5, 120, 50), weight=0.1 * (k + 1)) for k in range(3)]


@pytest.fixture
def config(files, tmp_path):
    def make(**changes):
        values = {
            "files": files,
            "output": tmp_path / "out",
            "histograms": {
                "et": {"x": "et: 10, 0, 100"},
                "map": {"x": "abs(eta): 4, 0, 2", "y": {"value": "et / e", "edges": (0, 1, 3)}},
            },
            "overwrite": True,
        }
        return HistogramConfig(**(values | changes))

    return make


def contents(folder):
    with uproot.open(folder / "histograms.root") as file:
        return {
            name: (file[name].values(flow=True).tobytes(), file[name].variances(flow=True).tobytes())
            for name in ("et", "map")
        }


def test_counts_are_numpy_s(config, files, tmp_path):
    outcome = histogram(config(selection=("et > 20",)))
    et = np.concatenate([uproot.open(file)["electrons/et"].array(library="np") / 1000 for file in files])
    weight = np.repeat(np.float32([0.1, 0.2, 0.3]), 50).astype(float)
    kept = et > 20
    with uproot.open(tmp_path / "out" / "histograms.root") as file:
        expected, _ = np.histogram(et[kept], np.linspace(0, 100, 11), weights=weight[kept])
        np.testing.assert_allclose(file["et"].values(), expected, rtol=1e-12)
        squares, _ = np.histogram(et[kept], np.linspace(0, 100, 11), weights=weight[kept] ** 2)
        np.testing.assert_allclose(file["et"].variances(), squares, rtol=1e-12)
        np.testing.assert_allclose(file["et"].values(flow=True)[-1], weight[et >= 100].sum(), rtol=1e-12)
        assert file["map"].classname == "TH2D"
    assert outcome.results["entries"] == {"et": kept.sum(), "map": kept.sum()}
    numbers = read_numbers(tmp_path / "out" / "numbers.json")["results"]["histograms"]["map"]
    assert [axis["value"] for axis in numbers["axes"]] == ["abs(eta)", "et / e"]
    assert (tmp_path / "out" / "figures" / "map.png").exists()


def test_the_recipe_can_be_run_again(config, tmp_path):
    histogram(config())
    again = HistogramConfig.from_toml(tmp_path / "out" / "recipe.toml", overrides={"output": tmp_path / "again"})
    histogram(again)
    assert contents(tmp_path / "again") == contents(tmp_path / "out")


def test_two_processes_give_the_same_bits(config, tmp_path):
    pytest.importorskip("distributed")
    histogram(config())
    histogram(config(output=tmp_path / "two", jobs=2))
    assert contents(tmp_path / "two") == contents(tmp_path / "out")


def test_a_bad_file_stops_or_is_listed(config, files, tmp_path):
    cut = tmp_path / "cut.root"
    cut.write_bytes(Path(files[1]).read_bytes()[:3000])
    with pytest.raises(InputFileError, match=r"cut\.root' is truncated.*--skip-bad-files"):
        histogram(config(files=[files[0], str(cut), files[2]]))
    assert not (tmp_path / "out").exists()
    histogram(config(files=[files[0], files[2]], output=tmp_path / "good"))
    with pytest.warns(BadFileWarning, match=r"cut\.root"):
        outcome = histogram(config(files=[files[0], str(cut), files[2]], skip_bad_files=True))
    assert contents(tmp_path / "out") == contents(tmp_path / "good")
    (bad,) = outcome.results["bad_files"]
    assert bad["file"] == str(cut)
    assert read_metadata(tmp_path / "out" / "histograms.root")["bad_files"] == [bad]
    assert outcome.headline[-1].name == "input files that were skipped"


def test_what_is_not_finite_is_counted(config, tmp_path):
    path = write(tmp_path / "nan.root", [10.0, np.nan, 30.0, np.nan, 50.0])
    outcome = histogram(config(files=[path], histograms={"et": {"x": "et: 10, 0, 100"}}))
    assert (outcome.results["entries"], outcome.results["left_out"]) == ({"et": 3}, {"et": 2})


def test_files_without_candidates_are_no_error_among_others(config, files, tmp_path):
    empty = write(tmp_path / "none.root", [])
    assert histogram(config(files=[empty, *files])).results["entries"]["et"] == 150
    with pytest.raises(EmptyInputError, match=r"no candidate .* is in any histogram"):
        histogram(config(selection=("et > 1000",)))


def test_a_field_that_does_not_exist(config):
    with pytest.raises(BranchError, match=r"field 'ett' is not known .*0\.root.*; nearest: 'et', 'eta'$"):
        histogram(config(histograms={"et": {"x": "ett: 10, 0, 5"}}))


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ("et: 10, 5, 0", r"histograms\.et\.x: edges \[5\.0, 0\.0\] do not rise"),
        ({"value": "et", "bins": 5}, r"histograms\.et\.x: give 'bins' and 'range', or 'edges'"),
        ({"value": "et", "edges": (1,)}, r"edges \[1\.0\] do not rise"),
    ],
)
def test_axes_that_make_no_sense(config, axis, message):
    with pytest.raises(ConfigError, match=message):
        histogram(config(histograms={"et": {"x": axis}}))


def test_an_axis_that_cannot_be_read():
    with pytest.raises(ConfigError, match=r"'histograms\.et\.x' = 'et: 10' is not allowed: .*write it like"):
        HistogramConfig(files=("a.root",), output="o", histograms={"et": {"x": "et: 10"}})
