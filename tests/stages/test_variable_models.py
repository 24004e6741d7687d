"""Likelihood and trees through the same recipe, bundle, friend tree and evaluation as a network."""

import json
import re

import numpy as np
import pytest

from calotools.analysis import auc, measure_reliability
from calotools.deploy import explain_variables, load_bundle
from calotools.errors import ConfigError, EmptyInputError, ModelError, UncheckedWarning
from calotools.models import use_threads
from calotools.models.lightgbm_forests import LightGBMForest
from calotools.ntuple import NtupleWriter, index_of, read_candidates, read_friend
from calotools.recipe import (
    AttributeConfig,
    EvaluateConfig,
    PredictConfig,
    PrepareConfig,
    ReweightConfig,
    TrainConfig,
    WorkingPointsConfig,
)
from calotools.stages import attribute, evaluate, predict, prepare, reweight, train, working_points
from calotools.stages.evaluation.cuts import _HALVES
from calotools.stages.networks import _missing
from calotools.training import fit_variables
from calotools.variables import event_hash, fold_numbers, make_discriminant, read_cut_table

N = 6000
SIGNAL = np.random.default_rng(0).random(N) < 0.5
MODELS = {
    "likelihood": {"eta_bins": [0, 2.5], "et_bins": [10, 30, 50], "n_bins": 40},
    "trees": {"rounds": 60, "leaves": 8, "min_leaf": 20},
}


def make_columns():
    """Candidates without cells: two variables tell signal, and the energy is off by what a derived one says."""
    rng = np.random.default_rng(1)
    signal, eta = SIGNAL, rng.uniform(-2.4, 2.4, N)
    e_true, lost = rng.uniform(10, 50, N) * np.cosh(eta), rng.uniform(0, 0.2, N)
    e = e_true * (1 - lost) * rng.normal(1, 0.01, N)
    columns = {
        "run": np.ones(N, "u4"),
        "event": np.arange(N, dtype="u8"),
        "candidate": np.zeros(N, "i4"),
        "e": e,
        "et": e / np.cosh(eta),
        "eta": eta,
        "phi": rng.uniform(-3, 3, N),
        "weight": np.ones(N),
        "mu": rng.uniform(20, 60, N),
        "class_true": np.where(signal, 0, 5).astype("i4"),
        "e_true": e_true,
        "reta": rng.normal(np.where(signal, 1.0, 0.0)),
        "rhad": rng.normal(np.where(signal, 0.0, 1.0)),
        "e0": lost * 50,
        "e_acc": np.full(N, 50.0),
    }
    columns["reta"][::50] = np.nan
    columns["eratio"] = columns["reta"].copy()
    return columns


def write(path, columns):
    with NtupleWriter(path) as writer:
        writer.extend("electrons", {k: v.astype("f4") if v.dtype == float else v for k, v in columns.items()})
    return str(path)


@pytest.fixture(scope="module")
def ntuple(tmp_path_factory):
    return write(tmp_path_factory.mktemp("variables") / "a.root", make_columns())


@pytest.fixture
def recipe(ntuple, tmp_path):
    def make(name, task="identification", **changes):
        values = {
            "task": task,
            "output": tmp_path / name,
            "sample": {"files": (ntuple,), "selection": ("et > 8",)},
            "scalars": ("reta", "rhad") if task == "identification" else ("f0", "eta"),
            "model": {"name": name, "settings": MODELS[name]},
            "trainer": {"threads": 1},
        }
        return TrainConfig(**(values | changes))

    return make


@pytest.fixture
def scores_of(ntuple, tmp_path):
    """A function: configuration -> path of the friend tree."""
    return lambda config: predict(
        PredictConfig(model=config.output, files=(ntuple,), output=tmp_path / "scores.root", threads=1)
    )


@pytest.fixture
def no_files_of_figures(monkeypatch):
    """Figures are drawn, and not written: that takes most of the time."""
    monkeypatch.setattr("calotools.stages.publish.save_figure", lambda *_, **__: None)


