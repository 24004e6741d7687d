"""The shaped pulse of a cell and the optimal filter that turns its samples into energy and time."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calotools.detector.tables import Table, load_table
from calotools.errors import ConfigError

__all__ = ["OptimalFilter", "filter_response", "optimal_filter", "pulse_shape"]

_GRID_NS = 0.25


def pulse_shape(time: ArrayLike, *, kind: str = "lar", table: Table | None = None) -> np.ndarray:
    """Shaped signal at a time after (or before) its peak, normalised to 1 at the peak.

    Liquid argon: exact at every 25 ns from the peak, where the shape is tabulated; between them the triangular current
    through a CR-RC^2 shaper, corrected to join the tabulated points.

    Parameters
    ----------
    time : array_like [ns]
    kind : {"lar", "tile"}
        Bipolar pulse of liquid argon, or unipolar pulse of Tile.
    table : mapping, optional
        What `load_table("pulse", path=...)` gives; default: the packaged table.

    Returns
    -------
    ndarray of float64
        0 long before and after the pulse.

    Raises
    ------
    ConfigError
        Unknown kind.

    References
    ----------
    Lorenzetti, geometry/ATLAS/data/pulseLar.dat and pulseTile.dat.

    Examples
    --------
    >>> pulse_shape([-50.0, -25.0, 0.0, 25.0, 125.0])
    array([ 0.   ,  0.446,  1.   ,  0.656, -0.141])
    """
    time = np.asarray(time, dtype=np.float64)
    pulse = load_table("pulse") if table is None else table
    if kind == "tile":
        return np.exp2(-((2 * time / pulse["tile"]["fwhm_ns"]) ** 2))
    if kind != "lar":
        raise ConfigError(f"pulse kind '{kind}' is not tabulated; allowed: 'lar', 'tile'")
    grid, shape = _packaged_lar() if table is None else _build_lar(pulse["lar"])
    return np.interp(time, grid, shape, left=0.0, right=0.0)


@functools.cache
def _packaged_lar() -> tuple[np.ndarray, np.ndarray]:
    return _build_lar(load_table("pulse")["lar"])


def _build_lar(lar: Table) -> tuple[np.ndarray, np.ndarray]:
    """Times [ns] and values of the pulse on a fine grid that holds every tabulated point."""
    from scipy.interpolate import PchipInterpolator  # slow to import, needed once

    knots = lar["first_ns"] + lar["step_ns"] * np.arange(len(lar["value"]))
    grid = np.arange(knots[0], knots[-1] + _GRID_NS / 2, _GRID_NS)
    analytic = np.interp(grid, *_analytic_lar(lar), left=0.0, right=0.0)
    correction = PchipInterpolator(knots, np.asarray(lar["value"]) - np.interp(knots, grid, analytic))
    return grid, analytic + correction(grid)


def _analytic_lar(lar: Table) -> tuple[np.ndarray, np.ndarray]:
    """Triangular current through CR-RC^2 and a further RC, peak 1 at time 0."""
    time = np.arange(0.0, 2 * lar["drift_ns"], _GRID_NS)
    current = np.clip(1 - time / lar["drift_ns"], 0, None)
    scaled = time / lar["shaping_ns"]
    shaper = scaled * (2 - scaled) * np.exp(-scaled)
    preamplifier = np.exp(-time / lar["preamplifier_ns"])
    signal = np.convolve(np.convolve(current, shaper)[: time.size], preamplifier)[: time.size]
    return time - time[signal.argmax()], signal / signal.max()


@dataclass(frozen=True)
class OptimalFilter:
    """Coefficients that turn samples of a pulse into its energy and time.

    Attributes
    ----------
    crossings : (n,) int
        Bunch crossings of the samples, counted from the peak.
    energy : (n,) float
        E = sum(energy * samples), in units of the pulse's peak.
    time : (n,) float [ns]
        E t = sum(time * samples), t the delay of the pulse.
    """

    crossings: np.ndarray
    energy: np.ndarray
    time: np.ndarray

    @property
    def noise_gain(self) -> float:
        """Noise of the energy over the noise of one sample, for white noise."""
        return float(np.sqrt((self.energy**2).sum()))


def optimal_filter(
    *, pileup_ratio: float = 0.0, crossings: tuple[int, ...] = (-2, -1, 0, 1, 2), table: Table | None = None
) -> OptimalFilter:
    """Coefficients of least variance that are unbiased in energy and, to first order, in time.

    Parameters
    ----------
    pileup_ratio : float
        Variance of the energy that pile-up adds at each crossing, over the variance of one sample's white electronic
        noise, >= 0.
    crossings : tuple of int
        Crossings sampled, counted from the peak; at least two.
    table : mapping, optional
        What `load_table("pulse", path=...)` gives; default: the packaged table.

    Returns
    -------
    OptimalFilter

    Raises
    ------
    ConfigError
        A negative ratio or fewer than two samples.

    References
    ----------
    Cleland and Stern, Nucl. Instrum. Meth. A 338 (1994) 467.

    Examples
    --------
    >>> optimal_filter().energy[1:].round(2)
    array([0.25, 0.6 , 0.4 , 0.13])
    """
    if pileup_ratio < 0 or len(crossings) < 2:
        raise ConfigError(
            f"optimal filter with pile-up ratio {pileup_ratio} on crossings {crossings}: needs a ratio of at least 0 "
            "and two or more samples"
        )
    bunch = (load_table("pulse") if table is None else table)["sampling"]["bunch_ns"]
    samples = np.asarray(crossings)
    pulse = pulse_shape(bunch * samples, table=table)
    slope = (pulse_shape(bunch * samples + 1.0, table=table) - pulse_shape(bunch * samples - 1.0, table=table)) / 2.0
    covariance = np.eye(samples.size) + pileup_ratio * _pileup_covariance(samples, bunch, table)
    constraints = np.stack([pulse, slope])
    weighted = np.linalg.solve(covariance, constraints.T)
    # columns: unit energy and no slope; no energy and slope -1, because a delay t changes a sample by -t g'
    both = weighted @ np.linalg.solve(constraints @ weighted, np.array([[1.0, 0.0], [0.0, -1.0]]))
    return OptimalFilter(crossings=samples, energy=both[:, 0], time=both[:, 1])


def _pileup_covariance(samples: np.ndarray, bunch: float, table: Table | None) -> np.ndarray:
    earlier = np.arange(samples.min() - 40, samples.max() + 41)
    shapes = pulse_shape(bunch * (samples[:, np.newaxis] - earlier), table=table)
    return shapes @ shapes.T


def filter_response(
    filter_: OptimalFilter, crossings: ArrayLike, *, delay: float = 0.0, table: Table | None = None
) -> np.ndarray:
    """Filtered energy of a unit deposit in another bunch crossing.

    Parameters
    ----------
    filter_ : OptimalFilter
    crossings : array_like of int
        Crossing of the deposit, counted from the triggered one: negative is earlier.
    delay : float [ns]
        Delay of the deposit within its crossing.
    table : mapping, optional
        What `load_table("pulse", path=...)` gives; default: the packaged table.

    Returns
    -------
    ndarray of float64
        1 for crossing 0; the sum over all crossings is nearly 0, so that a long train of bunches shifts nothing.

    Examples
    --------
    >>> filter_response(optimal_filter(), [-4, -2, 0, 1, 3]).round(2)
    array([-0.1 ,  0.3 ,  1.  ,  0.75,  0.06])
    """
    bunch = (load_table("pulse") if table is None else table)["sampling"]["bunch_ns"]
    deposit = np.asarray(crossings)[..., np.newaxis]
    samples = pulse_shape(bunch * (filter_.crossings - deposit) - delay, table=table)
    return samples @ filter_.energy
