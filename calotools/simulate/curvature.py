r"""What a track's fit makes of a trajectory whose curvature changes on the way: which losses it sees, and how much.

In the bending plane, at small angles, a particle that left the vertex with curvature :math:`\kappa_0` (1 / p_T, but for
a constant) is at radius r displaced by :math:`y(r) = d + \varphi r + \kappa_0 r^2 / 2`; a photon radiated at radius
:math:`\rho` raises the curvature by :math:`\Delta\kappa` and so moves all measurements behind it by
:math:`\Delta\kappa (r - \rho)^2 / 2`. The least-squares parabola through measurements :math:`y_i` at :math:`r_i` with
errors :math:`\sigma_i` has the curvature :math:`\hat\kappa = \sum_i c_i y_i`, with :math:`\sum c_i = \sum c_i r_i = 0`
and :math:`\sum c_i r_i^2 / 2 = 1`. Therefore

.. math:: \hat\kappa = \kappa_0 + \sum_k \Delta\kappa_k W(\rho_k), \qquad W(\rho) = \sum_i c_i \max(r_i-\rho, 0)^2/2:

a weighted mean of the curvature along the path. W falls from 1 at the first measurement to 0 at the last: losses before
the first are lost for good, late ones hardly bend what is measured. For many equal measurements it is the sagitta's
:math:`-dW/du = 30 u^2 (1 - u)^2`, with u from 0 to 1 between the first and the last. Multiple scattering is not in the
weights: it matters below the momenta of electrons that a calorimeter measures.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike

from calotools.detector import load_table

__all__ = ["fitted_curvatures", "measurements", "weight_behind"]


def measurements(*, straws: bool, eta: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Radii of a track's measurements in the bending plane, and their errors.

    Parameters
    ----------
    straws : bool
        With the transition-radiation tracker, which ends before the silicon layers do.
    eta : float
        Forward tracks leave the discs at smaller radii: as many measurements, closer together.

    Returns
    -------
    radius, error : (n,) float64 [mm]
    """
    table = load_table("tracker")
    radii, errors = table["radius"], table["measurement"]
    inner, outer = radii["trt"]
    tube = np.linspace(inner, outer, errors["trt_hits"]) if straws else np.zeros(0)
    parts = [(np.array([radii["ibl"], *radii["pixel"]]), "pixel"), (np.array(radii["sct"]), "sct"), (tube, "trt")]
    ends = {name: table["half_length"][name] / max(abs(np.sinh(eta)), 1e-3) for _, name in parts}
    seen = np.concatenate([_within(r, ends[name]) for r, name in parts])
    return seen, np.concatenate([np.full(len(r), errors[name]) for r, name in parts])


def _within(radius: np.ndarray, end: float) -> np.ndarray:
    """Radii moved together, the first one fixed, so that none is beyond `end` [mm]."""
    if len(radius) == 0 or radius[-1] <= end:
        return radius
    return radius[0] + (radius - radius[0]) * (max(end, radius[0]) - radius[0]) / (radius[-1] - radius[0])


@functools.cache
def _coefficients(abs_eta: float) -> tuple[np.ndarray, np.ndarray]:
    """Radii [mm], and what each measurement there adds to the fitted curvature."""
    radius, error = measurements(straws=abs_eta < load_table("tracker")["radius"]["trt_eta_max"], eta=abs_eta)
    scale = radius[-1]
    design = np.stack([np.ones_like(radius), radius / scale, 0.5 * (radius / scale) ** 2], axis=1)
    normal = design.T @ (design / error[:, np.newaxis] ** 2)
    return radius, np.linalg.solve(normal, design.T / error**2)[2] / scale**2


def weight_behind(radius: ArrayLike, eta: ArrayLike) -> np.ndarray:
    """Part of a track's fitted curvature that comes from its path behind a radius: W of this module.

    Parameters
    ----------
    radius : array_like [mm]
    eta : array_like
        Broadcast against each other; without straws beyond their coverage.

    Returns
    -------
    ndarray of float64
        1 up to the first measurement, 0 from the last one on.

    Examples
    --------
    >>> weight_behind([0.0, 300.0, 600.0, 1080.0], 0.3).round(2)
    array([1.  , 0.78, 0.26, 0.  ])
    """
    radius, eta = np.broadcast_arrays(np.asarray(radius, dtype=np.float64), np.asarray(eta, dtype=np.float64))
    weight = np.empty(radius.shape)
    for abs_eta in np.unique(np.abs(eta)):
        rows = np.abs(eta) == abs_eta
        at, coefficient = _coefficients(float(abs_eta))
        weight[rows] = 0.5 * np.maximum(at - radius[rows][..., np.newaxis], 0.0) ** 2 @ coefficient
    return np.clip(weight, 0.0, 1.0)


def fitted_curvatures(mean: np.ndarray, last: np.ndarray, *, recovered: float) -> tuple[np.ndarray, np.ndarray]:
    """Curvatures that a Gaussian-sum fit reports at the vertex and at the last measurement.

    Without any knowledge of bremsstrahlung a fit has one curvature, the weighted `mean` of the path. A Gaussian-sum fit
    knows how electrons radiate and moves its two ends towards the truth, by the same part of what each is wrong.

    Parameters
    ----------
    mean, last : (n,) float
        Weighted mean along the path, and at the last measurement, over the curvature at the vertex.
    recovered : float
        That part: 0 for an ordinary fit, 1 for one that finds every loss.

    Returns
    -------
    first, last : (n,) float64
        Over the true curvature at the vertex.

    Examples
    --------
    >>> first, last = fitted_curvatures(np.array([1.5]), np.array([2.0]), recovered=0.5)
    >>> first, last, 1 - first / last
    (array([1.25]), array([1.75]), array([0.28571429]))
    """
    return mean - recovered * (mean - 1.0), mean + recovered * (last - mean)
