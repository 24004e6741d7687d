"""Candidates as flat columns: rows stay together, and a file does not show which way they came."""

from itertools import pairwise

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.errors import BranchError, ShapeError
from calotools.ntuple import Lists, NtupleWriter, Table, canonical_fields, join_tables, read_candidates, table_of


def _records(table):
    content = ak.zip(table.lists["cells"].columns)
    return ak.unflatten(content, np.diff(table.lists["cells"].offsets))


@st.composite
def tables(draw):
    counts = draw(st.lists(st.integers(0, 4), min_size=0, max_size=12))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    values = np.arange(offsets[-1], dtype=np.float32)
    return Table({"et": np.arange(len(counts)) + 0.5}, {"cells": Lists(offsets, {"e": values, "phi": -values})})


@given(table=tables(), data=st.data())
def test_taking_rows_is_what_awkward_takes(table, data):
    n = len(table)
    rows = np.array(data.draw(st.lists(st.integers(0, n - 1), max_size=20)) if n else [], dtype=np.int64)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    for chosen in (rows, mask):
        taken = table.take(chosen)
        assert taken.flat["et"].tolist() == table.flat["et"][chosen].tolist()
        assert _records(taken).to_list() == _records(table)[chosen].to_list()


@given(table=tables(), data=st.data())
def test_slices_joined_are_the_whole(table, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(table)), max_size=4)))
    edges = [0, *cuts, len(table)]
    again = join_tables([table.slice(start, stop) for start, stop in pairwise(edges)])
    assert again.flat["et"].tolist() == table.flat["et"].tolist()
    assert _records(again).to_list() == _records(table).to_list()


@pytest.mark.parametrize("kind", ["ttree", "rntuple"])
def test_a_table_and_its_records_make_the_same_file(tmp_path, make_candidates, kind):
    given = make_candidates(60)
    found = []
    for name, candidates in (("records", ak.Array(given)), ("mapping", given), ("table", table_of(given))):
        with NtupleWriter(tmp_path / f"{name}.root", format=kind) as writer:
            writer.extend("electrons", candidates)
        found.append(read_candidates(tmp_path / f"{name}.root"))
    for other in found[1:]:
        assert other.fields == found[0].fields
        assert ak.array_equal(other, found[0], dtype_exact=True)


def test_writing_changes_no_input(tmp_path, make_candidates):
    table = table_of(make_candidates(20))
    before = table.take(np.arange(20))
    with NtupleWriter(tmp_path / "a.root") as writer:
        writer.extend("electrons", table)
    for name, column in before.flat.items():
        np.testing.assert_array_equal(table.flat[name], column)
    np.testing.assert_array_equal(table.lists["cells"].columns["e"], before.lists["cells"].columns["e"])


def test_energies_are_converted_in_their_own_precision(tmp_path):
    values = np.array([0.1, 1 / 3, 1e5], dtype=np.float64)
    zeros = np.zeros(3)
    with NtupleWriter(tmp_path / "a.root") as writer:
        writer.extend("electrons", Table({"e": values, "eta": zeros, "phi": zeros, "candidate": zeros}, {}))
    stored = read_candidates(tmp_path / "a.root", fields=["e"]).e
    np.testing.assert_array_equal(stored, (values * 1000).astype(np.float32) / np.float32(1000))


def test_columns_that_differ_in_length():
    with pytest.raises(ShapeError, match=r"differ in length: \{'et': 2, 'eta': 1\}"):
        Table({"et": np.zeros(2), "eta": np.zeros(1)}, {})
    with pytest.raises(ShapeError, match=r"'cells' has 3 entries by its offsets, its columns have \{'cells.e': 2\}"):
        Table({}, {"cells": Lists(np.array([0, 3]), {"e": np.zeros(2)})})


def test_lists_of_one_collection_that_differ_in_length():
    cells = ak.Array({"e": [[1.0, 2.0]], "phi": [[1.0]]})
    with pytest.raises(BranchError, match=r"lists of 'cells.phi' differ in length from those of its neighbours"):
        table_of({"et": [1.0], "cells": cells}, tree="electrons")


def test_missing_counts_are_refused(tmp_path):
    counts = [one.name for one in canonical_fields().values() if (one.type, one.group) == ("int32", "candidate.track")]
    name = counts[0]
    message = rf"field '{name}' is of type int32, but holds values that are not finite"
    with pytest.raises(BranchError, match=message), NtupleWriter(tmp_path / "a.root") as writer:
        writer.extend("electrons", {name: [1.0, np.nan]})
    assert list(tmp_path.iterdir()) == []
