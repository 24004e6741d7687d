"""What is known of files is not looked up again, unless they changed."""

import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import uproot

from calotools.errors import InputFileError
from calotools.ntuple import NtupleWriter, Range, RangeReader, count_entries, headers, list_ranges, read_candidates
from calotools.ntuple.headers import open_trees
from calotools.ntuple.trees import sample_fields

SAMPLE = Path(__file__).parents[2] / "ntuples" / "electrons.root"


@pytest.fixture
def opened(monkeypatch):
    """Files in the order in which they were opened."""
    names, really = [], headers.open_file
    monkeypatch.setattr(headers, "open_file", lambda path: names.append(Path(path).name) or really(path))
    return names


def write(path, n):
    with NtupleWriter(path, overwrite=True) as writer:
        writer.extend("electrons", read_candidates(SAMPLE, tree="electrons", max_candidates=n))
    return str(path)


def read_all(path, fields):
    with closing(RangeReader(fields=fields)) as read:
        return [read(one).candidates for one in list_ranges(path, tree="electrons", fields=fields, step=10)]


def test_a_file_is_opened_once(tmp_path, opened):
    path = write(tmp_path / "a.root", 30)
    expected = read_candidates(path, tree="electrons", fields=["et", "cells.e"])
    for fields in (["et", "cells.e"], ["et"], ["cells.e"]):
        found = read_all(path, fields)
        assert sum(map(len, found)) == 30
        if "cells.e" in fields:
            assert found[0].cells.e.to_list() == expected.cells.e.to_list()[: len(found[0])]
    assert "cells.e" in sample_fields(path, tree="electrons")
    assert count_entries([path], tree="electrons", flavour="native") == {path: 30}
    assert opened == ["a.root"]
    read_all(path, ["eta"])  # never asked before
    assert opened == ["a.root"] * 2


def test_a_file_that_changed_is_opened_again(tmp_path, opened):
    path = write(tmp_path / "a.root", 20)
    assert count_entries([path], tree="electrons", flavour="native") == {path: 20}
    write(path, 25)
    assert count_entries([path], tree="electrons", flavour="native") == {path: 25}
    assert sum(map(len, read_all(path, ["et"]))) == 25
    before = Path(path).stat()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert count_entries([path], tree="electrons", flavour="native") == {path: 25}
    assert opened == ["a.root"] * 4  # once more for a branch
    Path(path).unlink()
    with pytest.raises(InputFileError, match=r"a\.root' does not exist"):
        list_ranges(path, tree="electrons", flavour="native")


def test_ranges_end_where_baskets_of_all_branches_do(tmp_path):
    path = tmp_path / "t.root"
    columns = {"e": np.float32, "n": np.int32, "x": np.float64}
    with uproot.recreate(path) as file:
        file.mktree("t", columns)
        for size in (7, 5, 0, 11):
            file["t"].extend({name: np.zeros(size, kind) for name, kind in columns.items()})
    with open_trees(str(path)) as trees, uproot.open(path) as file:
        assert trees["t"].boundaries(["e", "x"]) == set(file["t"].common_entry_offsets(filter_name=["e", "x"]))
        assert trees["t"].boundaries(["e", "x"]) >= {0, 7, 12, 23}


def test_only_the_last_files_are_remembered(tmp_path, opened, monkeypatch):
    monkeypatch.setattr(headers, "_MOST", 1)
    paths = [write(tmp_path / f"{name}.root", 5) for name in "ab"]
    for path in (*paths, paths[1], paths[0]):
        assert count_entries([path], tree="electrons", flavour="native") == {path: 5}
    assert opened == ["a.root", "b.root", "a.root"]


def test_what_uproot_has_to_read_is_left_to_it(tmp_path, opened):
    path = tmp_path / "n.root"
    with uproot.recreate(path) as file:
        file.mkrntuple("t", {"e": np.array([1.0, 2.0], np.float32)})
    for _ in range(2):
        with open_trees(str(path)) as trees:
            assert trees["t"].baskets(["e"]) is None
            assert trees["t"].boundaries(["e"]) == {0}
            assert trees["t"].opened()["e"].array().to_list() == [1.0, 2.0]
    assert opened == ["n.root"] * 2


def test_a_range_of_a_file_that_is_gone(tmp_path):
    with closing(RangeReader(fields=["et"])) as read, pytest.raises(InputFileError, match=r"gone\.root"):
        read(Range(str(tmp_path / "gone.root"), "electrons", "native", 0, 1))
