"""Results of performance measurements, with uncertainties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = [
    "Closeness",
    "Confusion",
    "Efficiency",
    "RejectionRatio",
    "Reliability",
    "Resolution",
    "Roc",
    "WorkingPoints",
]


@dataclass(frozen=True)
class Efficiency:
    """Efficiency, one value per bin, with its interval.

    Attributes
    ----------
    value, low, high : (n_bin,) float
        Efficiency and its 68.3 % interval, low <= value <= high; NaN in an empty bin.
    edges : dict of str to (n + 1,) float
        Bin edges by axis name, in the order in which `value` is flattened (C order).
    n_total : (n_bin,) float
        Sum of weights in the denominator (background subtracted where that applies).
    valid : (n_bin,) bool
        False where a fit failed or nothing was there.
    name : str
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    edges: dict[str, np.ndarray]
    n_total: np.ndarray
    valid: np.ndarray
    name: str = ""


@dataclass(frozen=True)
class Roc:
    """Background against signal efficiency of a score, with its band.

    Attributes
    ----------
    signal : (n,) float
        Signal efficiencies, increasing.
    background, low, high : (n,) float
        Background efficiency at each, and its 68.3 % band.
    auc, auc_error : float
        Area under signal against background efficiency.
    n_signal, n_background : float
        Effective numbers, (sum w)^2 / sum w^2.
    name : str
    """

    signal: np.ndarray
    background: np.ndarray
    low: np.ndarray
    high: np.ndarray
    auc: float
    auc_error: float
    n_signal: float
    n_background: float
    name: str = ""


@dataclass(frozen=True)
class RejectionRatio:
    """Background rejection of one score over that of another, on the same candidates.

    Attributes
    ----------
    signal : (n,) float
        Signal efficiencies, which both have.
    value, low, high : (n,) float
        Ratio and its central 68.3 % interval over replicas of the events, the same for both scores: what they have in
        common is in no error. NaN where one keeps no background; high is inf where too many replicas keep none.
    name, over : str
        Of the scores.
    """

    signal: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    name: str = ""
    over: str = ""

    @property
    def error(self) -> np.ndarray:
        """(n,) float: half of the interval; NaN where it has no upper end."""
        return np.where(np.isfinite(self.high), (self.high - self.low) / 2, np.nan)


@dataclass(frozen=True)
class WorkingPoints:
    """Cuts on a score at given signal efficiencies, and what they leave of the background.

    Attributes
    ----------
    target : (n,) float
        Signal efficiencies that were asked for.
    cut : (n,) float
        A candidate is selected when its score is at least this.
    signal, signal_error : (n,) float
        Signal efficiency of the cut and its binomial error.
    background, background_low, background_high : (n,) float
        Background efficiency and its 68.3 % interval, which includes the uncertainty of the cut.
    rejection, rejection_low, rejection_high : (n,) float
        One over background efficiency; inf where no background is left, then the low edge is a lower limit.
    name : str
    """

    target: np.ndarray
    cut: np.ndarray
    signal: np.ndarray
    signal_error: np.ndarray
    background: np.ndarray
    background_low: np.ndarray
    background_high: np.ndarray
    rejection: np.ndarray
    rejection_low: np.ndarray
    rejection_high: np.ndarray
    name: str = ""


@dataclass(frozen=True)
class Resolution:
    """Energy resolution per bin, of one estimate, with bootstrap errors.

    Attributes
    ----------
    metrics : dict of str to (n_bin,) float
        ``bias`` (median of E/E_true - 1), ``iqr``, ``width`` (IQR/1.349), ``sigma68``, ``mae`` [GeV], ``tail_low`` and
        ``tail_high`` (parts beyond three widths), and, when compared with a reference, ``rel_improvement``
        (1 - IQR/IQR_ref), ``ratio`` (IQR_ref/IQR) and ``rel_improvement_corr`` (the first with each IQR divided by its
        1 + bias, so that a low energy scale does not pass for a good resolution).
    errors : dict of str to (n_bin,) float
        Standard deviation of each over bootstrap replicas of events; where a tail is empty, the part of one candidate.
    edges : dict of str to (n + 1,) float
        Bin edges by axis name; empty for the inclusive result.
    n : (n_bin,) int
        Candidates in each bin.
    name : str
        The estimate, such as ``layer sum`` or ``network``.
    """

    metrics: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    edges: dict[str, np.ndarray]
    n: np.ndarray
    name: str = ""


@dataclass(frozen=True)
class Closeness:
    """How like its target a reweighted sample is.

    Attributes
    ----------
    names : tuple of str
        Of the variables.
    auc, auc_error : float
        Of a classifier of the two samples, on candidates that it did not see; 0.5 when they cannot be told apart.
    ks : (variable,) float
        Largest distance of the cumulative distributions.
    difference, difference_error : (variable,) float
        Of the means, in widths of the target.
    n_source, n_target : int
    effective_source, effective_target : float
        (sum w)^2 / sum w^2.
    target_covered, source_used : float
        Parts of the samples where the other one is.
    largest_weight : float
        Over the mean.
    negative : float
        Part of the summed absolute weights that is negative.
    """

    names: tuple[str, ...]
    auc: float
    auc_error: float
    ks: np.ndarray
    difference: np.ndarray
    difference_error: np.ndarray
    n_source: int
    n_target: int
    effective_source: float
    effective_target: float
    target_covered: float
    source_used: float
    largest_weight: float
    negative: float


@dataclass(frozen=True)
class Reliability:
    """How often that happens to which a probability was given.

    Attributes
    ----------
    edges : (bin + 1,) float
        Of the probability.
    mean : (bin,) float
        Mean probability in each bin; NaN in an empty one.
    value, low, high : (bin,) float
        Part of the candidates that are of the class, and its 68.3 % interval.
    n_total : (bin,) float
        Sum of weights.
    expected_error : float
        Mean distance of `mean` and `value`, weighted with `n_total`.
    name : str
    """

    edges: np.ndarray
    mean: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_total: np.ndarray
    expected_error: float
    name: str = ""


@dataclass(frozen=True)
class Confusion:
    """Which class candidates of each class are taken for.

    Attributes
    ----------
    names : tuple of str
    value, low, high : (true, taken for) float
        Part of the candidates of a true class, and its 68.3 % interval; NaN for a class without candidates.
    n : (true,) int
        Candidates.
    """

    names: tuple[str, ...]
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray
