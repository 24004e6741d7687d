"""Shapes of mass peaks: normalised densities and cumulative functions on a window.

Every shape gives its cumulative function, since binned fits need the integral over each bin and not the value at its
centre. Masses are in GeV.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from calotools.errors import ConfigError, EmptyInputError

__all__ = [
    "GAMMA_Z",
    "M_H",
    "M_Z",
    "Parameter",
    "Shape",
    "breit_wigner",
    "bw_dscb",
    "check_window",
    "cumulate",
    "dscb",
    "dscb_cdf",
    "template",
]

# R. L. Workman et al. (Particle Data Group), PTEP 2022, 083C01.
M_Z, GAMMA_Z, M_H = 91.188, 2.495, 125.2

_STEP = 0.1  # [GeV] of the grids for convolutions; a 25th of the Z width
_MARGIN = 30.0  # [GeV] beyond the window from which the resolution can bring entries in


@dataclass(frozen=True)
class Parameter:
    """A parameter of a shape.

    Attributes
    ----------
    name : str
    start, low, high : float
        Where a fit starts and its limits.
    soft : bool
        At a limit it is harmless (a power tail that is not there): fixed there and noted, where any other parameter
        at a limit makes the fit invalid.
    constraint : float, optional
        Standard deviation of a Gaussian constraint about `start`.
    """

    name: str
    start: float
    low: float
    high: float
    soft: bool = False
    constraint: float | None = None


@dataclass(frozen=True)
class Shape:
    """A probability density on a window.

    Attributes
    ----------
    name : str
    window : (float, float) [GeV]
    parameters : tuple of Parameter
    primitive : callable
        ``primitive(x, *values)``: an increasing function whose differences are proportional to the content between.
    """

    name: str
    window: tuple[float, float]
    parameters: tuple[Parameter, ...]
    primitive: Callable[..., np.ndarray]

    def cdf(self, x: np.ndarray, *values: float) -> np.ndarray:
        """Fraction of the window's content below each x [GeV]: 0 at the low edge, 1 at the high edge."""
        points = np.concatenate([self.window, np.clip(np.asarray(x, float), *self.window)])
        content = self.primitive(points, *values)
        return (content[2:] - content[0]) / (content[1] - content[0])

    def pdf(self, x: np.ndarray, *values: float) -> np.ndarray:
        """Density [1/GeV] at each x [GeV], as the mean over +-0.1 GeV, cut at the window's edges."""
        low = np.clip(np.asarray(x, float) - _STEP, *self.window)
        high = np.clip(np.asarray(x, float) + _STEP, *self.window)
        return (self.cdf(high, *values) - self.cdf(low, *values)) / (high - low)


def breit_wigner(mass: np.ndarray, *, peak: float = M_Z, width: float = GAMMA_Z) -> np.ndarray:
    """Relativistic Breit-Wigner with running width, times a falling parton luminosity m^-2; not normalised.

    Parameters
    ----------
    mass : (n,) float [GeV]
    peak, width : float [GeV]

    Returns
    -------
    (n,) float
        1 / ((m^2 - M^2)^2 + m^4 Gamma^2 / M^2), that is m^2 from the resonance and m^-2 from the luminosity.

    Examples
    --------
    >>> grid = np.linspace(88, 94, 6001)
    >>> round(float(grid[breit_wigner(grid).argmax()]), 2)
    91.15
    """
    square = np.asarray(mass, float) ** 2
    return peak**4 / ((square - peak**2) ** 2 + square**2 * width**2 / peak**2)


