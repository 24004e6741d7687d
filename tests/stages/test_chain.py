"""The whole chain on the shipped samples: every stage once, small, through its Python face."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import uproot

from calotools.errors import (
    BranchError,
    CellError,
    ConfigError,
    EmptyInputError,
    InputFileError,
    OutputExistsError,
    ShapeError,
    TreeError,
)
from calotools.ntuple import NtupleWriter, read_candidates, read_friend
from calotools.recipe import (
    DisplayConfig,
    EvaluateConfig,
    InspectConfig,
    PeaksConfig,
    PredictConfig,
    ReportConfig,
    TagProbeConfig,
    TrainConfig,
)
from calotools.stages import display, evaluate, inspect, peaks, predict, report, tagprobe, train
from calotools.stages.scored import read_scored
from calotools.training import prepare

SAMPLES = Path(__file__).parents[2] / "ntuples"
TRAINER = {"epochs": 2, "batch_size": 50, "threads": 1}


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Both networks trained, and their friend trees."""
    folder = tmp_path_factory.mktemp("chain")
    train(
        TrainConfig(
            task="identification",
            output=folder / "identification",
            images="electron_slides",
            tracks=("e_frac", "delta_eta1", "delta_phi2", "d0"),
            sample={"files": (str(SAMPLES / "electrons.root"), str(SAMPLES / "fakes.root"))},
            model={"name": "electron_cnn_2018", "settings": {"reading": "slides"}},
            trainer=TRAINER,
        )
    )
    train(
        TrainConfig(
            task="energy",
            output=folder / "energy",
            images="energy",
            scalars=("e", "eta_cluster", "e1", "e2"),
            sample={"files": (str(SAMPLES / "electrons.root"),), "selection": ("class_true == 0",)},
            model={"name": "energy_cnn"},
            trainer=TRAINER,
        )
    )
    for model, sample in (
        ("identification", "electrons"),
        ("identification", "fakes"),
        ("energy", "zee"),
        ("energy", "electrons"),
    ):
        predict(
            PredictConfig(
                model=folder / model, files=(str(SAMPLES / f"{sample}.root"),), output=folder / f"{model}.{sample}.root"
            )
        )
    return folder


def numbers(folder):
    found = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))
    for figure in found["figures"]:
        for suffix in (".png", ".pdf"):
            assert (folder / "figures" / (figure["name"] + suffix)).stat().st_size > 1000
    assert all(one["error"] is not None or isinstance(one["value"], int) for one in found["headline"][:1])
    return found


def test_friend_has_the_rows_of_its_ntuple(chain):
    with uproot.open(SAMPLES / "zee.root") as ntuple, uproot.open(chain / "energy.zee.root") as friend:
        ours = friend["electrons" if "electrons" in friend else friend.keys()[0]]
        for name in ("run", "event", "candidate"):
            np.testing.assert_array_equal(ours[name].array(library="np"), ntuple["electrons"][name].array(library="np"))


def test_identification(chain):
    config = EvaluateConfig(
        files=(str(SAMPLES / "electrons.root"), str(SAMPLES / "fakes.root")),
        scores=(chain / "identification.electrons.root", chain / "identification.fakes.root"),
        output=chain / "evaluate_identification",
        split="all",
        replicas=20,
    )
    outcome = evaluate(config)
    found = numbers(config.output)
    assert found["headline"][0]["name"] == "AUC"
    assert 0 < found["headline"][0]["error"] < 0.2
    assert EvaluateConfig.from_toml(config.output / "recipe.toml") == config
    steps = [step["candidates"] for step in outcome.results["cutflow"]]
    assert steps == sorted(steps, reverse=True)


def test_energy(chain):
    config = EvaluateConfig(
        files=(str(SAMPLES / "electrons.root"),),
        scores=(chain / "energy.electrons.root",),
        output=chain / "evaluate_energy",
        split="all",
        replicas=20,
    )
    evaluate(config)
    found = numbers(config.output)
    assert {one["name"] for one in found["headline"]} >= {"IQR, layer sum", "IQR, network"}
    assert all(one["error"] > 0 for one in found["headline"][:-1])
    assert "all candidates" in next(one["caption"] for one in found["figures"] if one["name"] == "response")
    # of the whole sample, more than the test part was learnt from
    friend = read_friend(config.scores)
    seen = int((friend.split != 2).sum())
    assert 0 < seen < len(friend.split)
    last = found["headline"][-1]
    assert (last["name"], last["value"]) == ("measured candidates that the model learnt from", seen)
    assert last["comment"] == (
        f"of {len(friend.split)}: training and validation part of its runs; it may do worse on others (--split test)"
    )


def test_of_the_test_part_nothing_was_learnt_from(chain):
    asked = {"files": (str(SAMPLES / "electrons.root"),), "scores": (chain / "energy.electrons.root",), "replicas": 20}
    evaluate(EvaluateConfig(**asked, output=chain / "evaluate_test_part"))
    found = numbers(chain / "evaluate_test_part")
    assert all("learnt from" not in one["name"] for one in found["headline"])
    assert "test candidates" in found["figures"][0]["caption"]


def test_peaks(chain):
    config = PeaksConfig(
        files=(str(SAMPLES / "zee.root"),), scores=(chain / "energy.zee.root",), output=chain / "peak", replicas=20
    )
    outcome = peaks(config)
    found = numbers(config.output)
    assert found["headline"][0]["error"] > 0
    assert outcome.results["widths"].n > 20
    legs = outcome.results["legs"]
    assert set(legs) == {"probe", "probe_and_truth", "detector"}
    # the true energy of the other leg leaves less of the detector in the width
    assert legs["probe_and_truth"].before["sigma68"] < legs["probe"].before["sigma68"]
    assert {one["name"] for one in found["headline"]} >= {"width ratio of the detector's part"}


def test_tagprobe_and_its_closure(chain):
    config = TagProbeConfig(
        data=(str(SAMPLES / "zee_pseudo_data.root"),),
        simulation=(str(SAMPLES / "zee.root"),),
        output=chain / "tagprobe",
        et_bins=(15, 150),
        eta_bins=(0, 2.47),
    )
    outcome = tagprobe(config)
    numbers(config.output)
    assert outcome.results["closure"]["efficiency"].ndf == 1
    assert abs(outcome.results["closure"]["efficiency"].pull[0]) < 4


def test_bins_that_the_sidecar_lacks(chain):
    config = TagProbeConfig(
        data=(str(SAMPLES / "zee_pseudo_data.root"),), output=chain / "x", et_bins=(17, 150), eta_bins=(0, 2.47)
    )
    with pytest.raises(ConfigError, match=r"bins \[17.0, 150.0\] are not among the et_edges"):
        tagprobe(config)
    assert not (chain / "x").exists()


def test_report_and_display(chain):
    display(DisplayConfig(file=str(SAMPLES / "zee.root"), output=chain / "display.png", entry=3))
    assert (chain / "display.png").stat().st_size > 10_000
    page = report(ReportConfig(folder=chain / "identification", output=chain / "report.html")).read_text(
        encoding="utf-8"
    )
    assert "electron_cnn_2018" in page
    with pytest.raises(ConfigError, match=r"entry 10000000 of '.*zee\.root' was asked for; it has \d+"):
        display(DisplayConfig(file=str(SAMPLES / "zee.root"), output=chain / "far.png", entry=10_000_000))


def test_finished_outputs_are_kept(chain):
    recipe = TrainConfig.from_toml(chain / "energy" / "recipe.toml")
    with pytest.raises(OutputExistsError, match=r"model\.calo' exists"):
        train(recipe)
    config = PredictConfig(model=chain / "energy", files=(str(SAMPLES / "zee.root"),), output=chain / "energy.zee.root")
    with pytest.raises(OutputExistsError, match=r"energy\.zee\.root' exists; .*--overwrite"):
        predict(config)


def test_scores_of_other_files_are_refused(chain):
    config = PeaksConfig(
        files=(str(SAMPLES / "zee.root"),), scores=(chain / "energy.electrons.root",), output=chain / "never"
    )
    with pytest.raises(ShapeError, match="predict again on these files"):
        peaks(config)
    assert not (chain / "never").exists()


def test_selection_that_leaves_nothing(chain):
    config = EvaluateConfig(
        files=(str(SAMPLES / "electrons.root"),),
        scores=(chain / "energy.electrons.root",),
        output=chain / "never",
        selection=("et > 1e6",),
    )
    with pytest.raises(
        EmptyInputError, match=r"no candidate is left to measure: \d+ after 'read', .*0 after 'selection'"
    ):
        evaluate(config)


# --- what goes wrong with a user's files: its own error each, and nothing half-written


def test_a_finished_training_is_not_resumed(tmp_path):
    (tmp_path / "model.calo").write_text("")
    config = TrainConfig(
        task="energy",
        output=tmp_path,
        images="energy",
        sample={"files": (str(SAMPLES / "electrons.root"),)},
        model={"name": "energy_cnn"},
    )
    with pytest.raises(OutputExistsError, match=r"model\.calo' exists.*; the training there is finished, so there is"):
        train(config)


