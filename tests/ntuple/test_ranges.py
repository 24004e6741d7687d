"""Ranges: all entries once, in any order the same candidates as reading from first to last."""

import awkward as ak
import numpy as np
import pytest
import uproot

from calotools.errors import ConfigError, EmptyInputError, InputFileError
from calotools.ntuple import NtupleWriter, RangeReader, list_ranges, read_candidates

N = 9000


def content(n, *, first=0):
    rng = np.random.default_rng(n)
    lengths = rng.integers(1, 4, n)
    energy = rng.uniform(1, 5, lengths.sum()).astype("f4")
    cells = ak.zip({"e": energy, "eta": energy * 0, "phi": energy * 0, "sampling": (energy * 0).astype("u1") + 2})
    return {
        "run": np.full(n, 3, "u4"),
        "event": np.arange(first, first + n, dtype="u8") // 3,
        "candidate": np.arange(first, first + n, dtype="i4") % 3,
        "e": rng.uniform(20, 90, n).astype("f4"),
        "eta": rng.uniform(-2, 2, n).astype("f4"),
        "phi": rng.uniform(-3, 3, n).astype("f4"),
        "cells": ak.unflatten(cells, lengths),
    }


@pytest.fixture(scope="module", params=["ttree", "rntuple"])
def files(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    for k, n in enumerate((N, 700)):
        with NtupleWriter(folder / f"{k}.root", format=request.param) as writer:
            writer.extend("electrons", content(n, first=100_000 * k))
    return [str(folder / f"{k}.root") for k in range(2)]


def assert_same(chunks, expected):
    found = ak.concatenate([chunk.candidates for chunk in chunks])
    assert found.fields == expected.fields
    assert ak.array_equal(found, expected)


def test_every_entry_once_and_in_any_order_the_same(files):
    fields = ("e", "cells.e")
    expected = read_candidates(files, fields=fields)
    ranges = list_ranges(files, fields=fields, step=2000)
    assert [(one.start, one.stop) for one in ranges if one.file == files[1]] == [(0, 700)]
    order = np.random.default_rng(1).permutation(len(ranges))
    with RangeReader(fields=fields, keep_open=1) as read:
        chunks = {k: read(ranges[k]) for k in order}
    assert sum(map(len, ranges)) == N + 700
    assert_same([chunks[k] for k in range(len(ranges))], expected)


@pytest.mark.parametrize("step", [1, 100, 4000, 5000, 1_000_000])
def test_ranges_follow_one_another(files, step):
    ranges = list_ranges(files[1], step=step)
    assert [one.start for one in ranges] == [0, *(one.stop for one in ranges[:-1])]
    assert ranges[-1].stop == 700
    assert max(map(len, ranges)) <= 2 * step


def test_baskets_are_not_cut(files):
    edges = [one.stop for one in list_ranges(files[0], step=5000)]
    assert edges[0] == 4000


def test_numbers_that_the_tree_lacks(tmp_path):
    flavour = tmp_path / "bare.toml"
    flavour.write_text(
        'name = "bare"\ntree = "t"\n[event]\nrun = "run"\nevent = "event"\n'
        '[candidate]\ne = { branch = "e", unit = "GeV" }\n'
    )
    path, rng = tmp_path / "bare.root", np.random.default_rng(2)
    with uproot.recreate(path) as file:
        event = np.repeat(np.arange(2000, dtype="u8"), rng.integers(1, 5, 2000))
        file.mktree("t", {"run": "u4", "event": "u8", "e": "f4"})
        file["t"].extend({"run": event.astype("u4") * 0, "event": event, "e": np.full(len(event), 30, "f4")})
    expected = read_candidates(path, flavour=flavour)
    ranges = list_ranges(path, flavour=flavour, step=777)
    with RangeReader() as read:
        chunks = {k: read(ranges[k]) for k in reversed(range(len(ranges)))}
    assert len(ranges) > 3
    assert_same([chunks[k] for k in range(len(ranges))], expected)


def test_nothing_to_read(tmp_path):
    with pytest.raises(InputFileError, match="does not exist"):
        list_ranges(tmp_path / "absent.root")
    with NtupleWriter(tmp_path / "none.root") as writer:
        writer.extend("electrons", {name: values[:0] for name, values in content(3).items()})
    with pytest.raises(EmptyInputError, match="zero entries"):
        list_ranges(tmp_path / "none.root")
    with pytest.raises(ConfigError, match="step = 0"):
        list_ranges(tmp_path / "none.root", step=0)