def dscb_cdf(
    x: np.ndarray, mean: float, sigma: float, a_low: float, n_low: float, a_high: float, n_high: float
) -> np.ndarray:
    """Cumulative function of a double-sided Crystal Ball, 0 at -inf and 1 at +inf.

    Parameters
    ----------
    x : (n,) float [GeV]
    mean, sigma : float [GeV]
    a_low, a_high : float
        Where the power tails begin, in sigma from the mean; positive.
    n_low, n_high : float
        Powers of the tails, above 1.

    Returns
    -------
    (n,) float

    References
    ----------
    J. Gaiser, SLAC-R-255 (1982), appendix F; the tail on both sides as in ATLAS, Phys. Rev. D 98 (2018) 052005.

    Examples
    --------
    >>> dscb_cdf(np.array([-np.inf, 125.0, np.inf]), 125.0, 1.5, 1.5, 5.0, 1.5, 5.0)
    array([0. , 0.5, 1. ])
    """
    t = (np.asarray(x, float) - mean) / sigma
    tail_low, tail_high = _tail(a_low, n_low), _tail(a_high, n_high)
    root = np.sqrt(2 * np.pi)
    core = root * (ndtr(a_high) - ndtr(-a_low))
    middle = tail_low + root * (ndtr(np.clip(t, -a_low, a_high)) - ndtr(-a_low))
    below = tail_low * _fall(-t, a_low, n_low)
    above = tail_low + core + tail_high * (1 - _fall(t, a_high, n_high))
    return np.where(t < -a_low, below, np.where(t > a_high, above, middle)) / (tail_low + core + tail_high)


def _tail(a: float, n: float) -> float:
    """Integral of a power tail that joins exp(-t^2/2) smoothly at a."""
    return float(n / a / (n - 1) * np.exp(-(a**2) / 2))


def _fall(t: np.ndarray, a: float, n: float) -> np.ndarray:
    """Part of the tail beyond t, for t > a; 1 before."""
    return (1 + np.maximum(t - a, 0.0) * a / n) ** (1 - n)


# Where the tails begin is only weakly told from the core by a few thousand events on a Breit-Wigner: without the
# constraint one toy in 25 ends with a core of 0.5 sigma that is all tail. Beyond 4 sigma no tail is left.
_TAILS = (
    Parameter("a_low", 1.6, 0.5, 4.0, soft=True, constraint=0.6),
    Parameter("n_low", 5.0, 1.1, 50.0, soft=True),
    Parameter("a_high", 1.6, 0.5, 4.0, soft=True, constraint=0.6),
    Parameter("n_high", 10.0, 1.1, 50.0, soft=True),
)


def dscb(window: tuple[float, float], *, peak: float = M_H) -> Shape:
    """Double-sided Crystal Ball; parameters mean, sigma [GeV], a_low, n_low, a_high, n_high.

    Parameters
    ----------
    window : (float, float) [GeV]
    peak : float [GeV]
        Where a fit starts.

    Returns
    -------
    Shape

    Examples
    --------
    >>> shape = dscb((115.0, 135.0))
    >>> float(shape.cdf(np.array([125.2]), 125.2, 1.5, 1.5, 8.0, 1.5, 8.0).round(2)[0])
    0.5
    """
    check_window(window)
    core = (Parameter("mean", peak, peak - 6, peak + 6), Parameter("sigma", 1.5, 0.05, 15.0))
    return Shape("DSCB", window, core + _TAILS, dscb_cdf)


def bw_dscb(window: tuple[float, float], *, peak: float = M_Z, width: float = GAMMA_Z) -> Shape:
    """Breit-Wigner convolved with a double-sided Crystal Ball: a Z as a detector sees it.

    Parameters
    ----------
    window : (float, float) [GeV]
    peak, width : float [GeV]
        Of the resonance; fixed.

    Returns
    -------
    Shape
        Parameters mean (where the resonance is seen), sigma (detector resolution), tails as `dscb`.

    Notes
    -----
    The resolution is integrated exactly over the cells of a 0.1 GeV grid and convolved by FFT, so that a resolution
    below the grid's step and any shift are still right. The resonance is followed 30 GeV beyond the window.

    Examples
    --------
    >>> shape = bw_dscb((75.0, 105.0))
    >>> shape.cdf(np.array([90.0, 92.0]), 91.188, 1.5, 1.5, 8.0, 1.5, 8.0).round(2)
    array([0.34, 0.64])
    """
    check_window(window)
    grid, spectrum, size = _resonance(window, peak, width)
    half = round(_MARGIN / _STEP)
    borders = (np.arange(-half, half + 2) - 0.5) * _STEP

    # A minimiser moves one parameter at a time, most often not one of these.
    @lru_cache(maxsize=32)
    def cumulative(mean: float, *others: float) -> np.ndarray:
        kernel = np.diff(dscb_cdf(borders, mean - peak, *others))
        density = np.fft.irfft(spectrum * np.fft.rfft(kernel, size), size)[half : half + len(grid)]
        return cumulate(np.maximum(density, 0.0))

    def primitive(x: np.ndarray, *values: float) -> np.ndarray:
        return np.interp(x, grid, cumulative(*(float(value) for value in values)))

    core = (Parameter("mean", peak, peak - 6, peak + 6), Parameter("sigma", 1.5, 0.05, 10.0))
    return Shape("BW * DSCB", window, core + _TAILS, primitive)


