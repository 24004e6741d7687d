"""Cuts: what they mean, what they refuse, and cut flows."""

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.errors import ConfigError
from calotools.variables import add_cutflows, fields_in, select

COLUMNS = {
    "et": np.array([10.0, 20.0, 30.0, np.nan], dtype=np.float32),
    "eta": np.array([0.3, -1.4, 2.0, 1.0]),
    "pass_tight": np.array([1, 1, 0, 1], dtype=np.int32),
    "n": np.array([1, 2, 3, 4], dtype=np.uint8),
}


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        ("et > 15", [0, 1, 1, 0]),
        ("et != 10", [0, 1, 1, 0]),
        ("abs(eta) < 1.37 | abs(eta) > 1.52", [1, 0, 1, 1]),
        ("abs(eta) < 1.37 || abs(eta) > 1.52 && et < 25", [1, 0, 0, 1]),
        ("pass_tight == 1 & et > 15", [0, 1, 0, 0]),
        ("!(pass_tight == 1)", [0, 0, 1, 0]),
        ("not pass_tight == 1", [0, 0, 1, 0]),
        ("10 < et <= 30", [0, 1, 1, 0]),
        ("et / 10 + 1 == n", [0, 0, 0, 0]),
        ("et * cosh(eta) > 40", [0, 1, 1, 0]),
        ("n - 2 < 0", [1, 0, 0, 0]),
        ("-n < -2", [0, 0, 1, 1]),
        ("max(et, 25) > 25", [0, 0, 1, 0]),
        ("isnan(et)", [0, 0, 0, 1]),
        ("1 == 1", [1, 1, 1, 1]),
    ],
)
def test_cuts_mean_what_they_say(cut, expected):
    assert select(COLUMNS, [cut]).mask.tolist() == [bool(one) for one in expected]


def test_awkward_records_and_missing_values():
    candidates = ak.Array({"et": [10.0, None, 30.0], "cells": [[1.0], [], [2.0]]})
    assert select(candidates, ["et > 5"]).mask.tolist() == [True, False, True]
    with pytest.raises(ConfigError, match=r"'cells' has several values per candidate .* 'et'"):
        select(candidates, ["cells > 1"])


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ("ett > 15", r"uses 'ett', which candidates do not have; nearest: 'et'"),
        ("et >", "is not an expression"),
        ("__import__('os')", "calls '__import__'|holds"),
        ("et.real > 1", "holds 'et.real'"),
        ("et[0] > 1", r"holds 'et\[0\]'"),
        ("[x for x in et]", "cuts cannot do"),
        ("(lambda: 1)() > 0", "cuts cannot do"),
        ("sqr(eta) < 1", "calls 'sqr'; nearest: 'sqrt'"),
        ("abs(eta, 1, 2, 3) < 1", "with 4 arguments"),
        ("et", "gives float32 numbers"),
        ("pass_tight & et > 15", "joins numbers"),
        ("et > 'a'", "holds"),
    ],
)
def test_bad_cuts_are_named(cut, message):
    with pytest.raises(ConfigError, match=message):
        select(COLUMNS, [cut])


def test_cutflow_counts_and_weights():
    columns = COLUMNS | {"weight": np.array([1.0, 2.0, 3.0, 4.0])}
    flow = select(columns, ["et > 15", "pass_tight == 1"]).cutflow
    assert [(step.n_passed, step.n_alone, step.sum_weight) for step in flow] == [(4, 4, 10.0), (2, 2, 5.0), (1, 3, 2.0)]
    assert select(COLUMNS, []).mask.all()
    with pytest.raises(ConfigError, match="different cuts"):
        add_cutflows([flow, flow[:1]])


def test_fields_do_not_include_functions():
    assert fields_in(["abs(eta) < 1.37 | et > 2 * max(pt, 3)", "et > 1"]) == {"eta", "et", "pt"}


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.integers(0, 30))
def test_cutflow_of_batches_is_that_of_the_whole(values, where):
    et = np.array(values)
    cuts = ["et > -20", "abs(et) < 50"]
    parts = [select({"et": part}, cuts) for part in (et[:where], et[where:])]
    whole = select({"et": et}, cuts)
    assert np.concatenate([part.mask for part in parts]).tolist() == whole.mask.tolist()
    assert add_cutflows(part.cutflow for part in parts) == whole.cutflow
