"""`correct-bias`: the correction of a bundle is fitted again, alone, and is never applied to another."""

from dataclasses import replace

import numpy as np
import pytest

from calotools import deploy
from calotools.analysis import read_numbers
from calotools.cli.main import main
from calotools.deploy import bundle_of, load_bundle, predict, save_bundle
from calotools.errors import ConfigError, EmptyInputError
from calotools.ntuple import read_candidates, read_friend
from calotools.recipe import CorrectBiasConfig, EvaluateConfig, PredictConfig
from calotools.stages import correct_bias, evaluate
from calotools.stages.bias import bias_figure
from calotools.stages.evaluation.bias_part import tell_bias_part
from calotools.stages.scored import read_scored
from calotools.training import fit, open_data
from calotools.training.calibration.bias import BiasCorrection, fit_bias
from calotools.variables import SPLITS


@pytest.fixture
def sample(tmp_path, draw_candidates, write_ntuple):
    """2000 electrons whose measured energy is 6 % high."""
    candidates = draw_candidates(2000, seed=9)
    candidates["e"] = (candidates["e_true"] * 1.06 * np.random.default_rng(1).normal(1, 0.02, 2000)).astype("f4")
    return write_ntuple(tmp_path / "many.root", candidates)


def config_of(model, files, output, **changes):
    values = {"model": model, "files": tuple(files), "output": output, "split": "all"}
    return CorrectBiasConfig(**(values | changes))


def test_an_injected_bias_is_removed_once(bundle, sample, tmp_path):
    """An untrained network returns the measured energy; the old correction of a quarter is taken off, not built on."""
    one = bundle("energy")
    weights = one.state_dict | {"out.weight": one.state_dict["out.weight"] * 0}
    quarter = BiasCorrection((0.0, 9.0), (0.0, 9e9), ((1.25,),))
    save_bundle(replace(one, state_dict=weights, bias=quarter), tmp_path / "one.calo")
    config = config_of(tmp_path / "one.calo", [sample], tmp_path / "out")
    outcome = correct_bias(config)
    lines = {one.name: one for one in outcome.headline}
    assert lines["bias, as it was"].value == pytest.approx(100 * (1.06 / 1.25 - 1), abs=0.5)
    assert abs(lines["bias, corrected"].value) < 5 * lines["bias, corrected"].error
    predict(PredictConfig(model=config.output, files=(sample,), output=tmp_path / "s.root", threads=1))
    true = np.asarray(read_candidates(sample, fields=("e_true",))["e_true"])
    ratio = read_friend(tmp_path / "s.root").values["e_network"] / true
    assert np.median(ratio) == pytest.approx(1, abs=0.004)
    # again, of the corrected bundle: the same correction
    again = correct_bias(config_of(config.output, [sample], tmp_path / "again"))
    np.testing.assert_allclose(
        again.results["bias"]["median"], outcome.results["bias"]["median"], rtol=1e-6, equal_nan=True
    )
    found = read_numbers(config.output / "numbers.json")
    assert found["results"]["candidates"] == load_bundle(config.output).record["bias_fitted_on"]["candidates"]
    assert (config.output / "figures" / "bias.png").exists()


@pytest.mark.parametrize("split", ["all", "validation", "test"])
def test_what_a_correction_was_fitted_on_is_told_and_counted(bundle, sample, tmp_path, split):
    """Of the test part, all or none; of all parts, as many as are of it."""
    save_bundle(bundle("energy"), tmp_path / "one.calo")
    config = config_of(tmp_path / "one.calo", [sample], tmp_path / "out", split=split, selection=("et < 60",))
    fitted = deploy.correct_bias(load_bundle(config.model), config).bundle
    save_bundle(fitted, tmp_path / "fitted.calo")
    facts = load_bundle(tmp_path / "fitted.calo").record["bias_fitted_on"]
    assert (facts["split"], facts["runs"], facts["files"]) == (split, [1], [sample])
    asked = {"model": tmp_path / "fitted.calo", "files": (sample,), "threads": 1}
    friend = read_friend(predict(PredictConfig(**asked, output=tmp_path / "s.root")))
    common = {"fields": ("class_true",), "tree": None, "flavour": None}
    for part in ("test", "all"):
        scored = read_scored((sample,), friend, split=part, **common)
        prompt = scored.column("class_true") == 0
        of_it = np.ones(len(prompt), bool) if split == "all" else scored.split == SPLITS.index(split)
        found = tell_bias_part(scored, prompt)
        n = int((prompt & of_it).sum())
        assert found.results["bias_fitted_on"] == facts | {"measured": n}
        assert [one.value for one in found.headline] == ([n] if n else [])
        used = f"of {prompt.sum()}: correct-bias --split {split} used {facts['candidates']} candidates of "
        assert all(one.comment.startswith(used) for one in found.headline)
        assert bool(n) == (split != "validation" or part == "all")
    others = replace(scored, record=scored.record | {"bias_fitted_on": facts | {"runs": [7]}})
    assert tell_bias_part(others, prompt).results["bias_fitted_on"]["measured"] == 0
    assert tell_bias_part(others, prompt).headline == ()
    assert tell_bias_part(replace(scored, record={}), prompt).results == {}


