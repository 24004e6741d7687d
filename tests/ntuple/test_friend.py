"""Friend trees have the same entries in the same order, and say so when they do not."""

from dataclasses import replace

import numpy as np
import pytest
import uproot

from calotools.cli.main import main
from calotools.containers import Index, Scores
from calotools.errors import BranchError, InputFileError, OutputExistsError, ShapeError, TreeError
from calotools.ntuple import (
    FriendWriter,
    NtupleWriter,
    check_rows,
    index_of,
    inspect_files,
    read_candidates,
    read_friend,
    read_metadata,
    write_friend,
)


@pytest.fixture
def parent(tmp_path, make_candidates):
    path = tmp_path / "a.root"
    with NtupleWriter(path) as writer:
        writer.extend("electrons", make_candidates(40))
    return path


def _scores(index, *, seed=0):
    rng = np.random.default_rng(seed)
    values = {
        "score_signal": rng.random(len(index)).astype(np.float32),
        "e_network": rng.uniform(20, 90, len(index)).astype(np.float32),
    }
    values["score_signal"][3] = np.nan
    return Scores(index, values, rng.integers(0, 3, len(index)).astype(np.int8), {"model": "small", "digest": "ab12"})


def test_round_trip(tmp_path, parent):
    index = index_of(read_candidates(parent, fields=["et"]))
    scores = _scores(index)
    write_friend(tmp_path / "friend.root", scores, tree="scores")
    found = read_friend(tmp_path / "friend.root", index=index)
    for name in ("run", "event", "candidate"):
        np.testing.assert_array_equal(getattr(found.index, name), getattr(index, name))
        assert getattr(found.index, name).dtype == getattr(index, name).dtype
    np.testing.assert_array_equal(found.values["score_signal"], scores.values["score_signal"])
    np.testing.assert_allclose(found.values["e_network"], scores.values["e_network"], rtol=2e-7)
    np.testing.assert_array_equal(found.split, scores.split)
    assert found.split.dtype == np.int8
    assert found.record == scores.record


def test_uproot_attaches_it_row_by_row_in_the_unit_of_the_parent(tmp_path, parent):
    scores = _scores(index_of(read_candidates(parent, fields=["et"])))
    write_friend(tmp_path / "friend.root", scores, tree="scores")
    with uproot.open(parent) as file, uproot.open(tmp_path / "friend.root") as friend:
        theirs, ours = file["electrons"], friend["scores"]
        assert ours.num_entries == theirs.num_entries
        for name in ("run", "event", "candidate"):
            np.testing.assert_array_equal(theirs[name].array(library="np"), ours[name].array(library="np"))
        ratio = ours["e_network"].array(library="np") / theirs["e"].array(library="np")
    assert 0.1 < np.median(ratio) < 10, "both in MeV"
    assert read_metadata(tmp_path / "friend.root")["units"] == {"e_network": "MeV"}


def test_rows_that_do_not_agree_are_named(tmp_path, parent):
    index = index_of(read_candidates(parent, fields=["et"]))
    scores = _scores(index)
    write_friend(tmp_path / "friend.root", scores, tree="scores")
    order = np.arange(40)
    order[[5, 6]] = [6, 5]
    run, candidate = int(index.run[5]), int(index.candidate[5])
    said = rf"row 5 of the scores .* = \[{run}, 5, {candidate}\], the candidates have \[\d+, 6, 0\]"
    with pytest.raises(ShapeError, match=said):
        read_friend(tmp_path / "friend.root", index=index.take(order))
    with pytest.raises(ShapeError, match="the scores have 40 rows, the candidates 39; predict again"):
        check_rows(scores, index.take(np.arange(39)))
    check_rows(scores, index)


def test_several_friends_follow_the_order_given(tmp_path, parent):
    index = index_of(read_candidates(parent, fields=["et"]))
    halves = [index.take(np.arange(0, 20)), index.take(np.arange(20, 40))]
    for number, half in enumerate(halves):
        write_friend(tmp_path / f"f{number}.root", _scores(half, seed=number), tree="scores")
    found = read_friend([tmp_path / "f0.root", tmp_path / "f1.root"], index=index)
    np.testing.assert_array_equal(found.values["score_signal"][20:], _scores(halves[1], seed=1).values["score_signal"])
    with pytest.raises(ShapeError, match="row 0"):
        read_friend([tmp_path / "f1.root", tmp_path / "f0.root"], index=index)


def test_friends_with_other_values_are_not_joined(tmp_path, parent):
    index = index_of(read_candidates(parent, fields=["et"]))
    write_friend(tmp_path / "f0.root", _scores(index), tree="scores")
    other = Scores(index, {"score_photon": np.zeros(40, np.float32)}, np.zeros(40, np.int8))
    write_friend(tmp_path / "f1.root", other, tree="scores")
    with pytest.raises(BranchError, match=r"f1\.root' has values .*'score_photon'.*, '.*f0\.root' has"):
        read_friend(tmp_path / "f?.root")


