"""Gains that are written: HEC has no high one, whether gains are switched or not."""

import numpy as np
import pytest

from calotools.detector import cell_noise, load_table
from calotools.simulate.effects import Effects
from calotools.simulate.electronics import read_cell
from calotools.simulate.setup import _grid, _readout, _rows


def read(sampling, e, **effects):
    grid = _grid()
    readout = _readout(grid, Effects(**effects))
    row = int(np.flatnonzero(_rows(grid)[0] == sampling)[0])
    states = np.ones(1, np.uint64), np.ones(1, np.uint64)
    _, _, code, noise = read_cell(states, (e, 0.0), row, 0.0, readout)
    return code, noise, _rows(grid)[1][row]


@pytest.mark.parametrize(
    ("sampling", "e", "switched", "fixed"),
    [(2, 5.0, 0, 0), (2, 100.0, 1, 0), (8, 5.0, 1, 1), (8, -1.0, 1, 1), (11, 1000.0, 2, 1), (12, 50.0, -16, -11)],
)
def test_gain_false_is_the_most_sensitive_one_that_the_cell_has(sampling, e, switched, fixed):
    for code, effects in ((switched, {}), (fixed, {"gain": False})):
        found, noise, eta = read(sampling, e, **effects)
        assert found == code
        assert noise == pytest.approx(float(cell_noise(sampling, eta, gain=code)[0]))


def test_time_of_a_hec_cell_has_the_constant_term_of_medium_gain():
    grid = _grid()
    row = int(np.flatnonzero(_rows(grid)[0] == 8)[0])
    states = np.full(1, 7, np.uint64), np.full(1, 9, np.uint64)
    for effects in ({}, {"gain": False}):
        readout = _readout(grid, Effects(electronic_noise=0, **effects))
        times = [read_cell(states, (200.0, 0.0), row, 0.0, readout)[1] for _ in range(4000)]
        assert np.std(times) == pytest.approx(load_table("timing")["constant"]["medium"], rel=0.05)
