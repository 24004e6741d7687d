"""Results of peak fits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["MassCategories", "PeakFit", "WidthComparison"]


@dataclass(frozen=True)
class PeakFit:
    """A fitted mass peak.

    Attributes
    ----------
    values, errors : dict of str to float
        Parameters by name, masses in GeV.
    width : dict of str to float [GeV]
        ``sigma68`` and ``fwhm`` of the fitted signal, ``core`` (the fitted detector resolution), each with$
        its ``*_error`` from the fit, and ``sample_sigma68`` of the entries, its error from the bootstrap.
    chi2, ndf : float, int
    valid : bool
        The minimum is valid, the covariance accurate and no parameter at a limit.
    message : str
        Why it is not valid; empty when it is.
    edges, counts, variances, model : ndarray
        The binned data [GeV; events] and the fitted expectation in each bin.
    name : str
    background : ndarray
        Fitted background in each bin; zeros without one.
    notes : str
        What a reader should know of a valid fit: shape parameters that were fixed at a limit.
    """

    values: dict[str, float]
    errors: dict[str, float]
    width: dict[str, float]
    chi2: float
    ndf: int
    valid: bool
    message: str
    edges: np.ndarray
    counts: np.ndarray
    variances: np.ndarray
    model: np.ndarray
    name: str = ""
    background: np.ndarray = field(default_factory=lambda: np.zeros(0))
    notes: str = ""


@dataclass(frozen=True)
class WidthComparison:
    """Widths of one peak with two energies, on the same events, so that errors common to both cancel in the ratio.

    Attributes
    ----------
    before, before_error : dict of str to float [GeV]
        ``sigma68`` (half of the shortest interval with 68.3 % of the entries), ``iqr``, and ``sigma68_rel``
        (sigma68 over the median mass: no gain from a lower energy scale).
    after, after_error : dict of str to float [GeV]
        The same with the other energy.
    ratio, ratio_error : dict of str to float
        After over before; below 1 is narrower. The error is the spread over bootstrap replicas of events.
    n : int
        Pairs that both energies have in the window of at least one of them.
    """

    before: dict[str, float]
    before_error: dict[str, float]
    after: dict[str, float]
    after_error: dict[str, float]
    ratio: dict[str, float]
    ratio_error: dict[str, float]
    n: int


@dataclass(frozen=True)
class MassCategories:
    """A peak in categories of equal size, the best stated resolution first.

    Attributes
    ----------
    edges : (n + 1,) float
        Of the stated relative uncertainty of the mass.
    said : (n,) float [GeV]
        Root mean square of the stated uncertainty in each category.
    sigma68, sigma68_error : (n,) float [GeV]
        Width of the entries, natural width included.
    counts : (n,) int
        Pairs.
    inclusive, inclusive_error : float [GeV]
        ``sigma68`` of all of them.
    gain, gain_error : float
        How many times smaller the statistical error of the peak's position is with the categories than without.
    """

    edges: np.ndarray
    said: np.ndarray
    sigma68: np.ndarray
    sigma68_error: np.ndarray
    counts: np.ndarray
    inclusive: float
    inclusive_error: float
    gain: float
    gain_error: float