@pytest.mark.parametrize("model", MODELS)
def test_identification_reaches_what_the_variables_allow(recipe, scores_of, model):
    config = recipe(model)
    record = train(config).results["record"]
    scores = read_friend(scores_of(config))
    assert [int((scores.split == part).sum()) for part in range(3)] >= list(record["n"].values())
    np.testing.assert_allclose(scores.values["score_signal"] + scores.values["score_background"], 1, atol=1e-6)
    test = scores.split == 2
    best = 0.8413  # of two Gaussians sqrt(2) apart
    value, error = auc(scores.values["score_signal"][test & SIGNAL], scores.values["score_signal"][test & ~SIGNAL])
    assert value == pytest.approx(best, abs=4 * error + 0.01)
    assert record["best"]["val_auc"] == pytest.approx(best, abs=0.05)
    numbers = json.loads((config.output / "numbers.json").read_text(encoding="utf-8"))
    assert numbers["results"]["record"]["variables"] == ["reta", "rhad"]


@pytest.mark.parametrize(("asked", "had"), [(None, 1), (2, 2)])
def test_a_small_forest_is_grown_by_one_thread_unless_asked(recipe, monkeypatch, asked, had):
    seen = []
    grow = LightGBMForest.grow

    def spy(own, stop, settings):
        seen.append(settings.threads)
        return grow(own, stop, settings)

    monkeypatch.setattr(LightGBMForest, "grow", spy)
    with use_threads(4):
        fit_variables(recipe("trees", trainer={"threads": asked}))
    assert seen == [had]


def misfit(scores, rows):
    """By how much the part that is signal is off the score, beyond three standard deviations, at most."""
    one = measure_reliability(scores.values["score_signal"][rows], SIGNAL[rows])
    filled = one.n_total > 10
    return float(np.max((np.abs(one.value - one.mean) - 1.5 * (one.high - one.low))[filled]))


def test_scores_are_probabilities_with_the_temperature_of_the_bundle(recipe, ntuple, tmp_path):
    """A variable that counts twice makes the likelihood twice as certain as it may be."""
    settings = {"eta_bins": [0, 2.5], "et_bins": [10, 50], "n_bins": 40}
    config = recipe("likelihood", scalars=("reta", "eratio"), model={"name": "likelihood", "settings": settings})
    train(config)
    temperature = load_bundle(config.output).temperature
    assert temperature == pytest.approx(2, abs=0.4)
    asked = {"model": config.output, "files": (ntuple,), "output": tmp_path / "scores.root", "threads": 1}
    mended, raw = (read_friend(predict(PredictConfig(**asked, calibrate=one, overwrite=True))) for one in (True, False))
    test = mended.split == 2
    assert misfit(mended, test) < 0.03  # densities are smoothed
    assert misfit(raw, test) > 0.04
    assert mended.record["temperature"] == [temperature]
    assert raw.record["temperature"] is None
    # what is cut on keeps its order: the log-odds are divided by the temperature
    which = make_discriminant(("background", "signal"))
    odds = [
        which({name: one.values[f"score_{name}"] for name in ("background", "signal")}, eta=np.zeros(N))
        for one in (mended, raw)
    ]
    np.testing.assert_allclose(odds[0] * temperature, odds[1], rtol=1e-4, atol=1e-5)


def test_a_temperature_that_few_candidates_cannot_tell_is_warned_of(recipe):
    config = recipe("likelihood", validation_fraction=0.003)
    outcome = train(config)
    lines = {line.name: line for line in outcome.headline}
    assert lines["temperature of the scores"].comment == "see the warning"
    said = lines["warning: temperature"]
    assert said.value == load_bundle(config.output).temperature == 1
    assert said.comment.startswith("not found, 1 is used: ")
    assert load_bundle(config.output).record["temperature_warning"] == said.comment
    sound = train(recipe("likelihood", output=config.output.with_name("sound")))
    assert not any("warning" in line.name for line in sound.headline)
    assert "temperature_warning" not in sound.results["record"]


