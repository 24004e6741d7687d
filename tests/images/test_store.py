"""The store: the same numbers as fresh images, whatever the batches, and nothing half-written."""

import itertools
import json
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calotools.errors import (
    BranchError,
    CellError,
    ConfigError,
    EmptyInputError,
    InputFileError,
    OutputExistsError,
    ShapeError,
)
from calotools.images import ImageStore, build_images, build_store, merge_stores, order_store, pad_tracks

KEEP = {"columns": ["e", "eta_cluster"], "tracks": ["pt", "d0"], "max_tracks": 4, "digest": "abc"}
ETA = np.array([0.31, -0.62, 1.21, 1.38, -1.45, 1.62, -1.93, 2.31])
PHI = np.array([0.2, 3.14, -3.13, 1.0, 2.0, -1.0, 0.0, 3.0])


def files_of(store):
    return {path.name: path.read_bytes() for path in sorted(store.path.iterdir())}


@pytest.fixture(scope="module")
def candidates(make_candidates):
    return make_candidates(ETA, PHI)


# the grids of the last one are not in alphabetical order: that of a store's meta data has to be theirs
@pytest.mark.parametrize("name", ["electron", "energy_full", "electron_2020"])
def test_round_trip(tmp_path, candidates, name):
    store = build_store([candidates[:3], candidates[3:]], tmp_path / "store", name, **KEEP)
    assert len(store) == 8
    rows = np.array([6, 0, 0, 3])
    fresh, stored = build_images(candidates, name), store.images(rows)
    for key in fresh.values:
        np.testing.assert_array_equal(stored.values[key], fresh.values[key][rows])
        np.testing.assert_array_equal(store.dense(rows)[key], fresh.values[key][rows])
    for grid in fresh.mask:
        np.testing.assert_array_equal(stored.mask[grid], fresh.mask[grid][rows])
        np.testing.assert_array_equal(stored.outside[grid], fresh.outside[grid][rows])
    np.testing.assert_array_equal(stored.centre, fresh.centre[rows])
    values, mask = pad_tracks(candidates, ["pt", "d0"], max_tracks=4)
    np.testing.assert_array_equal(store.tracks(rows)[0], values[rows])
    np.testing.assert_array_equal(store.tracks(rows)[1], mask[rows])
    np.testing.assert_array_equal(store.column("eta_cluster"), candidates.eta_cluster)
    np.testing.assert_array_equal(store.index.event, candidates.event)
    assert store.index.event.dtype == np.uint64
    assert (store.digest, store.columns, store.usable.all()) == ("abc", ("e", "eta_cluster"), True)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 8), max_size=4), data=st.data())
def test_batches_and_merged_shards_equal_the_whole(tmp_path_factory, candidates, cuts, data):
    folder = tmp_path_factory.mktemp("stores")
    edges = [0, *sorted(cuts), 8]
    parts = [candidates[a:b] for a, b in itertools.pairwise(edges)]
    whole = build_store([candidates], folder / "whole", "electron", **KEEP)
    batches = build_store(iter(parts), folder / "batches", "electron", **KEEP)
    assert files_of(batches) == files_of(whole)
    where = data.draw(st.integers(1, 7))
    shards = [candidates[:where], candidates[where:]]
    stores = [build_store([one], folder / f"shard{i}", "electron", **KEEP) for i, one in enumerate(shards)]
    merged = merge_stores([store.path for store in stores], folder / "merged", digest="abc")
    assert files_of(merged) == files_of(whole)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 8), max_size=4), data=st.data())
def test_rows_in_another_order(tmp_path_factory, candidates, cuts, data):
    """What is asked of the store is what one gives that was built in this order; it can be merged, too."""
    folder = tmp_path_factory.mktemp("stores")
    parts = data.draw(st.permutations(list(itertools.pairwise([0, *sorted(cuts), 8]))))
    order = np.concatenate([np.arange(*part) for part in parts])
    source = build_store([candidates], folder / "source", "electron_2020", **KEEP)
    ordered = order_store(source.path, folder / "ordered", parts, digest="new")
    built = build_store([candidates[order]], folder / "built", "electron_2020", **KEEP)
    assert_same_rows(ordered, built)
    assert (ordered.digest, ordered.counts, list(files_of(ordered))) == ("new", built.counts, list(files_of(built)))
    twice = merge_stores([ordered.path, ordered.path], folder / "twice")
    assert_same_rows(twice, merge_stores([built.path, built.path], folder / "expected"))


@pytest.mark.parametrize("parts", [[(0, 3), (4, 8)], [(0, 5), (3, 8)], [(0, 3), (0, 3), (3, 8)], [(0, 9)], []])
def test_no_row_is_lost_or_named_twice(tmp_path, candidates, parts):
    source = build_store([candidates], tmp_path / "source", "energy", **KEEP)
    before = files_of(source)
    with pytest.raises(ShapeError, match=r"parts .* are not the rows 0 to 8 of '.*source', each once"):
        order_store(source.path, tmp_path / "ordered", parts)
    assert (files_of(source), [path.name for path in tmp_path.iterdir()]) == (before, ["source"])


