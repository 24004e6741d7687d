"""Parts of an evaluation, on scores whose truth is known."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import awkward as ak
import numpy as np
import pytest
import uproot

from calotools.analysis import all_pairs, measure_roc, pair_mass
from calotools.containers import Index, Scores
from calotools.errors import ConfigError, EmptyInputError
from calotools.ntuple import index_of, sample_branches
from calotools.recipe import EvaluateConfig, TrainConfig, WorkingPointsConfig
from calotools.stages.evaluation.curves import show_curves, trace_curves
from calotools.stages.evaluation.cuts import _measure
from calotools.stages.evaluation.dependence import measure_dependence
from calotools.stages.evaluation.given_cuts import measure_cut_based
from calotools.stages.evaluation.identification import measure_identification
from calotools.stages.evaluation.labels import Labelled, Rows
from calotools.stages.evaluation.other_scores import with_others
from calotools.stages.evaluation.probabilities import measure_probabilities
from calotools.stages.evaluation.rivals import measure_rivals
from calotools.stages.evaluation.weights import composed_weight
from calotools.stages.scored import Scored, _part
from calotools.training.sample.labels import label
from calotools.variables import write_cut_table

N = 6000


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


@pytest.fixture(scope="module")
def labelled():
    """Two models: the better one's log-odds are true, the other's are blurred. Two candidates in an event."""
    rng = np.random.default_rng(1)
    signal = np.repeat(rng.random(N // 2) < 0.5, 2)
    odds = rng.normal(np.where(signal, 2.0, -2.0), 2.0)  # the log-odds of two Gaussians 4 apart, of width 2
    worse = odds + rng.normal(0, 3.0, N)
    mu, eta, phi = rng.uniform(20, 60, N), rng.uniform(-2, 2, N), rng.uniform(-3, 3, N)
    et = 20 + np.exp(rng.normal(2, 0.5, N))
    columns = {
        "run": np.ones(N, np.uint32),
        "event": np.repeat(np.arange(N // 2), 2).astype(np.uint64),
        "candidate": np.tile([0, 1], N // 2).astype(np.int32),
        "et": et,
        "eta": eta,
        "phi": phi,
        "e": et * np.cosh(eta),
        "class_true": np.where(signal, 0, 5),
    }
    scores = {"score_signal": sigmoid(odds), "score_background": sigmoid(-odds)}
    scores |= {"score_signal of lh": sigmoid(worse), "score_background of lh": sigmoid(-worse)}
    record = {"classes": {"background": [5], "signal": [0]}, "model": "trees"}
    record["others"] = {"lh": record["classes"]}
    sample = Scored(ak.zip(columns), scores, record, [], [])
    rows = Rows(odds, eta, et, np.ones(N), mu)
    config = EvaluateConfig(files=("a",), scores=("b",), output="c", et_bins=(20, 30, 60), mu_bins=(20, 40, 60))
    return Labelled(sample, config, rows, signal, ~signal, np.ones(N))


def test_true_probabilities_need_no_temperature(labelled):
    found = measure_probabilities(labelled)
    value, error = found.results["temperature"]
    assert abs(value - 1) < 4 * error < 0.3
    assert found.results["confusion"].value[0, 0] == pytest.approx(0.8413, abs=0.03)
    assert sorted(found.figures) == ["confusion", "reliability"]


def test_a_worse_model_is_beaten_on_the_same_candidates(labelled):
    value, own = labelled.rows.value, labelled.signal
    curve = measure_roc(value[own], value[~own], name="trees")
    found = measure_rivals(labelled, curve, {"hadron": (labelled.background, curve)})
    assert sorted(found.figures) == ["roc_compared", "roc_compared_hadron"]
    assert found.results["others"]["lh"].auc < curve.auc - 0.05
    for line in found.headline:
        assert line.value > 1 + 2 * line.error
    legend = [text.get_text() for text in found.figures["roc_compared"][0].axes[0].get_legend().get_texts()]
    assert legend[0].startswith("lh, AUC")
    assert legend[1].startswith("trees, AUC")


def test_a_class_of_few_candidates_is_named_and_counted_and_figures_name_the_model(labelled):
    columns = labelled.sample.candidates
    few = np.cumsum(labelled.background) <= 30
    truth = np.where(few & labelled.background, 3, ak.to_numpy(columns["class_true"]))
    sample = replace(labelled.sample, candidates=ak.with_field(columns, truth, "class_true"))
    changed = replace(labelled, sample=sample)
    found = show_curves(changed, trace_curves(changed), cut_based={})
    counts = found.results["candidates_by_class"]
    assert counts == {"heavy flavour": 30, "light-flavour hadron": int(labelled.background.sum()) - 30}
    (line,) = (one for one in found.headline if "heavy flavour" in one.name)
    assert np.isnan(line.value)
    assert line.comment == "30 candidates; 50 are needed"
    assert found.results["roc"].name == found.results["working_points"].name == "trees"
    assert found.figures["scores"][0].axes[0].get_xlabel() == "Score"


def test_scores_of_an_unknown_model_are_called_so(labelled):
    record = {key: one for key, one in labelled.sample.record.items() if key != "model"}
    unknown = replace(labelled, sample=replace(labelled.sample, record=record))
    found = show_curves(unknown, trace_curves(unknown), cut_based={})
    assert found.results["roc"].name == found.results["working_points"].name == "score"
    texts = (one.get_text() for one in found.figures["roc"][0].axes[0].get_legend().get_texts())
    assert next(texts).startswith("score, AUC")


def test_what_two_models_have_in_common_is_in_no_error_of_their_ratio(labelled):
    """The same scores under another name: 1, and nothing can be wrong with that."""
    scores = labelled.sample.scores
    others = labelled.sample.record["others"]
    record = labelled.sample.record | {"others": others | {"twin": others["lh"]}}
    twins = {f"{one} of twin": scores[one] for one in ("score_signal", "score_background")}
    sample = replace(labelled.sample, scores=scores | twins, record=record)
    value, own = labelled.rows.value, labelled.signal
    found = measure_rivals(replace(labelled, sample=sample), measure_roc(value[own], value[~own], name="trees"), {})
    for line in found.headline:
        if "twin" in line.name:
            assert (line.value, line.error) == (pytest.approx(1, rel=1e-6), pytest.approx(0, abs=1e-6))
        else:
            assert 0 < line.error < 0.2 * line.value
    assert list(found.results["rejection_over"]) == ["lh", "twin"]
    assert found.results["rejection_over"]["lh"].name == "trees"


def test_a_flag_that_is_a_cut_on_the_score_rejects_as_the_score_does(labelled):
    flags = {"pass_loose": labelled.rows.value > -1, "pass_medium": labelled.rows.et > 30}
    candidates = labelled.sample.candidates
    for name, flag in flags.items():
        candidates = ak.with_field(candidates, flag.astype(np.int32), name)
    found = measure_cut_based(replace(labelled, sample=replace(labelled.sample, candidates=candidates)))
    lines = {line.name: line for line in found.headline}
    same, unlike = (lines[f"rejection over cut-based {name}"] for name in flags)
    # but for the background between the cut and the signal next to it
    assert (same.value, same.error) == (pytest.approx(1, abs=0.02), pytest.approx(0, abs=0.02))
    assert unlike.value - 2 * unlike.error > 1
    assert unlike.error > 0
    assert found.results["cut_based"]["pass_medium"]["ratio"].over == "pass_medium"
    assert measure_cut_based(labelled).headline == ()


def test_a_flag_has_the_name_that_its_flavour_has(labelled, tmp_path):
    """A likelihood's flag is not called cut-based; PHYSLITE's branch is in a collection, whose name says nothing."""
    tree = {"p_LHLoose": labelled.rows.value > -1, "p_e": np.ones(N), "p_eta": labelled.rows.eta}
    with uproot.recreate(tmp_path / "nbi.root") as file:
        file["tree"] = {name: column.astype("i4" if name == "p_LHLoose" else "f4") for name, column in tree.items()}
    found = sample_branches(tmp_path / "nbi.root", tree="tree", flavour="nbi")
    assert found["pass_loose"] == "p_LHLoose"
    candidates = ak.with_field(labelled.sample.candidates, tree["p_LHLoose"].astype(np.int32), "pass_loose")
    lhood = "AnalysisElectronsAuxDyn.DFCommonElectronsLHLoose"
    for flavour, branch, name in (
        ("nbi", found["pass_loose"], "p_LHLoose"),
        ("physlite", lhood, "DFCommonElectronsLHLoose"),
        ("native", "pass_loose", "cut-based pass_loose"),
    ):
        sample = replace(labelled.sample, candidates=candidates, flavour=flavour, branches={"pass_loose": branch})
        ours = replace(labelled, sample=sample)
        flags = measure_cut_based(ours)
        assert [line.name for line in flags.headline] == [f"rejection over {name}"]
        one = flags.results["cut_based"]["pass_loose"]
        assert one["ratio"].over == one["name"] == name.removeprefix("cut-based ")
        figure = show_curves(ours, trace_curves(ours), cut_based=flags.results["cut_based"]).figures["roc"][0]
        texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        assert texts[-1].replace("\\", "").startswith(one["name"])
        assert not any("cut-based" in text for text in texts)


def test_independent_parts_are_combined_as_well_as_the_best_model(labelled):
    """Log-odds of two Gaussians each: their sum is what can be known of both, and Fisher finds it."""
    rng, classes = np.random.default_rng(3), labelled.sample.record["classes"]
    parts = {
        name: rng.normal(np.where(labelled.signal, d, -d) * d / 2, d) for name, d in (("calo", 1.2), ("track", 2.0))
    }
    scores = dict(labelled.sample.scores)
    for name, value in parts.items():
        scores |= {f"score_signal of {name}": sigmoid(value), f"score_background of {name}": sigmoid(-value)}
    sample = replace(
        labelled.sample, scores=scores, record=labelled.sample.record | {"others": dict.fromkeys(parts, classes)}
    )
    config = labelled.config.model_copy(update={"combine": tuple(Path(f"{name}.root") for name in parts)})
    joint = replace(labelled, sample=sample, config=config, rows=replace(labelled.rows, value=sum(parts.values())))
    curve = measure_roc(joint.rows.value[joint.signal], joint.rows.value[joint.background], name="trees")
    found = measure_rivals(joint, curve, {})
    assert list(found.results["others"]) == ["calo", "track", "calo × track, product", "calo × track, Fisher"]
    areas = {name: one.auc for name, one in found.results["others"].items()}
    assert areas["calo × track, product"] == pytest.approx(curve.auc, abs=1e-6)
    assert areas["calo × track, Fisher"] == pytest.approx(curve.auc, abs=0.003)
    assert areas["calo"] < areas["track"] < curve.auc - 0.01
    known = found.results["combination"]
    np.testing.assert_allclose(known["directions"], np.ones((2, 2)), atol=0.1)
    assert known["working_points"]["calo"].background[1] > 2 * known["beside"].background[1]
    assert [line.name.partition(" of ")[2] for line in found.headline[:4]] == list(found.results["others"])
    legend = [text.get_text() for text in found.figures["roc_compared"][0].axes[0].get_legend().get_texts()]
    assert [text.rpartition(", AUC")[0] for text in legend] == [*found.results["others"], "trees"]


def test_a_discriminant_without_mu_and_mass_depends_on_neither(labelled):
    found = measure_dependence(labelled, cut=0.0)
    for axis in ("mu", "et"):
        for one in found.results["correlation"][axis].values():
            assert abs(one.value) < 4 * one.error
    shaped = found.results["mass"]["sculpting"]
    assert abs(shaped.value) < 4 * shaped.error
    assert sorted(found.figures) == ["dependence_et", "dependence_mass", "dependence_mu"]


def test_a_discriminant_that_is_the_mass_shapes_it(labelled):
    """Of either kind of pairs, and the spectra of those that pass and fail have nothing in common."""
    candidates = labelled.sample.candidates
    pairs = all_pairs(candidates)
    value = labelled.rows.value.copy()
    value[pairs.first] = pair_mass(candidates, pairs)
    rows = replace(labelled.rows, value=value)
    found = measure_dependence(replace(labelled, rows=rows), cut=float(np.median(value[pairs.first])))
    for name in ("mass", "mass_signal"):
        assert found.results[name]["mass"].value == pytest.approx(1)
        assert found.results[name]["sculpting"].value > 0.9
    lines = {line.name: line.value for line in found.headline}
    assert lines["rank correlation with mass, signal pairs"] == pytest.approx(1)
    assert lines["sculpting of the mass of background pairs"] > 0.9


@pytest.mark.parametrize("axis", ["et", "mu", "mass"])
def test_dependence_is_measured_with_the_weights_of_the_measurement(labelled, axis):
    """Candidates that are there more often where the discriminant is high along an axis: their weights undo it."""
    value, column = labelled.rows.value.copy(), labelled.rows.axes.get(axis, np.zeros(N)).copy()
    if axis == "mass":  # of both legs, the leading one's discriminant
        pairs = all_pairs(labelled.sample.candidates)
        for rows in (pairs.first, pairs.second):
            column[rows], value[rows] = pair_mass(labelled.sample.candidates, pairs), labelled.rows.value[pairs.first]
    above = value > np.where(labelled.signal, 2, -2)
    part = np.where(above == (column > np.median(column)), 0.9, 0.3)
    drawn = np.random.default_rng(5).random(N // 2)
    kept = np.repeat(drawn, 2) < part
    biased = measure_dependence(replace(labelled, weight=kept.astype(float)), cut=2.0).results
    right = measure_dependence(replace(labelled, weight=np.where(kept, 1 / part, 0.0)), cut=2.0).results
    for side in ("signal", "background"):
        of_pairs = "mass" if side == "background" else "mass_signal"
        both = [one[of_pairs] if axis == "mass" else one["correlation"][axis] for one in (biased, right)]
        wrong, undone = (one["mass" if axis == "mass" else side] for one in both)
        assert wrong.value > 6 * wrong.error
        assert abs(undone.value) < 4 * undone.error
    if axis == "mass":
        assert biased["mass_signal"]["sculpting"].value > 4 * biased["mass_signal"]["sculpting"].error
        assert abs(right["mass_signal"]["sculpting"].value) < 4 * right["mass_signal"]["sculpting"].error


def test_a_cut_that_nothing_passes_shapes_no_mass_and_says_so(labelled):
    found = measure_dependence(labelled, cut=1e9)
    lines = {line.name: line for line in found.headline}
    for name in ("background", "signal"):
        line = lines[f"sculpting of the mass of {name} pairs"]
        n = found.results["mass" if name == "background" else "mass_signal"]["pairs"]
        assert np.isnan(line.value)
        assert line.comment == f"of {n} pairs 0 pass and {n} fail; too few to compare"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"event": np.arange(N).astype(np.uint64)}, "0 pairs of one event; 200 are needed"),
        ({"candidate": np.zeros(N, np.int32)}, "files number their events alike"),
        ({"phi": None}, "the ntuple has no phi"),
    ],
)
def test_a_mass_that_cannot_be_measured_says_why(labelled, change, reason):
    candidates = labelled.sample.candidates
    for name, column in change.items():
        rest = candidates[[one for one in candidates.fields if one != name]]
        candidates = rest if column is None else ak.with_field(rest, column, name)
    found = measure_dependence(replace(labelled, sample=replace(labelled.sample, candidates=candidates)), cut=0.0)
    assert found.results["mass"]["not_measured"] == found.results["mass_signal"]["not_measured"] == reason
    line = found.headline[-1]
    assert (line.name, line.comment) == ("sculpting of the mass of background pairs", reason)
    assert np.isnan(line.value)
    assert "dependence_mass" not in found.figures


def test_what_is_left_of_each_class_adds_up_to_what_is_left_of_all(labelled):
    """The cuts are the same, whichever background they are for."""
    truth = np.where(labelled.signal, 0, np.where(np.arange(N) % 4 < 2, 5, 4))
    sample = replace(labelled.sample, candidates=ak.with_field(labelled.sample.candidates, truth, "class_true"))
    ours = replace(labelled, sample=sample)
    curves = trace_curves(ours)
    found = show_curves(ours, curves, cut_based={})
    points = found.results["working_points_by_class"]
    assert list(points) == ["light-flavour e/gamma", "light-flavour hadron"]
    share = [np.mean(truth[labelled.background] == number) for number in (4, 5)]
    both = sum(one.background * part for one, part in zip(points.values(), share, strict=True))
    np.testing.assert_allclose(both, found.results["working_points"].background, rtol=1e-12)
    lines = {line.name: line for line in found.headline}
    of_one = lines["background efficiency at 88 % signal, light-flavour hadron"]
    assert of_one.value == pytest.approx(100 * points["light-flavour hadron"].background[1])
    assert 0 < of_one.error < of_one.value


def test_a_background_is_composed_as_the_recipe_says(labelled):
    """A class with three times the weight counts three times; one with none is not there."""
    truth = np.where(labelled.signal, 0, np.where(np.arange(N) % 4 < 2, 5, 4))
    candidates = ak.with_field(ak.with_field(labelled.sample.candidates, truth, "class_true"), np.ones(N), "weight")
    record = {"classes": {"background": [4, 5], "signal": [0]}}
    odds = np.where(truth == 4, labelled.rows.value + 1, labelled.rows.value)
    scores = {"score_signal": sigmoid(odds), "score_background": sigmoid(-odds)}
    sample = Scored(candidates, scores, record, [], [])

    def left(**weights):
        config = labelled.config.model_copy(update={"match": False, "class_weights": weights.get("of", {})})
        found = measure_identification(sample, config).results
        return found["working_points"].background, found["working_points_by_class"]

    of_all, each = left(of={4: 3.0, 5: 1.0})
    one, other = (each[name].background for name in ("light-flavour e/gamma", "light-flavour hadron"))
    n = [3 * np.sum(truth == 4), np.sum(truth == 5)]
    np.testing.assert_allclose(of_all, (n[0] * one + n[1] * other) / sum(n), rtol=1e-9)
    assert np.all(of_all > 1.05 * left()[0])
    alone, each = left(of={4: 0.0})
    assert list(each) == ["light-flavour hadron"]
    np.testing.assert_allclose(alone, other, rtol=1e-9)
    kept = truth != 4
    only = replace(sample, candidates=candidates[kept], scores={name: one[kept] for name, one in scores.items()})
    config = labelled.config.model_copy(update={"match": False, "class_weights": {4: 0.0}})
    with_none = measure_identification(sample, config).results["correlation"]
    assert with_none == measure_identification(only, config).results["correlation"]
    with pytest.raises(EmptyInputError, match=r"no background candidate is left with a weight; .*class_weights"):
        left(of={4: 0.0, 5: 0.0})
    with pytest.raises(ConfigError, match=r"class_weights\.7 is a weight of class_true = 7, .* one does: 0, 4, 5"):
        left(of={7: 1.0})


def test_working_points_compose_a_background_as_evaluate_and_training_do(labelled, tmp_path):
    """Cuts are made from the signal alone; what they leave is the mean of what they leave of each class."""
    truth = np.where(labelled.signal, 0, np.where(np.arange(N) % 4 < 2, 5, 4))
    candidates = ak.with_field(labelled.sample.candidates, truth, "class_true")
    candidates = ak.with_field(candidates, np.random.default_rng(4).uniform(0.5, 1.5, N), "weight")
    odds = np.where(truth == 4, labelled.rows.value + 1, labelled.rows.value)
    record = {"task": "identification", "classes": {"background": [4, 5], "signal": [0]}}
    sample = Scored(candidates, {"score_signal": sigmoid(odds), "score_background": sigmoid(-odds)}, record, [], [])
    asked = {"files": ("a",), "scores": ("b",), "output": "c", "targets": {"loose": 0.9}}
    asked |= {"eta_bins": (0, 2.5), "et_bins": (20, 1000), "match": False}

    def left(of):
        table, outcome = _measure(sample, WorkingPointsConfig(**asked, class_weights=of))
        lines = {line.name: line.value for line in outcome.headline}
        return table, lines["background efficiency of loose"], outcome

    (cuts, e_gamma, _), (same, hadron, outcome) = left({4: 2.0, 5: 0.0}), left({4: 0.0})
    both = {4: 3.0, 5: 0.5}
    n = [factor * candidates["weight"][truth == value].to_numpy().sum() for value, factor in both.items()]
    table, mixed, _ = left(both)
    assert mixed == pytest.approx((n[0] * e_gamma + n[1] * hadron) / sum(n), rel=1e-9)
    assert e_gamma > 1.2 * hadron
    np.testing.assert_array_equal(cuts.cut, same.cut)
    np.testing.assert_array_equal(cuts.cut, table.cut)
    only = replace(
        sample, candidates=candidates[truth != 4], scores={k: v[truth != 4] for k, v in sample.scores.items()}
    )
    alone = _measure(only, WorkingPointsConfig(**asked))[1]
    assert [vars(one) for one in alone.headline] == [vars(one) for one in outcome.headline]
    evaluated = composed_weight(sample, labelled.config.model_copy(update={"class_weights": both}))
    np.testing.assert_array_equal(composed_weight(sample, WorkingPointsConfig(**asked, class_weights=both)), evaluated)
    recipe = TrainConfig(
        task="identification",
        output=tmp_path / "x",
        sample={"files": ("a.root",)},
        model={"name": "likelihood"},
        scalars=("reta",),
        classes=record["classes"],
        class_weights=both,
        event_weight=True,
        reweight=False,
    )
    learnt = label(recipe, lambda name: candidates[name].to_numpy(), index_of(candidates)).weight
    np.testing.assert_allclose(learnt, evaluated, rtol=1e-6)
    with pytest.raises(EmptyInputError, match=r"no background candidate is left with a weight; .*class_weights"):
        left({4: 0.0, 5: 0.0})
    with pytest.raises(ConfigError, match=r"class_weights\.7 is a weight of class_true = 7, .* one does: 0, 4, 5"):
        left({7: 1.0})


def test_working_points_and_evaluate_quote_the_same_of_a_background(labelled, tmp_path):
    """Also where its kinematics are not the signal's and the score follows E_T: with matching, which is the default."""
    truth = np.where(labelled.signal, 0, np.where(np.arange(N) % 4 < 2, 5, 4))
    et = np.where(labelled.signal, labelled.rows.et, 20 + 0.6 * (labelled.rows.et - 20))
    odds = labelled.rows.value + 0.1 * (et - 30)
    candidates, rng = labelled.sample.candidates, np.random.default_rng(6)
    for name, column in (("class_true", truth), ("et", et), ("weight", rng.uniform(0.5, 1.5, N))):
        candidates = ak.with_field(candidates, column, name)
    record = {"task": "identification", "classes": {"background": [4, 5], "signal": [0]}}
    sample = Scored(candidates, {"score_signal": sigmoid(odds), "score_background": sigmoid(-odds)}, record, [], [])
    asked = {"files": ("a",), "scores": ("b",), "output": "c", "class_weights": {4: 3.0, 5: 0.5}}
    bins = {"eta_bins": (0, 2.5), "et_bins": (20, 25, 40, 1000)}
    quoted, cuts = {}, {}
    for option in ({}, {"match": True}, {"match": False}):
        table, made = _measure(sample, WorkingPointsConfig(**asked, **bins, **option, targets={"loose": 0.9}))
        path = write_cut_table(tmp_path / f"{len(cuts)}.json", table)
        config = EvaluateConfig(**asked, **bins, **option, working_points=path, replicas=20)
        found = measure_identification(sample, config)
        both = [{line.name: line for line in one.headline}["background efficiency of loose"] for one in (made, found)]
        assert both[0].value == pytest.approx(both[1].value, rel=1e-12)
        assert both[0].error == pytest.approx(both[1].error, rel=1e-12)
        key = option.get("match", "default")
        quoted[key], cuts[key] = both[0].value, table.cut
    assert quoted["default"] == quoted[True] > 1.05 * quoted[False]
    np.testing.assert_array_equal(cuts[True], cuts[False])


