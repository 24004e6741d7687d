"""Working points in bins of |eta| and E_T: cuts that keep a given part of the signal, and whether they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from calotools.analysis.binned import efficiency_in_bins, score_cut
from calotools.analysis.reweighting import effective_size
from calotools.containers import Efficiency
from calotools.errors import ConfigError, NumericalError, ShapeError
from calotools.variables import CutTable, Discriminant

__all__ = ["cut_closure", "fit_cuts", "measure_cuts", "rising_targets"]

# Inefficiency falls as E_T to this power: the experiment's tight electrons go from 58 % at 4.5 GeV to 88 % at 100 GeV.
_FALL = np.log(0.42 / 0.12) / np.log(100.0 / 4.5)
_LOWEST = 0.05
_MU_PARTS = 5
_FEW_IN_PART = 40


def rising_targets(average: float, et: np.ndarray, *, edges: Sequence[float], weight: np.ndarray) -> np.ndarray:
    """Signal efficiencies that rise with E_T as the experiment's do, and are as asked for on average.

    Parameters
    ----------
    average : float
    et : (n,) float [GeV]
        Of the signal.
    edges : sequence of float
        Bins of E_T [GeV].
    weight : (n,) float

    Returns
    -------
    (bin,) float
        1 - k E_T^-0.40 at the mean E_T of each bin, at least 0.05, with the k of which the average is that; `average`
        where a bin is empty, or if it is below 0.05.

    Raises
    ------
    ConfigError
        The average is not between 0 and 1.

    Examples
    --------
    >>> et = np.repeat([10.0, 40.0], 500)
    >>> rising_targets(0.8, et, edges=(5, 20, 60), weight=np.ones(1000)).round(2)
    array([0.75, 0.85])
    """
    if not 0 < average < 1:
        raise ConfigError(f"an average efficiency of {average} cannot be asked for; give a number between 0 and 1")
    bins = len(edges) - 1
    number = np.searchsorted(edges, et, side="right") - 1
    inside = (number >= 0) & (number < bins)
    total = np.bincount(number[inside], weight[inside], minlength=bins)
    mean = np.bincount(number[inside], (weight * et)[inside], minlength=bins) / np.where(total > 0, total, np.nan)
    shape = mean**-_FALL
    if average <= _LOWEST:
        return np.full(bins, average)
    low = np.zeros(bins, bool)
    for _ in range(bins):  # what the floor adds to some bins is taken from the others
        others = np.where(low, 0.0, total)
        missing = (1 - average) * total.sum() - (1 - _LOWEST) * total[low].sum()
        found = 1 - missing / np.nansum(others * shape) * shape
        if not np.any(found[~low] < _LOWEST):
            break
        low |= found < _LOWEST
    return np.where(total > 0, np.where(low, _LOWEST, found), average)


def fit_cuts(
    value: np.ndarray,
    *,
    discriminant: Discriminant,
    targets: Mapping[str, np.ndarray | float],
    kinematics: tuple[np.ndarray, np.ndarray],
    edges: tuple[Sequence[float], Sequence[float]],
    weight: np.ndarray | None = None,
    mu: np.ndarray | None = None,
    min_candidates: int = 50,
) -> CutTable:
    """Find the cuts that keep given parts of the signal.

    Parameters
    ----------
    value : (n,) float
        Discriminant of signal candidates.
    discriminant : Discriminant
        Kept in the table.
    targets : dict of str to float or (n_et,) array
        Efficiency by name of the working point, for all or each bin of E_T.
    kinematics : ((n,) float, (n,) float)
        eta and E_T [GeV].
    edges : (|eta| edges, E_T edges)
    weight : (n,) float, optional
        Negative ones are refused: the cut would not be unique.
    mu : (n,) float, optional
        With it, cuts follow pile-up linearly, so that the efficiency does not change with it. Candidates without it
        are left out.
    min_candidates : int
        A bin with fewer gets no cut.

    Returns
    -------
    CutTable
        A cut keeps what was asked for of other candidates, on average also in bins with few: of its own ones that is
        a little more. The error of a cut is half the distance between the cuts at the efficiency plus and minus its
        binomial error.

    Raises
    ------
    ConfigError
        An efficiency that cannot be.
    NumericalError
        A negative weight.
    ShapeError
        Arrays differ in length.
    """
    weight = np.ones(len(value)) if weight is None else np.asarray(weight, np.float64)
    if not len(value) == len(kinematics[0]) == len(kinematics[1]) == len(weight):
        raise ShapeError(
            f"{len(value)} discriminants, {len(weight)} weights: every array needs one entry per candidate"
        )
    if np.any(weight < 0):
        raise NumericalError(
            f"{np.count_nonzero(weight < 0)} of {len(weight)} signal weights are negative: their quantiles are not "
            "unique; use --unweighted, or a sample without"
        )
    bins = len(edges[0]) - 1, len(edges[1]) - 1
    wanted = np.stack([np.broadcast_to(np.asarray(one, float), bins) for one in targets.values()])
    empty = np.full(wanted.shape, np.nan)
    known = np.isfinite(value) & (weight > 0)
    if mu is not None:
        known &= np.isfinite(mu)
    reference = 0.0 if mu is None or not known.any() else float(np.average(mu[known], weights=weight[known]))
    table = CutTable(
        names=tuple(targets),
        discriminant=discriminant,
        eta_edges=tuple(map(float, edges[0])),
        et_edges=tuple(map(float, edges[1])),
        target=wanted,
        cut=empty.copy(),
        cut_error=empty.copy(),
        slope=np.zeros(wanted.shape),
        slope_error=np.zeros(wanted.shape),
        n=np.zeros(bins),
        n_effective=np.zeros(bins),
        mu_reference=reference,
    )
    row, column, inside = table.bins(*kinematics)
    for where in np.ndindex(*bins):
        here = inside & (row == where[0]) & (column == where[1]) & known
        shift = None if mu is None else mu[here] - reference
        _fill(table, where, value[here], weight[here], shift, min_candidates)
    return table


def _fill(
    table: CutTable,
    where: tuple[int, ...],
    value: np.ndarray,
    weight: np.ndarray,
    shift: np.ndarray | None,
    min_candidates: int,
) -> None:
    table.n[where] = len(value)
    table.n_effective[where] = weight.sum() ** 2 / np.sum(weight**2) if len(value) else 0.0
    if len(value) < min_candidates:
        return
    for number in range(len(table.names)):
        place = (number, *where)
        target = float(table.target[place])
        flat = value
        if shift is not None:
            table.slope[place], table.slope_error[place] = _slope(value, weight, shift, target)
            flat = value - table.slope[place] * shift
        table.cut[place] = _unbiased_cut(flat, weight, target)
        error = np.sqrt(target * (1 - target) / table.n_effective[where])
        ends = [score_cut(flat, weight, float(np.clip(target + sign * error, 1e-6, 1.0))) for sign in (-1, 1)]
        table.cut_error[place] = (ends[0] - ends[1]) / 2


def _unbiased_cut(value: np.ndarray, weight: np.ndarray, target: float) -> float:
    """Where an independent candidate is above with the probability that is asked for.

    Above the k-th of n candidates are k / (n + 1) of others on average, not k / n. Between two candidates the cut is
    interpolated; of several with the same value, all pass.
    """
    observed = score_cut(value, weight, target)  # refuses an efficiency that cannot be
    if np.isnan(observed):
        return observed
    levels, place = np.unique(-value, return_inverse=True)
    counts, n = np.bincount(place), effective_size(weight)
    kept = np.cumsum(np.bincount(place, weight)) / weight.sum() * n / (n + 1)
    after = int(np.searchsorted(kept, target - 1e-12))
    if after == len(levels):
        return float(-levels[-1])
    if after == 0 or counts[after] > 1:
        return float(-levels[after])
    return -float(np.interp(target, kept[after - 1 : after + 1], levels[after - 1 : after + 1]))


def _slope(value: np.ndarray, weight: np.ndarray, shift: np.ndarray, target: float) -> tuple[float, float]:
    """Change of the cut per unit of mu, through the cuts in parts of equal size; 0 where they are too few."""
    parts = np.array_split(np.argsort(shift, kind="stable"), _MU_PARTS)
    if len(parts[-1]) < _FEW_IN_PART:
        return 0.0, 0.0
    middle = np.array([np.average(shift[one], weights=weight[one]) for one in parts])
    cut = np.array([score_cut(value[one], weight[one], target) for one in parts])
    centred = middle - middle.mean()
    spread = float(np.sum(centred**2))
    if spread == 0:
        return 0.0, 0.0
    slope = float(np.sum(centred * cut) / spread)
    scatter = cut - cut.mean() - slope * centred
    return slope, float(np.sqrt(np.sum(scatter**2) / (_MU_PARTS - 2) / spread))


def measure_cuts(
    table: CutTable,
    value: np.ndarray,
    *,
    kinematics: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray | None = None,
    mu: np.ndarray | None = None,
) -> dict[str, Efficiency]:
    """Efficiency of working points in their own bins.

    Parameters
    ----------
    table : CutTable
    value : (n,) float
        Discriminant.
    kinematics : ((n,) float, (n,) float)
        eta and E_T [GeV].
    weight, mu : (n,) float, optional

    Returns
    -------
    dict of str to Efficiency
        In bins of ``abs_eta`` and ``et``; not valid in bins without a cut.
    """
    eta, et = kinematics
    edges = {"abs_eta": np.array(table.eta_edges), "et": np.array(table.et_edges)}
    weight = np.ones(len(value)) if weight is None else weight
    found = {}
    for name, passing in table.passes(value, eta=eta, et=et, mu=mu).items():
        known = passing >= 0
        axes = {"abs_eta": np.abs(eta)[known], "et": et[known]}
        found[name] = efficiency_in_bins(passing[known] == 1, axes=axes, edges=edges, weight=weight[known], name=name)
    return found


def cut_closure(
    table: CutTable,
    value: np.ndarray,
    *,
    kinematics: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray | None = None,
    mu: np.ndarray | None = None,
) -> dict[str, dict[str, np.ndarray | float | int]]:
    """Whether cuts keep what they should of signal that they were not made from.

    Parameters
    ----------
    table : CutTable
    value, kinematics, weight, mu
        Of independent signal candidates; see `measure_cuts`.

    Returns
    -------
    dict of str to dict
        By working point: ``pull`` (bin,), the difference between efficiency and target over the statistical errors of
        both samples, NaN where there is no cut; ``chi2``, ``ndf``, ``p_value``. Over all bins with a pull, NaN
        if there is none: ``efficiency``, ``asked``, the mean target of the same candidates, and ``error`` of their
        difference from the statistics of both samples.
    """
    from scipy.stats import chi2

    weight = np.ones(len(value)) if weight is None else weight
    row, column, inside = table.bins(*kinematics)
    number, size = row * (len(table.et_edges) - 1) + column, table.n.size
    total, squares = (np.bincount(number[inside], weight[inside] ** k, minlength=size) for k in (1, 2))
    measured = measure_cuts(table, value, kinematics=kinematics, weight=weight, mu=mu)
    found: dict[str, dict[str, np.ndarray | float | int]] = {}
    for point, (name, one) in enumerate(measured.items()):
        target = table.target[point].ravel()
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = target * (1 - target) * (1 / table.n_effective.ravel() + squares / total**2)
            pull = (one.value - target) / np.sqrt(variance)
        pull[~np.isfinite(pull)] = np.nan
        known = np.isfinite(pull)
        ndf, sum2 = int(known.sum()), float(np.nansum(pull**2))
        found[name] = {"pull": pull, "chi2": sum2, "ndf": ndf}
        found[name] |= dict.fromkeys(("p_value", "efficiency", "asked", "error"), float("nan"))
        if ndf:
            share = total[known] / total[known].sum()
            found[name] |= {
                "p_value": float(chi2.sf(sum2, ndf)),
                "efficiency": float(share @ one.value[known]),
                "asked": float(share @ target[known]),
                "error": float(np.sqrt(share**2 @ variance[known])),
            }
    return found
