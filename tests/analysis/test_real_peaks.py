"""Published files: the Z of dimuons, H to two photons, and a real tag-and-probe tree."""

import os
from pathlib import Path

import numpy as np
import pytest
import uproot

from calotools.analysis import TagProbeModel, TagProbeSample, efficiency_of_fits, fit_efficiencies, fit_peak


@pytest.fixture(scope="module")
def data():
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("CALOTOOLS_TESTDATA", root / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no public test files in {folder}; set CALOTOOLS_TESTDATA")

    def read(file, tree, branches):
        with uproot.open(folder / file) as opened:
            return opened[tree].arrays(branches, library="np")

    return read


@pytest.mark.parametrize("background", ["exponential", "bernstein", "cms"])
def test_z_to_muons_is_at_the_z(data, background):
    events = data("Zmumu.root", "events", ["Run", "Event", "M"])
    # The file repeats each event for several kinds of muon track: 2304 rows are 500 events.
    _, first = np.unique(np.stack([events["Run"], events["Event"]]), axis=1, return_index=True)
    mass = events["M"][first]
    fit = fit_peak(mass, kind="zee", rng=np.random.default_rng(1), window=(60.0, 120.0), background=background)
    assert fit.valid, fit.message
    assert 90.5 < fit.values["mean"] < 91.5
    assert 0.05 < fit.errors["mean"] < 0.5
    assert fit.chi2 / fit.ndf < 1.5


def test_repeated_rows_are_seen_in_the_chi2(data):
    mass = data("Zmumu.root", "events", ["M"])["M"]
    fit = fit_peak(mass, kind="zee", rng=np.random.default_rng(1), window=(60.0, 120.0))
    assert fit.chi2 / fit.ndf > 2


def test_higgs_in_simulation_and_in_data(data):
    rng = np.random.default_rng(2)
    simulated = data("hgg_mc_part1.root", "ggH_Tag0", ["CMS_hgg_mass", "weight"])
    peak = fit_peak(
        simulated["CMS_hgg_mass"],
        kind="hyy",
        rng=rng,
        weight=simulated["weight"],
        background=None,
        window=(110.0, 140.0),
    )
    assert peak.valid, peak.message
    assert peak.values["mean"] == pytest.approx(125.0, abs=0.05)
    assert peak.width["sigma68"] == pytest.approx(peak.width["sample_sigma68"], rel=0.02)
    assert 0.001 < peak.width["sigma68_error"] < 0.05
    shape = {name: peak.values[name] for name in ("sigma", "a_low", "n_low", "a_high", "n_high")}
    mass = data("hgg_data_part1.root", "data_Tag0", ["CMS_hgg_mass"])["CMS_hgg_mass"]
    found = fit_peak(mass, kind="hyy", rng=rng, window=(100.0, 180.0), bins=80, fixed=shape)
    assert found.valid, found.message
    assert found.values["mean"] == pytest.approx(125.0, abs=3 * found.errors["mean"])
    assert found.values["n_signal"] > 5 * found.errors["n_signal"]


@pytest.mark.parametrize("flag", ["passingCutBasedTight122XV1", "passingMVA122Xwp80isoV1"])
def test_collision_data_give_an_efficiency_per_bin(data, flag):
    pairs = data("cms_TnPNTuples_el.root", "fitter_tree", ["pair_mass", "el_et", "el_sc_eta", flag])
    axes = {"abs_eta": np.abs(pairs["el_sc_eta"]), "et": pairs["el_et"]}
    edges = {"abs_eta": np.array([0.0, 1.4442, 2.5]), "et": np.array([10.0, 25.0, 40.0, 200.0])}
    sample = TagProbeSample(pairs["pair_mass"].astype(float), pairs[flag].astype(bool), axes)
    fits = fit_efficiencies(sample, edges=edges, rng=np.random.default_rng(3), model=TagProbeModel(signal="analytic"))
    assert len(fits) == 6
    assert all(fit.valid or fit.message for fit in fits)
    result = efficiency_of_fits(fits, edges=edges, name=flag)
    assert result.valid.all()
    assert np.all((result.low <= result.value) & (result.value <= result.high))
    high_et = result.value.reshape(2, 3)[:, 2]
    assert np.all((high_et > 0.6) & (high_et < 0.95))
    # Background fails: subtracting it raises the efficiency where there is much of it.
    low = fits[0]
    assert low.efficiency > low.passing.sum() / (low.passing.sum() + low.failing.sum())
