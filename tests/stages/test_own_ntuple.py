"""The README's own words: a user's flat ntuple, her flavour as it is printed there, and the commands below it."""

import re
from pathlib import Path

import numpy as np
import pytest
import uproot

from calotools.cli.main import main
from calotools.ntuple import read_candidates, read_friend

ROOT = Path(__file__).parents[2]
BRANCHES = {
    "runNumber": "run",
    "eventNumber": "event",
    "averageInteractionsPerCrossing": "mu",
    "el_E": "e",
    "el_eta": "eta",
    "el_phi": "phi",
    "el_charge": "charge",
    "el_cell_E": "cell_e",
    "el_cell_eta": "cell_eta",
    "el_cell_phi": "cell_phi",
    "el_cell_layer": "cell_sampling",
    "el_truth_E": "e_true",
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with her ntuples and her flavour, and nothing else."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1], encoding="utf-8")
    for name, sample in (("mine", "electrons"), ("zee_1", "zee")):
        with uproot.open(ROOT / "ntuples" / f"{sample}.root") as file:
            tree = file["electrons"].arrays(list(BRANCHES.values()))
        columns = {mine: tree[native] for mine, native in BRANCHES.items()}
        with uproot.recreate(tmp_path / f"{name}.root") as file:
            file.mktree("nominal", {key: column.type for key, column in columns.items()})
            file["nominal"].extend(columns)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readme_on_ones_own_ntuple(place, capsys):
    recipe = str(ROOT / "examples" / "recipes" / "cells_only.toml")
    assert main(["inspect", "mine.root", "--flavour", "mine.toml"]) == 0
    train = ["train", recipe, "--sample.files", "mine.root", "--sample.flavour", "mine.toml", "-o", "energy"]
    assert main([*train, "--trainer.epochs", "1", "--trainer.threads", "1"]) == 0
    assert main(["predict", "energy", "zee_1.root", "-o", "energy.root"]) == 0
    assert main(["peaks", "zee_1.root", "--scores", "energy.root", "-o", "peak", "--replicas", "20"]) == 0
    assert main(["predict", "energy", "mine.root", "-o", "mine.scores.root"]) == 0
    evaluate = ["evaluate", "mine.root", "--scores", "mine.scores.root", "-o", "evaluate", "--replicas", "20"]
    assert main([*evaluate, "--split", "all"]) == 0
    assert "width ratio, network over layer sum" in capsys.readouterr().out
    ours = read_candidates("zee_1.root", flavour="mine.toml")
    np.testing.assert_array_equal(read_friend("energy.root").index.event, ours.event)


def test_the_peak_without_a_network(place, capsys):
    assert main(["peaks", "zee_1.root", "--flavour", "mine.toml", "-o", "before"]) == 0
    assert "peak position, layer sum (e)" in capsys.readouterr().out