@pytest.mark.parametrize(("name", "other"), [("digest", "b"), ("temperature", [1.5]), ("model", "trees")])
def test_scores_of_two_models_are_not_joined(tmp_path, parent, name, other):
    index = index_of(read_candidates(parent, fields=["et"]))
    record = {"model": "likelihood", "digest": "a", "temperature": None}
    for number, one in enumerate((record, record | {name: other}, {})):
        write_friend(tmp_path / f"f{number}.root", replace(_scores(index), record=one), tree="scores")
    with pytest.raises(InputFileError, match=rf"f1\.root' is of another model or calibration than .*: {name} is "):
        read_friend(tmp_path / "f?.root")
    found = read_friend([tmp_path / "f0.root", tmp_path / "f2.root"])  # an older version wrote the second
    assert found.record["digest"] == "a"


def test_a_friend_is_replaced_only_when_allowed(tmp_path, parent):
    scores = _scores(index_of(read_candidates(parent, fields=["et"])))
    write_friend(tmp_path / "f.root", scores, tree="scores")
    with pytest.raises(OutputExistsError, match=r"f\.root' exists"):
        write_friend(tmp_path / "f.root", scores, tree="scores")
    write_friend(tmp_path / "f.root", scores, tree="others", overwrite=True)
    assert read_metadata(tmp_path / "f.root")["friend"] == "others"


def test_columns_of_another_length(tmp_path):
    index = Index(np.ones(2, np.uint32), np.arange(2, dtype=np.uint64), np.zeros(2, np.int32))
    with pytest.raises(ShapeError, match=r"'score' has shape \(3,\), the index has 2 rows"):
        write_friend(tmp_path / "f.root", Scores(index, {"score": np.zeros(3)}, np.zeros(2, np.int8)), tree="scores")
    assert list(tmp_path.iterdir()) == []


def test_a_friend_of_no_candidates(tmp_path):
    index = Index(np.zeros(0, np.uint32), np.zeros(0, np.uint64), np.zeros(0, np.int32))
    write_friend(tmp_path / "f.root", Scores(index, {"score": np.zeros(0, np.float32)}, np.zeros(0, np.int8)), tree="s")
    assert len(read_friend(tmp_path / "f.root").index) == 0


def test_files_that_are_not_friends(tmp_path, parent):
    with pytest.raises(BranchError, match=r"a\.root', tree 'electrons' lacks \['split'\]: it is not a friend tree"):
        read_friend(parent)
    with uproot.recreate(tmp_path / "none.root") as file:
        file["note"] = "nothing"
    with pytest.raises(TreeError, match=r"none\.root' holds trees \[\]; exactly one"):
        read_friend(tmp_path / "none.root")
    with pytest.raises(InputFileError, match=r"absent\.root' does not exist"):
        read_friend(tmp_path / "absent.root")


def test_a_friend_is_not_taken_for_candidates(tmp_path, parent):
    scores = _scores(index_of(read_candidates(parent, fields=["et"])))
    scores.record.update(task="energy", inputs=[{"file": name, "candidates": 8} for name in "abcde"])
    write_friend(tmp_path / "f.root", scores, tree="scores")
    (report,) = inspect_files(tmp_path / "f.root")
    assert report.flavour == ""
    assert report.error is None
    assert report.kind == "friend tree by model small (energy) of a, b, c and 2 more"
    assert [(tree.name, tree.entries) for tree in report.trees] == [("scores", 40)]


def test_a_friend_says_which_files_it_skipped(tmp_path, parent, capsys):
    scores = _scores(index_of(read_candidates(parent, fields=["et"])))
    scores.record.update(bad_files=[{"file": "b.root", "reason": "InputFileError: file 'b.root' is empty"}])
    path = tmp_path / "f.root"
    write_friend(path, scores, tree="scores")
    (report,) = inspect_files(path)
    assert report.skipped == ("b.root: InputFileError: file 'b.root' is empty",)
    assert main(["inspect", str(path)]) == 0
    assert "\n  skipped b.root: InputFileError: file 'b.root' is empty\n" in capsys.readouterr().out


def test_parts_make_the_same_file_as_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("calotools.ntuple.friend._STEP", 100)
    rng = np.random.default_rng(3)
    index = Index(np.ones(730, "u4"), np.arange(730, dtype="u8"), np.zeros(730, "i4"))
    values = {"score": rng.random(730).astype("f4")}
    write_friend(tmp_path / "whole.root", Scores(index, values, np.zeros(730, "i1")), tree="t")
    with FriendWriter(tmp_path / "parts.root", tree="t") as writer:
        for rows in np.split(np.arange(730), [3, 3, 99, 100, 450]):
            part = {name: one[rows] for name, one in values.items()}
            writer.extend(Scores(index.take(rows), part, np.zeros(len(rows), "i1")))
    assert np.array_equal(read_friend(tmp_path / "parts.root", index=index).values["score"], values["score"])
    offsets = []
    for name in ("whole", "parts"):
        with uproot.open(tmp_path / f"{name}.root") as file:
            offsets.append(list(file["t"]["score"].entry_offsets))
    assert offsets[0] == offsets[1]


def test_an_error_between_parts_leaves_no_file(tmp_path):
    index = Index(np.ones(3, "u4"), np.arange(3, dtype="u8"), np.zeros(3, "i4"))

    def write():
        with FriendWriter(tmp_path / "parts.root", tree="t") as writer:
            for n in (3, 2):
                writer.extend(Scores(index, {"score": np.zeros(n)}, np.zeros(3, "i1")))

    with pytest.raises(ShapeError, match="'score' has shape"):
        write()
    assert list(tmp_path.iterdir()) == []