def test_a_recipe_can_do_without_the_temperature(recipe):
    config = recipe("likelihood", scalars=("reta", "eratio"), calibrate=False)
    outcome = train(config)
    assert load_bundle(config.output).temperature == 1
    assert not any("temperature" in line.name for line in outcome.headline)


def test_energy_of_trees(recipe, scores_of, ntuple):
    config = recipe("trees", "energy")
    train(config)
    friend = scores_of(config)
    candidates = read_candidates(ntuple)
    true, scores = np.asarray(candidates["e_true"]), read_friend(friend)
    test = scores.split == 2
    ratios = scores.values["e_network"][test] / true[test], np.asarray(candidates["e"])[test] / true[test]
    ours, theirs = (np.subtract(*np.percentile(ratio, [75, 25])) for ratio in ratios)
    assert ours < 0.03 < 0.08 < theirs
    assert scores.record["task"] == "energy"


def test_the_same_recipe_gives_the_same_bundle(recipe, tmp_path):
    arrays = []
    for name in ("one", "two"):
        train(recipe("trees", output=tmp_path / name))
        bundle = load_bundle(tmp_path / name)
        arrays.append({key: value.numpy().tobytes() for key, value in bundle.state_dict.items()})
    assert arrays[0] == arrays[1]


def test_folds_score_every_candidate_with_a_model_that_has_not_seen_it(recipe, scores_of, tmp_path):
    settings = {"name": "trees", "settings": {"rounds": 10, "min_leaf": 20}}
    config = recipe("trees", folds=3, model=settings)
    outcome = train(config)
    assert outcome.headline[0].value == 3
    scores = read_friend(scores_of(config))
    assert np.all(scores.split == 2)
    for number in range(3):
        alone = recipe("trees", fold=(number, 3), model=settings, output=tmp_path / f"alone{number}")
        train(alone)
        (tmp_path / "scores.root").unlink()
        one = read_friend(scores_of(alone))
        own = one.split == 2
        np.testing.assert_array_equal(scores.values["score_signal"][own], one.values["score_signal"][own])
    with pytest.raises(ConfigError, match="give one of the two"):
        train(recipe("trees", folds=3, fold=(0, 3), output=tmp_path / "both"))


def test_variables_without_the_class_teach_trees_nothing(recipe, scores_of):
    config = recipe("trees", scalars=("mu", "phi"))
    train(config)
    scores = read_friend(scores_of(config))
    test = scores.split == 2
    value, error = auc(scores.values["score_signal"][test & SIGNAL], scores.values["score_signal"][test & ~SIGNAL])
    assert abs(value - 0.5) < 4 * error


