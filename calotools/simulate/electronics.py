"""What the electronics make of a cell: noise, gain, time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from calotools.simulate.randoms import normal

__all__ = ["Readout", "read_cell"]

_THRESHOLD = 3.0  # in units of the expected noise: the time is measured above


# Columns of `Readout.rows`; noise and codes have one column for each of high, medium and low gain.
NOISE, PILEUP, TO_MEDIUM, TO_LOW, CODE = 0, 3, 4, 5, 6


class Readout(NamedTuple):
    """Tables by (granularity region, eta row), and the switches of the electronics.

    Attributes
    ----------
    rows : (n_row, 9) float64
        NOISE, three columns [GeV]: electronic noise in high, medium and low gain. PILEUP [GeV]: pile-up noise at one
        interaction per crossing; it grows as sqrt(mu). TO_MEDIUM, TO_LOW [GeV]: energies at which the gain changes.
        CODE, three columns: gain codes as they are written.
    time_noise : float [ns]
        Time resolution times energy over electronic noise.
    time_constant : (3,) float64 [ns]
        Constant term of the time resolution, by gain.
    medium_shift : float
        Relative shift of the response in medium gain.
    noise, gain, time : float, bool, bool
        Scale of the noise; gain switching; time smearing.
    """

    rows: np.ndarray
    time_noise: float
    time_constant: np.ndarray
    medium_shift: float
    noise: float
    gain: bool
    time: bool


@numba.njit
def read_cell(
    states: tuple[np.ndarray, np.ndarray], signal: tuple[float, float], row: int, mu: float, readout: Readout
) -> tuple[float, float, int, float]:
    """(energy [GeV], time [ns], gain code, expected noise [GeV]) of a cell.

    `states` are those of noise and time: each has a stream of its own, so that switching one leaves the other as it is.
    `signal` is the true energy [GeV], pile-up included, and energy times time [GeV ns]. Time is 0 where the energy is
    below 3 times the expected noise.
    """
    e, et = signal
    state, clock = states
    table = readout.rows
    # without switching, a cell stays in the most sensitive gain that it has: medium where there is no high one
    level = 1 if table[row, TO_MEDIUM] == -np.inf else 0
    if readout.gain and e > table[row, TO_MEDIUM]:
        level = 1 if e <= table[row, TO_LOW] else 2
    if level == 1:
        e *= 1.0 + readout.medium_shift
    electronic = readout.noise * table[row, NOISE + level]
    if electronic > 0.0:
        e += electronic * normal(state)
    noise = math.sqrt(electronic * electronic + mu * table[row, PILEUP] * table[row, PILEUP])
    code = int(table[row, CODE + level])
    if abs(e) <= _THRESHOLD * noise or e == 0.0:
        return e, 0.0, code, noise
    if readout.time:
        et += readout.time_noise * electronic * normal(clock) + e * readout.time_constant[level] * normal(clock)
    return e, et / e, code, noise
