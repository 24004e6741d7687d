"""Prediction: what the friend tree says is what the network says, row by row."""

import threading
from dataclasses import replace
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import torch
import uproot

from calotools.cli.main import main
from calotools.deploy import load_bundle, predict, save_bundle
from calotools.deploy.prediction import _scorer
from calotools.errors import (
    BadFileWarning,
    BranchError,
    CellError,
    ConfigError,
    EmptyInputError,
    InputFileError,
    ModelError,
    OutputExistsError,
)
from calotools.images import build_images, pad_tracks
from calotools.ntuple import index_of, read_candidates, read_friend
from calotools.recipe import PredictConfig
from calotools.training.loading.batches import make_batch
from calotools.variables import split_of


@pytest.fixture
def run(bundle, ntuple, tmp_path):
    """A function: task and changes -> friend tree of the two files."""

    def make(task, **changes):
        path = tmp_path / f"{task}.calo"
        if not path.exists():
            save_bundle(bundle(task), path)
        values = {
            "model": path,
            "files": tuple(ntuple),
            "output": tmp_path / "scores.root",
            "threads": 1,
            "accelerator": "cpu",
            "overwrite": True,
        }
        return predict(PredictConfig(**(values | changes)))

    return make


def forward(bundle, candidates):
    """The network applied by hand to all candidates at once."""
    images = build_images(candidates, bundle.image_spec)
    config = bundle.config
    scalars = np.zeros((len(candidates), 0), "f4")
    if config.scalars:
        scalars = bundle.scalers.scalars.apply(np.stack([ak.to_numpy(candidates[one]) for one in config.scalars], 1))
    complete = ak.with_field(
        candidates, candidates.tracks.pt * np.cosh(candidates.tracks.eta) / candidates.e, ("tracks", "e_frac")
    )
    values, mask = pad_tracks(complete, config.tracks, max_tracks=config.max_tracks)
    batch = make_batch(
        images.values,
        scalars=scalars,
        tracks=(bundle.scalers.tracks.apply(values, mask=mask), mask),
        base_energy=ak.to_numpy(candidates["e"]),
    )
    with torch.inference_mode():
        return bundle.network()(batch)


def test_energy_equals_the_network(run, bundle, ntuple):
    scores = read_friend(run("energy"))
    expected = forward(bundle("energy"), read_candidates(ntuple))
    assert list(scores.values) == ["e_network"]
    np.testing.assert_allclose(scores.values["e_network"], expected.numpy(), rtol=1e-5)
    assert not np.allclose(expected.numpy(), ak.to_numpy(read_candidates(ntuple)["e"]), rtol=1e-3)


def test_scores_equal_the_network_and_sum_to_one(run, bundle, ntuple):
    scores = read_friend(run("identification"))
    assert list(scores.values) == ["score_background", "score_signal"]
    expected = torch.softmax(forward(bundle("identification"), read_candidates(ntuple)), dim=1).numpy()
    np.testing.assert_allclose(np.stack(list(scores.values.values()), axis=1), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(sum(scores.values.values()), 1, rtol=1e-5)


def test_the_temperature_divides_the_logits(bundle, ntuple, tmp_path):
    one = replace(bundle("identification"), temperature=2.5)
    assert load_bundle(save_bundle(one, tmp_path / "model.calo")).temperature == 2.5
    logits = forward(one, read_candidates(ntuple))
    for calibrate, temperature in ((True, 2.5), (False, 1.0)):
        asked = {"model": tmp_path / "model.calo", "files": tuple(ntuple), "output": tmp_path / "s.root", "threads": 1}
        scores = read_friend(predict(PredictConfig(**asked, calibrate=calibrate, overwrite=True)))
        expected = torch.softmax(logits / temperature, dim=1).numpy()
        np.testing.assert_allclose(np.stack(list(scores.values.values()), axis=1), expected, rtol=1e-4, atol=1e-6)


def test_same_entries_same_order(run, ntuple):
    path = run("energy")
    candidates = read_candidates(ntuple)
    scores = read_friend(path, index=index_of(candidates))
    assert len(scores.index) == 240
    with uproot.open(path) as file:
        friend = file[next(iter(file.keys(filter_classname="TTree")))]
        assert friend["event"].array().tolist() == candidates["event"].tolist()
        assert friend["e_network"].array()[0] == pytest.approx(1000 * scores.values["e_network"][0])


def test_batch_size_does_not_matter(run, tmp_path):
    one, other = (read_friend(run("energy", batch_size=size)).values["e_network"] for size in (7, 500))
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_files_alone_equal_files_together(run, ntuple, tmp_path):
    whole = read_friend(run("energy")).values["e_network"]
    parts = [read_friend(run("energy", files=(file,))).values["e_network"] for file in ntuple]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-6)


