"""Reweighting by a smooth factor after which weighted means are those of the target: alone, or as the last step.

Histograms have steps, and boosting stops before it is done. What is left is small and smooth: exp(sum_k theta_k phi_k),
with linear splines phi of each variable and their products for each pair, and with the theta that make the means of all
phi agree. Among all weights with these means they are the nearest to those before (in the Kullback-Leibler sense).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import minimize

from calotools.variables.weighted import Reweighter, WeightedSample

__all__ = ["RakedReweighter", "rake"]

_PER_KNOT = 250  # candidates for each pair of knots
_KNOTS = (3, 12)
_PAIR_KNOTS = 4


@dataclass(frozen=True)
class RakedReweighter:
    """Another reweighter, times the smooth factor.

    Attributes
    ----------
    base : Reweighter, optional
    knots, pair_knots : tuple of (knot,) float
        Of each variable, alone and in pairs.
    theta : (term,) float
    largest : float
        No factor is above it.
    """

    base: Reweighter | None
    knots: tuple[np.ndarray, ...]
    pair_knots: tuple[np.ndarray, ...]
    theta: np.ndarray
    largest: float

    def factor(self, values: np.ndarray) -> np.ndarray:
        """See `Reweighter`."""
        smooth = np.exp(_terms(values, self.knots, self.pair_knots) @ self.theta)
        return np.minimum(smooth if self.base is None else self.base.factor(values) * smooth, self.largest)


def rake(source: WeightedSample, target: WeightedSample, base: Reweighter | None, *, cap: float) -> RakedReweighter:
    """Find the smooth factor that the source needs, or that the weights of a reweighter still need.

    Parameters
    ----------
    source, target : WeightedSample
    base : Reweighter, optional
        Fitted to them.
    cap : float
        Largest factor, over the mean.

    Returns
    -------
    RakedReweighter

    References
    ----------
    J. Hainmueller, Political Analysis 20 (2012) 25 (entropy balancing).
    """
    number = int(np.clip(np.sqrt(min(len(source.weight), len(target.weight)) / _PER_KNOT), *_KNOTS))
    knots, pair_knots = (
        tuple(np.unique(np.quantile(column, np.linspace(0, 1, n))) for column in target.values.T)
        for n in (number, _PAIR_KNOTS)
    )
    terms = _terms(source.values, knots, pair_knots)
    wanted = target.weight @ _terms(target.values, knots, pair_knots) / target.weight.sum()
    start = np.ones(len(source.weight)) if base is None else base.factor(source.values)
    theta = _balance(terms, wanted, source.weight * start)
    factor = start * np.exp(terms @ theta)
    mean = float(np.average(factor, weights=source.weight))
    return RakedReweighter(base, knots, pair_knots, theta, cap * mean)


def _balance(terms: np.ndarray, wanted: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The theta of smallest ln(sum w exp(theta phi)) - theta <phi>: there the means agree."""
    weight = weight / weight.sum()

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        exponent = terms @ theta
        top = float(exponent.max())
        power = weight * np.exp(exponent - top)
        total = float(power.sum())
        if total <= 0:  # negative weights have won
            return np.inf, np.zeros_like(theta)
        penalty = theta / len(terms)  # a term that no candidate has stays away
        value = np.log(total) + top - wanted @ theta + 0.5 * theta @ penalty
        return float(value), power @ terms / total - wanted + penalty

    found = minimize(loss, np.zeros(terms.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(found.x)


def _terms(values: np.ndarray, knots: tuple[np.ndarray, ...], pair_knots: tuple[np.ndarray, ...]) -> np.ndarray:
    """(n, term) linear splines of each variable, and products of coarser ones for each pair."""
    alone = [_splines(values[:, axis], own) for axis, own in enumerate(knots)]
    coarse = [_splines(values[:, axis], own) for axis, own in enumerate(pair_knots)]
    pairs = [(one[:, :, None] * two[:, None, :]).reshape(len(values), -1) for one, two in combinations(coarse, 2)]
    return np.concatenate([*alone, *pairs], axis=1)


def _splines(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """(n, knot - 1): 1 at one knot and 0 at the others, but for the first one; constant outside."""
    values = np.clip(values, knots[0], knots[-1])
    unit, splines = np.eye(len(knots)), np.zeros((len(values), len(knots) - 1))  # none of a constant
    for k in range(1, len(knots)):
        splines[:, k - 1] = np.interp(values, knots, unit[k])
    return splines