def test_working_points_and_what_predict_makes_of_them(recipe, scores_of, ntuple, tmp_path):
    config = recipe("likelihood")
    train(config)
    bins = {"eta_bins": (0, 1.2, 2.4), "et_bins": (10, 30, 50), "mu_bins": (20, 60)}
    targets = {"loose": 0.9, "tight": (0.5, 0.6)}
    asked = {"files": (ntuple,), "scores": (scores_of(config),), "output": tmp_path / "cuts", "split": "all"}
    outcome = working_points(WorkingPointsConfig(**asked, **bins, targets=targets))
    first = {line.name: line.comment for line in outcome.headline}
    assert "where 90.0 % was asked for" in first["signal efficiency of loose"]
    mean = float(re.search(r"where (\d+\.\d) %", first["signal efficiency of tight"])[1])
    assert 52 < mean < 58  # of the two targets, for bins of similar size
    assert "error of both halves; closure in 4 of 4 bins: chi2" in first["signal efficiency of loose"]
    asked["output"] = tmp_path / "few"
    few = working_points(WorkingPointsConfig(**asked, **bins, targets=targets, min_candidates=500))
    told = {line.name: line for line in few.headline}
    assert np.isnan(told["signal efficiency of loose"].value)
    expected = (
        r"90\.0 % is asked for; not tested: half of the events has (\d+) signal candidates, at most (\d+) in a bin; "
        r"500 are needed \(min_candidates\); wider bins have more \(eta_bins, et_bins\)"
    )
    total, most = map(int, re.fullmatch(expected, told["signal efficiency of loose"].comment).groups())
    assert total / 4 <= most < min(500, total)
    assert told["signal efficiency of tight"].comment.startswith("50.0 to 60.0 % are asked for; not tested")
    asked |= {"output": tmp_path / "part", "split": "test"}
    part = working_points(WorkingPointsConfig(**asked, **bins, targets=targets, min_candidates=500))
    advice = "only the test part of the events is used: for files not learnt from, split = all"
    assert all(line.comment.endswith(advice) for line in part.headline if re.match("signal|bins", line.name))
    asked |= {"output": tmp_path / "every", "split": "all"}
    every = working_points(WorkingPointsConfig(**asked, **bins, targets={"every": 1.0})).headline[0]
    assert every.comment == "100.0 % is asked for; not tested: all of it has no statistical error"
    for one in outcome.results["closure"].values():
        assert one["ndf"] == 4
        assert one["p_value"] > 1e-3
        assert np.abs(one["pull"]).max() < 4
    asked = {"files": (ntuple,), "model": config.output, "output": tmp_path / "passing.root", "threads": 1}
    passing = read_friend(predict(PredictConfig(**asked, working_points=tmp_path / "cuts")))
    values, table = passing.values, read_cut_table(tmp_path / "cuts")
    assert passing.record["cuts"] == table.digest
    assert passing.record["discriminant"] == table.discriminant.to_dict()
    candidates = read_candidates(ntuple)
    inside = (np.asarray(candidates["et"]) > 10) & (np.asarray(candidates["et"]) < 50)
    high = inside & (np.asarray(candidates["et"]) > 30)
    assert np.all(values["id_loose"][~inside] == -1)
    assert (values["id_loose"][inside & SIGNAL] == 1).mean() == pytest.approx(0.9, abs=0.01)
    assert (values["id_tight"][high & SIGNAL] == 1).mean() == pytest.approx(0.6, abs=0.01)
    asked = {"files": (ntuple,), "scores": (tmp_path / "passing.root",), "output": tmp_path / "x"}
    with pytest.raises(ConfigError, match=r"targets\.tight has 2 efficiencies for 1 bins of E_T"):
        working_points(WorkingPointsConfig(**asked, et_bins=(10, 50), targets=targets))


@pytest.mark.usefixtures("no_files_of_figures")
def test_the_closure_of_working_points_can_fail(recipe, ntuple, tmp_path):
    """Where the half of the events that cuts are tested on is not like the half that they were made from."""
    train(recipe("likelihood"))
    columns = make_columns()
    made_from = (event_hash(columns["run"], columns["event"], seed=_HALVES) & np.uint64(1)).astype(bool)
    columns["reta"] = np.where(made_from, columns["reta"], columns["reta"] - 1.0)
    bins = {"eta_bins": (0, 1.2, 2.4), "et_bins": (10, 30, 50), "mu_bins": (20, 60), "targets": {"loose": 0.9}}
    found = {}
    for name, path in (("alike", ntuple), ("moved", write(tmp_path / "moved.root", columns))):
        asked = {
            "model": tmp_path / "likelihood",
            "files": (path,),
            "output": tmp_path / f"{name}.s.root",
            "threads": 1,
        }
        asked = {"files": (path,), "scores": (predict(PredictConfig(**asked)),), "output": tmp_path / name, **bins}
        found[name] = working_points(WorkingPointsConfig(**asked, split="all")).results["closure"]["loose"]
    assert found["alike"]["ndf"] == found["moved"]["ndf"] == 4
    assert np.abs(found["alike"]["pull"]).max() < 4
    assert found["alike"]["p_value"] > 1e-3
    assert np.all(found["moved"]["pull"] < -3)  # fewer pass, in every bin
    assert found["moved"]["p_value"] < 1e-9


