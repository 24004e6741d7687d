"""Our computed cells against the table of every cell of the real, aligned detector."""

import os
from pathlib import Path

import numpy as np
import pytest
import uproot

from calotools.detector import build_cells, cell_size, regions

FOLDER = Path(os.environ.get("CALOTOOLS_TESTDATA", Path(__file__).parents[3] / "shared" / "data"))
FILE = FOLDER / "CaloCells_ATLAS-R3S-2021-03-02-00.root"
TURN = 2 * np.pi
ROWS = regions()
BEYOND = np.isclose(ROWS["d_phi"], TURN / 32) | (np.isin(ROWS["sampling"], (6, 7)) & np.isclose(ROWS["d_eta"], 0.1))


def name(row: int) -> str:
    return f"{ROWS['sampling'][row]}_{ROWS['eta_min'][row]:+.4f}"


@pytest.fixture(scope="module")
def real():
    if not FILE.exists():
        pytest.skip(f"{FILE} is not there")
    tree = uproot.open(FILE)["caloDetCells"]
    table = tree.arrays(["layer", "eta", "phi", "deta", "dphi"], library="np")
    table = {key: value.astype(np.float64) for key, value in table.items()}
    chosen = table["layer"] <= 20
    return {key: value[chosen] for key, value in table.items()}


def members(real, row: np.void) -> np.ndarray:
    """Real cells of one region, by sampling, widths and side; strips 0.025 wide lie on both sides of the fine ones."""
    same = (real["layer"] == row["sampling"]) & (abs(real["deta"] - row["d_eta"]) < 1e-4)
    same &= abs(real["dphi"] - row["d_phi"]) < 1e-3
    same &= (real["eta"] > row["eta_min"] - 0.01) & (real["eta"] < row["eta_max"] + 0.01)
    if row["eta_min"] * row["eta_max"] >= 0:
        same &= np.sign(real["eta"]) == np.sign(row["eta_min"] + row["eta_max"])
    return np.flatnonzero(same)


@pytest.mark.parametrize("index", range(len(ROWS)), ids=name)
def test_region_matches_one_to_one(real, index):
    row = ROWS[index]
    ours = build_cells(eta_max=9.0)
    ours = ours[ours["region"] == index]
    theirs = members(real, row)
    assert len(theirs) == len(ours) == row["n_eta"] * row["n_phi"]
    # one column in phi after the other, each ordered in eta: an alignment never moves a cell by a whole column
    column = np.floor(np.mod(real["phi"][theirs], TURN) / row["d_phi"]).astype(int)
    assert (np.bincount(column, minlength=row["n_phi"]) == row["n_eta"]).all()
    theirs = theirs[np.lexsort((real["eta"][theirs], column))]
    ours = ours[np.lexsort((ours["eta"], np.mod(ours["phi"], TURN)))]
    d_eta = real["eta"][theirs] - ours["eta"]
    d_phi = np.mod(real["phi"][theirs] - ours["phi"] + np.pi, TURN) - np.pi
    assert abs(d_eta).max() < (0.01 if BEYOND[index] else 0.005)
    assert abs(d_phi).max() < 0.008
    assert abs(real["deta"][theirs] - ours["d_eta"]).max() < 1e-5
    assert abs(real["dphi"][theirs] - ours["d_phi"]).max() < 1e-5


def test_no_real_cell_is_left_over(real):
    counts = np.bincount(real["layer"].astype(int), minlength=21)
    ours = np.bincount(build_cells(eta_max=9.0)["sampling"], minlength=21)
    np.testing.assert_array_equal(counts, ours)


def test_numbers_below_two_and_a_half(real):
    """Counts in |eta| < 2.5, of the grid; the outermost strips of the aligned endcaps lie up to 0.002 beyond it."""
    outer = (abs(real["eta"]) < 2.505) & ~(np.isin(real["layer"], (6, 7)) & (real["deta"] > 0.09))
    outer &= real["dphi"] < 0.15
    counts = np.bincount(real["layer"][outer].astype(int), minlength=21)
    np.testing.assert_array_equal(counts, np.bincount(build_cells()["sampling"], minlength=21))
    assert (abs(build_cells()["eta"]) < 2.5).all()


def test_cell_size_of_real_cells(real):
    d_eta, d_phi = cell_size(real["layer"].astype(int), real["eta"])
    np.testing.assert_allclose(d_eta, real["deta"], atol=1e-5)
    np.testing.assert_allclose(d_phi, real["dphi"], atol=1e-5)
