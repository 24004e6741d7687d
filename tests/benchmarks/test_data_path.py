"""The benchmarks' own arithmetic: ratios, mixing, the page, and that the peers are given the same work."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

ROOM = Path(__file__).parents[2] / "benchmarks"
NTUPLE = ROOM.parent / "ntuples" / "electrons.root"


@pytest.fixture
def load(monkeypatch):
    """Import a module of the benchmarks, whose folders are no packages."""
    for folder in ("data_path/workers", "data_path"):
        monkeypatch.syspath_prepend(str(ROOM / folder))
    return importlib.import_module


def contestant(name, rounds):
    return {"name": name, "worker": "limits", "cores": 2, "note": "", "rounds": rounds}


def suite_of(*contestants, goals=()):
    names = {"name": "race", "title": "Race", "text": "Who is faster.", "reference": contestants[0]["name"]}
    return {**names, "columns": ["rate", "ratio"], "contestants": list(contestants), "goals": list(goals)}


GOAL = {"text": "faster", "of": "a", "to": "b", "metric": "rate", "at_least": 2.0, "at_most": None}


def test_ratio_is_formed_within_a_round(load):
    # the machine was four times slower in the second round
    suite = suite_of(
        contestant("a", [{"rate": 400.0}, {"rate": 100.0}, {"rate": 440.0}]),
        contestant("b", [{"rate": 200.0}, {"rate": 50.0}, {"rate": 200.0}]),
    )
    assert load("report").judge(suite, GOAL) == ("2 (2–2.2)", "≥ 2", "reached")


def test_failed_contestant_is_named_and_not_judged(load):
    suite = suite_of(contestant("a", [{"failed": "no such file"}]), contestant("b", [{"rate": 1.0}]), goals=[GOAL])
    report = load("report")
    assert report.judge(suite, GOAL)[2] == "not measured"
    assert report.failures(suite) == ["a: no such file"]


@pytest.mark.parametrize("bound", [{"at_least": None, "at_most": 1.0}, {"at_least": 3.0, "at_most": None}])
def test_goal_that_is_missed_is_said_to_be(load, bound):
    suite = suite_of(contestant("a", [{"rate": 2.0}]), contestant("b", [{"rate": 1.0}]))
    assert load("report").judge(suite, GOAL | bound)[2] == "**not reached**"


def test_page_is_made_again_from_the_json_alone(load, tmp_path):
    report = load("report")
    suite = suite_of(contestant("a", [{"rate": 4e4}]), contestant("b", [{"failed": "no such file"}]), goals=[GOAL])
    size = {"name": "full", "simulated": 10, "files": 2, "per_file": 20}
    described = {"machine": {"cores": 2}, "size": size, "files_mib": {"zstd": 1.5}, "versions": {"own": {"numpy": "2"}}}
    report.write({**described, "suites": [suite]}, tmp_path)
    page = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    (tmp_path / "RESULTS.md").unlink()
    report.main(tmp_path)
    assert (tmp_path / "RESULTS.md").read_text(encoding="utf-8") == page
    assert "| **a** | 2 | 40 000 | 1 |" in page
    assert "| b | 2 | failed: no such file |" in page


@pytest.mark.parametrize("results", list(ROOM.glob("RESULTS.json")))
def test_page_in_the_repository_is_that_of_its_json(load, results):
    page = load("report").as_markdown(json.loads(results.read_text(encoding="utf-8")))
    assert page == results.with_suffix(".md").read_text(encoding="utf-8")


def test_mixing_of_random_near_and_two_far_places(load):
    mixing = load("protocol").mixing
    positions = np.random.default_rng(1).permutation(100_000)
    random = mixing(np.array_split(positions, 400))
    near = mixing(np.array_split(np.arange(100_000), 400))
    two = mixing(list(np.arange(100_000).reshape(2, -1, 125).transpose(1, 0, 2).reshape(400, -1)))
    assert random == pytest.approx({"quality": 1.0, "coverage": 1.0}, abs=0.02)
    assert near["quality"] < 0.01
    assert near["coverage"] < 0.02
    assert two["quality"] == pytest.approx(0.87, abs=0.01)
    assert two["coverage"] < 0.03


def test_limit_decompresses_every_needed_byte(load):
    import uproot

    limits, workload = load("limits"), load("workload")
    baskets, entries, size = limits._baskets(str(NTUPLE))
    with uproot.open(NTUPLE) as file, NTUPLE.open("rb") as raw:
        tree = file["electrons"]
        found = [limits._read(one, descriptor=raw.fileno()) for one in baskets]
        cells = int(tree["ncell"].array().to_numpy().sum())
    assert (entries, sum(found)) == (tree.num_entries, size)
    # 13 bytes of every cell, the tracks, the variables and the offsets
    assert size > 13 * cells + 4 * entries * len(workload.SCALARS)
    assert len(baskets) == len(workload.BRANCHES) + 2


def test_peers_draw_the_image_that_calotools_draws(load):
    import uproot

    from calotools.images import build_images, cell_fields, spec_from_dict
    from calotools.ntuple import read_candidates

    kernels, user, workload = load("user_kernels"), load("uproot_user"), load("workload")
    spec = spec_from_dict(workload.image_table("centre"))
    ours = build_images(read_candidates(NTUPLE, fields=cell_fields(spec)), spec).values["energy_em"]
    with uproot.open(NTUPLE) as file:
        chunk = file["electrons"].arrays(workload.BRANCHES)
    drawn = (kernels.images(*user._flat(chunk, workload.CELLS)), user.awkward_images(chunk)["images"])
    for theirs in (image / 1000 for image in drawn):  # MeV
        # A middle cell's centre is on an edge between two pixels of eta and may fall to either side; a strip's, of phi.
        np.testing.assert_allclose(theirs[:, 1].sum(axis=1), ours[:, 1].sum(axis=1), rtol=1e-4, atol=2e-3)
        assert np.isclose(theirs[:, 0], ours[:, 0], atol=1e-3).mean() > 0.9
