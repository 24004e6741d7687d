"""A bundle of several models: each candidate gets its own fold's."""

from dataclasses import replace

import awkward as ak
import numpy as np
import pytest

from calotools.deploy import combine_folds, load_bundle, make_scorer, save_bundle
from calotools.errors import ModelError
from calotools.variables import fold_numbers


@pytest.fixture
def bundles(bundle):
    """Three networks, each with weights of its own."""
    one = bundle("energy")
    record = one.record | {"best": {"val_iqr": 0.1}}
    scaled = [{name: weight * (1 + 0.1 * k) for name, weight in one.state_dict.items()} for k in range(3)]
    return [replace(one, state_dict=weights, record=record | {"runs": [k]}) for k, weights in enumerate(scaled)]


def test_the_bundle_comes_back_and_each_fold_is_its_own(bundles, draw_candidates, tmp_path):
    config = bundles[0].config.model_copy(update={"folds": 3})
    made = combine_folds(config, bundles)
    assert made.record["runs"] == [0, 1, 2]
    read = load_bundle(save_bundle(made, tmp_path / "model.calo"))
    assert read.digest == made.digest
    assert [one.digest for one in read.folds] == [one.digest for one in bundles]
    candidates = ak.zip(draw_candidates(50), depth_limit=1)
    scorer = make_scorer(read, batch_size=20)
    assert scorer.count_batches(50) == 3
    found = np.concatenate([scorer.score(ready)["e_network"] for ready in scorer.make_ready(candidates)])
    fold = fold_numbers(np.asarray(candidates["run"]), np.asarray(candidates["event"]), folds=3, seed=config.seed)
    assert len(np.unique(fold)) == 3
    for number, one in enumerate(bundles):
        alone = make_scorer(one)
        whole = np.concatenate([alone.score(ready)["e_network"] for ready in alone.make_ready(candidates)])
        np.testing.assert_allclose(found[fold == number], whole[fold == number], rtol=1e-5)


def test_there_must_be_a_model_for_each_fold(bundles):
    config = bundles[0].config.model_copy(update={"folds": 4})
    with pytest.raises(ModelError, match="3 models are given for folds = 4"):
        combine_folds(config, bundles)
