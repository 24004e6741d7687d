"""What the electronics make of a cell: noise, gain, time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from calotools.simulate.randoms import normal

__all__ = ["Readout", "read_cell"]


class Readout(NamedTuple):
    """Tables by (granularity region, eta row), (n_row,), and the switches of the electronics.

    Attributes
    ----------
    electronic : (n_row, 3) float64 [GeV]
        Electronic noise in high, medium and low gain.
    pileup : (n_row,) float64 [GeV]
        Pile-up noise at one interaction per crossing; it grows as sqrt(mu).
    threshold : (n_row, 2) float64 [GeV]
        Energies at which the gain becomes medium, and low.
    codes : (n_row, 3) int64
        Gain codes as they are written.
    time_noise : float [ns]
        Time resolution times energy over electronic noise.
    time_constant : (3,) float64 [ns]
        Constant term of the time resolution, by gain.
    medium_shift : float
        Relative shift of the response in medium gain.
    noise, gain, time : bool or float
        Scale of the noise; gain switching; time smearing.
    """

    electronic: np.ndarray
    pileup: np.ndarray
    threshold: np.ndarray
    codes: np.ndarray
    time_noise: float
    time_constant: np.ndarray
    medium_shift: float
    noise: float
    gain: bool
    time: bool


@numba.njit
def read_cell(
    state: np.ndarray, signal: tuple[float, float], row: int, mu: float, readout: Readout
) -> tuple[float, float, int, float]:
    """(energy [GeV], time [ns], gain code, expected noise [GeV]) of a cell.

    `signal` is its true energy [GeV], pile-up included, and energy times time [GeV ns]. Time is 0 where the energy is
    below 3 times the expected noise.
    """
    e, et = signal
    level = 0
    if readout.gain:
        level = 0 if e < readout.threshold[row, 0] else (1 if e < readout.threshold[row, 1] else 2)
    if level == 1:
        e *= 1.0 + readout.medium_shift
    electronic = readout.noise * readout.electronic[row, level]
    if electronic > 0.0:
        e += electronic * normal(state)
    noise = math.sqrt(electronic * electronic + mu * readout.pileup[row] * readout.pileup[row])
    if abs(e) <= 3.0 * noise or e == 0.0:
        return e, 0.0, readout.codes[row, level], noise
    if readout.time:
        et += readout.time_noise * electronic * normal(state) + e * readout.time_constant[level] * normal(state)
    return e, et / e, readout.codes[row, level], noise
