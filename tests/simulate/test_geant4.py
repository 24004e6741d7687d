"""Bare showers of the flat calorimeter against Geant4: medians of shapes and the intrinsic resolution."""

import os
from pathlib import Path

import numpy as np
import pytest

from calotools.simulate.effects import Effects
from calotools.simulate.response import Particles, simulate_response
from calotools.variables import shower_shapes

HERE = Path(__file__).parent
BARE = {"electronic_noise": 0, "crosstalk": 0, "pileup": 0, "local_constant": 0, "accordion_phi": 0, "accordion_eta": 0}


@pytest.fixture(scope="module")
def both():
    """(truth, shapes of Geant4, shapes of ours), one row for each shower of the sample."""
    ak, uproot = pytest.importorskip("awkward"), pytest.importorskip("uproot")
    folder = Path(os.environ.get("CALOTOOLS_TESTDATA", HERE.parents[2] / "shared" / "data"))
    if not (folder / "geant4_showers.root").exists():
        pytest.skip(f"no geant4_showers.root in {folder}; set CALOTOOLS_TESTDATA")
    with uproot.open(folder / "geant4_showers.root") as file:
        showers = file["showers"].arrays()
    truth = {name: ak.to_numpy(showers[f"truth_{name}"]).astype(float) for name in ("e", "eta", "phi", "pdgId")}
    n = len(truth["e"])
    particles = Particles(
        np.arange(n), truth["pdgId"].astype(int), truth["e"], truth["eta"], truth["phi"], np.zeros(n), np.zeros(n)
    )
    ours = simulate_response(
        particles,
        n_candidates=n,
        mu=np.zeros(n),
        mu_average=np.zeros(n),
        effects=Effects(stack=HERE / "flat.toml", **BARE),
        rng=np.random.default_rng(3),
    )
    middle = showers.cell_layer == 2
    hottest = ak.argmax(showers.cell_e[middle], axis=1, keepdims=True)
    seeds = [ak.to_numpy(ak.flatten(showers[name][middle][hottest])) for name in ("cell_eta", "cell_phi")]
    cells = [ak.to_numpy(ak.flatten(showers[name])) for name in ("cell_e", "cell_eta", "cell_phi", "cell_layer")]
    offsets = np.concatenate([[0], np.cumsum(ak.to_numpy(ak.num(showers.cell_e)))])
    theirs = offsets, *(cell.astype(np.float32) for cell in cells[:3]), cells[3].astype(np.uint8)
    mine = (ours.offsets, ours.e, ours.eta, ours.phi, ours.sampling), (ours.seed_eta, ours.seed_phi)
    return truth, shapes(theirs, seeds, truth["e"]), shapes(*mine, truth["e"])


def shapes(cells, seeds, energy):
    result = shower_shapes(*cells, eta_cluster=seeds[0], phi_cluster=seeds[1])
    result["sum"] = np.add.reduceat(np.where(cells[4] > 0, cells[1], 0.0), cells[0][:-1]) / energy
    return result


@pytest.mark.slow
@pytest.mark.parametrize("pdg", [11, 22])
@pytest.mark.parametrize("eta", [(0.0, 0.8), (0.8, 1.3)])
@pytest.mark.parametrize("energy", [(10, 30), (30, 60), (60, 100)])
def test_medians_agree(both, pdg, eta, energy):
    truth, theirs, ours = both
    a = np.abs(truth["eta"])
    chosen = (np.abs(truth["pdgId"]) == pdg) & (a >= eta[0]) & (a < eta[1])
    chosen &= (truth["e"] >= energy[0]) & (truth["e"] < energy[1])

    tolerances = {"reta": 0.005, "rphi": 0.005, "f1": 0.08, "weta2": 0.05, "wstot": 0.10, "ws3": 0.10, "sum": 0.02}
    for name, tolerance in tolerances.items():
        mine, reference = ours[name][chosen], theirs[name][chosen]
        limit = tolerance * (1.0 if name in ("reta", "rphi") else np.nanmedian(reference))
        error = np.hypot(median_error(mine), median_error(reference))
        assert abs(np.nanmedian(mine) - np.nanmedian(reference)) < limit + 2 * error, name


def median_error(values):
    values = values[np.isfinite(values)]
    return 1.25 * np.subtract(*np.percentile(values, [84, 16])) / 2 / np.sqrt(len(values))


@pytest.mark.slow
def test_intrinsic_resolution_agrees(both):
    truth, theirs, ours = both
    chosen = (np.abs(truth["eta"]) < 0.8) & (truth["e"] > 30)
    width = [np.subtract(*np.percentile(r["sum"][chosen], [84, 16])) for r in (ours, theirs)]
    assert width[0] == pytest.approx(width[1], rel=0.15)
