"""From weights that match the kinematics of background to signal, through training, to the evaluation."""

import numpy as np
import pytest
import uproot

from calotools.analysis import auc
from calotools.containers import Index, Scores
from calotools.deploy import bundle_of
from calotools.errors import BranchError, ConfigError, EmptyInputError, ShapeError
from calotools.ntuple import Lookup, NtupleWriter, lookup_friend, read_friend, write_friend
from calotools.recipe import EvaluateConfig, PredictConfig, ReweightConfig, TrainConfig
from calotools.stages import evaluate, predict, reweight, train
from calotools.stages.publish import left_out
from calotools.training import fit_variables
from calotools.training.sample.preparation import store_digest

N = 12_000
SELECTION = ("et > 15",)
TREES = {"name": "trees", "settings": {"rounds": 60, "leaves": 8, "min_leaf": 50}}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two files of candidates without cells: background is softer, and its rhad is wider."""
    rng = np.random.default_rng(1)
    signal = rng.random(N) < 0.5
    block = np.random.default_rng(4).integers(0, 600, N)
    et = 10 + rng.gamma(np.where(signal, 3.0, 1.5), 8.0)
    columns = {
        "run": np.ones(N, "u4"),
        "event": rng.permutation(N).astype("u8"),
        "candidate": np.zeros(N, "i4"),
        "e": et * 1.2,
        "et": et,
        "eta": np.full(N, 0.62),
        "phi": np.zeros(N),
        "mu": rng.normal(40, 8, 600)[block],
        "lumi_block": block.astype("u4"),
        "weight": np.full(N, 2.0),
        "class_true": np.where(signal, 0, 5).astype("i4"),
        "rhad": rng.normal(np.where(signal, 0.0, 0.7)),
    }
    folder = tmp_path_factory.mktemp("reweighted")
    paths = []
    for number, rows in enumerate((slice(None, 7000), slice(7000, None))):
        paths.append(str(folder / f"{number}.root"))
        with NtupleWriter(paths[-1]) as writer:
            part = {name: values[rows] for name, values in columns.items()}
            writer.extend("electrons", {k: v.astype("f4") if v.dtype == float else v for k, v in part.items()})
    return paths


@pytest.fixture(scope="module")
def reweighted(files, tmp_path_factory):
    """Folder and outcome of reweight, judged by trees."""
    folder = tmp_path_factory.mktemp("weights") / "w"
    asked = {"files": tuple(files), "output": folder, "selection": SELECTION, "variables": ("et", "mu"), "folds": 3}
    return folder, reweight(ReweightConfig(**asked, classifier="trees"))


@pytest.fixture(scope="module")
def weights(reweighted):
    """The friend tree of reweight."""
    return reweighted[0] / "weights.root"


@pytest.fixture
def recipe(files, weights, tmp_path):
    def make(name="m", sample=None, **changes):
        chosen = {"files": tuple(files), "selection": SELECTION, "weights": (weights,)} | (sample or {})
        values = {"task": "identification", "output": tmp_path / name, "sample": chosen, "reweight": False}
        values |= {"scalars": ("et",), "model": TREES, "trainer": {"threads": 1}}
        return TrainConfig(**(values | changes))

    return make


@pytest.fixture
def score(files, tmp_path):
    def make(config):
        path = tmp_path / "scores.root"
        return predict(PredictConfig(model=config.output, files=tuple(files), output=path, threads=1, overwrite=True))

    return make


def test_weights_of_a_block_are_not_made_from_it(reweighted, files):
    """A luminosity block, whose candidates share mu, is in one fold; the classifier learns from other blocks."""
    found = reweighted[1].results["closeness"]
    assert found["before"].auc > 0.6
    assert abs(found["after"].auc - 0.5) < 0.03 + 2 * found["after"].auc_error
    assert found["after"].effective_source > 1000


@pytest.mark.parametrize(
    ("dropped", "of", "said"),
    [
        ((), "lumi_block", "on luminosity blocks it did not see"),
        (("lumi_block",), "mu", "on distinct mu it did not see"),
        (("lumi_block", "mu"), "event", "on events it did not see"),
    ],
)
def test_errors_are_of_what_shares_mu(files, tmp_path, dropped, of, said):
    """Of blocks; without their numbers, of the candidates of one mu; of events where every one is the same."""
    paths = []
    for number, path in enumerate(files):
        with uproot.open(path) as source:
            columns = source["electrons"].arrays(library="np")
        kept = {name: values for name, values in columns.items() if name != "lumi_block" or not dropped}
        kept |= {name: kept[name] / 1000 for name in ("e", "et")}  # the writer wants GeV
        if "mu" in dropped:
            kept["mu"] = np.full_like(kept["mu"], 40)
        paths.append(str(tmp_path / f"{number}.root"))
        with NtupleWriter(paths[-1]) as writer:
            writer.extend("electrons", kept)
    asked = {"files": tuple(paths), "selection": SELECTION, "variables": ("et", "mu"), "folds": 3, "replicas": 1}
    outcome = reweight(ReweightConfig(**asked, output=tmp_path / "w"))
    after = outcome.results["closeness"]["after"]
    groups = outcome.results["groups"]
    assert groups["of"] == of
    assert (max(groups["number"]) <= 600) == (of != "event")
    [line] = [one for one in outcome.headline if one.name == "AUC of a classifier, reweighted"]
    assert (line.value, line.error, line.comment) == (after.auc, after.auc_error, said)
    naive = 0.5 / np.sqrt(3) * np.sqrt(1 / after.effective_source + 1 / after.effective_target)
    assert 1.2 < after.auc_error / naive < 2.5  # here source and target share the blocks, whose mu moves both


def test_kinematics_teach_nothing_where_weights_match_them(recipe, weights, score):
    matched = read_friend(weights).values["weight_matched"]
    found = {}
    for name, sample in (("with", {}), ("without", {"weights": ()})):
        config = recipe(name, sample)
        train(config)
        scores = read_friend(score(config))
        own = (scores.split == 2) & np.isfinite(matched)
        value, weight = scores.values["score_signal"][own], matched[own]
        is_signal = weight == 2  # the target keeps its own weight
        known = {"signal_weight": weight[is_signal], "background_weight": weight[~is_signal]}
        found[name] = auc(value[is_signal], value[~is_signal], **(known if name == "with" else {}))
    assert abs(found["with"][0] - 0.5) < 4 * found["with"][1]
    assert found["without"][0] > 0.7


def test_what_is_learnt_beside_the_kinematics_stays(recipe, weights, score, files, tmp_path):
    config = recipe(scalars=("et", "rhad"))
    train(config)
    asked = {"files": tuple(files), "scores": (score(config),), "output": tmp_path / "measured"}
    curve = evaluate(EvaluateConfig(**asked, selection=SELECTION, weights=(weights,))).results["roc"]
    assert curve.auc == pytest.approx(0.6897, abs=4 * curve.auc_error + 0.01)  # two Gaussians 0.7 apart


def test_weights_that_would_not_be_used_are_refused(files, weights, tmp_path):
    asked = {"files": tuple(files), "scores": (tmp_path / "scores.root",), "output": tmp_path / "measured"}
    with pytest.raises(ConfigError, match="weights and unweighted are both given"):
        evaluate(EvaluateConfig(**asked, weights=(weights,), unweighted=True))


def test_an_ntuple_with_other_labels_is_asked_for_them(files, tmp_path):
    with pytest.raises(EmptyInputError, match=r"is target: \['class_true == 17'\]; say with --target which are"):
        reweight(ReweightConfig(files=tuple(files), output=tmp_path / "weights", target=("class_true == 17",)))


def test_candidates_without_a_weight_are_left_out(recipe, weights):
    friend = read_friend(weights)
    assert np.isnan(friend.values["weight_matched"]).any()
    result = fit_variables(recipe(sample={"selection": ()}))
    assert sum(result.record["n"].values()) == np.isfinite(friend.values["weight_matched"]).sum()
    assert bundle_of(result).config.sample.weights == (weights,)


def test_candidates_without_a_weight_are_counted(recipe, weights, score, files, tmp_path, monkeypatch):
    """In the cut flow and on the page, of training and of the evaluation: here, what reweight's selection left out."""
    monkeypatch.setattr("calotools.stages.publish.save_figure", lambda *_, **__: None)  # takes most of the time
    lost = int(np.isnan(read_friend(weights).values["weight_matched"]).sum())
    assert lost > 100
    config = recipe(sample={"selection": ()}, scalars=("et", "rhad"))
    trained = train(config)
    flow = [(one["step"], one["candidates"]) for one in trained.results["record"]["cutflow"]]
    assert flow == [("all", N), ("weights", N - lost)]
    asked = {"files": tuple(files), "scores": (score(config),), "split": "all", "weights": (weights,)}
    measured = evaluate(EvaluateConfig(**asked, output=tmp_path / "all"))
    assert [one["candidates"] for one in measured.results["cutflow"][-2:]] == [N, N - lost]
    for outcome in (trained, measured):
        (line,) = [one for one in outcome.headline if one.name == "candidates without a weight"]
        assert (line.value, line.comment) == (lost, f"of {N}; they are left out")
    flow = fit_variables(recipe()).record["cutflow"]  # all that the selection keeps have one
    assert [one["step"] for one in flow] == ["all", *SELECTION, "weights"]
    assert left_out(flow) == ()