def test_evaluate_tells_that_the_bias_is_from_what_it_measures(bundle, ntuple, tmp_path, monkeypatch):
    monkeypatch.setattr("calotools.stages.publish.save_figure", lambda *_, **__: None)
    facts = {"candidates": 90, "files": ["a.root", "b.root"], "split": "test", "runs": [1]}
    one = bundle("energy")
    save_bundle(replace(one, record=one.record | {"bias_fitted_on": facts}), tmp_path / "one.calo")
    asked = {"model": tmp_path / "one.calo", "files": tuple(ntuple), "threads": 1}
    friend = predict(PredictConfig(**asked, output=tmp_path / "s.root"))
    asked = {"files": tuple(ntuple), "scores": (friend,), "replicas": 20, "regions": (0, 2.5)}
    evaluate(EvaluateConfig(**asked, output=tmp_path / "out"))
    found = read_numbers(tmp_path / "out" / "numbers.json")
    n = found["results"]["cutflow"][-1]["candidates"]
    assert found["results"]["bias_fitted_on"] == facts | {"measured": n}
    last = found["headline"][-1]
    assert (last["name"], last["value"]) == ("measured candidates of the part that the bias is from", n)
    assert "correct-bias --split test used 90 candidates of a.root and 1 more" in last["comment"]


@pytest.mark.parametrize("uncertainty", ["none", "gaussian", "quantiles"])
def test_on_the_validation_part_it_is_that_of_the_training(recipe, ntuple, tmp_path, uncertainty):
    config = recipe("energy", uncertainty=uncertainty, validation_fraction=0.5)
    trained = bundle_of(fit(config, open_data(config)))
    save_bundle(trained, tmp_path / "one.calo")
    correct_bias(config_of(tmp_path / "one.calo", ntuple, tmp_path / "out", split="validation"))
    found = load_bundle(tmp_path / "out")
    np.testing.assert_allclose(found.bias.median, trained.bias.median, rtol=1e-5)
    assert found.sigma_scale == pytest.approx(trained.sigma_scale, rel=1e-3)
    assert (uncertainty == "none") == (found.sigma_scale == 1.0)


def test_the_grid_is_chosen_and_none_takes_it_off(bundle, ntuple, tmp_path, capsys):
    quarter = BiasCorrection((0.0, 9.0), (0.0, 9e9), ((1.25,),))
    save_bundle(replace(bundle("energy"), bias=quarter), tmp_path / "one.calo")
    words = [str(tmp_path / "one.calo"), *ntuple, "--split", "all", "-o"]
    assert main(["correct-bias", *words, str(tmp_path / "none"), "--bias-correction", "none"]) == 0
    assert load_bundle(tmp_path / "none").bias is None
    assert main(["correct-bias", *words, str(tmp_path / "line"), "--bias-correction", "energy"]) == 0
    assert len(load_bundle(tmp_path / "line").bias.median) == 1
    assert main(["correct-bias", *words, str(tmp_path / "eta"), "--bias-correction", "eta"]) == 0
    assert len(load_bundle(tmp_path / "eta").bias.energy_edges) == 2
    assert "bias, corrected" in capsys.readouterr().out


def test_what_has_no_bias_is_refused(bundle, ntuple, tmp_path):
    save_bundle(bundle("identification"), tmp_path / "classes.calo")
    with pytest.raises(ConfigError, match="tells classes apart; a bias correction is for energies"):
        correct_bias(config_of(tmp_path / "classes.calo", ntuple, tmp_path / "out"))
    save_bundle(bundle("energy"), tmp_path / "one.calo")
    with pytest.raises(EmptyInputError, match=r"0 candidates of .* 50 are needed"):
        correct_bias(config_of(tmp_path / "one.calo", ntuple, tmp_path / "out", selection=("et > 1e5",)))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("eta", "energy"), [((0.0, 1.0, 2.0), (0.0, 50.0, np.inf)), ((0.0, 1.0, 2.0), (0.0, np.inf))])
def test_medians_that_nothing_tells_are_not_drawn(eta, energy):
    shape = len(eta) - 1, len(energy) - 1
    grids = [tuple(map(tuple, np.full(shape, value))) for value in (1.0, 0.05, 0.001)]
    assert bias_figure(BiasCorrection(eta, energy, grids[0], grids[1]), label="") == {}
    assert bias_figure(BiasCorrection(eta, energy, grids[0]), label="") == {}
    assert list(bias_figure(BiasCorrection(eta, energy, grids[0], grids[2]), label="")) == ["bias"]


def test_bins_without_candidates_are_not_drawn():
    """Where all but one are well known, that one follows its neighbours, and is not drawn as if it were measured."""
    rng = np.random.default_rng(1)
    energy, eta = rng.uniform(26, 370, 200_000), rng.uniform(0, 2.47, 200_000)
    gap = (eta > 1.37) & (eta < 1.52)
    energy, eta = energy[~gap], eta[~gap]
    bias = fit_bias(energy * rng.normal(1.01, 0.01, len(energy)), energy, eta)
    ax = bias_figure(bias, label="")["bias"][0].axes[0]
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "|η| 1.15 to 1.37" in names
    assert "|η| 1.37 to 1.52" not in names
    middles = bias.middle_energies()
    drawn = np.concatenate([one[0].get_xdata() for one in ax.containers])
    assert middles[1] * 1.2 < drawn.min() < drawn.max() < middles[-1] / 1.2
