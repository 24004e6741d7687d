"""Boosted decision trees of LightGBM or XGBoost, one forest for each bin of |eta| and E_T, or one for all.

What the experiments' energy calibration is made of, and the usual rival of a network in identification.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calotools.errors import ConfigError, NumericalError, ShapeError, nearest
from calotools.models.bins import ONE_BIN, KinematicBins
from calotools.models.forests import Forest, Part, TreeSettings
from calotools.models.lightgbm_forests import LightGBMForest
from calotools.models.xgboost_forests import XGBoostForest

__all__ = ["BoostedTrees", "TreeSettings", "fit_trees"]

_FORESTS: dict[str, type[Forest]] = {"lightgbm": LightGBMForest, "xgboost": XGBoostForest}


@dataclass(frozen=True)
class BoostedTrees:
    """Grown forests, as text: nothing that is run when it is read.

    Attributes
    ----------
    variables : tuple of str
    bins : KinematicBins
    forests : tuple of str
        LightGBM's text format, or XGBoost's JSON; |eta| bin by |eta| bin, E_T inside.
    n_classes : int
        1 for a number or a probability.
    library : {"lightgbm", "xgboost"}
        Whose they are.
    """

    variables: tuple[str, ...]
    bins: KinematicBins
    forests: tuple[str, ...]
    n_classes: int = 1
    library: str = "lightgbm"

    def predict(self, values: np.ndarray, *, eta: np.ndarray, et: np.ndarray, threads: int = 1) -> np.ndarray:
        """What the forests say.

        Parameters
        ----------
        values : (n, variable) array
            NaN where a variable is missing.
        eta, et : (n,) array
            E_T in GeV; they choose the forest.
        threads : int

        Returns
        -------
        (n,) or (n, class) float64 array
            The target's estimate, the probability of class 1, or of every class.

        Raises
        ------
        ShapeError
            `values` has another number of columns.
        """
        self._check(values, eta)
        result = np.full((len(values), self.n_classes), np.nan)
        where = self.bins.numbers(eta, et)
        for number, forest in enumerate(self._forests):
            here = where == number
            if here.any():
                result[here] = forest.predict(values[here], threads=threads).reshape(-1, self.n_classes)
        return result if self.n_classes > 1 else result[:, 0]

    def contributions(self, values: np.ndarray, *, eta: np.ndarray, et: np.ndarray, threads: int = 1) -> np.ndarray:
        """What each variable adds to what the forests say: SHAP values, exact for trees.

        Parameters and errors as of `predict`.

        Returns
        -------
        (n, class, variable) float64 array
            Of the estimate, or of the logit (1 for two classes; of every class for more). Over the variables they sum
            to the logit less its mean over the candidates that the forest was grown on.

        References
        ----------
        S. Lundberg et al., arXiv:1802.03888.
        """
        self._check(values, eta)
        result = np.full((len(values), self.n_classes, len(self.variables)), np.nan)
        where = self.bins.numbers(eta, et)
        for number, forest in enumerate(self._forests):
            here = where == number
            if here.any():
                said = forest.contributions(values[here], threads=threads)
                result[here] = said.reshape(-1, self.n_classes, len(self.variables) + 1)[:, :, :-1]
        return result

    def _check(self, values: np.ndarray, eta: np.ndarray) -> None:
        if np.shape(values) != (len(eta), len(self.variables)):
            raise ShapeError(
                f"the trees take (n, {len(self.variables)}) values of {', '.join(self.variables)}; "
                f"got {np.shape(values)} for {len(eta)} candidates"
            )

    @cached_property
    def _forests(self) -> tuple[Forest, ...]:
        return tuple(_FORESTS[self.library].from_text(text) for text in self.forests)

    def importance(self) -> dict[str, float]:
        """Part of the total gain that splits on each variable brought, summed over forests."""
        gains = sum(forest.gains(len(self.variables)) for forest in self._forests)
        total = max(float(np.sum(gains)), 1e-300)
        return {name: float(gain / total) for name, gain in zip(self.variables, np.atleast_1d(gains), strict=True)}


def fit_trees(
    values: np.ndarray,
    target: np.ndarray,
    *,
    variables: tuple[str, ...],
    kinematics: tuple[np.ndarray, np.ndarray],
    validation: np.ndarray,
    weight: np.ndarray | None = None,
    settings: TreeSettings | None = None,
    bins: KinematicBins = ONE_BIN,
    report: Callable[[int, int], None] | None = None,
) -> BoostedTrees:
    """Grow a forest in each bin, stopping where the validation part no longer improves.

    Parameters
    ----------
    values : (n, variable) array
        NaN where a variable is missing: these go to the better side of a split.
    target : (n,) array
        A number to estimate, or a class (0, 1, ...).
    variables : tuple of str
    kinematics : ((n,) array, (n,) array)
        eta and E_T [GeV].
    validation : (n,) bool array
        Candidates that stop the growth and are not grown on.
    weight : (n,) array, optional
    settings : TreeSettings, optional
    bins : KinematicBins
        Default: one for all.
    report : callable, optional
        ``report(forests grown, forests)``.

    Returns
    -------
    BoostedTrees

    Raises
    ------
    ConfigError
        The library is not installed, or there is none of that name; or a bin has no candidates to grow on, or none to
        stop by.
    NumericalError
        A target or weight is not finite; a weight is negative, which XGBoost cannot use.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.uniform(0, 1, (2000, 1))
    >>> at = np.zeros(2000), np.full(2000, 30.0)
    >>> stops = np.arange(2000) % 5 == 0
    >>> trees = fit_trees(x, 2 * x[:, 0], variables=("x",), kinematics=at, validation=stops)
    >>> trees.predict(np.array([[0.25], [0.75]]), eta=np.zeros(2), et=np.full(2, 30.0)).round(1)
    array([0.5, 1.5])
    """
    settings = settings or TreeSettings()
    if settings.library not in _FORESTS:
        raise ConfigError(f"there are no trees of '{settings.library}'; {nearest(settings.library, _FORESTS)}")
    kind = _FORESTS[settings.library]
    values, target = np.asarray(values), np.asarray(target, np.float64)
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, np.float64)
    for name, numbers in (("targets", target), ("weights", weight)):
        if not np.isfinite(numbers).all():
            raise NumericalError(f"{(~np.isfinite(numbers)).sum()} of {len(numbers)} {name} are not finite")
    where = bins.numbers(*kinematics)
    forests = []
    for number in range(len(bins)):
        here = where == number
        _check_bin(here, validation, bins.place(number))
        grow, stop = (
            Part(variables, values[part], target[part], weight[part])
            for part in (here & ~validation, here & validation)
        )
        forests.append(kind.grow(grow, stop, settings).text())
        if report is not None:
            report(number + 1, len(bins))
    return BoostedTrees(variables, bins, tuple(forests), settings.n_classes, settings.library)


def _check_bin(here: np.ndarray, validation: np.ndarray, place: str) -> None:
    for name, part in (("grow on", here & ~validation), ("stop by", here & validation)):
        if not part.any():
            raise ConfigError(
                f"there is no candidate to {name} in {place}; use a larger sample, or fewer and wider bins "
                "(model.settings: eta_bins, et_bins)"
            )