def test_other_weights_make_another_store(recipe, weights, tmp_path):
    friend = read_friend(weights)
    values = {"weight_matched": np.ones(N, "f4")}
    write_friend(tmp_path / "flat.root", Scores(friend.index, values, friend.split, {}), tree="weights")
    digests = {store_digest(recipe(sample={"weights": one})) for one in ((weights,), (tmp_path / "flat.root",), ())}
    assert len(digests) == 3


def test_rows_are_found_in_any_order(weights):
    friend = read_friend(weights)
    order = np.random.default_rng(2).permutation(N)
    found = lookup_friend([weights], "weight_matched")(friend.index.take(order))
    np.testing.assert_array_equal(found, friend.values["weight_matched"][order])


def test_weights_that_cannot_be_used(recipe, weights, tmp_path):
    with pytest.raises(BranchError, match="has no branch 'weight_match'; nearest: 'weight_matched'"):
        train(recipe(sample={"weight_branch": "weight_match"}))
    with pytest.raises(ConfigError, match=r"event_weight and sample\.weights are both given"):
        train(recipe(event_weight=True))
    friend = read_friend(weights)
    for name, rows in (("part.root", np.arange(9000)), ("twice.root", np.r_[0, 0:N])):
        values = {"weight_matched": friend.values["weight_matched"][rows]}
        scores = Scores(friend.index.take(rows), values, friend.split[rows], {})
        write_friend(tmp_path / name, scores, tree="weights")
    with pytest.raises(
        ShapeError, match=r"lack 3000 of 5000 candidates of file '.*1.root', tree 'electrons'; the first"
    ):
        train(recipe(sample={"weights": (tmp_path / "part.root",)}))
    with pytest.raises(ShapeError, match=r"rows \[0, 1\] are the same candidate"):
        train(recipe(sample={"weights": (tmp_path / "twice.root",)}))


def test_index_of_equal_events_in_other_runs():
    index = Index(np.array([1, 2, 256], "u4"), np.array([7, 7, 7], "u8"), np.array([0, 0, 1], "i4"))
    found = Lookup(index, np.array([1.0, 2.0, 3.0]), name="x")(index.take(np.array([2, 0, 1, 1])))
    assert found.tolist() == [3.0, 1.0, 2.0, 2.0]
