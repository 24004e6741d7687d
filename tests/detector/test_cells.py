"""Every cell, and which cell is where."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotools.detector import Sampling, build_cells, cell_at, cells_in_window, regions
from calotools.errors import CellError, ConfigError

CELLS = build_cells()
ALL = build_cells(eta_max=9.0)
SAMPLINGS = st.sampled_from(list(Sampling))
ETA = st.floats(-3.4, 3.4)
PHI = st.floats(-7, 7)


def wrapped(phi):
    return np.mod(np.asarray(phi) + math.pi, 2 * math.pi) - math.pi


def test_identifiers_count_up():
    np.testing.assert_array_equal(CELLS["id"], np.arange(len(CELLS)))


def test_identifiers_do_not_depend_on_the_range():
    np.testing.assert_array_equal(ALL[: len(CELLS)]["eta"], CELLS["eta"])
    np.testing.assert_array_equal(ALL["id"], np.arange(len(ALL)))


def test_every_centre_is_in_its_cell():
    np.testing.assert_array_equal(cell_at(CELLS["sampling"], CELLS["eta"], CELLS["phi"]), CELLS["id"])


@pytest.mark.parametrize("turns", [-2, 1])
def test_phi_of_any_turn(turns):
    some = CELLS[::97]
    np.testing.assert_array_equal(cell_at(some["sampling"], some["eta"], some["phi"] + turns * 2 * np.pi), some["id"])


@settings(max_examples=300)
@given(SAMPLINGS, ETA, PHI)
def test_a_point_is_in_one_cell_or_in_none(sampling, eta, phi):
    """The cell found holds the point; no cell found means that no region of the sampling covers it."""
    found = int(cell_at(sampling, eta, phi))
    rows = regions()
    rows = rows[rows["sampling"] == sampling]
    covered = ((eta >= rows["eta_min"]) & (eta < rows["eta_max"])).any()
    if found < 0:
        assert not covered
        return
    cell = ALL[found]
    assert cell["sampling"] == sampling
    assert abs(eta - cell["eta"]) <= cell["d_eta"] / 2 * (1 + 1e-6)
    assert abs(wrapped(phi - cell["phi"])) <= cell["d_phi"] / 2 * (1 + 1e-6)


@settings(max_examples=100)
@given(st.integers(0, len(CELLS) - 1))
def test_edges_belong_to_one_of_the_neighbours(number):
    """Low edge: the cell itself. High edge: the next one, which starts there, or nothing."""
    cell = CELLS[number]
    low = cell["eta"] - cell["d_eta"] / 2
    assert cell_at(cell["sampling"], low, cell["phi"]) == number
    beyond = int(cell_at(cell["sampling"], low + cell["d_eta"], cell["phi"]))
    assert beyond != number or np.isclose(low + cell["d_eta"], regions()["eta_max"]).any()


def test_low_edges_are_in_their_cells():
    """Also where the granularity changes, as it does at eta = 1.4."""
    low = CELLS["eta"] - CELLS["d_eta"] / 2
    np.testing.assert_array_equal(cell_at(CELLS["sampling"], low, CELLS["phi"]), CELLS["id"])


def test_layers_cover_the_acceptance_without_holes():
    """Where a sampling starts and ends, every point between has a cell (the strips lack the very first one)."""
    eta = np.linspace(0.0032, 2.5, 5001)
    spans = {0: (0.0032, 1.524), 1: (0.0032, 1.474), 2: (0.0032, 1.474), 3: (0.0032, 1.349), 4: (1.5121, 1.811)}
    spans |= {5: (1.3871, 2.5), 6: (1.3871, 2.5), 7: (1.5121, 2.5), 8: (1.51, 2.5), 12: (0.0032, 0.999)}
    for sampling, (low, high) in spans.items():
        inside = (eta >= low) & (eta <= high)
        assert (cell_at(sampling, eta[inside], 0.1) >= 0).all(), sampling
        assert (cell_at(sampling, -eta[inside], 0.1) >= 0).all(), sampling
    assert (cell_at(2, [1.476, -1.476, 0.0, 5.0], 0.1) >= 0).tolist() == [False, False, True, False]


def test_no_cell_for_nan():
    assert cell_at(2, [np.nan, 0.1], [0.1, np.nan]).tolist() == [-1, -1]


def test_cell_at_of_unknown_sampling():
    with pytest.raises(CellError, match="sampling \\[22\\]"):
        cell_at(22, 3.5, 0.0)


def test_sum_of_areas_is_the_area_covered():
    rows = regions(eta_max=2.5)
    area = np.bincount(rows["sampling"], weights=(rows["eta_max"] - rows["eta_min"]) * 2 * np.pi)
    cells = np.bincount(CELLS["sampling"], weights=CELLS["d_eta"] * CELLS["d_phi"])
    np.testing.assert_allclose(cells, area)


def test_cells_have_positions_and_noise():
    for name in ("r", "z", "noise_electronic", "noise_pileup"):
        assert np.isfinite(CELLS[name]).all(), name
    assert (CELLS["r"] > 0).all()
    assert (np.sign(CELLS["z"]) == np.sign(CELLS["eta"]))[CELLS["sampling"] != Sampling.TileBar2].all()
    np.testing.assert_allclose(np.arcsinh(CELLS["z"] / CELLS["r"]), CELLS["eta"], atol=1e-12)
    assert build_cells(mu=0.0)["noise_pileup"].max() == 0.0


def test_negative_mu():
    with pytest.raises(ConfigError, match=r"<mu> = -1.0 is negative"):
        build_cells(mu=-1.0)


@settings(max_examples=60)
@given(SAMPLINGS, st.floats(-2.6, 2.6), st.floats(-4, 4), st.floats(0.001, 0.5), st.floats(0.001, 4.0))
def test_window_holds_the_cells_with_centre_inside(sampling, eta, phi, half_eta, half_phi):
    found = cells_in_window(sampling, eta, phi, half_eta=half_eta, half_phi=half_phi)
    d_eta = abs(ALL["eta"] - eta) - half_eta
    d_phi = abs(wrapped(ALL["phi"] - phi)) - half_phi
    here = ALL["sampling"] == sampling
    # centres within rounding of the window's edge may go either way
    surely = here & (d_eta < -1e-7) & (d_phi < -1e-7)
    maybe = here & (d_eta < 1e-7) & (d_phi < 1e-7)
    assert set(ALL["id"][surely]) <= set(found) <= set(ALL["id"][maybe])
    assert len(set(found)) == len(found)


def test_window_of_seven_by_eleven():
    cell = CELLS[cell_at(2, 0.3, -3.13)]
    found = cells_in_window(2, cell["eta"], cell["phi"], half_eta=0.0751, half_phi=5.1 * np.pi / 128)
    assert found.size == 77


def test_window_of_no_width():
    with pytest.raises(ConfigError, match=r"half widths \(0.0, 0.1\).*must be positive"):
        cells_in_window(2, 0.0, 0.0, half_eta=0.0, half_phi=0.1)


def test_window_beyond_the_sampling_is_empty():
    assert cells_in_window(3, 2.4, 0.0, half_eta=0.1, half_phi=0.1).size == 0
