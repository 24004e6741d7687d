"""The likelihood: one-dimensional densities of signal and background, multiplied.

What the experiments used before networks, and what networks are compared with. Densities are smoothed in bins of |eta|
and E_T; between the E_T bins they are interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from calotools.errors import ConfigError, NumericalError, ShapeError
from calotools.models.bins import LIKELIHOOD_BINS, KinematicBins

__all__ = ["Likelihood", "LikelihoodSettings", "fit_likelihood"]

_SHARPNESS = 15.0  # of the transformed discriminant, as the experiment writes it
_DISCRETE = 40  # a variable with fewer values than this is a counter: its values are the bins
_FLOOR = 1e-3  # of a bin's average content: no bin is empty, so that one odd variable does not decide alone


@dataclass(frozen=True)
class LikelihoodSettings:
    """How densities are measured and smoothed.

    Attributes
    ----------
    n_bins : int
        Of each density, of equal probability.
    smoothing : float
        Width of the Gaussian that smooths a density, in these bins.
    min_candidates : int
        Signal and background candidates that a bin of |eta| and E_T needs at least.
    """

    n_bins: int = 100
    smoothing: float = 2.0
    min_candidates: int = 200


@dataclass(frozen=True)
class Likelihood:
    """Densities of every variable, for signal and background.

    Attributes
    ----------
    variables : tuple of str
    bins : KinematicBins
    edges : (eta, et, variable, bin - 1) float64
        Inner edges of the densities' bins; unused ones are infinite.
    log_ratio : (eta, et, variable, bin) float64
        ln of signal over background.
    """

    variables: tuple[str, ...]
    bins: KinematicBins
    edges: np.ndarray
    log_ratio: np.ndarray

    def log_likelihood_ratio(self, values: np.ndarray, *, eta: np.ndarray, et: np.ndarray) -> np.ndarray:
        """ln(L_signal / L_background); a variable that is missing says nothing.

        Parameters
        ----------
        values : (n, variable) array
        eta, et : (n,) array
            E_T in GeV.

        Returns
        -------
        (n,) float64 array
            Interpolated linearly in E_T between the centres of the bins.

        Raises
        ------
        ShapeError
            `values` has another number of columns.
        """
        return self.contributions(values, eta=eta, et=et).sum(axis=1)

    def contributions(self, values: np.ndarray, *, eta: np.ndarray, et: np.ndarray) -> np.ndarray:
        """What each variable adds to `log_likelihood_ratio`, whose parameters and errors it has.

        Returns
        -------
        (n, variable) float64 array
            0 where the variable is missing.
        """
        values = np.asarray(values, np.float64)
        if values.shape != (len(eta), len(self.variables)):
            raise ShapeError(
                f"the likelihood takes (n, {len(self.variables)}) values of {', '.join(self.variables)}; "
                f"got {values.shape} for {len(eta)} candidates"
            )
        row = self.bins.eta_numbers(eta)
        low, part = _between(np.asarray(et, np.float64), self.bins.et)
        below = self._parts(values, row, low)
        above = self._parts(values, row, np.minimum(low + 1, self.bins.shape[1] - 1))
        return (1 - part)[:, None] * below + part[:, None] * above

    def discriminant(self, values: np.ndarray, *, eta: np.ndarray, et: np.ndarray) -> np.ndarray:
        """The transformed discriminant -ln(1/d - 1) / 15, with d = L_signal / (L_signal + L_background).

        Parameters and errors as `log_likelihood_ratio`.

        References
        ----------
        ATLAS Athena, TElectronLikelihoodTool; arXiv:1902.04655.
        """
        return self.log_likelihood_ratio(values, eta=eta, et=et) / _SHARPNESS

    def _parts(self, values: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        parts = np.zeros(values.shape)
        for i, j in np.ndindex(*self.bins.shape):
            here = np.flatnonzero((row == i) & (column == j))
            for k in range(len(self.variables)):
                one = values[here, k]
                found = np.searchsorted(self.edges[i, j, k], one, side="right")
                parts[here, k] = np.where(np.isfinite(one), self.log_ratio[i, j, k][found], 0.0)
        return parts


def fit_likelihood(
    values: np.ndarray,
    *,
    variables: tuple[str, ...],
    kinematics: tuple[np.ndarray, np.ndarray],
    signal: np.ndarray,
    weight: np.ndarray | None = None,
    settings: LikelihoodSettings | None = None,
    bins: KinematicBins = LIKELIHOOD_BINS,
) -> Likelihood:
    """Measure the densities.

    Parameters
    ----------
    values : (n, variable) array
        NaN where a variable is missing.
    variables : tuple of str
    kinematics : ((n,) array, (n,) array)
        eta and E_T [GeV].
    signal : (n,) bool array
    weight : (n,) array, optional
    settings : LikelihoodSettings, optional
    bins : KinematicBins

    Returns
    -------
    Likelihood

    Raises
    ------
    ConfigError
        A bin of |eta| and E_T has too few candidates; the message names it.
    NumericalError
        A weight is not finite, or a class of a bin has no weight.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> signal = rng.random(20_000) < 0.5
    >>> values = rng.normal(np.where(signal, 1.0, -1.0))[:, None]
    >>> eta, et = np.full(20_000, 0.1), np.full(20_000, 25.0)
    >>> fit = fit_likelihood(values, variables=("x",), kinematics=(eta, et), signal=signal, bins=KinematicBins())
    >>> fit.log_likelihood_ratio(np.array([[0.0], [0.5]]), eta=np.zeros(2), et=np.full(2, 25.0)).round(0)
    array([0., 1.])
    """
    settings = settings or LikelihoodSettings()
    values = np.asarray(values, np.float64)
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, np.float64)
    if not np.isfinite(weight).all():
        raise NumericalError(f"{(~np.isfinite(weight)).sum()} of {len(weight)} weights are not finite")
    number = bins.numbers(*kinematics)
    shape = len(bins), len(variables)
    edges, log_ratio = np.full((*shape, settings.n_bins - 1), np.inf), np.zeros((*shape, settings.n_bins))
    for i in range(len(bins)):
        here = number == i
        _check_bin(signal[here], weight[here], bins.place(i), settings)
        for k in range(len(variables)):
            edges[i, k], log_ratio[i, k] = _densities(values[here, k], signal[here], weight[here], settings)
    return Likelihood(
        variables, bins, edges.reshape(*bins.shape, *edges.shape[1:]), log_ratio.reshape(*bins.shape, *shape[1:], -1)
    )


def _densities(
    values: np.ndarray, signal: np.ndarray, weight: np.ndarray, settings: LikelihoodSettings
) -> tuple[np.ndarray, np.ndarray]:
    """(inner edges, ln of signal over background) of one variable in one bin."""
    used = np.isfinite(values)
    values, signal, weight = values[used], signal[used], weight[used]
    inner = np.full(settings.n_bins - 1, np.inf)
    counter, own = _own_edges(values, settings.n_bins)
    inner[: len(own)] = own
    found = np.searchsorted(inner, values, side="right")
    contents = [np.bincount(found, weight * side, settings.n_bins)[: len(own) + 1] for side in (signal, ~signal)]
    log_ratio = np.zeros(settings.n_bins)
    if all(content.sum() > 0 for content in contents):
        signal_density, background_density = (_smooth(one, 0.0 if counter else settings.smoothing) for one in contents)
        log_ratio[: len(own) + 1] = np.log(signal_density / background_density)
    return inner, log_ratio


def _own_edges(values: np.ndarray, n_bins: int) -> tuple[bool, np.ndarray]:
    """Whether the variable counts something, and its inner edges: between its values, or of equal probability."""
    different = np.unique(values)
    if len(different) < min(_DISCRETE, n_bins):
        return True, 0.5 * (different[1:] + different[:-1])
    quantiles = np.quantile(values, np.arange(1, n_bins) / n_bins)
    return False, np.unique(quantiles)


def _smooth(content: np.ndarray, width: float) -> np.ndarray:
    smooth = gaussian_filter1d(content, width, mode="reflect") if width > 0 else content
    smooth = np.maximum(smooth, 0.0) / max(smooth.sum(), 1e-300)
    smooth = smooth + _FLOOR / len(smooth)
    return np.asarray(smooth / smooth.sum())


def _between(et: np.ndarray, edges: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The bin whose centre is below each E_T, and how far it is towards the next centre (0 to 1)."""
    centres = 0.5 * (np.array(edges[1:]) + np.array(edges[:-1]))
    if len(centres) == 1:
        return np.zeros(len(et), np.int64), np.zeros(len(et))
    low = np.clip(np.searchsorted(centres, et, side="right") - 1, 0, len(centres) - 2)
    return low, np.clip((et - centres[low]) / (centres[low + 1] - centres[low]), 0.0, 1.0)


def _check_bin(signal: np.ndarray, weight: np.ndarray, place: str, settings: LikelihoodSettings) -> None:
    for name, side in (("signal", signal), ("background", ~signal)):
        if side.sum() < settings.min_candidates:
            raise ConfigError(
                f"the likelihood has {side.sum()} {name} candidates in {place}; it needs {settings.min_candidates}: "
                "use a larger sample, fewer and wider bins, or another limit (model.settings: eta_bins, et_bins, "
                "min_candidates)"
            )
        if weight[side].sum() <= 0:
            raise NumericalError(f"the {name} candidates in {place} have a summed weight of {weight[side].sum():g}")