def test_split_is_that_of_the_training(run, recipe):
    config = recipe("energy")
    scores = read_friend(run("energy"))
    expected = split_of(scores.index.run, scores.index.event, validation=0.1, test=0.2, seed=config.seed)
    assert scores.split.tolist() == expected.tolist()
    assert set(scores.split) == {0, 1, 2}


def test_record_says_which_bundle(run, tmp_path):
    record = read_friend(run("energy")).record
    assert record["digest"] == load_bundle(tmp_path / "energy.calo").digest
    assert record["task"] == "energy"


def test_progress_counts(bundle, ntuple, tmp_path):
    save_bundle(bundle("energy"), tmp_path / "model.calo")
    seen = []
    config = PredictConfig(model=tmp_path, files=tuple(ntuple), output=tmp_path / "s.root", threads=1)
    predict(config, progress=lambda *one: seen.append(one))
    assert seen[-1] == ("predict", 240, 240)


def without_cells(candidates, row):
    keep = np.arange(12)[:, None] != row
    candidates["cells"] = ak.drop_none(
        ak.mask(candidates["cells"], ak.broadcast_arrays(keep[:, 0], candidates["cells"].e)[0])
    )
    return candidates


def test_a_candidate_without_cells_is_an_error_or_nan(run, tmp_path, draw_candidates, write_ntuple):
    file = write_ntuple(tmp_path / "bad.root", without_cells(draw_candidates(12, seed=3), 4))
    with pytest.raises(CellError, match=r"bad\.root"):
        run("energy", files=(file,))
    energy = read_friend(run("energy", files=(file,), on_bad="skip")).values["e_network"]
    assert np.flatnonzero(np.isnan(energy)).tolist() == [4]


def test_a_missing_base_energy_gives_nan(run, tmp_path, draw_candidates, write_ntuple):
    candidates = draw_candidates(12, seed=3)
    candidates["e"][2] = np.nan
    energy = read_friend(run("energy", files=(write_ntuple(tmp_path / "nan.root", candidates),))).values["e_network"]
    assert np.flatnonzero(np.isnan(energy)).tolist() == [2]


def test_an_ntuple_without_an_input_is_refused(run, tmp_path, draw_candidates, write_ntuple):
    candidates = draw_candidates(12)
    del candidates["mu"]
    with pytest.raises(BranchError, match="mu"):
        run("energy", files=(write_ntuple(tmp_path / "nomu.root", candidates),))


def test_truth_is_not_needed(run, tmp_path, draw_candidates, write_ntuple):
    candidates = draw_candidates(12)
    for name in ("class_true", "e_true"):
        del candidates[name]
    assert len(read_friend(run("energy", files=(write_ntuple(tmp_path / "data.root", candidates),))).index) == 12


def test_existing_output_is_refused_before_the_model_is_read(tmp_path):
    output = tmp_path / "scores.root"
    output.write_text("mine")
    with pytest.raises(OutputExistsError, match=r"scores\.root' exists"):
        predict(PredictConfig(model=tmp_path / "none.calo", files=("none.root",), output=output))
    assert output.read_text() == "mine"


