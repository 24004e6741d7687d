"""Shapes of the background below a mass peak."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
from scipy.special import erfc, erfcx

from calotools.analysis.lineshapes import Parameter, Shape, check_window, cumulate
from calotools.errors import ConfigError, nearest

__all__ = ["BACKGROUNDS", "background_shape", "bernstein", "cms_shape", "exponential"]


def exponential(window: tuple[float, float]) -> Shape:
    """exp(-slope m); the slope [1/GeV] may be negative.

    Examples
    --------
    >>> exponential((60.0, 120.0)).cdf(np.array([90.0]), 0.0)
    array([0.5])
    """
    check_window(window)
    reach = 10 / (window[1] - window[0])

    def primitive(x: np.ndarray, slope: float) -> np.ndarray:
        u = x - window[0]
        return -np.expm1(-slope * u) / slope if abs(slope) > 1e-9 else u

    return Shape("exponential", window, (Parameter("slope", 0.2 * reach, -reach, 2 * reach, soft=True),), primitive)


def bernstein(window: tuple[float, float], *, degree: int = 3) -> Shape:
    """Polynomial that is positive on the window: a sum of Bernstein polynomials with positive coefficients.

    Parameters
    ----------
    window : (float, float) [GeV]
    degree : int

    Returns
    -------
    Shape
        `degree` parameters between 0 and 1, b0, b1, ...: the part of what the polynomials before left that each takes.

    Examples
    --------
    >>> bernstein((60.0, 120.0), degree=1).cdf(np.array([90.0]), 0.5)
    array([0.5])
    """
    check_window(window)
    if degree < 1:
        raise ConfigError(f"a Bernstein polynomial of degree {degree} has no shape; give 1 or more")
    number = np.arange(degree + 2)
    choose = np.array([comb(degree + 1, int(k)) for k in number])

    def primitive(x: np.ndarray, *sticks: float) -> np.ndarray:
        u = (x[:, None] - window[0]) / (window[1] - window[0])
        basis = choose * u**number * (1 - u) ** (degree + 1 - number)
        left = np.cumprod(np.append(1.0, 1 - np.asarray(sticks)))
        share = left * np.append(sticks, 1.0)
        # The integral of one polynomial is the sum of the higher ones of the next degree.
        return basis[:, 1:] @ np.cumsum(share)

    parameters = tuple(Parameter(f"b{k}", 1 / (degree + 1 - k), 0.001, 0.999, soft=True) for k in range(degree))
    return Shape(f"Bernstein {degree}", window, parameters, primitive)


def cms_shape(window: tuple[float, float]) -> Shape:
    """erfc(beta (alpha - m)) exp(-gamma m): a turn-on from kinematic cuts, then a fall.

    Parameters
    ----------
    window : (float, float) [GeV]

    Returns
    -------
    Shape
        Parameters alpha [GeV], beta, gamma [1/GeV].

    References
    ----------
    CMS, JINST 16 (2021) P05014, tag-and-probe fits.

    Examples
    --------
    >>> shape = cms_shape((60.0, 120.0))
    >>> bool(np.all(np.diff(shape.cdf(np.linspace(60, 120, 20), 70.0, 0.1, 0.05)) > 0))
    True
    """
    check_window(window)
    grid = np.linspace(*window, round((window[1] - window[0]) / 0.1) + 1)

    def primitive(x: np.ndarray, alpha: float, beta: float, gamma: float) -> np.ndarray:
        t = grid - alpha
        # erfc vanishes far below the turn-on, where the exponential explodes: take both in one exponent there.
        safe = np.exp(-gamma * (grid - window[0]))
        density = np.where(t > 0, erfc(-beta * t) * safe, 0.0)
        below = -np.square(beta * t) - gamma * (grid - window[0])
        density = np.where(t > 0, density, erfcx(np.maximum(-beta * t, 0.0)) * np.exp(below))
        return np.interp(x, grid, cumulate(density))

    parameters = (
        Parameter("alpha", window[0] + 5.0, window[0] - 30.0, window[0] + 30.0, soft=True),
        Parameter("beta", 0.05, 0.005, 0.5, soft=True),
        Parameter("gamma", 0.03, -0.05, 0.3, soft=True),
    )
    return Shape("erfc * exponential", window, parameters, primitive)


BACKGROUNDS: dict[str, Callable[[tuple[float, float]], Shape]] = {
    "bernstein": bernstein,
    "cms": cms_shape,
    "exponential": exponential,
}


def background_shape(name: str, window: tuple[float, float]) -> Shape:
    """A background by name: ``exponential``, ``bernstein`` (of degree 3) or ``cms``.

    Raises
    ------
    ConfigError
        Another name; the message has the nearest.

    Examples
    --------
    >>> background_shape("cms", (60.0, 120.0)).name
    'erfc * exponential'
    """
    if name not in BACKGROUNDS:
        raise ConfigError(f"there is no background '{name}'; {nearest(name, BACKGROUNDS)}")
    return BACKGROUNDS[name](window)
