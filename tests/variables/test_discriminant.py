"""The discriminant of several classes, and tables of cuts on it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.errors import ConfigError, InputFileError, NumericalError, ShapeError, UncheckedWarning
from calotools.variables import (
    CutTable,
    Discriminant,
    ScoreOrigin,
    check_origin,
    make_discriminant,
    read_cut_table,
    write_cut_table,
)

CLASSES = ("signal", "flip", "hadron")


def scores(*columns):
    return {name: np.atleast_1d(np.array(one, np.float32)) for name, one in zip(CLASSES, columns, strict=True)}


def test_two_classes_give_the_log_odds():
    which = make_discriminant(["background", "signal"])
    p = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(which({"signal": p, "background": 1 - p}, eta=np.zeros(3)), np.log(p / (1 - p)))


def test_fractions_follow_eta_and_the_nearest_bin_counts_outside():
    which = make_discriminant(CLASSES, fractions={"flip": [1, 0], "hadron": [0, 4]}, eta_edges=(0, 1, 2))
    got = which(scores([0.5] * 3, [0.4] * 3, [0.1] * 3), eta=np.array([-0.5, 1.5, 4.0]))
    np.testing.assert_allclose(got, np.log([0.5 / 0.4, 5.0, 5.0]), rtol=1e-6)


def test_charge_flips_may_count_as_signal():
    alone = make_discriminant(CLASSES, numerator={"signal": 1.0, "flip": 0.5})
    assert list(alone.fractions) == ["hadron"]
    assert alone(scores(0.2, 0.4, 0.4), eta=np.zeros(1))[0] == pytest.approx(np.log(0.4 / 0.4), abs=1e-6)


@given(st.floats(0.01, 100), st.floats(0.0, 1.0))
def test_scale_of_fractions_does_not_matter(scale, share):
    one = make_discriminant(CLASSES, fractions={"flip": share, "hadron": 1.0})
    two = make_discriminant(CLASSES, fractions={"flip": scale * share, "hadron": scale})
    given_scores = scores([0.3, 0.9], [0.3, 0.05], [0.4, 0.05])
    np.testing.assert_allclose(one(given_scores, eta=np.zeros(2)), two(given_scores, eta=np.zeros(2)), rtol=1e-9)


def test_certain_candidates_have_a_finite_discriminant_and_missing_ones_none():
    which = make_discriminant(["background", "signal"])
    got = which({"signal": np.array([1.0, 0.0, np.nan]), "background": np.array([0.0, 1.0, np.nan])}, eta=np.zeros(3))
    assert got[0] > 100 > -100 > got[1]
    assert np.isnan(got[2])


def test_wrong_classes_and_fractions():
    with pytest.raises(ConfigError, match="no class 'hadrons'; nearest: 'hadron'"):
        make_discriminant(CLASSES, fractions={"hadrons": 1})
    with pytest.raises(ConfigError, match="'signal' is in the numerator and among the fractions"):
        make_discriminant(CLASSES, fractions={"signal": 1})
    with pytest.raises(ConfigError, match=r"'flip' has 3 fractions for 2 bins of \|eta\|"):
        make_discriminant(CLASSES, fractions={"flip": [1, 2, 3]}, eta_edges=(0, 1, 2))
    with pytest.raises(NumericalError, match="must be finite and not negative"):
        make_discriminant(CLASSES, fractions={"flip": -1})
    with pytest.raises(NumericalError, match="sum to nothing"):
        make_discriminant(CLASSES, fractions={"flip": 0})
    with pytest.raises(ConfigError, match="needs the score of class 'hadron'; nearest: 'hadrons'"):
        make_discriminant(CLASSES)(
            {"signal": np.zeros(1), "flip": np.zeros(1), "hadrons": np.zeros(1)}, eta=np.zeros(1)
        )


@pytest.fixture
def table():
    shape = (2, 2, 1)
    cut = np.array([[[0.0], [np.nan]], [[1.0], [np.nan]]])
    slope = np.array([[[-0.1], [0.0]], [[0.0], [0.0]]])
    zeros, n = np.zeros(shape), np.full((2, 1), 100.0)
    return CutTable(
        ("loose", "tight"),
        Discriminant({"signal": 1.0}, {"background": (1.0,)}),
        (0.0, 1.0, 2.0),
        (20.0, 100.0),
        np.full(shape, 0.9),
        cut,
        zeros,
        slope,
        zeros,
        n,
        n,
        mu_reference=30.0,
    )


def test_cuts_follow_pile_up_and_say_where_they_know_nothing(table):
    eta, et = np.array([0.5, -0.5, 0.5, 1.5, 2.5, 0.5]), np.array([30.0, 30.0, 10.0, 30.0, 30.0, 30.0])
    value, mu = np.array([-0.5, -0.5, 9.0, 9.0, 9.0, np.nan]), np.array([40.0, 30.0, 30.0, 30.0, 30.0, 30.0])
    got = table.passes(value, eta=eta, et=et, mu=mu)
    assert got["loose"].tolist() == [1, 0, -1, -1, -1, -1]
    assert got["tight"].tolist() == [0, 0, -1, -1, -1, -1]
    with pytest.raises(ConfigError, match="depend on pile-up: the field 'mu' is needed"):
        table.passes(value, eta=eta, et=et)


def test_a_file_gives_the_same_cuts(table, tmp_path):
    read = read_cut_table(write_cut_table(tmp_path / "working_points.json", table))
    assert read_cut_table(tmp_path).names == read.names == table.names
    np.testing.assert_array_equal(read.cut, table.cut)
    assert (read.discriminant, read.mu_reference) == (table.discriminant, table.mu_reference)


def test_files_that_hold_no_working_points(table, tmp_path):
    with pytest.raises(InputFileError, match=r"working points '.*none\.json' do not exist"):
        read_cut_table(tmp_path / "none.json")
    path = tmp_path / "a.json"
    path.write_text("{")
    with pytest.raises(InputFileError, match="is not JSON"):
        read_cut_table(path)
    path.write_text("[1]")
    with pytest.raises(InputFileError, match="does not hold working points"):
        read_cut_table(path)
    write_cut_table(path, table, overwrite=True)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"cut": content["cut"][:1]}))
    with pytest.raises(InputFileError, match=r"'cut' of working points has shape \(1, 2, 1\), not \(2, 2, 1\)"):
        read_cut_table(path)
    path.write_text(json.dumps(content | {"version": 9}))
    with pytest.raises(InputFileError, match="has format 9; this calotools reads up to 1"):
        read_cut_table(path)
    with pytest.raises(ShapeError, match="'n' of working points"):
        CutTable(**(vars(table) | {"n": np.zeros(3)}))


TREES = ScoreOrigin("trees", "1a2b3c4d5e6f7a8b", (1.25,))


def test_a_file_says_of_which_scores_its_cuts_are(table, tmp_path):
    made = replace(table, origin=TREES)
    assert read_cut_table(write_cut_table(tmp_path / "a.json", made)).origin == TREES
    assert read_cut_table(tmp_path / "a.json").digest == made.digest != table.digest
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["scores"] == {"model": "trees", "digest": "1a2b3c4d5e6f7a8b", "temperature": [1.25]}
    del content["scores"]  # as older versions wrote it
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read_cut_table(tmp_path / "a.json").origin is None
    (tmp_path / "a.json").write_text(json.dumps(content | {"scores": "trees"}))
    with pytest.raises(InputFileError, match="cannot be understood"):
        read_cut_table(tmp_path / "a.json")


def test_cuts_are_for_scores_of_one_model_and_calibration():
    check_origin(TREES, TREES, where="cuts")
    others = {
        r"of model 'trees' \(digest 1a2b3c4d5e6f\), these are of model 'lh' \(digest 9\)": ScoreOrigin("lh", "9"),
        r"these are of model 'trees' \(digest 77\); make working points from these scores": replace(TREES, digest="77"),
        "with temperature 1.25, these are without a temperature; predict without --no-calibrate": replace(
            TREES, temperature=()
        ),
        "with temperature 1.25, these are with temperature 1.3, 1.2; predict with": replace(
            TREES, temperature=(1.3, 1.2)
        ),
    }
    for text, other in others.items():
        with pytest.raises(ConfigError, match=f"working points 'cuts' are not for these scores: .*{text}"):
            check_origin(TREES, other, where="cuts")
    for known, text in (
        ((None, TREES), "working points 'cuts' do not say"),
        ((TREES, None), "these scores do not say"),
    ):
        with pytest.warns(UncheckedWarning, match=text):
            check_origin(*known, where="cuts")


def test_a_temperature_of_one_changes_nothing():
    record = {"model": "trees", "digest": "1a", "temperature": [1.0]}
    assert ScoreOrigin.from_record(record) == ScoreOrigin.from_record(record | {"temperature": None})
    assert ScoreOrigin.from_record({"model": "trees"}) is None
