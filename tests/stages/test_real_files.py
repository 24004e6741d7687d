"""Published files of other experiments, read with the shipped example flavours and measured with the stages."""

import os
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from calotools.analysis import fit_peak
from calotools.errors import BranchError
from calotools.images import build_images, image_spec
from calotools.ntuple import read_candidates
from calotools.recipe import DisplayConfig, TagProbeConfig
from calotools.stages import display, tagprobe

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def published(name):
    folder = Path(os.environ.get("CALOTOOLS_TESTDATA", ROOT.parent / "shared" / "data"))
    if not (folder / name).exists():
        pytest.skip(f"public file {name} is not in {folder}; set CALOTOOLS_TESTDATA")
    return str(folder / name)


def test_another_calorimeter_is_two_toml_files():
    """28 of the 39 photons are in the CMS barrel; one has an energetic crystal out of time, which e5x5 leaves out."""
    photons = read_candidates(
        published("cms_photon_crystals.root"),
        flavour=str(EXAMPLES / "flavours" / "cms_photon_crystals.toml"),
        fields=("cells", "eta_cluster", "phi_cluster", "pho_e5x5", "pho_maxEnergyXtal"),
    )
    cells = photons.cells
    barrel = ak.max(cells.e[cells.sampling == 2], axis=1) == ak.max(cells.e, axis=1)
    photons = photons[ak.fill_none(barrel, False)]
    spec = image_spec(str(EXAMPLES / "images" / "cms_crystals_5x5.toml"))
    image = build_images(photons, spec).values["energy_em"][:, 0]
    assert len(image) == 28
    np.testing.assert_allclose(image.max(axis=(1, 2)), photons.pho_maxEnergyXtal, rtol=1e-5)
    in_time = ak.with_field(photons, photons.cells[(abs(photons.cells.time) < 5) | (photons.cells.e < 2)], "cells")
    sums = build_images(in_time, spec).values["energy_em"].sum(axis=(1, 2, 3))
    np.testing.assert_allclose(sums, photons.pho_e5x5, rtol=2e-5)


def test_z_of_dimuons():
    pairs = read_candidates(
        published("Zmumu.root"), flavour=str(EXAMPLES / "flavours" / "dimuons.toml"), fields=("pair_mass",)
    )
    # the file repeats each event for several kinds of muon track
    first = np.unique(np.stack([ak.to_numpy(pairs.run), ak.to_numpy(pairs.event)]), axis=1, return_index=True)[1]
    mass = ak.to_numpy(pairs.pair_mass)[first]
    fit = fit_peak(mass, kind="zee", rng=np.random.default_rng(1), window=(60.0, 120.0))
    assert fit.valid, fit.message
    assert 90.5 < fit.values["mean"] < 91.5


@pytest.mark.parametrize("flag", ["passingMVA122Xwp80isoV1", "passingCutBasedTight122XV1"])
def test_tag_and_probe_of_a_tree_of_pairs(flag, tmp_path):
    config = TagProbeConfig(
        data=(published("cms_TnPNTuples_el.root"),),
        output=tmp_path / "out",
        tag=("et > 35",),
        probe=("et > 10",),
        passing=f"{flag} == 1",
        et_bins=(10, 35, 50, 200),
        eta_bins=(0, 1.4442, 2.5),
    )
    results = tagprobe(config).results
    assert len(results["fits"]) == 6
    efficiency = results["efficiency"]
    assert efficiency.valid.sum() >= 5
    # every row is one pair: all of them opposite-sign, none made of two rows
    probes = read_candidates(config.data, fields=("charge", "tag_charge", "tag_et", "et"))
    used = (probes.charge * probes.tag_charge < 0) & (probes.tag_et > 35) & (probes.et > 10)
    assert results["n_probes"]["data"] == ak.sum(used)
    assert np.all((efficiency.value > 0.3) & (efficiency.value < 1.0))


def test_tag_cut_that_a_tree_of_pairs_cannot_answer(tmp_path):
    config = TagProbeConfig(data=(published("cms_TnPNTuples_el.root"),), output=tmp_path / "out")
    with pytest.raises(BranchError, match=r"field 'tag_pass_tight' is not known .*nearest: "):
        tagprobe(config)
    assert list(tmp_path.iterdir()) == []


def test_display_says_which_fields_the_flavour_lacks(tmp_path):
    flavour = str(EXAMPLES / "flavours" / "geant4_showers.toml")
    config = DisplayConfig(file=published("geant4_showers.root"), flavour=flavour, output=tmp_path / "a.png")
    with pytest.raises(BranchError, match=r"has no \['e', 'eta', 'phi'\] for its candidates, which a display needs"):
        display(config)
    assert list(tmp_path.iterdir()) == []
