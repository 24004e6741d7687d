"""Sampling, noise and constant term of an energy resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.analysis.lineshapes import Parameter
from calotools.analysis.minimise import minimise
from calotools.errors import EmptyInputError

__all__ = ["ResolutionTerms", "fit_terms", "mixture_width", "resolution_at", "term_reach"]

_UPPER_QUARTILE = 0.6744898


@dataclass(frozen=True)
class ResolutionTerms:
    """sigma/E = a / sqrt(E) (+) b / E (+) c, E in GeV.

    Attributes
    ----------
    values, errors : dict of str to float
        ``a`` [sqrt(GeV)], ``b`` [GeV], ``c``; an error of 0 means held at its limit or given.
    chi2 : float
    ndf : int
    valid : bool
    message, notes : str
        Why the fit is not valid; terms that the points do not determine.
    """

    values: dict[str, float]
    errors: dict[str, float]
    chi2: float
    ndf: int
    valid: bool
    message: str
    notes: str


def resolution_at(e: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Relative resolution of three terms; arrays broadcast against each other.

    Examples
    --------
    >>> float(resolution_at(100.0, 0.1, 0.0, 0.0).round(4))
    0.01
    """
    return np.sqrt(np.asarray(a) ** 2 / e + (np.asarray(b) / e) ** 2 + np.asarray(c) ** 2)


def mixture_width(sigma: np.ndarray) -> float:
    """IQR / 1.349 of entries that have one mean and Gaussian errors of different sizes.

    It is smaller than the root mean square of the errors, because the entries with large ones are in the tails.

    Parameters
    ----------
    sigma : (n,) float
        Above 0.

    Returns
    -------
    float [unit of sigma]
        NaN for no entries.

    Examples
    --------
    >>> round(mixture_width(np.full(10, 0.3)), 6), round(mixture_width(np.array([1.0, 3.0])), 2)
    (0.3, 1.6)
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    if len(sigma) == 0:
        return float("nan")
    ends = _UPPER_QUARTILE * 0.999 * float(np.min(sigma)), _UPPER_QUARTILE * 1.001 * float(np.max(sigma))
    quartile = brentq(lambda q: float(np.mean(ndtr(q / sigma))) - 0.75, *ends)
    return float(quartile) / _UPPER_QUARTILE


def fit_terms(
    e: np.ndarray, sigma: np.ndarray, error: np.ndarray, *, rng: np.random.Generator, b: float | None = None
) -> ResolutionTerms:
    """Fit the three terms to relative resolutions at several energies.

    Parameters
    ----------
    e : (n,) float [GeV]
        Mean energies.
    sigma, error : (n,) float
        Relative resolutions and their errors; points that are not finite are left out.
    rng : numpy.random.Generator
        For other starting points.
    b : float [GeV], optional
        Noise term when it is known; fitted otherwise.

    Returns
    -------
    ResolutionTerms

    Raises
    ------
    EmptyInputError
        Fewer points than terms.

    Examples
    --------
    >>> e = np.array([10.0, 20, 50, 100, 200, 300])
    >>> sigma = resolution_at(e, 0.1, 0.3, 0.007)
    >>> fit = fit_terms(e, sigma, 0.01 * sigma, rng=np.random.default_rng(1))
    >>> fit.valid, {name: round(value, 4) for name, value in fit.values.items()}
    (True, {'a': 0.1, 'b': 0.3, 'c': 0.007})
    """
    from iminuit.cost import LeastSquares

    used = np.isfinite(sigma) & np.isfinite(error) & (error > 0)
    if used.sum() < 3:
        raise EmptyInputError(f"{used.sum()} of {len(e)} energies have a resolution; three terms need three or more")
    parameters = [
        Parameter("a", 0.1, 0.0, 1.0),
        Parameter("b", 0.3 if b is None else b, 0.0, 20.0, soft=True),
        Parameter("c", 0.005, 0.0, 0.1, soft=True),
    ]
    # the squares are linear in the squared terms, but the errors are those of sigma itself
    cost = LeastSquares(e[used], sigma[used], error[used], resolution_at, name=["a", "b", "c"])
    found = minimise(cost, parameters, rng=rng, fixed=() if b is None else ("b",))
    return ResolutionTerms(found.values, found.errors, found.chi2, found.ndf, found.valid, found.message, found.notes)


def term_reach(e: np.ndarray, sigma: np.ndarray, error: np.ndarray) -> dict[str, float]:
    """How large each term may be where the fit finds none, or a small one, of which a parabola in it knows too much.

    The squared terms are linear in the squared widths and know no limit: one standard deviation of each, as a term.

    Parameters
    ----------
    e, sigma, error : (n,) float
        As of `fit_terms`.

    Returns
    -------
    dict of str to float
        ``a`` [sqrt(GeV)], ``b`` [GeV], ``c``; NaN for fewer than three points.

    Examples
    --------
    >>> e = np.array([10.0, 20, 50, 100, 200, 300])
    >>> sigma = resolution_at(e, 0.1, 0.3, 0.0)
    >>> round(term_reach(e, sigma, 0.02 * sigma)["c"], 4)
    0.0016
    """
    used = np.isfinite(sigma) & np.isfinite(error) & (error > 0) & (sigma > 0)
    if used.sum() < 3:
        return dict.fromkeys("abc", float("nan"))
    e, spread = e[used], 2 * sigma[used] * error[used]
    design = np.stack([1 / e, 1 / e**2, np.ones(len(e))], axis=1) / spread[:, None]
    variance = np.diag(np.linalg.inv(design.T @ design))
    return {name: float(one**0.25) for name, one in zip("abc", variance, strict=True)}
