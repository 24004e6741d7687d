"""Measurements on samples of which a file is bad: as if the file, and its scores, had not been given."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import uproot

from calotools.containers import Scores
from calotools.errors import BadFileWarning, InputFileError, ShapeError
from calotools.ntuple import NtupleWriter, index_of, read_candidates, read_friend, write_friend
from calotools.recipe import PeaksConfig, TagProbeConfig
from calotools.stages import peaks, tagprobe
from calotools.stages.scored import read_scored

ZEE = Path(__file__).parents[2] / "ntuples" / "zee.root"


@pytest.fixture
def files(tmp_path):
    """The sample in three files, cut between events."""
    candidates = read_candidates(ZEE)
    event = np.asarray(candidates["event"])
    cuts = [0, *(np.flatnonzero(np.diff(event))[[30, 90]] + 1), len(event)]
    paths = []
    for number, (start, stop) in enumerate(pairwise(cuts)):
        with NtupleWriter(tmp_path / f"{number}.root") as writer:
            fields = [name for name in candidates.fields if name != "pt"]
            writer.extend("electrons", candidates[start:stop][fields])
        paths.append(str(tmp_path / f"{number}.root"))
    return paths


def predicted(path, files, *, bad=()):
    """A friend tree as `predict` writes it, of the files that are not bad."""
    parts = {file: read_candidates(file, fields=["e"]) for file in files if file not in bad}
    whole = read_candidates(list(parts), fields=["e"])
    record = {"task": "energy", "tree": "electrons", "flavour": "native", "trained_runs": []}
    record["inputs"] = [{"file": file, "candidates": len(one)} for file, one in parts.items()]
    record["bad_files"] = [{"file": file, "reason": "InputFileError: it was away"} for file in bad]
    energy = np.asarray(whole["e"]) * np.float32(1.01)
    scores = Scores(index_of(whole), {"e_network": energy}, np.full(len(whole), 2, np.int8), record)
    write_friend(path, scores, tree="electrons")
    return path


def damage(path):
    """A file that opens, and fails when its energies are read."""
    with uproot.open(path) as file:
        seek = int(file["electrons"]["e"].member("fBasketSeek")[0])
    data = bytearray(Path(path).read_bytes())
    data[seek : seek + 40] = b"\xff" * 40
    Path(path).write_bytes(data)


def joined(files, friend, **options):
    found = read_scored(files, read_friend(friend), fields=("e", "eta", "cells"), tree=None, flavour=None, **options)
    return found.index.event.tolist(), found.scores["e_network"].tolist(), found


def test_a_file_that_was_damaged_after_the_prediction(files, tmp_path):
    friend = predicted(tmp_path / "all.friend.root", files)
    expected = joined([files[0], files[2]], predicted(tmp_path / "two.friend.root", [files[0], files[2]]))
    damage(files[1])
    with pytest.raises(InputFileError, match=r"1\.root'.*--skip-bad-files goes on with the other 2"):
        joined(files, friend)
    with pytest.warns(BadFileWarning, match=r"1\.root"):
        found = joined(files, friend, skip_bad_files=True)
    assert found[:2] == expected[:2]
    assert [one["file"] for one in found[2].bad_files] == [files[1]]


def test_a_file_that_came_back_after_the_prediction(files, tmp_path):
    friend = predicted(tmp_path / "two.friend.root", files, bad=[files[1]])
    expected = joined([files[0], files[2]], friend)
    found = joined(files, friend, skip_bad_files=True)
    assert found[:2] == expected[:2]
    (bad,) = found[2].bad_files
    assert bad == {"file": files[1], "reason": "predict skipped it: InputFileError: it was away"}


def test_scores_of_other_files_are_still_refused(files, tmp_path):
    friend = predicted(tmp_path / "one.friend.root", files[:1])
    with pytest.raises(ShapeError, match="predict again"):
        joined(files, friend, skip_bad_files=True)


def results(outcome):
    return {name: value for name, value in outcome.results.items() if name != "bad_files"}


def test_peaks_and_tag_and_probe(files, tmp_path):
    two = [files[0], files[2]]
    damage(files[1])
    common = {"output": tmp_path / "out", "overwrite": True}
    for run, make in (
        (peaks, lambda names, **more: PeaksConfig(files=names, replicas=20, **more, **common)),
        (
            tagprobe,
            lambda names, **more: TagProbeConfig(data=names, et_bins=(15, 150), eta_bins=(0, 2.47), **more, **common),
        ),
    ):
        expected = run(make(two))
        with pytest.warns(BadFileWarning, match=r"1\.root"):
            found = run(make(files, skip_bad_files=True))
        assert repr(results(found)) == repr(results(expected))
        assert [one["file"] for one in found.results["bad_files"]] == [files[1]]
        assert found.headline[-1].name == "input files that were skipped"


def test_data_and_simulation_have_scores_of_one_model(files, tmp_path):
    """A scale factor between two networks, or two files of cuts, would be none."""
    for name, cuts in (("data", "ab12"), ("simulation", "cd34")):
        friend = read_friend(predicted(tmp_path / f"{name}.root", files))
        marked = replace(friend, record=friend.record | {"digest": "one", "cuts": cuts})
        write_friend(tmp_path / f"{name}.root", marked, tree="electrons", overwrite=True)
    asked = {"data": tuple(files), "simulation": tuple(files), "output": tmp_path / "sf"}
    with pytest.raises(
        InputFileError, match=r"simulation\.root' is of another model .*: cuts is 'cd34' there and 'ab12'"
    ):
        tagprobe(
            TagProbeConfig(
                **asked,
                data_scores=(tmp_path / "data.root",),
                simulation_scores=(tmp_path / "simulation.root",),
            )
        )
