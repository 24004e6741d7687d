"""The number tables: every number has a source, and a user's file replaces some of them."""

import numpy as np
import pytest

from calotools.detector import Sampling, cell_noise, crosstalk, load_table, material_before
from calotools.detector.tables import interpolate, step, table_names
from calotools.errors import CellError, ConfigError, InputFileError

TRUST = ("verified", "published, from memory", "calotools default, not an ATLAS number")


def sections(table, prefix=""):
    """Every group of numbers, with the source that it or the group around it carries."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield f"{prefix}{key}", value


@pytest.mark.parametrize("name", table_names())
def test_every_number_has_a_source_and_a_trust(name):
    table = load_table(name)
    top = {"source", "confidence"} <= table.keys()
    for where, section in sections(table):
        if not top:
            assert {"source", "confidence"} <= section.keys(), f"{name}: {where}"
    for group in [table, *(section for _, section in sections(table))]:
        if "confidence" in group:
            assert any(word in group["confidence"] for word in TRUST), group["confidence"]
            assert group["source"], name


def test_a_table_is_a_fresh_copy():
    load_table("noise")["gain"]["low"] = 0.0
    assert load_table("noise")["gain"]["low"] == 25.0


def test_override_wins_and_the_rest_stays(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("reference_mu = 60.0\n[electronic]\nEMB2 = { eta = [0.0], value = [100] }\n", encoding="utf-8")
    table = load_table("noise", path=path)
    electronic, pileup = cell_noise([2, 3], 0.0, 60.0, table=table)
    np.testing.assert_allclose(electronic, [0.100, 0.022])
    np.testing.assert_allclose(
        pileup, [one["value"][0] * 1e-3 for one in (table["pileup"]["EMB2"], table["pileup"]["EMB3"])]
    )
    np.testing.assert_allclose(cell_noise(2, 0.0)[0], 0.035)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[electronics]\n", "unknown key 'electronics' in a detector table; nearest: 'electronic'"),
        ("[electronic]\nEMB4 = 1\n", r"unknown key 'electronic.EMB4'.*nearest: 'EMB"),
        ("[gain]\nlow = 'much'\n", r"'gain.low' = 'much' must be a number"),
        ("electronic = 3\n", "'electronic' = 3 must be a table"),
        ("[gain\n", r"is not valid TOML: .*line 1"),
    ],
)
def test_wrong_override(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_table("noise", path=path)


def test_absent_override(tmp_path):
    with pytest.raises(InputFileError, match=r"none.toml' does not exist"):
        load_table("noise", path=tmp_path / "none.toml")


def test_unknown_table():
    with pytest.raises(ConfigError, match="'noize' does not exist; nearest: 'noise'"):
        load_table("noize")


def test_interpolation_is_even_and_flat_beyond():
    group = {"EMB1": {"eta": [0.5, 1.0], "value": [1.0, 3.0]}}
    np.testing.assert_allclose(interpolate(group, 1, [0.0, 0.75, -0.75, 2.0]), [1.0, 2.0, 2.0, 3.0])
    assert np.isnan(interpolate(group, 2, 0.0))


def test_interpolation_of_lists_that_do_not_fit():
    with pytest.raises(ConfigError, match=r"'EMB1': 2 values of eta.*for 1 values"):
        interpolate({"EMB1": {"eta": [0.0, 1.0], "value": [1.0]}}, 1, 0.0)
    with pytest.raises(ConfigError, match="eta must increase"):
        interpolate({"EMB1": {"eta": [1.0, 0.0], "value": [1.0, 2.0]}}, 1, 0.0)


def test_interpolation_of_unknown_sampling():
    with pytest.raises(CellError, match=r"sampling \[-1\]"):
        interpolate({}, -1, 0.0)


def test_steps():
    np.testing.assert_array_equal(step({"eta": [0, 1], "value": [5, 6]}, [0.0, 0.99, 1.0, -3.0]), [5, 5, 6, 6])
    assert np.isnan(step({"eta": [0], "value": [5]}, np.nan))


@pytest.mark.parametrize("group", ["electronic", "pileup"])
def test_noise_of_every_sampling(group):
    assert set(load_table("noise")[group]) == {one.name for one in Sampling}


def test_errors_name_what_is_near():
    with pytest.raises(ConfigError, match="material before 'strip' is not tabulated; nearest: 'strips'"):
        material_before(0.0, "strip")
    with pytest.raises(ConfigError, match="crosstalk path 'strips' is not tabulated; nearest: 'strip_"):
        crosstalk("strips", 0.0)
