"""`peaks` of a network that states its sigma: the peak in categories."""

from pathlib import Path

import numpy as np
import pytest

from calotools.analysis import event_bootstrap
from calotools.containers import Index, Scores
from calotools.ntuple import index_of, read_candidates, write_friend
from calotools.recipe import PeaksConfig
from calotools.stages import peaks
from calotools.stages.pairs.categories import categorise

ZEE = Path(__file__).parents[2] / "ntuples" / "zee.root"


@pytest.fixture(scope="module")
def friend(tmp_path_factory):
    """Energies with errors of 1 % in half of the events and 6 % in the others; sigma says so."""
    path = tmp_path_factory.mktemp("friend") / "zee.root"
    electrons = read_candidates(ZEE, fields=["run", "event", "candidate", "e_true"])
    event, true = (electrons[name].to_numpy() for name in ("event", "e_true"))
    relative = np.where(event % 2, 0.01, 0.06)
    energy = true * (1 + relative * np.random.default_rng(1).normal(size=len(true)))
    values = {"e_network": energy.astype(np.float32), "e_network_sigma": (relative * energy).astype(np.float32)}
    record = {"task": "energy", "model": "sharp", "tree": "electrons", "flavour": "native", "trained_runs": []}
    split = np.full(len(true), 2, np.int8)
    write_friend(path, Scores(index_of(electrons), values, split, record), tree="electrons")
    return path


def config_of(friend, output, **changes):
    return PeaksConfig(**{"files": (str(ZEE),), "scores": (friend,), "output": output, "replicas": 20, **changes})


def test_categories_are_measured_and_drawn(friend, tmp_path):
    outcome = peaks(config_of(friend, tmp_path / "out", categories=2))
    found = outcome.results["categories"]
    assert found.said[1] > 3 * found.said[0]
    # the natural width is in both
    assert found.sigma68[1] > 1.2 * found.sigma68[0]
    assert found.gain > 1
    names = [line.name for line in outcome.headline]
    assert {"σ68 of category 1 of 2", "σ68 of category 2 of 2", "gain of the categories"} <= set(names)
    for name in ("categories", "category_widths"):
        assert (tmp_path / "out" / "figures" / f"{name}.png").stat().st_size > 5000


def test_few_pairs_make_few_categories_and_one_is_none(friend, tmp_path):
    many = peaks(config_of(friend, tmp_path / "many", categories=10))
    n = len(many.results["categories"].said)
    assert 2 <= n < 10
    assert many.results["categories"].counts.min() >= 20
    one = peaks(config_of(friend, tmp_path / "one", categories=1))
    assert "categories" not in one.results
    assert "categories" not in one.figures


def test_spectra_are_of_the_weighted_pairs_whose_widths_are_measured():
    rng, m = np.random.default_rng(1), 400
    mass, relative = rng.normal(91, 2, m), rng.uniform(0.01, 0.03, m)
    weight = np.where(mass > 91, 3.0, 1.0)
    mass[:50], relative[:50] = 100.0, np.nan  # nothing is stated of them
    index = Index(np.arange(m), np.arange(m), np.arange(m))
    bootstrap = event_bootstrap(index, rng=rng, replicas=20)
    asked = {"n": 2, "window": (80.0, 102.0), "bootstrap": bootstrap, "xlabel": "m", "label": "test"}
    found, _, figures = categorise(mass, relative, weight=weight, **asked)
    assert found.counts.sum() == m - 50
    for steps in figures["categories"][0].axes[0].patches:
        density, edges, _ = steps.get_data()
        share = np.sum((density * np.diff(edges))[edges[1:] > 91.01])
        assert share == pytest.approx(0.75, abs=0.1)  # half of the pairs, with three times the weight
        assert density[(edges[:-1] <= 100) & (edges[1:] > 100)] == 0
