"""Minimisation with retries and an honest verdict: what is valid, and why not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from iminuit import Minuit
from iminuit.cost import NormalConstraint
from scipy.stats import chi2 as chi2_distribution

from calotools.analysis.lineshapes import Parameter

__all__ = ["Outcome", "minimise"]

# A fit this improbable is tried again from elsewhere, in case it sits in a local minimum.
_SUSPICIOUS = 1e-4
# The same minimum from another start is not a local one.
_SAME = 0.1
_AT_LIMIT = 1e-3
# A soft parameter with an error above this part of its range is not determined by the data.
_LOOSE = 0.3


@dataclass(frozen=True)
class Outcome:
    """Where a minimisation ended.

    Attributes
    ----------
    values, errors : dict of str to float
        Errors are 0 for parameters that were fixed.
    covariance : (n, n) float
        In the order of `values`, with zeros for fixed parameters.
    chi2, ndf : float, int
        Each constraint counts as a further data point.
    message : str
        Why the result is not valid; empty when it is.
    notes : str
        Soft parameters that were fixed, at a limit or because the data do not determine them.
    """

    values: dict[str, float]
    errors: dict[str, float]
    covariance: np.ndarray
    chi2: float
    ndf: int
    message: str
    notes: str

    @property
    def valid(self) -> bool:
        """The minimum is valid, the covariance accurate and no hard parameter at a limit."""
        return not self.message

    @property
    def probability(self) -> float:
        """Chance of a larger chi2."""
        return float(chi2_distribution.sf(self.chi2, self.ndf)) if self.ndf > 0 else 1.0


def minimise(
    cost: Any,
    parameters: Sequence[Parameter],
    *,
    rng: np.random.Generator,
    linked: dict[str, tuple[str, ...]] | None = None,
    fixed: Collection[str] = (),
    retries: int = 4,
) -> Outcome:
    """Minimise an iminuit cost function; start again elsewhere when the result is not valid or improbable.

    Parameters
    ----------
    cost : iminuit.cost.Cost
        Its parameter names are those of `parameters`.
    parameters : sequence of Parameter
    rng : numpy.random.Generator
        Draws the other starting points.
    linked : dict of str to tuple of str, optional
        What loses its meaning when a soft parameter is at its lower limit: the shape of a background without yield.
    fixed : collection of str
        Parameters that stay at their start.
    retries : int
        Further starting points at most.

    Returns
    -------
    Outcome
        The valid one with the smallest chi2, else the one with the smallest chi2.

    Examples
    --------
    >>> from iminuit.cost import LeastSquares
    >>> cost = LeastSquares([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], 0.1, lambda x, a, b: a + b * x)
    >>> line = [Parameter("a", 0.0, -9.0, 9.0), Parameter("b", 0.0, -9.0, 9.0)]
    >>> outcome = minimise(cost, line, rng=np.random.default_rng(1))
    >>> outcome.valid, round(outcome.values["b"], 3)
    (True, 2.0)
    """
    constrained = [one for one in parameters if one.constraint is not None and one.name not in fixed]
    for one in constrained:
        cost = cost + NormalConstraint(one.name, one.start, one.constraint)
    best = _descend(cost, parameters, linked or {}, fixed)
    for _ in range(retries):
        if best.valid and best.probability > _SUSPICIOUS:
            break
        moved = [one if one.name in fixed else _elsewhere(one, rng) for one in parameters]
        other = _descend(cost, moved, linked or {}, fixed)
        found_again = best.valid and other.valid and abs(other.chi2 - best.chi2) < _SAME
        best = min(best, other, key=lambda one: (not one.valid, one.chi2))
        if found_again:
            break
    return best


def _elsewhere(parameter: Parameter, rng: np.random.Generator) -> Parameter:
    reach = min(parameter.high - parameter.start, parameter.start - parameter.low)
    room = reach if reach > 0 else parameter.high - parameter.low
    start = parameter.start + 0.5 * room * rng.uniform(-1, 1)
    return replace(parameter, start=float(np.clip(start, parameter.low, parameter.high)))


def _descend(
    cost: Any, parameters: Sequence[Parameter], linked: dict[str, tuple[str, ...]], fixed: Collection[str]
) -> Outcome:
    minuit = Minuit(cost, **{one.name: one.start for one in parameters})
    for one in parameters:
        minuit.limits[one.name] = (one.low, one.high)
        minuit.fixed[one.name] = one.name in fixed
    minuit.strategy = 1
    minuit.migrad(ncall=5000)
    notes: list[str] = []
    while found := _to_fix(minuit, [one for one in parameters if one.soft and not minuit.fixed[one.name]]):
        parameter, value, why = found
        notes.append(f"{parameter.name} fixed at {value:.3g} ({why})")
        minuit.values[parameter.name] = value
        dependent = linked.get(parameter.name, ()) if value == parameter.low else ()
        for name in (parameter.name, *dependent):
            minuit.fixed[name] = True
        minuit.migrad(ncall=5000)
    minuit.hesse()
    return _outcome(minuit, parameters, notes)


def _to_fix(minuit: Minuit, soft: Sequence[Parameter]) -> tuple[Parameter, float, str] | None:
    """The next soft parameter that the data do not determine: one at a limit, else the loosest one."""
    for one in soft:
        if (limit := _limit(minuit, one)) is not None:
            return one, limit, "its limit"
    looseness = {one: minuit.errors[one.name] / (one.high - one.low) for one in soft}
    worst = max(soft, key=lambda one: looseness[one], default=None)
    if worst is None or not looseness[worst] > _LOOSE:
        return None
    return worst, float(minuit.values[worst.name]), "not determined by the data"


def _limit(minuit: Minuit, parameter: Parameter) -> float | None:
    """The limit that a parameter sits at: nearer than a thousandth of its range, or of its error."""
    value, error = minuit.values[parameter.name], minuit.errors[parameter.name]
    near = _AT_LIMIT * min(parameter.high - parameter.low, max(error, 1e-12) * 100)
    for limit in (parameter.low, parameter.high):
        if abs(value - limit) < near:
            return limit
    return None


def _outcome(minuit: Minuit, parameters: Sequence[Parameter], notes: list[str]) -> Outcome:
    names = [one.name for one in parameters]
    covariance = np.zeros((len(names), len(names)))
    if minuit.covariance is not None:
        covariance = np.array([[minuit.covariance[a, b] for b in names] for a in names])
    errors = {name: 0.0 if minuit.fixed[name] else float(minuit.errors[name]) for name in names}
    return Outcome(
        {name: float(minuit.values[name]) for name in names},
        errors,
        covariance,
        float(minuit.fval),
        int(minuit.ndof) if np.isfinite(minuit.ndof) else 0,
        "; ".join(_complaints(minuit, parameters)),
        "; ".join(notes),
    )


def _complaints(minuit: Minuit, parameters: Sequence[Parameter]) -> list[str]:
    found = []
    if not np.isfinite(minuit.fval):
        found.append("the likelihood is not finite")
    if not minuit.valid:
        reason = "call limit reached" if minuit.fmin.has_reached_call_limit else f"edm {minuit.fmin.edm:.2g}"
        found.append(f"no valid minimum ({reason})")
    if not minuit.accurate:
        found.append("covariance not accurate")
    at_limit = [one.name for one in parameters if not minuit.fixed[one.name] and _limit(minuit, one) is not None]
    if at_limit:
        found.append("at a limit: " + ", ".join(at_limit))
    return found
