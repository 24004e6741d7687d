"""Public files of experiments: what the reader makes of them agrees with what the experiments say."""

import awkward as ak
import numpy as np
import pytest

from calotools.errors import ConfigError, TreeError
from calotools.ntuple import inspect_files, momenta_of, read_candidates, sample_trees

FILES = {
    "CaloCells_ATLAS-R3S-2021-03-02-00.root": (("caloDetCells", 187_652),),
    "PHYSLITE_mc20_700322_Zee_100ev.root": (("CollectionTree", 100),),
    "Zmumu.root": (("events", 2304),),
    "cms_TnPNTuples_el.root": (("fitter_tree", 1000),),
    "cms_photon_crystals.root": (("photons", 39),),
    "geant4_showers.root": (("showers", 4000),),
    "hgg_data_part1.root": (("data_Tag0", 10_000),),
    "hgg_mc_part1.root": (("ggH_Tag0", 50_000),),
    "lorenzetti_zee.NTUPLE.root": (("physics", 168),),
    "nano_dy.root": (("Events", 40), ("Runs", 1)),
}
FLAVOURS = {"PHYSLITE": "physlite", "cms_TnP": "cms_tnp", "nano_dy": "nanoaod"}


def _pair_masses(candidates):
    """Masses of the first opposite-charge pair of each event."""
    momenta = momenta_of(candidates)
    charge, event = ak.to_numpy(candidates.charge), ak.to_numpy(candidates.event)
    starts = np.flatnonzero(np.diff(event, prepend=event[0] - np.uint64(1)) != 0)
    rows = [(one, two) for one in starts for two in range(one + 1, len(event)) if event[two] == event[one]]
    rows = np.array([pair for pair in rows if charge[pair[0]] * charge[pair[1]] < 0])
    return ak.to_numpy((momenta[rows[:, 0]] + momenta[rows[:, 1]]).mass)


@pytest.mark.parametrize("name", FILES)
def test_inspect_says_what_every_file_holds(data, name):
    (report,) = inspect_files(data(name))
    wanted = next((flavour for start, flavour in FLAVOURS.items() if name.startswith(start)), "")
    assert report.flavour == wanted
    assert {(tree.name, tree.entries) for tree in report.trees} == set(FILES[name])
    assert all(tree.matched or tree.unknown for tree in report.trees)
    if wanted:
        assert report.error is None
        assert report.n_candidates > 0
    else:
        assert isinstance(report.error, ConfigError)
        assert "no flavour matches" in str(report.error)


def test_physlite_has_two_kinds_of_candidates(data):
    path = data("PHYSLITE_mc20_700322_Zee_100ev.root")
    assert sample_trees(path) == ("electrons", "photons")
    with pytest.raises(TreeError, match=r"holds \['electrons', 'photons'\]; say which"):
        read_candidates(path)


def test_physlite_electrons_and_what_their_links_lead_to(data):
    electrons = read_candidates(data("PHYSLITE_mc20_700322_Zee_100ev.root"), tree="electrons")
    assert len(electrons) == 134
    assert set(np.abs(electrons.charge)) == {1.0}
    assert electrons.candidate[:4].to_list() == [0, 1, 2, 0]
    masses = _pair_masses(electrons[electrons.et > 10])
    near = masses[(masses > 80) & (masses < 100)]
    assert len(near) >= 30
    assert 89.5 < np.median(near) < 92.5
    assert np.max(np.abs(electrons.eta_cluster - electrons.eta)) < 0.1
    turned = np.abs(electrons.phi_cluster - electrons.phi)
    assert np.quantile(np.minimum(turned, 2 * np.pi - turned), 0.95) < 0.1
    prompt = electrons[(electrons.type_true == 2) & (electrons.et > 20)]
    assert 0.95 < np.median(prompt.e_over_p) < 1.15
    assert np.all(np.abs(electrons.pdg_true[electrons.type_true == 2]) == 11)
    # An electron's pseudorapidity is its track's, up to the combination with the cluster.
    eta_track = -np.log(np.tan(electrons.theta_track / 2))
    assert np.max(np.abs(eta_track - electrons.eta)) < 0.01


