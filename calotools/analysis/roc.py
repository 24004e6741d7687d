"""ROC curves, their area, and working points, with uncertainties that follow weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.analysis.binned import score_cut
from calotools.analysis.intervals import binomial_interval
from calotools.containers import Roc, WorkingPoints
from calotools.errors import EmptyInputError, NumericalError, ShapeError

__all__ = ["auc", "measure_roc", "working_points"]


@dataclass(frozen=True)
class _Sample:
    """Sorted scores of one class with running sums of weights from above."""

    score: np.ndarray
    weight: np.ndarray
    above: np.ndarray
    above_w2: np.ndarray

    @property
    def n_effective(self) -> float:
        return float(self.above[0] ** 2 / self.above_w2[0])

    def efficiency(self, cut: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Value and interval of the fraction at or above each cut."""
        first = np.searchsorted(self.score, cut, side="left")
        passed, passed_w2 = self.above[first], self.above_w2[first]
        return binomial_interval(
            passed, self.above[0] - passed, passed_w2=passed_w2, failed_w2=self.above_w2[0] - passed_w2
        )


def _sample(what: str, score: np.ndarray, weight: np.ndarray | None) -> _Sample:
    score = np.asarray(score, float)
    weight = np.ones(len(score)) if weight is None else np.asarray(weight, float)
    if len(weight) != len(score):
        raise ShapeError(f"{len(score)} {what} scores and {len(weight)} weights: lengths differ")
    if len(score) == 0 or weight.sum() <= 0:
        raise EmptyInputError(f"no {what} to measure with: {len(score)} scores of total weight {weight.sum():g}")
    if bad := int(np.count_nonzero(~np.isfinite(score))):
        raise NumericalError(
            f"{bad} of {len(score)} {what} scores are not finite; keep the candidates that every score has, "
            "so that all curves use the same ones"
        )
    order = np.argsort(score, kind="stable")
    score, weight = score[order], weight[order]
    return _Sample(score, weight, _from_above(weight), _from_above(weight**2))


def _from_above(values: np.ndarray) -> np.ndarray:
    """Sum of values[i:] for every i up to and including len: exactly 0 at the end."""
    return np.append(np.cumsum(values[::-1])[::-1], 0.0)


def measure_roc(
    signal: np.ndarray,
    background: np.ndarray,
    *,
    signal_weight: np.ndarray | None = None,
    background_weight: np.ndarray | None = None,
    points: int = 400,
    name: str = "",
) -> Roc:
    """Background against signal efficiency of a score, with its band.

    Parameters
    ----------
    signal, background : (n,), (m,) float
        Scores; the signal's are higher.
    signal_weight, background_weight : (n,), (m,) float, optional
    points : int
        About this many points, spread evenly in signal efficiency.
    name : str
        Of the score.

    Returns
    -------
    Roc
        The band combines the Clopper-Pearson interval of the background (effective numbers) with the movement of the
        cut within the signal's statistical uncertainty.

    Raises
    ------
    EmptyInputError
        A class is empty, or its weights add up to nothing.
    NumericalError
        A score is not finite.
    ShapeError
        Scores and weights differ in length.

    Examples
    --------
    >>> curve = measure_roc(np.array([0.9, 0.8, 0.4]), np.array([0.1, 0.5]))
    >>> round(curve.auc, 3), curve.signal.round(2).tolist(), curve.background.tolist()
    (0.833, [0.0, 0.33, 0.67, 1.0], [0.0, 0.0, 0.0, 0.5])
    """
    one, zero = _sample("signal", signal, signal_weight), _sample("background", background, background_weight)
    cut = _spread_cuts(one, points)
    efficiency = one.efficiency(cut)[0]
    value, low, high = _background_band(one, zero, cut)
    area, error = auc(signal, background, signal_weight=signal_weight, background_weight=background_weight)
    # The curve starts at (0, 0), where the upper limit is that of the first cut.
    return Roc(
        signal=np.append(0.0, efficiency),
        background=np.append(0.0, value),
        low=np.append(0.0, low),
        high=np.append(high[0], high),
        auc=area,
        auc_error=error,
        n_signal=one.n_effective,
        n_background=zero.n_effective,
        name=name,
    )


def _spread_cuts(signal: _Sample, points: int) -> np.ndarray:
    """Observed signal scores, decreasing, about evenly spaced in signal efficiency."""
    unique = np.unique(signal.score)[::-1]
    return unique[np.unique(np.linspace(0, len(unique) - 1, min(points, len(unique))).round().astype(int))]


