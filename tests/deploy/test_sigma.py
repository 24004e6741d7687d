"""What `predict` writes of a network that knows its uncertainty; the bias correction is applied once."""

import json
from dataclasses import replace

import awkward as ak
import numpy as np
import pytest
import safetensors
from safetensors.torch import save_file

from calotools.deploy import bundle_of, load_bundle, predict, save_bundle
from calotools.errors import NumericalError
from calotools.ntuple import index_of, read_candidates, read_friend
from calotools.ntuple.metadata import read_metadata
from calotools.recipe import PredictConfig
from calotools.stages import train
from calotools.training import fit, open_data
from calotools.training.calibration.bias import BiasCorrection
from calotools.training.loading.candidate_names import name_rows
from calotools.training.sample import parts_of
from calotools.training.sample.labels import PARTS

NAMES = {
    "gaussian": ["e_network", "e_network_sigma"],
    "quantiles": ["e_network", "e_network_sigma", "e_network_low", "e_network_high"],
}


def scores_of(bundle, files, path):
    save_bundle(bundle, path / "one.calo", overwrite=True)
    output = path / "s.root"
    predict(PredictConfig(model=path / "one.calo", files=tuple(files), output=output, threads=1, overwrite=True))
    return read_friend(output).values


@pytest.mark.parametrize("uncertainty", list(NAMES))
def test_sigma_is_written_and_scaled(recipe, ntuple, tmp_path, uncertainty):
    config = recipe("energy", uncertainty=uncertainty)
    bundle = bundle_of(fit(config, open_data(config)))
    plain = scores_of(replace(bundle, sigma_scale=1.0, bias=None), ntuple, tmp_path)
    assert list(plain) == NAMES[uncertainty]
    units = read_metadata(tmp_path / "s.root")["units"]
    assert units == dict.fromkeys(NAMES[uncertainty], "MeV")
    quarter = BiasCorrection((0.0, 9.0), (0.0, 9e9), ((1.25,),))
    scaled = scores_of(replace(bundle, sigma_scale=3.0, bias=quarter), ntuple, tmp_path)
    np.testing.assert_allclose(scaled["e_network"], plain["e_network"] / 1.25, rtol=1e-6)
    np.testing.assert_allclose(scaled["e_network_sigma"], 3 * plain["e_network_sigma"] / 1.25, rtol=1e-4)
    if uncertainty == "quantiles":
        assert np.all(scaled["e_network_low"] < scaled["e_network"])
        width = scaled["e_network_high"] - scaled["e_network_low"]
        np.testing.assert_allclose(width, 2 * scaled["e_network_sigma"], rtol=1e-4)


def test_the_report_tells_the_factor_of_sigma_or_that_there_is_none(recipe, tmp_path):
    def told(**changes):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        lines = [one for one in train(recipe("energy", output=folder, **changes)).headline if "sigma" in one.name]
        made = load_bundle(folder / "model.calo")
        return lines, [one.sigma_scale for one in made.folds or (made,)]

    (line,), scales = told(uncertainty="gaussian", validation_fraction=0.3)
    assert (line.name, [line.value], line.error) == ("factor of sigma", scales, None)
    assert line.comment == "with which 68.27 % of the validation part are within one σ"
    assert scales != [1.0]

    (line, warned), scales = told(uncertainty="gaussian")  # a tenth of 240
    assert (line.name, line.value, line.comment, scales) == ("factor of sigma", 1.0, "see the warning", [1.0])
    assert (warned.name, warned.value) == ("warning: factor of sigma", 1.0)
    assert warned.comment == (
        "too few validation candidates (fewer than 30) to say how wide it is: σ is as the network gives it"
    )

    (line,), scales = told(uncertainty="gaussian", folds=3)
    assert line.value == pytest.approx(np.mean(scales))
    assert line.error == pytest.approx(np.std(scales, ddof=1) / 3**0.5)
    assert line.comment.endswith("; error: scatter of the folds")

    lines, scales = told(uncertainty="gaussian", folds=9)
    few = [number for number, one in enumerate(scales) if one == 1.0]
    assert few
    assert [one.name for one in lines[1:]] == [f"warning: factor of sigma of fold {number}" for number in few]

    assert told() == ([], [1.0])


def test_bias_is_corrected_once_over_training_bundle_and_prediction(recipe, ntuple, tmp_path, bundle):
    one = bundle("energy")
    quarter = BiasCorrection((0.0, 9.0), (0.0, 9e9), ((1.25,),), ((0.01,),), smooth=True)
    plain, corrected = (scores_of(replace(one, bias=bias), ntuple, tmp_path)["e_network"] for bias in (None, quarter))
    np.testing.assert_allclose(plain / corrected, 1.25, rtol=1e-6)
    again = load_bundle(save_bundle(replace(one, bias=quarter), tmp_path / "again.calo"))
    assert again.bias == quarter
    np.testing.assert_array_equal(scores_of(again, ntuple, tmp_path)["e_network"], corrected)