def test_models_that_cannot_stand_beside_another(tmp_path, monkeypatch):
    index = Index(np.ones(1, np.uint32), np.ones(1, np.uint64), np.zeros(1, np.int32))
    energy = SimpleNamespace(values={"e_network": np.ones(1)}, index=index, split=np.zeros(1), record={})
    monkeypatch.setattr("calotools.stages.evaluation.other_scores.read_friend", lambda paths: energy)
    friend = SimpleNamespace(values={"score_signal": np.ones(1)}, split=np.zeros(1), record={"task": "identification"})
    with pytest.raises(ConfigError, match=r"compare: '.*a\.root' holds e_network, no class scores of a network"):
        with_others(friend, [tmp_path / "a.root"])


def test_what_one_of_the_models_was_trained_on_is_new_to_none(tmp_path, monkeypatch):
    """Also where the model that others stand beside has not seen the run."""
    index = Index(np.array([1, 2, 2, 3], np.uint32), np.arange(4, dtype=np.uint64), np.zeros(4, np.int32))
    split = np.array([0, 0, 2, 0], np.int8)
    records = ({"task": "identification", "trained_runs": [1]}, {"trained_runs": [2]}, {})
    friend, *others = (Scores(index, {"score_signal": np.ones(4)}, split, one) for one in records)
    monkeypatch.setattr("calotools.stages.evaluation.other_scores.read_friend", lambda _: others.pop(0))
    both = with_others(friend, [tmp_path / "a.root", tmp_path / "of_an_older_version.root"])
    assert unseen_rows(friend) == [1, 2, 3]
    assert unseen_rows(both) == [2, 3]


def unseen_rows(friend):
    """As `evaluate --split unseen` selects them."""
    return np.flatnonzero(_part(friend, "unseen")).tolist()
