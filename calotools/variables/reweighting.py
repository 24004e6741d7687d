"""Weights that make one sample look like another in several variables: smooth, binned, or boosted (GBReweighter).

A reweighter that has seen a candidate knows its fluctuation. With folds, every candidate gets the weight of a
reweighter that was fitted without its event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from calotools.errors import ConfigError, EmptyInputError, ShapeError, nearest
from calotools.variables.raking import rake
from calotools.variables.weighted import Reweighter, WeightedSample

__all__ = ["BinnedReweighter", "BoostedReweighter", "fold_factors", "make_reweighter"]

Method = Literal["smooth", "binned", "boosted"]
_PER_BIN = 40
_MOST_BINS = 12
# Over the mean. Where the source is nearly absent, boosting drives the weights of its few candidates up without end.
_CAP = 50.0
_BOOSTED: dict[str, Any] = {
    "n_estimators": 50,
    "learning_rate": 0.15,
    "max_depth": 2,
    "min_samples_leaf": 400,
    "subsample": 0.7,
}


@dataclass(frozen=True)
class BinnedReweighter:
    """The ratio of two histograms.

    Attributes
    ----------
    edges : tuple of (bin + 1,) float
        Of each variable; outside the nearest bin counts.
    ratio : (bin, ...) float
        0 where the source has no positive weight, or the target none.
    """

    edges: tuple[np.ndarray, ...]
    ratio: np.ndarray

    def factor(self, values: np.ndarray) -> np.ndarray:
        """See `Reweighter`."""
        return self.ratio[_places(values, self.edges)]

    @classmethod
    def fit(
        cls,
        source: WeightedSample,
        target: WeightedSample,
        *,
        bins: Sequence[int | Sequence[float]] = (),
        cap: float = _CAP,
    ) -> BinnedReweighter:
        """Fit it.

        Parameters
        ----------
        source, target : WeightedSample
        bins : sequence of int or of sequence of float
            For each variable the number of bins of equal probability, or edges. Default: as many as leave 40 of the
            smaller sample in each, at most 12.
        cap : float
            Largest factor, over the mean.

        Returns
        -------
        BinnedReweighter

        Raises
        ------
        ConfigError
            Bins for another number of variables.
        EmptyInputError
            The samples have no bin in common.
        """
        edges = _edges(source, target, bins)
        shape = tuple(len(edge) - 1 for edge in edges)
        contents = []
        for sample in (source, target):
            flat = np.ravel_multi_index(_places(sample.values, edges), shape)
            contents.append(np.bincount(flat, sample.weight, minlength=int(np.prod(shape))).reshape(shape))
        below, above = contents
        ratio = np.divide(np.maximum(above, 0.0), below, out=np.zeros(shape), where=below > 0)
        if not np.any(ratio > 0):
            raise EmptyInputError("the two samples have no bin in common; look at the variables and their units")
        mean = np.sum(ratio * np.maximum(below, 0)) / np.sum(np.maximum(below, 0))
        return cls(edges, np.minimum(ratio, cap * mean))


@dataclass(frozen=True)
class BoostedReweighter:
    """GBReweighter of hep_ml: trees split where the samples differ most, and leaves are reweighted, again and again.

    Attributes
    ----------
    fitted : hep_ml.reweight.GBReweighter
    largest : float
        No factor is above it.

    References
    ----------
    A. Rogozhnikov, J. Phys. Conf. Ser. 762 (2016) 012036, arXiv:1608.05806.
    """

    fitted: Any
    largest: float

    def factor(self, values: np.ndarray) -> np.ndarray:
        """See `Reweighter`."""
        return np.minimum(np.asarray(self.fitted.predict_weights(values), np.float64), self.largest)

    @classmethod
    def fit(
        cls,
        source: WeightedSample,
        target: WeightedSample,
        *,
        settings: Mapping[str, Any] | None = None,
        seed: int = 1,
        cap: float = _CAP,
    ) -> BoostedReweighter:
        """Fit it.

        Parameters
        ----------
        source, target : WeightedSample
        settings : dict, optional
            ``n_estimators`` (50), ``learning_rate`` (0.15), ``max_depth`` (2), ``min_samples_leaf`` (400) and
            ``subsample`` (0.7).
        seed : int
        cap : float
            Largest factor, over the mean.

        Returns
        -------
        BoostedReweighter

        Raises
        ------
        ConfigError
            hep_ml is not installed, or a setting does not exist.
        """
        chosen = dict(_BOOSTED)
        for name, value in (settings or {}).items():
            if name not in _BOOSTED:
                raise ConfigError(f"the boosted reweighter has no setting '{name}'; {nearest(name, _BOOSTED)}")
            chosen[name] = value
        subsample = chosen.pop("subsample")
        # hep_ml draws leaves from numpy's own generator when none is given
        fitted = _library()(**chosen, gb_args={"subsample": subsample, "random_state": seed})
        fitted.fit(source.values, target.values, original_weight=source.weight, target_weight=target.weight)
        raw = np.asarray(fitted.predict_weights(source.values), np.float64)
        return cls(fitted, cap * float(np.average(raw, weights=source.weight)))


def _library() -> Any:
    try:
        from hep_ml.reweight import GBReweighter
    except ImportError:
        raise ConfigError(
            "boosted reweighting needs hep_ml, which is not installed; run: pip install 'calotools[reweight]'"
        ) from None
    return GBReweighter


def make_reweighter(
    source: WeightedSample,
    target: WeightedSample,
    *,
    method: Method = "smooth",
    bins: Sequence[int | Sequence[float]] = (),
    settings: Mapping[str, Any] | None = None,
    seed: int = 1,
) -> Reweighter:
    """Fit a reweighter by name; arguments as of `BinnedReweighter.fit` and `BoostedReweighter.fit`.

    Parameters
    ----------
    source, target : WeightedSample
    method : {"smooth", "binned", "boosted"}
        Weighted means of splines in the variables and their pairs agree (`rake`); histograms do; or trees are
        boosted, and what they leave is raked.
    bins, settings, seed

    Returns
    -------
    Reweighter

    Raises
    ------
    ConfigError
        Bins for what has no histograms, or settings for what is not boosted.
    ShapeError
        The samples have different variables.
    """
    for name, given, own in (("bins", bins, "binned"), ("settings", settings, "boosted")):
        if given and method != own:
            raise ConfigError(
                f"{name} are of method '{own}'; method '{method}' has none: take them out, or choose '{own}'"
            )
    if source.values.shape[1] != target.values.shape[1]:
        raise ShapeError(f"samples of {source.values.shape[1]} and {target.values.shape[1]} variables: give the same")
    if method == "binned":
        return BinnedReweighter.fit(source, target, bins=bins)
    if method == "smooth":
        return rake(source, target, None, cap=_CAP)
    return rake(source, target, BoostedReweighter.fit(source, target, settings=settings, seed=seed), cap=_CAP)


def fold_factors(
    source: WeightedSample,
    target: WeightedSample,
    *,
    method: Method = "smooth",
    bins: Sequence[int | Sequence[float]] = (),
    settings: Mapping[str, Any] | None = None,
    seed: int = 1,
) -> np.ndarray:
    """Factors of the source's weights, each from a reweighter that has not seen the candidate's fold.

    Parameters
    ----------
    source, target : WeightedSample
        With folds from 0; one fold alone means that there is none: the reweighter sees everything.
    method, bins, settings, seed
        As of `make_reweighter`.

    Returns
    -------
    (n,) float64
        Scaled, fold by fold, such that the source keeps its sum of weights.

    Raises
    ------
    EmptyInputError
        A fold's rest is empty.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> fold = np.arange(4000) % 2
    >>> flat = WeightedSample(rng.uniform(0, 1, (4000, 1)), np.ones(4000), fold)
    >>> rising = WeightedSample(np.sqrt(rng.uniform(0, 1, (4000, 1))), np.ones(4000), fold)
    >>> factor = fold_factors(flat, rising)
    >>> float(np.average(flat.values[:, 0], weights=factor).round(2))  # 2/3
    0.67
    """
    n_folds = int(max(source.fold.max(), target.fold.max())) + 1
    options: dict[str, Any] = {"method": method, "bins": bins, "settings": settings, "seed": seed}
    factor = np.zeros(len(source.weight))
    for number in range(n_folds):
        own = source.fold == number
        if not own.any():
            continue
        seen = (source.fold != number, target.fold != number) if n_folds > 1 else (own, target.fold == number)
        found = make_reweighter(source.take(seen[0]), target.take(seen[1]), **options).factor(source.values[own])
        total = float(np.sum(found * source.weight[own]))
        if total <= 0:
            raise EmptyInputError(f"the reweighted candidates of fold {number} have a summed weight of {total:g}")
        factor[own] = found * source.weight[own].sum() / total
    return factor


def _edges(
    source: WeightedSample, target: WeightedSample, bins: Sequence[int | Sequence[float]]
) -> tuple[np.ndarray, ...]:
    k = source.values.shape[1]
    if not bins:
        each = (min(len(source.weight), len(target.weight)) / _PER_BIN) ** (1 / k)
        bins = (int(np.clip(each, 1, _MOST_BINS)),) * k
    if len(bins) != k:
        raise ConfigError(f"{len(bins)} bins are given for {k} variables; give a number or edges for each")
    return tuple(_own_edges(target.values[:, axis], one) for axis, one in enumerate(bins))


def _own_edges(values: np.ndarray, bins: int | Sequence[float]) -> np.ndarray:
    if isinstance(bins, int):
        inner = np.unique(np.quantile(values, np.arange(1, bins) / bins))
        return np.concatenate([[-np.inf], inner, [np.inf]])
    edges = np.asarray(bins, np.float64)
    if len(edges) < 2 or np.any(np.diff(edges) <= 0):
        raise ConfigError(f"edges of bins must be at least two and rise, not {edges.tolist()}")
    return edges


def _places(values: np.ndarray, edges: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    return tuple(
        np.clip(np.searchsorted(edge, values[:, axis], side="right") - 1, 0, len(edge) - 2)
        for axis, edge in enumerate(edges)
    )