@pytest.mark.parametrize("grid", ["none", "energy", "eta-energy"])
def test_the_grid_is_the_recipes(recipe, grid):
    config = recipe("energy", bias_correction=grid)
    bias = fit(config, open_data(config)).bias
    assert (bias is None) == (grid == "none")
    if bias is not None:
        assert len(bias.median) == (1 if grid == "energy" else 8)


def test_a_bundle_of_before_is_read(bundle, tmp_path):
    """Format 1, as it was before sigma and new keys of the recipe."""
    path = save_bundle(bundle("energy"), tmp_path / "new.calo")
    with safetensors.safe_open(path, framework="pt") as opened:
        header = json.loads(opened.metadata()["calotools"])
        weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    del header["sigma_scale"], header["inputs"]["n_outputs"]
    del header["config"]["uncertainty"], header["config"]["bias_correction"], header["config"]["trainer"]["optimizer"]
    header["bias"] = {"eta_edges": [0.0, 1.0], "energy_edges": [10.0], "median": [[1.1]]}
    save_file(weights, tmp_path / "old.calo", metadata={"calotools": json.dumps(header)})
    old = load_bundle(tmp_path / "old.calo")
    assert old.sigma_scale == 1.0
    assert not old.bias.smooth
    assert old.network().out.weight.shape[0] == 1


def test_energies_that_no_candidate_taught_are_none(recipe, ntuple, tmp_path, caplog):
    config = recipe("energy")
    bundle = bundle_of(fit(config, open_data(config)))
    found = read_candidates(ntuple, fields=("run", "event", "e", "e_true", "et"))
    part = parts_of(config, *(ak.to_numpy(found[name]) for name in ("run", "event")))
    factor = ak.to_numpy(found["e_true"] / found["e"])[(part == PARTS["validation"]) & (ak.to_numpy(found["et"]) > 25)]
    assert bundle.factors == pytest.approx((factor.min() / 2, factor.max() * 2), rel=1e-6)

    plain = scores_of(bundle, ntuple, tmp_path)["e_network"]
    assert np.isfinite(plain).all()
    base = ak.to_numpy(found["e"])
    cut = float(np.median(plain / base))
    narrow = replace(bundle, bias=None, factors=(0.1, cut))
    caplog.clear()
    said = scores_of(narrow, ntuple, tmp_path)["e_network"]
    raw = scores_of(replace(narrow, factors=None), ntuple, tmp_path)["e_network"]
    beyond = raw > cut * base
    assert 20 < beyond.sum() < 220
    np.testing.assert_array_equal(said, np.where(beyond, np.nan, raw))
    message = next(one.getMessage() for one in caplog.records if "no finite score" in one.getMessage())
    assert message.startswith(f"warning: {beyond.sum()} of 240 candidates have no finite score")


def test_factors_travel_with_the_bundle_and_leave_older_digests(bundle, tmp_path):
    old = bundle("energy")
    assert load_bundle(save_bundle(old, tmp_path / "old.calo")).factors is None
    new = replace(old, factors=(0.4, 3.0))
    again = load_bundle(save_bundle(new, tmp_path / "new.calo"))
    assert again.factors == (0.4, 3.0)
    assert again.digest == new.digest != old.digest
    assert replace(again, factors=None).digest == old.digest


def test_a_bad_candidate_is_named_with_its_file_and_row(recipe, tmp_path, draw_candidates, write_ntuple):
    candidates = draw_candidates(60)
    good = write_ntuple(tmp_path / "good.root", draw_candidates(60, first=100))
    candidates["e_true"][7] = 1e30  # a float, but its square is none
    bad = write_ntuple(tmp_path / "bad.root", candidates)
    config = recipe(
        "energy",
        sample={"files": (good, bad), "tree": "electrons"},
        trainer={"epochs": 1, "threads": 1, "accelerator": "cpu", "loss": "mse"},
        validation_fraction=0.01,
        test_fraction=0.0,
    )
    with pytest.raises(
        NumericalError, match=r"\(run 1, event 7, candidate 0\) in '.*bad.root', tree 'electrons', row 7"
    ):
        fit(config, open_data(config))


def test_a_candidate_that_two_files_hold_is_in_one_of_them(recipe, tmp_path, draw_candidates, write_ntuple):
    candidates = draw_candidates(60)
    good = write_ntuple(tmp_path / "good.root", candidates)
    damaged = candidates | {"e_true": candidates["e_true"].copy()}
    damaged["e_true"][7] = 1e30
    bad = write_ntuple(tmp_path / "bad.root", damaged)
    config = recipe("energy", sample={"files": (good, bad), "tree": "electrons"})
    index = index_of(read_candidates(bad, fields=()))
    said = name_rows(index, np.array([7, 59]), sample=config.sample)
    places = [f"'{good}', tree 'electrons', row {n}; '{bad}', tree 'electrons', row {n}" for n in (7, 59)]
    expected = [f"(run 1, event {n}, candidate 0) in one of: {text}" for n, text in zip((7, 59), places, strict=True)]
    assert said == ", ".join(expected)
    alone = name_rows(index, np.array([7]), sample=config.sample.model_copy(update={"files": (bad,)}))
    assert alone == f"(run 1, event 7, candidate 0) in '{bad}', tree 'electrons', row 7"
