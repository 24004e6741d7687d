"""Granularity regions and the widths they give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.detector import Sampling, build_cells, cell_size, load_table, regions
from calotools.errors import CellError, ConfigError

# cells in eta of one side, and in phi: ATLAS identifier dictionaries
ONE_SIDE = {
    Sampling.PreSamplerB: [(61, 64)],
    Sampling.EMB1: [(447, 64), (3, 256)],
    Sampling.EMB2: [(56, 256), (1, 256)],
    Sampling.EMB3: [(27, 256)],
    Sampling.PreSamplerE: [(12, 64)],
    Sampling.EME1: [(1, 64), (3, 64), (96, 64), (48, 64), (64, 64), (4, 64)],
    Sampling.EME2: [(1, 256), (43, 256)],
    Sampling.EME3: [(20, 256)],
    Sampling.HEC0: [(10, 64)],
    Sampling.HEC1: [(10, 64)],
    Sampling.HEC2: [(9, 64)],
    Sampling.HEC3: [(8, 64)],
}


@pytest.mark.parametrize("sampling", ONE_SIDE, ids=lambda one: one.name)
def test_cells_per_region(sampling):
    rows = regions(eta_max=2.5)
    rows = rows[(rows["sampling"] == sampling) & (rows["eta_max"] > 0)]
    assert [(row["n_eta"], row["n_phi"]) for row in rows] == ONE_SIDE[sampling]


def test_both_sides_mirror():
    rows = regions()
    assert {(row["sampling"], -row["eta_max"], -row["eta_min"], row["n_phi"]) for row in rows} == {
        (row["sampling"], row["eta_min"], row["eta_max"], row["n_phi"]) for row in rows
    }


def test_regions_of_a_sampling_do_not_overlap():
    rows = np.sort(regions(), order=["sampling", "eta_min"])
    same = rows["sampling"][1:] == rows["sampling"][:-1]
    assert (rows["eta_min"][1:] - rows["eta_max"][:-1] > -1e-9)[same].all()
    np.testing.assert_allclose(rows["eta_min"] + rows["n_eta"] * rows["d_eta"], rows["eta_max"], atol=1e-12)


def test_strips_of_one_middle_cell():
    """Eight strips of the fine regions make one middle cell, in the barrel and behind the shift of the endcap."""
    rows = regions()
    for strips, middle, start in ((Sampling.EMB1, Sampling.EMB2, 0.0), (Sampling.EME1, Sampling.EME2, 1.5)):
        fine = rows[(rows["sampling"] == strips) & np.isclose(rows["d_eta"], 0.003125) & (rows["eta_min"] >= 0)][0]
        coarse = rows[(rows["sampling"] == middle) & np.isclose(rows["d_eta"], 0.025) & (rows["eta_min"] >= 0)][0]
        offset = (fine["eta_min"] - coarse["eta_min"]) / 0.003125
        assert offset == pytest.approx(round(offset), abs=1e-6), (strips, start)


def test_regions_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        regions()["d_eta"][0] = 1.0


def test_cell_size_of_every_cell():
    cells = build_cells(eta_max=9.0)
    d_eta, d_phi = cell_size(cells["sampling"], cells["eta"])
    np.testing.assert_array_equal(d_eta, cells["d_eta"])
    np.testing.assert_array_equal(d_phi, cells["d_phi"])


@given(st.sampled_from(list(Sampling)), st.floats(-10, 10))
def test_cell_size_is_even_and_one_of_the_table(sampling, eta):
    d_eta, d_phi = cell_size(sampling, eta)
    rows = regions()
    rows = rows[rows["sampling"] == sampling]
    assert ((rows["d_eta"] == d_eta) & (rows["d_phi"] == d_phi)).any()
    assert cell_size(sampling, -eta) == (d_eta, d_phi)


def test_cell_size_beyond_the_grid_is_that_of_the_last_region():
    d_eta, _ = cell_size([0, 1, 5], [3.0, 2.0, 1.0])
    np.testing.assert_allclose(d_eta, [0.025, 0.025, 0.05])


def test_cell_size_keeps_nan():
    d_eta, d_phi = cell_size(2, [np.nan, np.inf, 0.1])
    assert np.isnan(d_eta).tolist() == np.isnan(d_phi).tolist() == [True, True, False]


def test_cell_size_broadcasts():
    assert cell_size([[1], [2]], [0.1, 0.2, 0.3])[0].shape == (2, 3)


def test_cell_size_of_unknown_sampling():
    with pytest.raises(CellError, match=r"no detector table for sampling \[21, 28\].*of 3 cells.*0 to 20"):
        cell_size([1, 21, 28, 28], 0.0)


def test_shift_can_be_taken_out(tmp_path):
    (tmp_path / "mine.toml").write_text("[eta_shift]\nEME2 = 0.0\n", encoding="utf-8")
    table = load_table("granularity", path=tmp_path / "mine.toml")
    rows = regions(table=table)
    edges = rows["eta_min"][(rows["sampling"] == Sampling.EME2) & (rows["eta_min"] > 0)]
    np.testing.assert_allclose(edges, [1.375, 1.425, 2.5])
    # the shift moves the border between the two widths
    assert cell_size(6, 1.44, table=table)[0] == 0.025
    packaged = regions()
    assert (packaged["first_id"] == rows["first_id"]).all()


def test_region_that_lacks_a_number():
    table = load_table("granularity")
    del table["region"][4]["n_phi"]
    with pytest.raises(ConfigError, match=r"region \{'sampling': 'EMB2'.*lacks n_phi"):
        regions(table=table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sampling": "EMB22"}, "unknown sampling 'EMB22'; nearest: 'EMB2'"),
        ({"n_phi": 0}, "needs cells of positive width"),
    ],
)
def test_wrong_table(change, message):
    table = load_table("granularity")
    table["region"][4] |= change
    with pytest.raises(ConfigError, match=message):
        regions(table=table)
