"""Energy resolution: bias, widths, tails, mean absolute error, and both ratios of IQR, with bootstrap errors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from calotools.analysis.binned import bins_of_rows
from calotools.analysis.bootstrap import Bootstrap
from calotools.containers import Resolution
from calotools.errors import ConfigError, EmptyInputError, NumericalError, ShapeError, nearest
from calotools.variables import IQR_OF_GAUSSIAN

__all__ = ["measure_resolution", "quantiles", "shortest_interval", "sigma68"]

BASIC = ("bias", "iqr", "width", "sigma68", "mae", "tail_low", "tail_high")
COMPARED = ("rel_improvement", "ratio", "rel_improvement_corr")
ONE_SIGMA = 0.6827
TAIL = 3.0  # widths from the median; beyond are 0.13 % of a Gaussian on either side


def quantiles(values: np.ndarray, q: np.ndarray, *, weight: np.ndarray | None = None) -> np.ndarray:
    """Weighted quantiles, interpolated between the middles of the steps of the cumulative distribution.

    Parameters
    ----------
    values : (n,) float
    q : (m,) float
        Probabilities.
    weight : (n,) float, optional
        At least 0; rows of weight 0 are not used.

    Returns
    -------
    (m,) float [unit of values]
        NaN when nothing has weight.

    Examples
    --------
    >>> quantiles(np.array([1.0, 2.0, 3.0]), np.array([0.5]))
    array([2.])
    """
    order = np.argsort(values, kind="stable")
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, float)
    return _quantiles(*_nonzero(np.asarray(values, float)[order], weight[order]), np.asarray(q, float))


def shortest_interval(
    values: np.ndarray, *, weight: np.ndarray | None = None, coverage: float = ONE_SIGMA
) -> tuple[float, float]:
    """Ends of the shortest interval that holds at least `coverage` of the weight.

    Parameters
    ----------
    values : (n,) float
    weight : (n,) float, optional
        At least 0.
    coverage : float
        Between 0 and 1.

    Returns
    -------
    low, high : float [unit of values]
        Two of the values; NaN for fewer than two.

    Examples
    --------
    >>> shortest_interval(np.array([-9.0, -1.0, 0.0, 1.0]), coverage=0.75)
    (-1.0, 1.0)
    """
    order = np.argsort(values, kind="stable")
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, float)
    return _shortest(*_nonzero(np.asarray(values, float)[order], weight[order]), coverage)


def sigma68(values: np.ndarray, *, weight: np.ndarray | None = None) -> float:
    """Half of the shortest interval that holds 68.27 % of the weight; a Gaussian's standard deviation.

    Parameters
    ----------
    values : (n,) float
    weight : (n,) float, optional

    Returns
    -------
    float [unit of values]
        NaN for fewer than two values.

    Examples
    --------
    >>> round(sigma68(np.random.default_rng(1).normal(size=100_000)), 2)
    1.0
    """
    low, high = shortest_interval(values, weight=weight)
    return (high - low) / 2


def check_weights(weight: np.ndarray) -> None:
    """Refuse weights with which quantiles are not defined.

    Parameters
    ----------
    weight : (n,) float

    Raises
    ------
    NumericalError
        Some are negative or not finite; the message says how many.
    """
    wrong = ~(np.isfinite(weight) & (np.asarray(weight) >= 0))
    if wrong.any():
        raise NumericalError(
            f"{int(wrong.sum())} of {len(weight)} weights are negative or not finite, the first {weight[wrong][0]:g}: "
            "quantiles and widths are not defined with them; select others, or count every entry once (--unweighted)"
        )


def _nonzero(values: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    check_weights(weight)
    used = weight > 0
    return values[used], weight[used]


def _quantiles(values: np.ndarray, weight: np.ndarray, q: np.ndarray) -> np.ndarray:
    if len(values) == 0:
        return np.full(len(q), np.nan)
    total = np.cumsum(weight)
    return np.interp(q, (total - 0.5 * weight) / total[-1], values)


def _shortest(values: np.ndarray, weight: np.ndarray, coverage: float) -> tuple[float, float]:
    if len(values) < 2:
        return float("nan"), float("nan")
    total = np.cumsum(weight)
    # Rounding must not ask for one entry more than the coverage needs.
    wanted = total - weight + coverage * total[-1] * (1 - 1e-12)
    last = np.searchsorted(total, wanted)
    first = np.flatnonzero(last < len(values))
    best = first[np.argmin(values[last[first]] - values[first])]
    return float(values[best]), float(values[last[best]])


def measure_resolution(
    estimates: Mapping[str, np.ndarray],
    energy_true: np.ndarray,
    *,
    bootstrap: Bootstrap,
    axes: Mapping[str, np.ndarray] | None = None,
    edges: Mapping[str, np.ndarray] | None = None,
    reference: str | None = None,
    weight: np.ndarray | None = None,
) -> dict[str, Resolution]:
    """Resolution of one or several energies of the same candidates, inclusive or in bins.

    Parameters
    ----------
    estimates : dict of str to (n,) float [GeV]
        Energies by name. Candidates that lack a finite value of any of them, or of the truth, are used for none.
    energy_true : (n,) float [GeV]
    bootstrap : Bootstrap
        Over the events of these n rows; its replicas are shared by all estimates and bins.
    axes, edges : dict, optional
        As for `efficiency_in_bins`; without them one inclusive bin.
    reference : str, optional
        The estimate that the others are compared with (``rel_improvement``, ``ratio``, ``rel_improvement_corr``).
    weight : (n,) float, optional
        At least 0.

    Returns
    -------
    dict of str to Resolution
        By name of the estimate. NaN in bins whose replicas do not all have two candidates (some ten are enough).

    Raises
    ------
    ConfigError
        The reference is not one of the estimates.
    EmptyInputError
        No candidate has all estimates and a positive true energy.
    ShapeError
        The arrays differ in length.

    Notes
    -----
    With RE = E/E_true - 1: bias = median, IQR = Q75 - Q25, width = IQR/1.349 (a Gaussian's standard deviation),
    sigma68 = half of the shortest interval with 68.27 %; tail_low and tail_high = parts farther than three widths below
    and above the median (0.13 % each of a Gaussian); MAE = mean |E - E_true| [GeV]. rIQR exists with two meanings:
    ``rel_improvement`` = 1 - IQR/IQR_ref and ``ratio`` = IQR_ref/IQR.

    Examples
    --------
    >>> from calotools.analysis.bootstrap import event_bootstrap
    >>> from calotools.containers import Index
    >>> rng = np.random.default_rng(1)
    >>> n, noise = np.arange(2000), rng.normal(size=2000)
    >>> boot = event_bootstrap(Index(n, n, n), rng=rng, replicas=50)
    >>> energies = {"sum": 50 + 2 * noise, "network": 50 + noise}
    >>> result = measure_resolution(energies, np.full(2000, 50.0), bootstrap=boot, reference="sum")
    >>> result["network"].metrics["rel_improvement"].round(3), result["network"].errors["rel_improvement"] < 1e-9
    (array([0.5]), array([ True]))
    """
    if reference is not None and reference not in estimates:
        raise ConfigError(f"reference energy '{reference}' is not among the estimates; {nearest(reference, estimates)}")
    rows = _usable(estimates, energy_true, weight, bootstrap)
    true = np.asarray(energy_true, float)[rows]
    weight = np.ones(len(true)) if weight is None else np.asarray(weight, float)[rows]
    number, size = bins_of_rows(axes, edges, rows)
    sorted_bins = {
        name: _sort_into_bins(np.asarray(energy, float)[rows], true, number, size) for name, energy in estimates.items()
    }
    values = _measure(sorted_bins, weight, reference)
    shared = bootstrap.take(rows)
    replicas = [_measure(sorted_bins, weight * shared.weights(r), reference) for r in range(len(shared))]
    kept = {axis: np.asarray(edge, float) for axis, edge in (edges or {}).items()}
    counts = np.bincount(number[number >= 0], minlength=size)
    errors = {name: _spread([one[name] for one in replicas]) for name in values}
    _least_errors(values, errors, number, weight)
    # A bin that has no error, because replicas of it have no value, is too small to be quoted.
    quoted = {
        name: {key: np.where(np.isfinite(errors[name][key]), value, np.nan) for key, value in metrics.items()}
        for name, metrics in values.items()
    }
    return {name: Resolution(quoted[name], errors[name], kept, counts, name) for name in values}


def _usable(
    estimates: Mapping[str, np.ndarray], true: np.ndarray, weight: np.ndarray | None, bootstrap: Bootstrap
) -> np.ndarray:
    lengths = {name: len(energy) for name, energy in estimates.items()}
    lengths |= {"truth": len(true), "bootstrap": len(bootstrap.group)}
    lengths |= {} if weight is None else {"weight": len(weight)}
    if len(set(lengths.values())) != 1:
        raise ShapeError(f"energies of the same candidates are needed, but the lengths are {lengths}")
    if weight is not None:
        check_weights(np.asarray(weight, float))
    rows = np.isfinite(true) & (np.asarray(true) > 0)
    for energy in estimates.values():
        rows = rows & np.isfinite(energy)
    if not rows.any():
        raise EmptyInputError(f"none of {len(true)} candidates has {', '.join(estimates)} and a positive true energy")
    return np.flatnonzero(rows)


Sorted = list[tuple[np.ndarray, np.ndarray, np.ndarray]]


def _sort_into_bins(energy: np.ndarray, true: np.ndarray, number: np.ndarray, size: int) -> Sorted:
    """Per bin: rows in order of relative error, the relative errors, and |E - E_true|: sorted once for all replicas."""
    relative = energy / true - 1
    order = np.lexsort((relative, number))
    first = np.searchsorted(number[order], np.arange(size + 1))
    parts = [order[first[one] : first[one + 1]] for one in range(size)]
    return [(rows, relative[rows], np.abs(energy - true)[rows]) for rows in parts]


def _measure(
    estimates: Mapping[str, Sorted], weight: np.ndarray, reference: str | None
) -> dict[str, dict[str, np.ndarray]]:
    result = {}
    for name, bins in estimates.items():
        table = np.array([_basic(relative, absolute, weight[rows]) for rows, relative, absolute in bins])
        result[name] = dict(zip(BASIC, table.T, strict=True))
    if reference is None:
        return result
    base = result[reference]
    return {
        name: metrics if name == reference else metrics | _compare(metrics, base) for name, metrics in result.items()
    }


def _basic(relative: np.ndarray, absolute: np.ndarray, weight: np.ndarray) -> tuple[float, ...]:
    """In the order of `BASIC`."""
    used = weight > 0
    relative, absolute, weight = relative[used], absolute[used], weight[used]
    if len(relative) < 2:
        return (float("nan"),) * len(BASIC)
    low, middle, high = _quantiles(relative, weight, np.array([0.25, 0.5, 0.75]))
    left, right = _shortest(relative, weight, ONE_SIGMA)
    width = (high - low) / IQR_OF_GAUSSIAN
    # sorted: what is beyond is at the ends
    first = np.searchsorted(relative, middle - TAIL * width)
    last = np.searchsorted(relative, middle + TAIL * width, side="right")
    tails = weight[:first].sum() / weight.sum(), weight[last:].sum() / weight.sum()
    mae = float(np.average(absolute, weights=weight))
    return middle, high - low, width, (right - left) / 2, mae, *tails


def _compare(metrics: dict[str, np.ndarray], base: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = metrics["iqr"] / base["iqr"]
        corrected = quotient * (1 + base["bias"]) / (1 + metrics["bias"])
        return dict(zip(COMPARED, (1 - quotient, 1 / quotient, 1 - corrected), strict=True))


def _least_errors(
    values: Mapping[str, dict[str, np.ndarray]],
    errors: Mapping[str, dict[str, np.ndarray]],
    number: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Where a tail is empty it is so in every replica, too: its error is the part of one candidate."""
    inside = number >= 0
    sums, squares = (np.bincount(number[inside], one[inside]) for one in (weight, weight**2))
    for name, metrics in errors.items():
        for tail in ("tail_low", "tail_high"):
            for one in np.flatnonzero(values[name][tail] == 0):
                metrics[tail][one] = max(metrics[tail][one], squares[one] / sums[one] ** 2)


def _spread(replicas: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Standard deviation over replicas; NaN where any replica has no value, as then the bin is too small for one."""
    return {key: np.std([one[key] for one in replicas], axis=0, ddof=1) for key in replicas[0]}