@pytest.mark.usefixtures("no_files_of_figures")
def test_cuts_are_refused_for_scores_of_another_model_or_calibration(recipe, ntuple, tmp_path):
    """And what an older version wrote, which does not say of which model it is, is used with a warning."""
    for name, scalars in (("likelihood", ("reta", "eratio")), ("trees", ("reta", "rhad"))):
        train(recipe(name, scalars=scalars))
    friends = {}
    for name, model, calibrate in (
        ("own", "likelihood", True),
        ("raw", "likelihood", False),
        ("other", "trees", True),
    ):
        asked = {"files": (ntuple,), "model": tmp_path / model, "output": tmp_path / f"{name}.root", "threads": 1}
        friends[name] = predict(PredictConfig(**asked, calibrate=calibrate))
    bins = {"eta_bins": (0, 1.2, 2.4), "et_bins": (10, 30, 50), "mu_bins": (20, 60)}
    asked = {"files": (ntuple,), "output": tmp_path / "cuts", "split": "all"}
    made = working_points(WorkingPointsConfig(**asked, **bins, scores=(friends["own"],), targets={"loose": 0.9}))
    assert made.results["scores"] == {
        "model": "likelihood",
        "digest": load_bundle(tmp_path / "likelihood").digest,
        "temperature": [load_bundle(tmp_path / "likelihood").temperature],
    }
    texts = {"raw": "with temperature .*, these are without a temperature", "other": "these are of model 'trees'"}
    for name, text in texts.items():
        asked = {
            "files": (ntuple,),
            "scores": (friends[name],),
            "output": tmp_path / "measured",
            "split": "all",
            **bins,
        }
        with pytest.raises(ConfigError, match=text):
            evaluate(EvaluateConfig(**asked, working_points=tmp_path / "cuts"))
    for model, calibrate, text in (("likelihood", False, texts["raw"]), ("trees", True, texts["other"])):
        asked = {"files": (ntuple,), "model": tmp_path / model, "output": tmp_path / "x.root", "threads": 1}
        with pytest.raises(ConfigError, match=text):
            predict(PredictConfig(**asked, calibrate=calibrate, working_points=tmp_path / "cuts"))
    file = tmp_path / "cuts" / "working_points.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({name: one for name, one in content.items() if name != "scores"}), encoding="utf-8")
    asked = {"files": (ntuple,), "scores": (friends["own"],), "output": tmp_path / "measured", "split": "all", **bins}
    with pytest.warns(UncheckedWarning, match="do not say which model they are of, because an older version"):
        outcome = evaluate(EvaluateConfig(**asked, working_points=tmp_path / "cuts"))
    applied = outcome.results["applied"]["signal"]["all"]["loose"]
    assert applied.value[0] == pytest.approx(0.9, abs=0.01)
    assert any("which do not say of which scores they are" in line.comment for line in outcome.headline)


@pytest.mark.usefixtures("no_files_of_figures")
def test_cuts_are_measured_on_the_discriminant_that_they_were_made_for(recipe, scores_of, ntuple, tmp_path):
    """Whichever the evaluation itself is asked for: twice the numerator moves it by ln 2, and no cut with it."""
    config = recipe("trees")
    train(config)
    bins = {"eta_bins": (0, 1.2, 2.4), "et_bins": (10, 30, 50), "mu_bins": (20, 60)}
    asked = {"files": (ntuple,), "scores": (scores_of(config),), "split": "all", **bins}
    working_points(WorkingPointsConfig(**asked, output=tmp_path / "cuts", targets={"loose": 0.8}))
    asked |= {"working_points": tmp_path / "cuts", "discriminant": {"numerator": {"signal": 2.0}}}
    applied = evaluate(EvaluateConfig(**asked, output=tmp_path / "measured")).results["applied"]
    assert applied["signal"]["all"]["loose"].value[0] == pytest.approx(0.8, abs=0.01)


def test_energies_have_no_working_points(recipe, scores_of, ntuple, tmp_path):
    config = recipe("trees", "energy")
    train(config)
    with pytest.raises(ConfigError, match="these are of task 'energy'"):
        working_points(WorkingPointsConfig(files=(ntuple,), scores=(scores_of(config),), output=tmp_path / "x"))


