"""From ntuple to friend tree: prepare, fit, bundle, predict."""

import numpy as np
import pytest

from calotools.deploy import bundle_of, predict, save_bundle
from calotools.errors import BranchError, ConfigError, EmptyInputError
from calotools.images import ImageStore, image_spec
from calotools.ntuple import read_candidates, read_friend, sample_fields
from calotools.recipe import PredictConfig
from calotools.training import fit, prepare
from calotools.training.sample.pieces import input_fields, read_fields


@pytest.mark.parametrize("task", ["energy", "identification"])
def test_trained_network_says_the_same_from_store_and_ntuple(recipe, ntuple, tmp_path, task):
    config = recipe(task, sample={"files": tuple(ntuple), "tree": "electrons"})
    store = prepare(config)
    result = fit(config, store)
    save_bundle(bundle_of(result), config.output / "model.calo")
    predict(PredictConfig(model=config.output, files=tuple(ntuple), output=tmp_path / "s.root", threads=1))
    scores = read_friend(tmp_path / "s.root")
    assert [int((scores.split == part).sum()) for part in range(3)] == list(result.record["n"].values())
    chosen = scores.split == 1
    if task == "energy":
        true = np.asarray(read_candidates(ntuple)["e_true"])
        low, high = np.percentile(scores.values["e_network"][chosen] / true[chosen], [25, 75])
        # The bias correction, which few candidates here allow, is not in the watched metric.
        assert high - low == pytest.approx(result.record["best"]["val_iqr"], rel=0.01)
    else:
        target = np.asarray(read_candidates(ntuple)["class_true"]) == 0
        signal = scores.values["score_signal"][chosen]
        pairs = signal[target[chosen]][:, None] - signal[~target[chosen]][None, :]
        auc = np.mean((pairs > 0) + 0.5 * (pairs == 0))
        assert auc == pytest.approx(result.record["best"]["val_auc"], abs=0.01)


def test_store_holds_the_selected_candidates_in_order(recipe, ntuple):
    config = recipe("energy", sample={"files": tuple(ntuple), "tree": "electrons", "selection": ("et > 60",)})
    store = prepare(config)
    candidates = read_candidates(ntuple)
    kept = np.asarray(candidates["et"]) > 60
    assert 0 < kept.sum() < 240
    assert store.index.event.tolist() == np.asarray(candidates["event"])[kept].tolist()
    np.testing.assert_array_equal(store.column("e_true"), np.asarray(candidates["e_true"])[kept])


def test_store_is_reused_until_recipe_or_files_change(recipe, tmp_path, draw_candidates, write_ntuple):
    file = write_ntuple(tmp_path / "a.root", draw_candidates(40))
    sample = {"files": (file,), "tree": "electrons"}
    store = prepare(recipe("energy", sample=sample))
    stamp = (store.path / "meta.json").stat().st_mtime_ns
    prepare(recipe("energy", sample=sample, seed=9))
    assert (store.path / "meta.json").stat().st_mtime_ns == stamp
    assert prepare(recipe("energy", sample=sample, scalars=("mu", "phi"))).columns != store.columns
    (tmp_path / "a.root").unlink()
    write_ntuple(tmp_path / "a.root", draw_candidates(50))
    assert len(prepare(recipe("energy", sample=sample))) == 50


def test_at_most_so_many(recipe, ntuple):
    store = prepare(recipe("energy", sample={"files": tuple(ntuple), "tree": "electrons", "max_candidates": 130}))
    assert store.index.event.tolist() == [*range(65), *range(120, 185)]  # of each file its share


def test_an_empty_selection_shows_the_cut_flow(recipe, ntuple):
    config = recipe("energy", sample={"files": tuple(ntuple), "selection": ("et > 25", "et > 900")})
    with pytest.raises(EmptyInputError, match=r"'all' leaves 240, 'et > 25' leaves \d+, 'et > 900' leaves 0"):
        prepare(config)
    assert not (config.output / "store").exists()


def test_truth_is_refused_before_anything_is_read(recipe):
    config = recipe("energy", scalars=("e_true",), sample={"files": ("none.root",)})
    with pytest.raises(ConfigError, match="truth cannot be an input"):
        prepare(config)


def test_an_unknown_scalar_names_the_nearest(recipe):
    with pytest.raises(BranchError, match="'mus'"):
        prepare(recipe("energy", scalars=("mus",)))


def test_cluster_position_is_optional(recipe, tmp_path, draw_candidates, write_ntuple):
    candidates = draw_candidates(40)
    full = write_ntuple(tmp_path / "full.root", candidates)
    bare = write_ntuple(tmp_path / "bare.root", {k: v for k, v in candidates.items() if not k.endswith("_cluster")})
    config = recipe("energy")
    read = [
        read_fields(config, image_spec(config.images), known=sample_fields(one, tree="electrons"))
        for one in (full, bare)
    ]
    assert [len(fields) for fields in read] == [len(read[1]) + 2, len(read[1])]
    assert read[0][:2] == ("eta_cluster", "phi_cluster")
    stores = [
        prepare(recipe("energy", sample={"files": (one,)}, output=tmp_path / f"{one[-9:]}.out")) for one in (full, bare)
    ]
    rows = np.arange(40)
    np.testing.assert_array_equal(stores[0].dense(rows)["energy_em"], stores[1].dense(rows)["energy_em"])


def test_no_truth_is_read_as_input(recipe):
    config = recipe("identification")
    fields = input_fields(config, ImageStore.open(prepare(config).path).spec)
    assert not [name for name in fields if name.endswith("_true")]
    assert "cells.time" not in fields
