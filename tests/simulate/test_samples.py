"""The shipped samples: small, readable, documented by a page that is in step with the schema."""

import importlib.util
from pathlib import Path

import awkward as ak
import pytest

from calotools.ntuple import read_candidates, read_metadata, sample_trees

NTUPLES = Path(__file__).parents[2] / "ntuples"
spec = importlib.util.spec_from_file_location("make_samples", NTUPLES / "make.py")
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)


def test_readme_is_in_step_with_the_schema():
    assert (NTUPLES / "README.md").read_text(encoding="utf-8") == make.readme(), "run python ntuples/make.py"


def test_samples_are_small():
    assert sum(path.stat().st_size for path in NTUPLES.glob("*.root")) <= 5_000_000


@pytest.mark.parametrize("name", make.SAMPLES)
def test_sample_is_what_the_page_says(name):
    settings = make.SAMPLES[name]
    path = NTUPLES / f"{name}.root"
    candidates = read_candidates(path)
    per_event = 2 if settings["process"] in ("zee", "hyy") else 1
    assert len(candidates) == settings["n"] * per_event
    config = read_metadata(path)["config"]
    assert (config["process"], config["seed"], config["n"]) == (settings["process"], make.SEED, settings["n"])
    assert ak.all(ak.num(candidates.cells) > 100)
    assert ("e_true" in candidates.fields) != settings.get("pseudo_data", False)
    assert len(sample_trees(path)) == 1