@pytest.mark.usefixtures("no_files_of_figures")
def test_models_of_single_variables_are_combined(recipe, ntuple, tmp_path):
    """The likelihood of both variables is the product of theirs; Fisher's weights are those of the variables."""
    friends = {}
    for name, scalars in (("calo", ("reta",)), ("track", ("rhad",)), ("joint", ("reta", "rhad"))):
        train(recipe("likelihood", scalars=scalars, calibrate=False, output=tmp_path / name))
        asked = {"model": tmp_path / name, "files": (ntuple,), "output": tmp_path / f"{name}.root", "threads": 1}
        friends[name] = predict(PredictConfig(**asked))
    bins = {"eta_bins": (0, 1.2, 2.4), "et_bins": (10, 30, 50), "mu_bins": (20, 60), "efficiencies": (0.8, 0.92)}
    asked = {"files": (ntuple,), "scores": (friends["joint"],), "output": tmp_path / "measured", "split": "all", **bins}
    parts = friends["calo"], friends["track"]
    outcome = evaluate(EvaluateConfig(**asked, compare=parts[:1], combine=parts))
    found = outcome.results["combination"]
    assert found["models"] == ["calo", "track"]
    product, fisher = (found["working_points"][f"calo × track, {one}"] for one in ("product", "Fisher"))
    np.testing.assert_allclose(product.background, found["beside"].background, rtol=0.01)
    np.testing.assert_allclose(found["directions"], np.ones((2, 2)), atol=0.2)
    np.testing.assert_allclose(fisher.background, found["beside"].background, rtol=0.1)
    assert np.all(product.background < 0.8 * found["working_points"]["calo"].background)
    assert list(outcome.results["others"]) == ["calo", "track", "calo × track, product", "calo × track, Fisher"]
    lines = {line.name: line for line in outcome.headline}
    assert lines["background efficiency at 92 % signal of calo × track, Fisher"].value > 0
    assert lines["rejection over calo × track, product at 92 % signal"].value == pytest.approx(1, abs=0.01)
    with pytest.raises(ConfigError, match=r"combine needs two models or more.*calo\.root$"):
        evaluate(EvaluateConfig(**(asked | {"output": tmp_path / "x"}), combine=parts[:1]))


def test_energies_are_not_combined(recipe, scores_of, ntuple, tmp_path):
    config = recipe("trees", "energy")
    train(config)
    friend = scores_of(config)
    asked = {"files": (ntuple,), "scores": (friend,), "output": tmp_path / "x"}
    with pytest.raises(ConfigError, match=r"combine is for scores that tell signal .* these are of task 'energy'"):
        evaluate(EvaluateConfig(**asked, combine=(friend, friend)))
    with pytest.raises(ConfigError, match="working points are cuts on class scores; these scores are of task 'energy'"):
        evaluate(EvaluateConfig(**asked, working_points=tmp_path / "cuts"))


def test_reweighting_of_files(ntuple, tmp_path):
    asked = {"files": (ntuple,), "target": ("class_true == 0", "mu > 0"), "source": ("class_true == 5",), "folds": 3}
    outcome = reweight(ReweightConfig(**asked, output=tmp_path / "weights", variables=("et", "mu"), replicas=2))
    after = outcome.results["closeness"]["after"]
    assert abs(after.auc - 0.5) < 4 * after.auc_error
    values = read_friend(tmp_path / "weights" / "weights.root").values
    assert sorted(values) == ["weight_matched", "weight_matched_0", "weight_matched_1"]
    assert np.nansum(values["weight_matched"][~SIGNAL]) == pytest.approx((~SIGNAL).sum(), rel=1e-5)
    with pytest.raises(ConfigError, match=r"candidates pass the cuts of source .* and of target"):
        reweight(ReweightConfig(**(asked | {"source": ("mu > 0",)}), output=tmp_path / "x", variables=("et",)))


