"""Streaming from ROOT files: what is served, kept and learnt is what the store gives."""

import json
import os
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from calotools.errors import CellError, ConfigError, EmptyInputError, OutputExistsError
from calotools.images import ImageStore, merge_stores
from calotools.models import build_model
from calotools.ntuple import NtupleWriter, read_candidates
from calotools.recipe import TrainConfig
from calotools.training import fit, open_data, prepare, prepare_shard, take_survey
from calotools.training.fitting.network import model_inputs
from calotools.training.loading.pools import in_memory
from calotools.training.loading.stored import StoreData
from calotools.training.loading.streaming import StreamData
from calotools.training.sample import store_builder
from calotools.training.sample.parallel_reading import PieceArrays
from calotools.training.sample.preparation import find_store

SAMPLES = Path(__file__).parents[2] / "ntuples"
PER_FILE = 60


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two files of signal and two of background, with a few candidates each."""
    folder = tmp_path_factory.mktemp("stream")
    for name in ("electrons", "fakes"):
        candidates = read_candidates(SAMPLES / f"{name}.root", tree="electrons", max_candidates=2 * PER_FILE)
        for k in range(2):
            with NtupleWriter(folder / f"{name}{k}.root") as writer:
                writer.extend("electrons", candidates[k * PER_FILE : (k + 1) * PER_FILE])
    return tuple(str(folder / f"{name}{k}.root") for name in ("electrons", "fakes") for k in range(2))


@pytest.fixture
def recipe(files, tmp_path):
    """A function: changes -> TrainConfig for the four files."""

    def make(**changes):
        trainer = {"epochs": 2, "batch_size": 30, "threads": 1, "accelerator": "cpu"} | changes.pop("trainer", {})
        sample = {"files": files, "selection": ("et > 12",)} | changes.pop("sample", {})
        values = {
            "task": "identification",
            "output": tmp_path / "out",
            "sample": sample,
            "images": "electron_slides",
            "scalars": ("mu", "e1"),
            "tracks": ("e_frac", "d0"),
            "max_tracks": 4,
            "shuffle_buffer": 100,
            "test_fraction": 0.1,
            "validation_fraction": 0.2,
            "model": {"name": "electron_cnn_2018", "settings": {"reading": "slides"}},
            "trainer": trainer,
        }
        return TrainConfig(**(values | changes))

    return make


def stream(config):
    return StreamData(config, take_survey(config))


def assert_same_batches(first, second):
    first, second = list(first), list(second)
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        for name in ("scalars", "tracks", "track_mask", "base_energy", "target", "weight", "row"):
            assert torch.equal(getattr(one, name), getattr(other, name)), name
        for name, image in one.images.items():
            assert torch.equal(image, other.images[name]), name


def assert_same_stores(first, second):
    names = sorted(path.name for path in first.path.iterdir())
    assert names == sorted(path.name for path in second.path.iterdir())
    for name in set(names) - {"meta.json"}:
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes(), name
    metas = [json.loads((store.path / "meta.json").read_text()) for store in (first, second)]
    for meta in metas:
        meta.pop("digest")
    assert metas[0] == metas[1]


def assert_same_rows(built, prepared):
    """The store that an epoch made, in which pieces came in any order, and the one of `prepare`."""
    names = sorted(path.name for path in built.path.iterdir())
    assert names == sorted(path.name for path in prepared.path.iterdir())
    flat = ("index_", "column_", "outside", "centre", "dropped", "status")
    for name in names:
        if name.startswith(flat):
            assert (built.path / name).read_bytes() == (prepared.path / name).read_bytes(), name
    rows = np.arange(len(prepared))
    first, second = built.take(rows), prepared.take(rows)
    for name, array in second.items():
        np.testing.assert_array_equal(first[name], array, strict=True, err_msg=name)
    metas = [json.loads((store.path / "meta.json").read_text()) for store in (built, prepared)]
    for meta in metas:
        meta.pop("digest")
    assert metas[0] == metas[1]


CHANGES = [
    {},
    {"fractions": {"background": 0.3, "signal": 0.7}},
    {"event_weight": True, "class_weights": {4: 3.0}, "fold": (1, 4)},
]


@pytest.mark.parametrize("changes", CHANGES, ids=("plain", "fractions", "folds and weights"))
def test_the_first_epoch_is_the_same_from_files_and_store(recipe, changes):
    config = recipe(**changes)
    streamed = stream(config.model_copy(update={"source": "stream"}))
    stored = StoreData(config, prepare(config))
    assert streamed.scalers == stored.scalers
    assert len(streamed) == len(stored)
    assert_same_batches(streamed.batches(0), stored.batches(0))
    assert_same_batches(streamed.batches(0, part=(1, 2), skip=3), stored.batches(0, part=(1, 2), skip=3))
    validation, expected = (list(one.validation().batches(0)) for one in (streamed, stored))
    assert [batch.weight.tolist() for batch in validation] == [batch.weight.tolist() for batch in expected]
    for one, other in zip(validation, expected, strict=True):
        assert torch.equal(one.images["energy_em"], other.images["energy_em"])
    assert np.array_equal(streamed.abs_eta(), stored.abs_eta())


def test_streaming_serves_every_candidate_once_in_every_epoch(recipe):
    data = stream(recipe(source="stream"))
    orders = []
    for epoch in range(2):
        parts = [list(data.batches(epoch, part=(rank, 2))) for rank in range(2)]
        orders.append([int(row) for part in parts for batch in part for row in batch.row])
        assert len(set(orders[-1])) == len(orders[-1])
    assert set(orders[0]) == set(orders[1])
    assert orders[0] != orders[1]
    assert len(orders[0]) == data.tally.n[0].sum()


def test_a_batch_is_spread_over_the_sample(recipe):
    data = stream(recipe(source="stream", trainer={"batch_size": 25}))
    spreads = [float(np.std(batch.row.numpy())) for batch in data.batches(1)]
    n = len(take_survey(data.config))
    assert np.mean(spreads) > 0.8 * n / np.sqrt(12)


def test_skipped_batches_are_not_read(recipe, monkeypatch):
    config = recipe(source="stream")
    data = stream(config)
    data.complete()
    whole = [batch.row.tolist() for batch in data.batches(1)]
    from calotools.training.sample.pieces import PieceReader

    read, arrays = [], PieceReader.arrays
    monkeypatch.setattr(
        PieceReader, "arrays", lambda self, piece, **more: read.append(piece) or arrays(self, piece, **more)
    )
    assert [batch.row.tolist() for batch in data.batches(1, skip=len(whole) - 1)] == whole[-1:]
    assert 0 < len(read) < 4


def test_the_store_of_the_first_epoch_is_the_prepared_one(recipe, tmp_path):
    data = open_data(recipe())
    assert isinstance(data, StreamData)
    list(data.batches(0))
    built = find_store(recipe())
    prepared = prepare(recipe(store=tmp_path / "prepared"))
    assert_same_rows(built, prepared)
    assert built.digest == prepared.digest
    assert sorted(path.name for path in built.path.parent.iterdir()) == ["store"]


def test_shards_make_the_whole(recipe, tmp_path):
    config = recipe()
    survey = take_survey(config)
    shards = [prepare_shard(config, survey.pieces[k : k + 3], tmp_path / f"shard{k}") for k in (0, 3)]
    record = {"cutflow": list(survey.cutflow)}
    merged = merge_stores([one.path for one in shards], tmp_path / "merged", record=record)
    assert_same_stores(merged, prepare(config))


def test_two_trainings_that_make_one_store_do_not_meet(recipe, tmp_path, monkeypatch):
    config = recipe(store=tmp_path / "shared")
    builders = []
    for process, turn in ((111, 1), (222, -1)):
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        survey = take_survey(config)
        one = store_builder.StoreBuilder(config, config.store, digest="one", cutflow=survey.cutflow)
        with PieceArrays(config) as read:
            for piece, arrays in read(survey.pieces[::turn]):
                one.add(piece.number, in_memory(config, arrays))
        builders.append(one)
    make = store_builder.order_store
    waiting = builders[1:]

    def other_first(*args, **options):
        while waiting:
            monkeypatch.setattr(os, "getpid", lambda: 222)
            waiting.pop().finish()
            monkeypatch.setattr(os, "getpid", lambda: 111)
        return make(*args, **options)

    monkeypatch.setattr(os, "getpid", lambda: 111)
    monkeypatch.setattr(store_builder, "order_store", other_first)
    assert_same_rows(builders[0].finish(), prepare(recipe(store=tmp_path / "prepared")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prepared", "shared"]


def test_no_thread_is_left_to_a_fork(recipe, monkeypatch):
    monkeypatch.setenv("CALOTOOLS_THREADS", "2")
    data = open_data(recipe(source="stream", trainer={"devices": 2}))
    assert not [one.name for one in threading.enumerate() if one.name.startswith("pieces")]
    assert len(list(data.batches(0, part=(0, 2)))) == len(data)  # and they come back
    data.close()


def test_half_an_epoch_leaves_no_store(recipe):
    data = open_data(recipe())
    batches = data.batches(0)
    next(batches)
    batches.close()
    data.close()
    assert list(recipe().output.iterdir()) == []


def test_weights_do_not_depend_on_the_store(recipe, tmp_path):
    first = recipe(output=tmp_path / "first")
    built = fit(first, open_data(first))
    second = recipe(output=tmp_path / "second")
    prepare(second)
    data = open_data(second)
    assert isinstance(data, StoreData)
    stored = fit(second, data)
    assert built.record == stored.record
    for name, weight in built.state_dict.items():
        assert torch.equal(weight, stored.state_dict[name]), name


@pytest.mark.parametrize("source", ["store", "stream"])
def test_resume_inside_an_epoch(recipe, tmp_path, source):
    class StoppedError(Exception):
        pass

    def stop(name, done, total):
        if name == "train" and done > 0.75 * total:
            raise StoppedError

    # So short a time that there is a checkpoint after every batch.
    changes = {"source": source, "trainer": {"checkpoint_minutes": 1e-9}}
    whole = recipe(output=tmp_path / "whole", **changes)
    expected = fit(whole, open_data(whole))
    config = recipe(output=tmp_path / "stopped", **changes)
    with pytest.raises(StoppedError):
        fit(config, open_data(config), progress=stop)
    last = torch.load(config.output / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["loops"]["fit_loop"]["state_dict"]["combined_loader"][0]["batch"] > 1
    resumed = fit(config, open_data(config))
    assert resumed.record == expected.record
    for name, weight in expected.state_dict.items():
        assert torch.equal(weight, resumed.state_dict[name]), name


def test_resume_inside_the_epoch_that_makes_the_store(recipe, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(name, done, total):
        if name == "train" and done > 0.25 * total:
            raise StoppedError

    config = recipe(trainer={"checkpoint_minutes": 1e-9})
    with pytest.raises(StoppedError):
        fit(config, open_data(config), progress=stop)
    assert find_store(config) is None
    resumed = fit(config, open_data(config))
    assert_same_rows(find_store(config), prepare(recipe(store=tmp_path / "prepared")))
    whole = recipe(output=tmp_path / "whole", store=tmp_path / "prepared")
    assert fit(whole, open_data(whole)).record == resumed.record


def test_every_file_gives_its_share(recipe):
    survey = take_survey(recipe(sample={"max_candidates": 50, "selection": ()}))
    assert len(survey) == 50
    by_file = {piece.where.file: piece.n for piece in survey.pieces}
    assert sorted(by_file.values()) == [12, 12, 13, 13]
    store = prepare(recipe(sample={"max_candidates": 50, "selection": ()}))
    assert len(store) == 50
    assert store.column("class_true")[:25].tolist().count(0) > 20  # the second half is of the fakes


def test_stream_and_store_know_the_cut_flow(recipe, tmp_path):
    """Also a store that is there already, for which no candidate is counted again."""
    changes = {"sample": {"max_candidates": 50, "selection": ("et > 20",)}}
    config = recipe(**changes)
    streamed, stored = stream(config), StoreData(config, prepare(config))
    assert [one["step"] for one in stored.cutflow] == ["all", "et > 20", "max_candidates"]
    everything, selected, used = (one["candidates"] for one in stored.cutflow)
    assert (everything, used) == (4 * PER_FILE, 50)
    assert selected == len(take_survey(recipe(sample={"selection": ("et > 20",)}))) > 50
    assert streamed.cutflow == stored.cutflow == find_store(config).record["cutflow"]
    built = stream(recipe(**changes, store=tmp_path / "built"))
    built.complete()
    assert find_store(built.config).record == find_store(config).record


def test_a_candidate_without_cells_weighs_nothing(recipe, files, tmp_path):
    import awkward as ak

    candidates = read_candidates(files[0])
    keep = ak.Array(np.arange(len(candidates)) != 3)
    cells = candidates.cells[keep[:, np.newaxis] & (candidates.cells.e == candidates.cells.e)]
    path = tmp_path / "bad.root"
    with NtupleWriter(path) as writer:
        writer.extend("electrons", ak.with_field(candidates, cells, "cells"))
    changes = {"sample": {"files": (str(path), *files[1:]), "selection": ()}, "validation_fraction": 0.1}
    with closing(stream(recipe(**changes))) as data, pytest.raises(CellError, match=r"bad\.root.*no cells"):
        list(data.batches(0))
    config = recipe(**changes, on_bad="skip", reweight=False)
    for data in (stream(config), StoreData(config, prepare(config))):
        weights = torch.cat([batch.weight for part in (data, data.validation()) for batch in part.batches(0)])
        assert (weights == 0).sum() == 1


def test_a_store_of_another_recipe_is_not_used(recipe, tmp_path):
    path = tmp_path / "mine"
    prepare(recipe(store=path))
    other = {"store": path, "scalars": ("mu",)}
    with pytest.raises(OutputExistsError, match=r"mine' was made by another recipe.*--overwrite"):
        prepare(recipe(**other))
    assert "column_e1.npy" in {one.name for one in path.iterdir()}
    prepare(recipe(**other, overwrite=True))
    assert ImageStore.open(path).digest != ""
    prepare(recipe())
    assert find_store(recipe(scalars=("mu",))) is None


def test_shares_that_cannot_be(recipe):
    for fractions, text in (
        ({"background": 1, "signl": 1}, "fractions names 'signl'.*nearest: 'signal'"),
        ({"background": 1, "signal": 0}, "fractions.signal = 0.* must be above 0"),
        ({"signal": 1}, r"no share for \['background'\]"),
    ):
        with pytest.raises(ConfigError, match=text):
            stream(recipe(fractions=fractions))


def test_nothing_passes(recipe):
    with pytest.raises(EmptyInputError, match=r"passes the selection: .*'et > 1e6' leaves 0; loosen it"):
        open_data(recipe(sample={"selection": ("et > 1e6",)}))


def test_truth_is_refused_before_anything_is_read(recipe):
    with pytest.raises(ConfigError, match="truth cannot be an input"):
        open_data(recipe(scalars=("mu", "e_true")))


def test_halves_are_half_the_store_and_change_little(recipe, tmp_path):
    """Values with 16 bits: the store, the images that the network learns from, and what it says of them."""
    whole, half = prepare(recipe()), prepare(recipe(half=("energy",), store=tmp_path / "half"))
    sizes = [(store.path / "value_energy.npy").stat().st_size for store in (whole, half)]
    assert sizes[1] < 0.52 * sizes[0]
    assert half.digest != whole.digest
    exact, near = (StoreData(recipe(), store).batches(0) for store in (whole, half))
    exact, near = next(exact), next(near)
    assert torch.equal(exact.row, near.row)
    for name, image in exact.images.items():
        assert not torch.equal(image, near.images[name])
        torch.testing.assert_close(near.images[name], image, rtol=2**-11, atol=3e-8)
    config = recipe()
    network = build_model(config.model.name, config.model.settings, model_inputs(config, whole.spec)).eval()
    with torch.inference_mode():
        torch.testing.assert_close(network(near), network(exact), rtol=0, atol=2e-3)


def test_a_stream_of_halves_is_their_store(recipe):
    data = stream(recipe(source="stream", half=("energy",)))
    with closing(data):
        streamed = list(data.batches(0))
    assert_same_batches(streamed, StoreData(recipe(), prepare(recipe(half=("energy",)))).batches(0))


def test_halves_of_what_is_not_there(recipe):
    with pytest.raises(ConfigError, match=r"half = 'tme' is no quantity of the images; allowed: 'energy'"):
        prepare(recipe(half=("tme",)))