@lru_cache(maxsize=32)
def _resonance(window: tuple[float, float], peak: float, width: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Grid over the window, widened by the margin, and the transform of the resonance on it."""
    inner = np.arange(round((window[1] - window[0]) / _STEP) + 1)
    grid = window[0] + np.arange(-round(_MARGIN / _STEP), len(inner) + round(_MARGIN / _STEP)) * _STEP
    half = round(_MARGIN / _STEP)
    size = 1 << int(np.ceil(np.log2(len(grid) + 2 * half + 1)))
    return grid, np.fft.rfft(breit_wigner(np.maximum(grid, 1.0), peak=peak, width=width), size), size


def cumulate(density: np.ndarray) -> np.ndarray:
    """Running integral of a density on an even grid, in grid steps: third order between, first at the ends.

    Examples
    --------
    >>> cumulate(np.array([1.0, 1.0, 1.0]))
    array([0., 1., 2.])
    """
    padded = np.concatenate([density[:1], density, density[-1:]])
    steps = (13 * (density[:-1] + density[1:]) - padded[:-3] - padded[3:]) / 24
    return np.concatenate([[0.0], np.cumsum(steps)])


def check_window(window: tuple[float, float]) -> None:
    """Refuse a mass window that is empty or negative.

    Raises
    ------
    ConfigError
    """
    if not 0 <= window[0] < window[1]:
        raise ConfigError(f"a mass window from {window[0]} to {window[1]} GeV is empty; give low < high, both positive")


def template(window: tuple[float, float], mass: np.ndarray, *, weight: np.ndarray | None = None) -> Shape:
    """Simulated masses, shifted and smeared by a Gaussian.

    Parameters
    ----------
    window : (float, float) [GeV]
    mass : (n,) float [GeV]
        Give entries beyond the window too, where there are any: smearing brings them in.
    weight : (n,) float, optional

    Returns
    -------
    Shape
        Parameters shift and smear [GeV]. Smears below 0.25 GeV act as 0.25 GeV, which also smooths the template.

    Raises
    ------
    EmptyInputError
        No mass is in the window.

    Examples
    --------
    >>> shape = template((75.0, 105.0), np.full(10, 90.0))
    >>> float(shape.cdf(np.array([91.0]), 1.0, 0.5).round(3)[0])
    0.5
    """
    check_window(window)
    low, high = window[0] - 10, window[1] + 10
    content, edges = np.histogram(mass, bins=round((high - low) / 0.2), range=(low, high), weights=weight)
    mean = np.histogram(mass, bins=edges, weights=mass if weight is None else mass * weight)[0]
    used = np.flatnonzero(content > 0)
    centre, content = mean[used] / content[used], content[used]
    if not np.any((centre > window[0]) & (centre < window[1])):
        raise EmptyInputError(f"none of {len(mass)} simulated masses is between {window[0]} and {window[1]} GeV")

    def primitive(x: np.ndarray, shift: float, smear: float) -> np.ndarray:
        return ndtr((x[:, None] - centre - shift) / np.hypot(smear, 0.25)) @ content

    parameters = (Parameter("shift", 0.0, -6.0, 6.0), Parameter("smear", 0.5, 0.0, 5.0, soft=True))
    return Shape("template * Gaussian", window, parameters, primitive)