def test_what_a_recipe_may_not_ask(recipe):
    with pytest.raises(ConfigError, match="tells two classes apart, the recipe asks for an energy; use model 'trees'"):
        train(recipe("likelihood", "energy"))
    with pytest.raises(ConfigError, match="model 'trees' sees candidate variables; name some"):
        train(recipe("trees", scalars=()))
    with pytest.raises(ConfigError, match=r"take tracks = \['d0'\] out"):
        train(recipe("trees", tracks=("d0",)))
    with pytest.raises(ConfigError, match="model 'trees' has no setting 'round'; nearest: 'rounds'"):
        train(recipe("trees", model={"name": "trees", "settings": {"round": 3}}))
    with pytest.raises(ConfigError, match="setting 'rounds' = 'many' of model 'trees'"):
        train(recipe("trees", model={"name": "trees", "settings": {"rounds": "many"}}))
    with pytest.raises(ConfigError, match="E_T 60 to 90 GeV; it needs 200"):
        train(
            recipe(
                "likelihood", model={"name": "likelihood", "settings": {"eta_bins": [0, 2.5], "et_bins": [0, 60, 90]}}
            )
        )
    values = recipe("trees").model_dump()
    with pytest.raises(ConfigError, match="sees no images, so there is no store to make"):
        prepare(PrepareConfig(**values))


def test_a_bundle_that_lost_a_part(recipe, tmp_path):
    config = recipe("likelihood")
    train(config)
    bundle = load_bundle(config.output)
    del bundle.state_dict["edges"]
    with pytest.raises(ModelError, match="arrays do not fit model 'likelihood': 'edges'; train it again"):
        bundle.variable_model()


@pytest.mark.parametrize("model", MODELS)
def test_what_each_variable_adds_sums_to_what_the_model_says(recipe, scores_of, ntuple, tmp_path, model):
    """And the variable that separates most is found."""
    config = recipe(model, scalars=("reta", "rhad", "phi"), calibrate=False)
    train(config)
    scores = read_friend(scores_of(config)).values
    bundle = load_bundle(config.output)
    candidates = read_candidates(ntuple)
    found = explain_variables(bundle, candidates)
    odds = np.log(scores["score_signal"]) - np.log(scores["score_background"])
    rest = odds[found.used] - found.contributions[:, 0].sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=2e-3)  # the mean of what trees say; nothing for the likelihood
    asked = AttributeConfig(model=config.output, files=(ntuple,), output=tmp_path / "explained")
    results = attribute(asked).results
    for kind in ("shap", "fisher"):
        value = {name: one["value"] for name, one in results[kind].items()}
        assert min(value["reta"], value["rhad"]) > 4 * value["phi"]
        assert all(one["error"] > 0 for one in results[kind].values())
    assert results["fisher"]["reta"]["value"] == pytest.approx(0.5, abs=4 * results["fisher"]["reta"]["error"])
    assert ("gain" in results) == (model == "trees")
    # shuffled, one of two Gaussians is noise of their mixture: its width is sqrt(1.25), and the AUC falls to 0.681
    worse = (0.8413 - 0.681) / (1 - 0.8413)
    for name in ("reta", "rhad"):
        one = results["permutation"][name]
        assert one["value"] == pytest.approx(worse, abs=4 * one["error"] + 0.05)
        assert one["error"] < 0.3
    nothing = results["permutation"]["phi"]
    assert abs(nothing["value"]) < 4 * nothing["error"] + 0.02
    assert (tmp_path / "explained" / "figures" / "importance.png").exists()