def _background_band(
    signal: _Sample, background: _Sample, cut: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    value, low, high = background.efficiency(cut)
    _, signal_low, signal_high = signal.efficiency(cut)
    at_low = background.efficiency(_cut_at(signal, signal_low))[0]
    at_high = background.efficiency(_cut_at(signal, signal_high))[0]
    down = np.hypot(value - low, np.maximum(value - at_low, 0.0))
    up = np.hypot(high - value, np.maximum(at_high - value, 0.0))
    return value, np.maximum(value - down, 0.0), np.minimum(value + up, 1.0)


def _cut_at(signal: _Sample, efficiency: np.ndarray) -> np.ndarray:
    """Score at which the signal has an efficiency, by its weighted quantile."""
    kept = signal.above[:-1] / signal.above[0]
    return np.interp(efficiency, kept[::-1], signal.score[::-1])


def auc(
    signal: np.ndarray,
    background: np.ndarray,
    *,
    signal_weight: np.ndarray | None = None,
    background_weight: np.ndarray | None = None,
    signal_group: np.ndarray | None = None,
    background_group: np.ndarray | None = None,
) -> tuple[float, float]:
    """Area under signal against background efficiency, exact (Mann-Whitney), and its error.

    Parameters
    ----------
    signal, background : (n,), (m,) float
        Scores; a tie counts one half.
    signal_weight, background_weight : (n,), (m,) float, optional
    signal_group, background_group : (n,), (m,) int, optional
        Entries of a group share something that moves their scores, as candidates of a luminosity block share mu: the
        error counts groups, not entries. Both, or neither; the classes may share groups.

    Returns
    -------
    auc, error : float
        The error is that of DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988) 837, with weighted placements; NaN
        when a class has a single entry. With groups it is that of N. A. Obuchowski, Biometrics 53 (1997) 567, and NaN
        when there is a single group.

    Raises
    ------
    EmptyInputError, NumericalError
        As `measure_roc`.
    ShapeError
        As `measure_roc`; groups of one class alone, or of another length than its scores.

    Examples
    --------
    >>> auc(np.array([2.0, 3.0]), np.array([1.0, 2.0]))[0]
    0.875
    """
    one, zero = _sample("signal", signal, signal_weight), _sample("background", background, background_weight)
    placement = _fraction_below(zero, one.score)
    value = float(np.average(placement, weights=one.weight))
    other = 1 - _fraction_below(one, zero.score)
    if signal_group is None and background_group is None:
        return value, float(np.sqrt(_placement_variance(placement, one) + _placement_variance(other, zero)))
    if signal_group is None or background_group is None:
        raise ShapeError("groups are given for one class alone; give those of signal and of background, or none")
    group = _joined_groups((signal_group, signal, "signal"), (background_group, background, "background"))
    parts = [_influence(placement, one), _influence(other, zero)]
    return value, float(np.sqrt(_group_variance(np.concatenate(parts), group)))


def _joined_groups(*classes: tuple[np.ndarray, np.ndarray, str]) -> np.ndarray:
    """Number of each entry's group, the entries of each class in the order of their scores."""
    for group, score, what in classes:
        if len(group) != len(score):
            raise ShapeError(f"{len(score)} {what} scores and {len(group)} groups: lengths differ")
    ordered = [np.asarray(group)[np.argsort(np.asarray(score, float), kind="stable")] for group, score, _ in classes]
    return np.unique(np.concatenate(ordered), return_inverse=True)[1]


def _influence(placement: np.ndarray, sample: _Sample) -> np.ndarray:
    """What each entry moves the area by, to first order."""
    return sample.weight * (placement - np.average(placement, weights=sample.weight)) / sample.above[0]


def _group_variance(influence: np.ndarray, group: np.ndarray) -> float:
    """Of a sum over groups that are drawn at random; what they move sums to nothing in all."""
    moved = np.bincount(group, influence)
    return float(np.sum(moved**2) * len(moved) / (len(moved) - 1)) if len(moved) > 1 else float("nan")


def _fraction_below(sample: _Sample, score: np.ndarray) -> np.ndarray:
    """Weighted fraction of a sample below each score, ties counted half."""
    left = sample.above[np.searchsorted(sample.score, score, side="left")]
    right = sample.above[np.searchsorted(sample.score, score, side="right")]
    return 1 - 0.5 * (left + right) / sample.above[0]


def _placement_variance(placement: np.ndarray, sample: _Sample) -> float:
    n = sample.n_effective
    if n <= 1:
        return float("nan")
    centred = placement - np.average(placement, weights=sample.weight)
    return float(np.sum((sample.weight * centred) ** 2) / sample.above[0] ** 2 * n / (n - 1))


def working_points(
    signal: np.ndarray,
    background: np.ndarray,
    *,
    efficiencies: tuple[float, ...],
    signal_weight: np.ndarray | None = None,
    background_weight: np.ndarray | None = None,
    name: str = "",
) -> WorkingPoints:
    """Cut, background efficiency and rejection at given signal efficiencies.

    Parameters
    ----------
    signal, background : (n,), (m,) float
        Scores; the signal's are higher.
    efficiencies : tuple of float
        Signal efficiencies, above 0 and up to 1.
    signal_weight, background_weight : (n,), (m,) float, optional
    name : str
        Of the score.

    Returns
    -------
    WorkingPoints
        The cut is an observed signal score; the signal efficiency is the smallest one not below the target.

    Raises
    ------
    ConfigError
        An efficiency is out of range.
    EmptyInputError, NumericalError, ShapeError
        As `measure_roc`.

    Examples
    --------
    >>> points = working_points(np.arange(100.0), np.arange(-50.0, 50.0), efficiencies=(0.8,))
    >>> points.cut, points.background, points.rejection.round(2)
    (array([20.]), array([0.3]), array([3.33]))
    """
    one, zero = _sample("signal", signal, signal_weight), _sample("background", background, background_weight)
    cut = np.array([score_cut(one.score, one.weight, target) for target in efficiencies])
    kept, kept_low, kept_high = one.efficiency(cut)
    value, low, high = _background_band(one, zero, cut)
    with np.errstate(divide="ignore"):
        inverse, inverse_low, inverse_high = 1 / value, 1 / high, 1 / low
    return WorkingPoints(
        target=np.asarray(efficiencies, float),
        cut=cut,
        signal=kept,
        signal_error=(kept_high - kept_low) / 2,
        background=value,
        background_low=low,
        background_high=high,
        rejection=inverse,
        rejection_low=inverse_low,
        rejection_high=inverse_high,
        name=name,
    )