def assert_same_rows(one, other):
    rows = np.random.default_rng(1).permutation(len(one))
    for own in (rows, rows[:3], np.arange(len(one))):
        first, second = one.take(own), other.take(own)
        assert list(first) == list(second)
        for name, array in first.items():
            np.testing.assert_array_equal(array, second[name], strict=True)
        for name, image in one.dense(own).items():
            np.testing.assert_array_equal(image, other.dense(own)[name])
        for array, expected in zip(one.tracks(own), other.tracks(own), strict=True):
            np.testing.assert_array_equal(array, expected)


def test_skipped_candidates_keep_their_row(tmp_path, candidates):
    chunk = SimpleNamespace(candidates=without_cells(candidates, 2)[2:], file="a.root", tree="electrons", start=2)
    with pytest.raises(CellError, match=r"a.root:electrons: entry 0 .*has no cells"):
        build_store([chunk], tmp_path / "store", "energy", **KEEP)
    assert list(tmp_path.iterdir()) == []
    store = build_store([without_cells(candidates, 2)], tmp_path / "store", "energy", on_bad="skip", **KEEP)
    assert store.usable.tolist() == [True, True, False, *[True] * 5]
    assert store.counts == {"candidates": 8, "unusable": 1, "dropped_cells": 0}
    assert not store.dense(np.array([2]))["energy_em"].any()


def without_cells(candidates, row):
    return ak.with_field(candidates, ak.where(np.arange(8) == row, candidates.cells[:, :0], candidates.cells), "cells")


def test_no_tracks_and_no_columns(tmp_path, candidates):
    store = build_store([candidates], tmp_path / "store", "energy")
    values, mask = store.tracks(np.arange(3))
    assert (values.shape, mask.shape) == ((3, 0, 0), (3, 0))
    with pytest.raises(BranchError, match="has no column 'et'"):
        store.column("et")


def test_questions_it_cannot_answer(tmp_path, candidates):
    store = build_store([candidates], tmp_path / "store", "energy", **KEEP)
    with pytest.raises(ShapeError, match="rows 0 to 8 are asked of a store that has rows 0 to 7"):
        store.dense(np.arange(9))
    with pytest.raises(ShapeError, match="rows must be a list of row numbers, not bool"):
        store.dense(np.ones(8, dtype=bool))
    with pytest.raises(BranchError, match="has no 'time' images; allowed: 'energy', 'mask'"):
        store.dense(np.arange(2), quantities=["time"])
    with pytest.raises(BranchError, match="has no column 'eta_clusters'; nearest: 'eta_cluster'"):
        store.column("eta_clusters")


def test_bad_input_leaves_nothing(tmp_path, candidates):
    with pytest.raises(EmptyInputError, match="no candidate to build the image store"):
        build_store([], tmp_path / "store", "energy")
    with pytest.raises(BranchError, match="candidates have no 'ett' to store"):
        build_store([candidates], tmp_path / "store", "energy", columns=["ett"])
    assert list(tmp_path.iterdir()) == []
    store = build_store([candidates], tmp_path / "store", "energy")
    with pytest.raises(OutputExistsError, match="exists"):
        build_store([candidates], tmp_path / "store", "energy")
    assert len(build_store([candidates[:2]], tmp_path / "store", "energy", overwrite=True)) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert store.digest == ""


def test_damaged_stores_are_named(tmp_path, candidates):
    store = build_store([candidates], tmp_path / "store", "energy")
    with pytest.raises(InputFileError, match="is not an image store"):
        ImageStore.open(tmp_path)
    bands = store.path / "bands.npy"
    content = bands.read_bytes()
    bands.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputFileError, match=r"bands.npy' is truncated"):
        ImageStore.open(store.path)
    bands.unlink()
    with pytest.raises(InputFileError, match=r"lacks 'bands.npy'"):
        ImageStore.open(store.path)
    meta = json.loads((store.path / "meta.json").read_text())
    (store.path / "meta.json").write_text(json.dumps(meta | {"format_version": 99}))
    with pytest.raises(InputFileError, match="has format 99, this version reads 3"):
        ImageStore.open(store.path)
    (store.path / "meta.json").write_text("{")
    with pytest.raises(InputFileError, match="is damaged"):
        ImageStore.open(store.path)


def test_unlike_stores_are_not_merged(tmp_path, candidates):
    one = build_store([candidates], tmp_path / "one", "energy")
    two = build_store([candidates], tmp_path / "two", "energy", columns=["e"])
    with pytest.raises(ConfigError, match="differ in columns"):
        merge_stores([one.path, two.path], tmp_path / "merged")
    with pytest.raises(ConfigError, match="no image stores"):
        merge_stores([], tmp_path / "merged")