def test_every_file_has_its_share_in_what_is_explained(recipe, tmp_path):
    """Signal in one file and background in the other: the first alone would say nothing of what tells them apart."""
    columns, paths = make_columns(), []
    for name, rows in (("signal", SIGNAL), ("background", ~SIGNAL)):
        paths.append(write(tmp_path / f"{name}.root", {key: one[rows] for key, one in columns.items()}))
    config = recipe("trees", sample={"files": tuple(paths), "selection": ("et > 8",)})
    train(config)
    asked = {"model": config.output, "split": "all", "n": 601, "repeats": 2}
    results = attribute(AttributeConfig(**asked, files=tuple(paths), output=tmp_path / "both")).results
    assert results["candidates"] == 601
    assert results["fisher"]["rhad"]["value"] == pytest.approx(0.5, abs=0.2)
    assert results["permutation"]["rhad"]["value"] > 0.5
    with pytest.raises(EmptyInputError, match=r"all 601 candidates are of class 'signal': .* give files of each"):
        attribute(AttributeConfig(**asked, files=(paths[0],), output=tmp_path / "one"))


@pytest.mark.usefixtures("no_files_of_figures")
@pytest.mark.parametrize("model", MODELS)
def test_models_of_folds_explain_what_they_did_not_learn_from(recipe, ntuple, tmp_path, model):
    """Each candidate by the model that predict asks; and the variables that separate are found as by one model."""
    config = recipe(model, folds=3, scalars=("reta", "rhad", "phi"))
    train(config)
    bundle, candidates = load_bundle(config.output), read_candidates(ntuple)
    found = explain_variables(bundle, candidates)
    assert len(np.unique(found.used)) == len(found.used)
    index = index_of(candidates)
    fold = fold_numbers(index.run, index.event, folds=3, seed=config.seed)[found.used]
    for number, one in enumerate(bundle.folds):
        alone = explain_variables(one, candidates)
        own = np.isin(alone.used, found.used[fold == number])
        np.testing.assert_array_equal(found.used[fold == number], alone.used[own])
        np.testing.assert_allclose(found.contributions[fold == number], alone.contributions[own], rtol=1e-9)
    results = attribute(AttributeConfig(model=config.output, files=(ntuple,), output=tmp_path / "explained")).results
    assert results["candidates"] == min(4000, len(found.used))
    for kind in ("shap", "fisher"):
        value = {name: one["value"] for name, one in results[kind].items()}
        assert min(value["reta"], value["rhad"]) > 3 * value["phi"]
    # shuffled, one of two Gaussians is noise of their mixture: its width is sqrt(1.25), and the AUC falls to 0.681
    worse = (0.8413 - 0.681) / (1 - 0.8413)
    for name in ("reta", "rhad"):
        one = results["permutation"][name]
        assert one["value"] == pytest.approx(worse, abs=4 * one["error"] + 0.1)
    assert ("gain" in results) == (model == "trees")
    if model == "trees":
        gains = [one.record["importance"]["reta"] for one in bundle.folds]
        assert results["gain"]["reta"] == pytest.approx(np.mean(gains))
        assert min(gains) < results["gain"]["reta"] < max(gains)


def test_trees_of_permuted_labels_know_nothing(recipe, tmp_path):
    """The same candidates, with the classes of others: whatever trees learn does not help on the test part."""
    columns = make_columns()
    columns["class_true"] = np.random.default_rng(9).permutation(columns["class_true"])
    path = write(tmp_path / "permuted.root", columns)
    config = recipe("trees", sample={"files": (path,), "selection": ("et > 8",)})
    train(config)
    asked = {"model": config.output, "files": (path,), "output": tmp_path / "scores.root", "threads": 1}
    scores = read_friend(predict(PredictConfig(**asked)))
    test, signal = scores.split == 2, columns["class_true"] == 0
    value, error = auc(scores.values["score_signal"][test & signal], scores.values["score_signal"][test & ~signal])
    assert abs(value - 0.5) < 4 * error
    assert error < 0.02


@pytest.mark.parametrize(("task", "reason"), [("identification", "of no class"), ("energy", "without a true energy")])
def test_what_is_not_learnt_from_says_why(task, reason):
    lacking, unused = _missing({"n_unused": 3, "missing": {"mu": 1.0}}, task)
    assert (lacking.name, lacking.value) == ("candidates without 'mu'", 100)
    assert lacking.comment == "nothing is learnt from it"
    assert unused.value == 3
    assert unused.comment == f"{reason}, or without a base energy; not learnt from"
