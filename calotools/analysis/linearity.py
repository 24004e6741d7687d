"""How the scale of an energy depends on the energy: a straight line in its logarithm, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.errors import EmptyInputError

__all__ = ["Linearity", "measure_linearity"]

_AT = 50.0  # GeV


@dataclass(frozen=True)
class Linearity:
    """bias = offset + slope * log10(E / 50 GeV), and the largest bias of all energies.

    Attributes
    ----------
    offset, slope : float
        At 50 GeV; for each factor of ten in the energy.
    offset_error, slope_error : float
        From the errors of the points.
    largest, largest_error : float
        The bias that is farthest from 0, with its sign.
    at : float [GeV]
        Where.
    chi2 : float
        Of the points and the line.
    ndf : int
    """

    offset: float
    offset_error: float
    slope: float
    slope_error: float
    largest: float
    largest_error: float
    at: float
    chi2: float
    ndf: int


def measure_linearity(e: np.ndarray, bias: np.ndarray, error: np.ndarray) -> Linearity:
    """Fit a straight line in log E to biases at several energies.

    Parameters
    ----------
    e : (n,) float [GeV]
        Mean energies.
    bias, error : (n,) float
        Medians of E/E_true - 1 and their errors; points that are not finite, or have no error, are left out.

    Returns
    -------
    Linearity

    Raises
    ------
    EmptyInputError
        Fewer than two points.

    Examples
    --------
    >>> e = np.array([5.0, 50.0, 500.0])
    >>> found = measure_linearity(e, np.array([-0.01, 0.0, 0.01]), np.full(3, 0.001))
    >>> round(found.slope, 6), round(found.offset, 6), found.largest
    (0.01, 0.0, -0.01)
    """
    used = np.isfinite(bias) & np.isfinite(error) & (error > 0) & (e > 0)
    if used.sum() < 2:
        raise EmptyInputError(f"{used.sum()} of {len(e)} energies have a bias; a line needs two or more")
    e, bias, error = e[used], bias[used], error[used]
    design = np.stack([np.ones(len(e)), np.log10(e / _AT)], axis=1)  # (n, 2)
    covariance = np.linalg.inv((design / error[:, None] ** 2).T @ design)
    values = covariance @ (design.T @ (bias / error**2))
    errors = np.sqrt(np.diag(covariance))
    worst = int(np.argmax(np.abs(bias)))
    return Linearity(
        offset=float(values[0]),
        offset_error=float(errors[0]),
        slope=float(values[1]),
        slope_error=float(errors[1]),
        largest=float(bias[worst]),
        largest_error=float(error[worst]),
        at=float(e[worst]),
        chi2=float(np.sum(((bias - design @ values) / error) ** 2)),
        ndf=len(e) - 2,
    )