def test_nanoaod_electrons(data):
    electrons = read_candidates(data("nano_dy.root"), tree="electrons")
    assert len(electrons) == 25
    masses = _pair_masses(electrons[electrons.pt > 10])
    assert np.any(np.abs(masses - 91) < 6)
    np.testing.assert_allclose(electrons.e, electrons.pt * np.cosh(electrons.eta), rtol=1e-5)


def test_cms_tag_and_probe_pairs(data):
    flags = ["passingMVA122Xwp80isoV1", "passingCutBasedTight122XV1"]
    fields = ["pair_mass", "et", "e", "eta", "phi", "tag_e", "tag_eta", "tag_phi", "pass_tight", *flags]
    pairs = read_candidates(data("cms_TnPNTuples_el.root"), fields=fields)
    assert len(pairs) == 1000
    tags = ak.zip({"e": pairs.tag_e, "eta": pairs.tag_eta, "phi": pairs.tag_phi})
    np.testing.assert_allclose((momenta_of(pairs) + momenta_of(tags)).mass, pairs.pair_mass, rtol=2e-3)
    assert pairs.pass_tight.to_list() == pairs.passingCutBasedTight122XV1.to_list()
    for flag in flags:
        assert set(pairs[flag]) == {0, 1}


def test_dimuons_with_a_user_s_flavour(data, examples):
    pairs = read_candidates(data("Zmumu.root"), flavour=examples / "dimuons.toml")
    assert len(pairs) == 2304
    tags = ak.zip({"e": pairs.tag_e, "eta": pairs.tag_eta, "phi": pairs.tag_phi})
    mass = ak.to_numpy((momenta_of(pairs) + momenta_of(tags)).mass)
    assert np.quantile(np.abs(mass / pairs.pair_mass - 1), 0.9) < 0.02
    assert 90 < np.median(pairs.pair_mass[(pairs.pair_mass > 80) & (pairs.pair_mass < 100)]) < 92


def test_crystals_with_a_user_s_flavour(data, examples):
    """The hottest crystal is the one that the experiment reports."""
    photons = read_candidates(data("cms_photon_crystals.root"), flavour=examples / "cms_photon_crystals.toml")
    reported = read_candidates(
        data("cms_photon_crystals.root"),
        flavour=examples / "cms_photon_crystals.toml",
        fields=["pho_maxEnergyXtal", "cells.e"],
    )
    assert len(photons) == 39
    hottest = ak.to_numpy(ak.max(reported.cells.e, axis=1))
    assert np.mean(np.abs(hottest / ak.to_numpy(reported.pho_maxEnergyXtal) - 1) < 1e-4) > 0.9
    assert set(ak.flatten(photons.cells.sampling)) == {2, 6}
    assert np.all((np.abs(ak.flatten(photons.cells.eta)) > 1.479) == (ak.flatten(photons.cells.sampling) == 6))
    assert photons.tracks.fields == ["pt", "eta", "phi", "charge"]


def test_bare_showers_with_a_user_s_flavour(data, examples):
    showers = read_candidates(
        data("geant4_showers.root"), flavour=examples / "geant4_showers.toml", fields=["cells", "e_true", "pdg_true"]
    )
    assert len(showers) == 4000
    response = ak.sum(showers.cells.e, axis=1) / showers.e_true
    assert 0.97 < np.median(response) < 1.03
    assert set(ak.flatten(showers.cells.sampling)) == {0, 1, 2, 3}


def test_masses_and_weights_with_a_user_s_flavour(data, examples):
    pairs = read_candidates(data("hgg_mc_part1.root"), flavour=examples / "hgg_mass.toml")
    assert 124 < np.average(pairs.pair_mass, weights=pairs.weight) < 126