def test_nothing_is_left_after_a_failure(run, tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        run("energy", model=tmp_path / "none.calo")
    assert not (tmp_path / "scores.root").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_an_absent_gpu_is_said(run):
    with pytest.raises(ConfigError, match="torch finds no GPU"):
        run("energy", accelerator="gpu")


def test_the_record_says_which_rows_are_of_which_file(run, ntuple):
    record = read_friend(run("energy")).record
    assert record["inputs"] == [{"file": file, "candidates": 120} for file in ntuple]
    assert record["bad_files"] == []


def test_a_bad_file_stops_or_is_listed(run, ntuple, tmp_path):
    whole = read_friend(run("energy"))
    cut = tmp_path / "cut.root"
    data = bytearray(Path(ntuple[1]).read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = b"\0" * 4000  # opens, and fails when it is read
    cut.write_bytes(data)
    files = (ntuple[0], str(cut), str(tmp_path / "absent.root"), ntuple[1])
    with pytest.raises(InputFileError, match=r"cut\.root'.*--skip-bad-files goes on with the other 2"):
        run("energy", files=(ntuple[0], str(cut), ntuple[1]))
    with pytest.warns(BadFileWarning, match=r"(cut|absent)\.root"):
        scores = read_friend(run("energy", files=files, skip_bad_files=True))
    assert scores.values["e_network"].tobytes() == whole.values["e_network"].tobytes()
    assert scores.index.event.tolist() == whole.index.event.tolist()
    assert sorted(Path(one["file"]).name for one in scores.record["bad_files"]) == ["absent.root", "cut.root"]
    assert [one["file"] for one in scores.record["inputs"]] == ntuple


def test_files_without_candidates(run, ntuple, tmp_path, draw_candidates, write_ntuple):
    empty = write_ntuple(tmp_path / "none.root", {name: values[:0] for name, values in draw_candidates(3).items()})
    assert len(read_friend(run("energy", files=(empty, ntuple[0]))).index) == 120
    with pytest.raises(EmptyInputError, match=r"no candidate in .*none\.root.*zero entries"):
        run("energy", files=(empty,))


def test_workers_give_the_same_bits(run, ntuple):
    pytest.importorskip("distributed")
    here, there = (read_friend(run("energy", threads=None, jobs=jobs)) for jobs in (1, 2))
    assert list(here.values) == list(there.values)
    for name, values in here.values.items():
        assert there.values[name].tobytes() == values.tobytes()
    assert here.index.event.tolist() == there.index.event.tolist()
    assert here.split.tolist() == there.split.tolist()
    assert here.record == there.record


def test_a_model_that_changes_on_the_way(run, tmp_path):
    run("energy")
    with pytest.raises(ModelError, match="is another one on this worker"):
        _scorer.__wrapped__(tmp_path / "energy.calo", "0" * 64, "cpu", 10, "error", "fp32")


def test_progress_knows_the_total_from_the_start(bundle, ntuple, tmp_path):
    seen = []
    save_bundle(bundle("energy"), tmp_path / "energy.calo")
    config = PredictConfig(
        model=tmp_path / "energy.calo", files=tuple(ntuple), output=tmp_path / "s.root", threads=1, batch_size=50
    )
    predict(config, progress=lambda *step: seen.append(step))
    assert {total for _, _, total in seen} == {240}
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1] == ("predict", 240, 240)


def test_bf16_is_close_and_not_the_same(run):
    exact = read_friend(run("identification")).values["score_signal"]
    halved = read_friend(run("identification", precision="bf16")).values["score_signal"]
    np.testing.assert_allclose(halved, exact, atol=0.02)
    assert not np.array_equal(halved, exact)


def test_an_error_on_the_way_leaves_nothing_and_no_thread(run, write_ntuple, draw_candidates, ntuple, tmp_path):
    bad = draw_candidates(5)
    cells = bad["cells"]
    bad["cells"] = cells[ak.Array(np.arange(5) != 3)[:, np.newaxis] & (cells.e == cells.e)]
    path = write_ntuple(tmp_path / "bad.root", bad)
    with pytest.raises(CellError, match=r"bad\.root.*entry 3.*has no cells"):
        run("energy", files=(*ntuple, path))
    assert [one.name for one in tmp_path.glob("*scores*")] == []
    assert not [one for one in threading.enumerate() if one.name.startswith("prefetch")]


def test_candidates_without_a_finite_score_are_counted_by_file_and_told(
    run, ntuple, tmp_path, draw_candidates, write_ntuple, caplog
):
    one, other = draw_candidates(12, seed=3), draw_candidates(12, seed=4, first=12)
    one["e"][[2, 7]] = np.nan
    one["e"][5] = 1e35
    other["e"][11] = np.inf
    files = [write_ntuple(tmp_path / f"{name}.root", some) for name, some in (("a", one), ("b", other))]
    scores = read_friend(run("energy", files=(ntuple[0], *files)))
    assert np.flatnonzero(~np.isfinite(scores.values["e_network"])).tolist() == [122, 127, 143]
    expected = [{"file": files[0], "candidates": 2, "first": 2}, {"file": files[1], "candidates": 1, "first": 11}]
    assert scores.record["unscored"] == expected
    assert scores.record["absurd"] == [{"file": files[0], "candidates": 1, "first": 5}]
    said = [one.getMessage() for one in caplog.records if one.name.startswith("calotools")]
    assert [text.partition(",")[0] for text in said] == [
        "warning: 3 of 144 candidates have no finite score",
        "warning: 1 of 144 candidates have energies beyond 1e6 GeV",
    ]
    assert f"the first in '{files[0]}', row 2;" in said[0]
    assert f"the first in '{files[0]}', row 5;" in said[1]


def test_a_command_says_how_many_have_no_score(bundle, ntuple, tmp_path, draw_candidates, write_ntuple, capsys):
    candidates = draw_candidates(12, seed=3)
    candidates["e"][2] = np.nan
    bad = write_ntuple(tmp_path / "nan.root", candidates)
    model = save_bundle(bundle("energy"), tmp_path / "energy.calo")
    for file, n in ((bad, 1), (ntuple[0], 0)):
        output = tmp_path / f"{n}.root"
        assert main(["predict", str(model), file, "-o", str(output), "--accelerator", "cpu"]) == 0
        printed = capsys.readouterr()
        assert ("1 of 12 candidates have no finite score, the first in" in printed.err) == bool(n)
        assert ("1 of them without a finite score" in printed.out) == bool(n)