def test_truncated_file(tmp_path):
    path = tmp_path / "cut.root"
    path.write_bytes((SAMPLES / "zee.root").read_bytes()[:200_000])
    (found,) = inspect(InspectConfig(files=(str(path),)))
    assert isinstance(found.error, InputFileError)
    with pytest.raises(InputFileError, match=re.escape(str(path))):
        read_candidates(str(path))


def test_wrong_tree_and_missing_branch(tmp_path):
    with pytest.raises(TreeError, match=r"'electron'.*nearest: 'electrons'"):
        read_candidates(str(SAMPLES / "zee.root"), tree="electron")
    with pytest.raises((BranchError, ConfigError), match="nearest: 'reta'"):
        read_candidates(str(SAMPLES / "zee.root"), fields=("retta",))


def write(path, change):
    """The shipped sample's first candidates, changed."""
    candidates = read_candidates(str(SAMPLES / "zee.root"), max_candidates=8)
    with NtupleWriter(path) as writer:
        writer.extend("electrons", change(candidates))
    return path


def test_candidates_without_usable_cells(chain, tmp_path):
    import awkward as ak

    def without(candidates):
        keep = np.ones(len(candidates), bool)
        keep[2] = False
        cells = candidates.cells[ak.Array(keep)[:, np.newaxis] & (candidates.cells.e == candidates.cells.e)]
        return ak.with_field(candidates, cells, "cells")

    def not_finite(candidates):
        energy = ak.where(np.arange(len(candidates)) == 5, np.float32(np.nan), candidates.cells.e)
        return ak.with_field(candidates, ak.with_field(candidates.cells, energy, "e"), "cells")

    for name, change in (("without", without), ("nan", not_finite)):
        path = write(tmp_path / f"{name}.root", change)
        output = tmp_path / f"{name}.scores.root"
        config = {"model": chain / "energy", "files": (str(path),), "output": output}
        with pytest.raises(CellError, match=re.escape(str(path))):
            predict(PredictConfig(**config))
        assert sorted(one.name for one in tmp_path.glob(f"*{name}*")) == [f"{name}.root"]
        predict(PredictConfig(**config, on_bad="skip"))
        assert np.isnan(read_friend(output).values["e_network"]).sum() == 1


def test_zero_entries(chain, tmp_path):
    path = write(tmp_path / "none.root", lambda candidates: candidates[:0])
    with pytest.raises(EmptyInputError, match=re.escape(str(path))):
        predict(PredictConfig(model=chain / "energy", files=(str(path),), output=tmp_path / "scores.root"))
    assert not (tmp_path / "scores.root").exists()


def test_peaks_leave_out_what_the_network_was_trained_on(chain):
    def used(sample):
        friend = read_friend(chain / f"energy.{sample}.root")
        scored = read_scored(
            (str(SAMPLES / f"{sample}.root"),), friend, fields=("et",), split="unseen", tree=None, flavour=None
        )
        return {step["step"]: step["candidates"] for step in scored.cutflow}, friend.split

    flow, split = used("electrons")
    assert flow["unseen part"] == (split == 2).sum() < flow["scored"]
    flow, _ = used("zee")
    assert flow["unseen part"] == flow["scored"]


def test_a_changed_flavour_makes_a_new_store(tmp_path):
    flavour = tmp_path / "mine.toml"
    text = """
name = "mine"
tree = "electrons"
[event]
run = "run"
event = "event"
mu = "MU"
[candidate]
e = { branch = "e", unit = "MeV" }
eta = "eta"
phi = { branch = "phi", unit = "rad" }
[cells]
e = { branch = "cell_e", unit = "MeV" }
eta = "cell_eta"
phi = { branch = "cell_phi", unit = "rad" }
sampling = "cell_sampling"
[truth]
e_true = { branch = "e_true", unit = "MeV" }
"""
    columns = []
    for branch in ("mu", "n_vtx"):
        flavour.write_text(text.replace("MU", branch))
        config = TrainConfig(
            task="energy",
            output=tmp_path / "out",
            images="energy",
            scalars=("mu",),
            sample={"files": (str(SAMPLES / "electrons.root"),), "flavour": str(flavour)},
            model={"name": "energy_cnn"},
        )
        columns.append(np.array(prepare(config).column("mu")))
    assert not np.array_equal(*columns)
