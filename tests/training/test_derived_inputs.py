"""Derived variables as inputs of a network: the same numbers in training, in a store and in prediction."""

from pathlib import Path

import numpy as np
import pytest

from calotools.deploy import bundle_of, predict, save_bundle
from calotools.errors import BranchError
from calotools.images import image_spec
from calotools.models import build_model
from calotools.ntuple import read_candidates, read_friend, sample_fields
from calotools.recipe import PredictConfig, TrainConfig, read_toml
from calotools.training import fit, open_data, prepare, take_survey
from calotools.training.fitting.network import model_inputs
from calotools.training.loading.stored import StoreData
from calotools.training.sample.pieces import PieceReader, read_fields
from calotools.variables import DERIVED, add_derived, derived_inputs, select

ROOT = Path(__file__).parents[2]
ELECTRONS = str(ROOT / "ntuples" / "electrons.root")
SMALL = {"depths": (1, 1), "filters": 2, "size": (56, 11), "film_widths": (8,), "scalar_widths": (4,)}


def shipped(name, tmp_path, **changes):
    """A shipped recipe, on the small sample, with a network of the same kind that learns in seconds."""
    values = read_toml(ROOT / "examples" / "recipes" / f"{name}.toml")
    values["sample"]["files"] = [ELECTRONS]
    values["output"] = tmp_path / name
    values["trainer"] |= {"epochs": 1, "batch_size": 50, "threads": 1, "accelerator": "cpu"}
    return TrainConfig(**(values | {"reweight": False} | changes))


@pytest.mark.parametrize(
    ("name", "millions"),
    [("energy_2019_images", 1.836), ("energy_2019_scalars", 3.515), ("energy_2019_tracks", 3.632)],
)
def test_shipped_recipes_have_the_published_sizes(name, millions, tmp_path):
    config = shipped(name, tmp_path)
    network = build_model(config.model.name, config.model.settings, model_inputs(config, image_spec(config.images)))
    assert round(sum(one.numel() for one in network.parameters()) / 1e6, 3) == millions


@pytest.mark.parametrize("name", ["energy_2019_images", "energy_2019_scalars", "energy_2019_tracks"])
@pytest.mark.parametrize("source", ["store", "stream"])
def test_shipped_recipes_train_and_predict(name, source, tmp_path):
    config = shipped(name, tmp_path, source=source)
    config = config.model_copy(
        update={"model": config.model.model_copy(update={"settings": config.model.settings | SMALL})}
    )
    result = fit(config, open_data(config))
    save_bundle(bundle_of(result), config.output / "model.calo")
    predict(PredictConfig(model=config.output, files=(ELECTRONS,), output=tmp_path / "s.root", threads=1))
    scores = read_friend(tmp_path / "s.root")
    candidates = read_candidates(ELECTRONS)
    true = np.asarray(candidates["e_true"])
    seen = (scores.split == 1) & select(candidates, config.sample.selection).mask
    low, high = np.percentile(scores.values["e_network"][seen] / true[seen], [25, 75])
    # what is watched in training comes from the store or stream, this from the ntuple
    assert high - low == pytest.approx(result.record["best"]["val_iqr"], rel=0.02)


def test_every_derived_variable_is_the_same_in_training_and_prediction(tmp_path):
    config = shipped("energy_2019_scalars", tmp_path, scalars=tuple(DERIVED))
    with PieceReader(config) as reader:
        assert set(derived_inputs(DERIVED)) <= set(reader.fields)
    data = StoreData(config, prepare(config))
    fields = read_fields(config, image_spec(config.images), known=sample_fields(ELECTRONS))
    assert not [one for one in fields if one.endswith("_true")]
    read = read_candidates(ELECTRONS, fields=fields)
    read = add_derived(read[np.isin(read["event"], data.store.index.event)], DERIVED)
    known = data.scalers.scale_scalars({name: np.asarray(read[name]) for name in DERIVED}, n=len(read))
    for batch in data.batches(0):
        np.testing.assert_array_equal(batch.scalars.numpy(), known[batch.row.numpy()])


def test_cuts_may_name_them(tmp_path):
    config = shipped("energy_2019_images", tmp_path)
    cut = config.model_copy(update={"sample": config.sample.model_copy(update={"selection": ("f0 < 0.02",)})})
    candidates = add_derived(read_candidates(ELECTRONS), ["f0"])
    kept = (np.asarray(candidates["f0"]) < 0.02).sum()
    assert 0 < take_survey(cut).tally.n.sum() == kept < len(candidates)


def test_a_misspelt_one_is_answered_with_the_nearest(tmp_path):
    config = shipped("energy_2019_images", tmp_path, scalars=("shower_dept",))
    with pytest.raises(BranchError, match="'shower_dept' is near the derived variable 'shower_depth'"):
        open_data(config)


def test_a_field_of_the_ntuple_is_read_as_it_is():
    assert derived_inputs(["f0", "r12"], known={"f0", "e1", "e2"}) == ("f0", "e1", "e2")
