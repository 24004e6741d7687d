"""Another calorimeter by configuration alone: real CMS crystals close on the experiment's own sums."""

import os
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from calotools.containers import ImageGrid, ImageSpec, Layer
from calotools.images import build_images

DATA = Path(os.environ.get("CALOTOOLS_TESTDATA", Path(__file__).parents[3] / "shared" / "data"))
FILE = DATA / "cms_photon_crystals.root"
CRYSTAL = 2 * np.pi / 360
SPEC = ImageSpec(
    grids={"em": ImageGrid(n_eta=5, n_phi=5, d_eta=CRYSTAL, d_phi=CRYSTAL)},
    layers=(Layer("barrel", samplings=(1,), cell_size=(CRYSTAL, CRYSTAL), share="centre"),),
    centre_layer="barrel",
)


@pytest.fixture(scope="module")
def photons():
    if not FILE.exists():
        pytest.skip(f"real file {FILE.name} is not here; set CALOTOOLS_TESTDATA")
    uproot = pytest.importorskip("uproot")
    with uproot.open(FILE) as file:
        tree = file["photons"].arrays()
    names = {"e": "energy", "eta": "eta", "phi": "phi", "sampling": "barrel", "time": "time"}
    cells = ak.zip({name: tree[f"hit_{branch}"] for name, branch in names.items()})
    position = {"eta_cluster": tree.pho_eta, "phi_cluster": tree.pho_phi}
    photons = ak.zip(
        {**position, "cells": cells, "e5x5": tree.pho_e5x5, "e_max": tree.pho_maxEnergyXtal}, depth_limit=1
    )
    in_barrel = ak.max(cells.e[cells.sampling == 1], axis=1) == ak.max(cells.e, axis=1)
    return photons[ak.fill_none(in_barrel, False)]


def test_images_close_on_the_experiment(photons):
    unplaced = build_images(photons[["cells"]], SPEC)
    images = build_images(photons, SPEC)  # pho_eta is seen from the vertex, up to five crystals from the hottest one
    np.testing.assert_array_equal(images.centre, unplaced.centre)
    image = images.values["energy_em"][:, 0]
    assert len(image) == 28
    np.testing.assert_allclose(image.max(axis=(1, 2)), photons.e_max, rtol=1e-5)
    np.testing.assert_array_equal(image[:, 2, 2], image.max(axis=(1, 2)))
    barrel = photons.cells.e[photons.cells.sampling == 1]
    np.testing.assert_allclose(image.sum(axis=(1, 2)) + images.outside["em"], ak.sum(barrel, axis=1), rtol=1e-5)


def test_sums_equal_e5x5_without_crystals_out_of_time(photons):
    """The experiment leaves energetic crystals that are out of time out of e5x5; one photon here has one."""
    late = (abs(photons.cells.time) > 5) & (photons.cells.e > 2)
    in_time = ak.with_field(photons, photons.cells[~late], "cells")
    for candidates, closing in ((photons, 27), (in_time, 28)):
        sums = build_images(candidates, SPEC).values["energy_em"].sum(axis=(1, 2, 3))
        assert np.sum(abs(sums / ak.to_numpy(photons.e5x5) - 1) < 2e-5) == closing
