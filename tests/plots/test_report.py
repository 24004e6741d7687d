"""The page holds every figure and number, and nothing from outside."""

import base64
import json
import re

import numpy as np
import pytest

from calotools import plots
from calotools.errors import EmptyInputError, InputFileError, OutputExistsError
from calotools.plots.report import collect
from calotools.plots.style import new_figure
from calotools.plots.tables import render_results


def write_stage(folder, stage, *, figures=("one",), **numbers):
    names = [{"name": name, "caption": f"Caption of {name} < {stage}"} for name in figures]
    for name in figures:
        plots.save_figure(new_figure(width=1, height=1), folder / "figures", name)
    contents = {
        "stage": stage,
        "title": f"Title of {stage}",
        "version": "0.1.0",
        "recipe": {"seed": 7},
        "figures": names,
    }
    (folder / "numbers.json").parent.mkdir(parents=True, exist_ok=True)
    (folder / "numbers.json").write_text(json.dumps(contents | numbers))


@pytest.fixture
def folder(tmp_path):
    line = {"name": "χ²/ndf & more", "value": 1.08, "error": None, "unit": "", "comment": "<script>alert(1)</script>"}
    auc = {"name": "AUC", "value": 0.97123, "error": 0.0021, "unit": "", "comment": "test part"}
    write_stage(tmp_path / "a_tagprobe", "tagprobe", headline=[line])
    write_stage(tmp_path / "b" / "evaluate", "evaluate", figures=("roc", "iqr"), headline=[auc])
    write_stage(tmp_path / "c_train", "train", results={"parameters": 95952})
    (tmp_path / "c_train" / "recipe.toml").write_text('task = "energy"  # <mine>\n')
    (tmp_path / "injected.json").write_text('{"scale": [0.97, 0.98], "edges": [0, 1.37, 2.47]}')
    plots.save_figure(new_figure(width=1, height=1), tmp_path / "elsewhere", "loose")
    return tmp_path


def test_page_holds_every_figure(folder):
    page = plots.write_report(folder).read_text()
    pngs = sorted(folder.rglob("*.png"))
    assert len(pngs) == 5
    assert page.count("<img ") == 5
    embedded = {base64.b64decode(data) for data in re.findall(r"base64,([^\"]+)", page)}
    assert embedded == {png.read_bytes() for png in pngs}


def test_page_holds_every_headline_and_recipe(folder):
    page = plots.write_report(folder, title="Run 2 & me").read_text()
    for text in (
        "0.9712 ± 0.0021",
        "1.08",
        "95952",
        "task = &quot;energy&quot;  # &lt;mine&gt;",
        "Run 2 &amp; me",
        "0.97",
    ):
        assert text in page
    assert "calotools 0.1.0 · seed 7" in page


def test_stages_are_in_order(folder):
    assert [one.stage for one in collect(folder)] == ["evaluate", "tagprobe", "train", "other"]


def test_page_is_self_contained_and_escaped(folder):
    page = plots.write_report(folder).read_text()
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:|#)""", page)
    assert not re.search(r"https?://|@import|url\(|<script", page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_page_is_reproducible(folder, tmp_path):
    first = plots.write_report(folder, tmp_path / "one.html").read_bytes()
    assert first == plots.write_report(folder, tmp_path / "two.html").read_bytes()


def test_existing_page_is_kept(folder):
    page = plots.write_report(folder)
    with pytest.raises(OutputExistsError, match=r"report\.html' exists"):
        plots.write_report(folder)
    assert plots.write_report(folder, overwrite=True) == page


def test_unfinished_folders_are_left_out(folder):
    write_stage(folder / ".evaluate.123.partial", "evaluate", headline=[{"name": "ghost", "value": 1.0}])
    assert "ghost" not in plots.write_report(folder).read_text()


def test_missing_figure_is_an_error(folder):
    (folder / "b" / "evaluate" / "figures" / "roc.png").unlink()
    with pytest.raises(InputFileError, match=r"names figure 'roc', but '.*roc\.png' does not exist"):
        plots.write_report(folder)
    assert not (folder / "report.html").exists()


def test_broken_json_is_an_error(folder):
    (folder / "broken.json").write_text('{"a": ')
    with pytest.raises(InputFileError, match=r"broken\.json' is not readable JSON"):
        plots.write_report(folder)


def test_nothing_to_report(tmp_path):
    with pytest.raises(EmptyInputError, match=r"no numbers \(\*\.json\) and no figures"):
        plots.write_report(tmp_path)
    with pytest.raises(InputFileError, match="does not exist; run evaluate"):
        plots.write_report(tmp_path / "nowhere", tmp_path / "out.html")


def rows_of(page):
    rows = re.findall(r"<tr>(.*?)</tr>", page)
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in rows]


def test_bins_become_rows_with_their_edges():
    result = {
        "edges": {"et": [15, 25, 35], "eta": [0.0, 1.37, 2.47]},
        "value": [0.9, 0.8, None, 0.7],
        "valid": [True, True, False, True],
        "name": "tight",
    }
    rows = rows_of(render_results(result))
    assert ["et", "eta", "value", "valid"] in rows
    assert ["25 to 35", "0 to 1.37", "—", "no"] in rows
    assert ["25 to 35", "1.37 to 2.47", "0.7", "yes"] in rows


def test_values_are_joined_with_their_errors():
    result = {
        "values": {"mean": 90.8},
        "errors": {"mean": 0.043},
        "width": {"fwhm": 5.9, "fwhm_error": 0.093},
        "ratio": {"sigma68": 0.81},
        "ratio_error": {"sigma68": 0.013},
        "rejection": "inf",
    }
    rows = rows_of(render_results(result))
    for row in (
        ["mean", "90.800 ± 0.043"],
        ["fwhm", "5.900 ± 0.093"],
        ["sigma68", "0.810 ± 0.013"],
        ["rejection", "∞"],
    ):
        assert row in rows


def test_long_arrays_are_counted_not_printed():
    page = render_results({"curve": {"signal": np.linspace(0, 1, 500).tolist()}})
    assert "signal: 500 values each, in the JSON file" in page


def test_spectra_are_counted_not_printed():
    page = render_results({"edges": [60, 70, 80], "counts": [1001, 1002], "model": [1003.5, 1004.5], "chi2": 3.2})
    assert "Spectrum of 2 bins (counts, model)" in page
    assert "3.2" in page
    assert "1001" not in page


def test_fits_are_named_by_their_bin():
    page = render_results({"fits": [{"efficiency": 0.9, "bin": {"et": [25.0, 35.0]}}]})
    assert "fits: et 25 to 35" in page
