"""How well two samples can be told apart: a classifier, cross-validated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from calotools.errors import ConfigError, EmptyInputError, ShapeError, nearest

__all__ = ["fisher_separation", "separate"]

_PENALTY = 1e-3
_LIMIT = 5.0


def fisher_separation(
    values: np.ndarray, is_signal: np.ndarray, *, rng: np.random.Generator, replicas: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """Fisher's criterion of each variable by itself: (difference of the means)^2 over the sum of the variances.

    Parameters
    ----------
    values : (n, k) float
        NaN where a variable is missing: such candidates do not count for it.
    is_signal : (n,) bool
    rng : numpy.random.Generator
        Draws bootstrap replicas.
    replicas : int

    Returns
    -------
    value, error : (k,) float64
        NaN where a class has no spread, or nobody.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> signal = np.arange(20_000) % 2 == 0
    >>> value, error = fisher_separation(rng.normal(2.0 * signal)[:, None], signal, rng=rng)  # 2^2 / (1 + 1)
    >>> bool(abs(value[0] - 2) < 4 * error[0] < 0.3)
    True
    """
    counts = np.concatenate([np.ones((1, len(values))), rng.poisson(1.0, (replicas, len(values)))])
    known = np.isfinite(values)
    filled = np.where(known, values - np.nanmedian(values, axis=0), 0.0)
    mean, variance = [], []
    for side in (is_signal, ~is_signal):
        weight = counts[:, side]
        with np.errstate(invalid="ignore", divide="ignore"):
            total = weight @ known[side]
            mean.append(weight @ filled[side] / total)
            variance.append(weight @ filled[side] ** 2 / total - mean[-1] ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (mean[0] - mean[1]) ** 2 / (variance[0] + variance[1])
    return found[0], found[1:].std(axis=0, ddof=1)


def separate(
    one: np.ndarray,
    zero: np.ndarray,
    *,
    rng: np.random.Generator,
    folds: int = 5,
    kind: str = "quadratic",
    weight_one: np.ndarray | None = None,
    weight_zero: np.ndarray | None = None,
    group_one: np.ndarray | None = None,
    group_zero: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of a classifier, each on rows that it did not see.

    Parameters
    ----------
    one, zero : (n, k), (m, k) float
        The two samples; rows with an entry that is not finite get NaN.
    rng : numpy.random.Generator
        Draws the folds.
    folds : int
    kind : {"quadratic", "trees"}
        Logistic regression on all variables, their squares and products; or boosted trees of LightGBM, which see any
        difference (``calotools[trees]``).
    weight_one, weight_zero : (n,), (m,) float, optional
        Both samples count the same in all. Rows of negative weight are scored, but not learnt from.
    group_one, group_zero : (n,), (m,) int, optional
        Rows of a group are in one fold: they share something, as candidates of a luminosity block share mu, that a
        classifier would recognise. Both, or neither; they may share groups.

    Returns
    -------
    score_one, score_zero : (n,), (m,) float
        Higher for what looks like `one`. Samples that do not differ give scores that do not either (AUC 0.5).

    Raises
    ------
    ConfigError
        There is no such classifier, or LightGBM is not installed.
    EmptyInputError
        A sample has fewer usable rows than folds.
    ShapeError
        The samples have different variables.

    Notes
    -----
    Every variable is brought to zero mean and unit width on the training rows and clipped at 5. The penalty on the
    squared coefficients is weak (1e-3 per row).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> narrow, wide = rng.normal(size=(500, 2)), 3 * rng.normal(size=(500, 2))
    >>> a, b = separate(narrow, wide, rng=rng)
    >>> bool(a.mean() > b.mean() + 1)
    True
    """
    if one.ndim != 2 or zero.ndim != 2 or one.shape[1] != zero.shape[1]:
        raise ShapeError(f"samples of shapes {one.shape} and {zero.shape}: give the same variables for both")
    rows = np.concatenate([one, zero]).astype(float)
    label = np.repeat([1.0, -1.0], [len(one), len(zero)])
    fit = _choose(kind)
    given = [np.ones(len(part)) if w is None else w for part, w in ((one, weight_one), (zero, weight_zero))]
    weight = np.maximum(np.concatenate(given), 0.0)
    usable = np.flatnonzero(np.isfinite(rows).all(axis=1))
    if min(np.count_nonzero(label[usable] == side) for side in (1, -1)) < folds:
        raise EmptyInputError(f"{len(usable)} of {len(rows)} rows are finite; both samples need {folds} or more")
    fold = _folds([(group_one, len(one)), (group_zero, len(zero))], rng, folds)[usable]
    score = np.full(len(rows), np.nan)
    for one_fold in range(folds):
        train, test = usable[fold != one_fold], usable[fold == one_fold]
        score[test] = fit(rows[train], label[train], weight[train], rows[test])
    return score[: len(one)], score[len(one) :]


def _folds(groups: list[tuple[np.ndarray | None, int]], rng: np.random.Generator, folds: int) -> np.ndarray:
    """Fold of each row of both samples, one after the other: that of its group, which both may share."""
    known = [group for group, _ in groups if group is not None]
    if len(known) == len(groups):
        number = np.unique(np.concatenate(known), return_inverse=True)[1]
        return rng.permutation(np.arange(number.max(initial=-1) + 1) % folds)[number]
    return rng.permutation(np.arange(sum(n for _, n in groups)) % folds)


def _choose(kind: str) -> Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    kinds = {"quadratic": _fit_quadratic, "trees": _fit_trees}
    if kind not in kinds:
        raise ConfigError(f"there is no classifier '{kind}'; {nearest(kind, kinds)}")
    return kinds[kind]


def _balanced(label: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weights of mean 1 over all rows, half of them in each sample."""
    scaled = np.zeros(len(label))
    for side in (1.0, -1.0):
        own = label == side
        scaled[own] = weight[own] * 0.5 * len(label) / max(float(weight[own].sum()), 1e-300)
    return scaled


def _fit_trees(rows: np.ndarray, label: np.ndarray, weight: np.ndarray, others: np.ndarray) -> np.ndarray:
    try:
        import lightgbm
    except ImportError:
        raise ConfigError(
            "the classifier 'trees' needs LightGBM, which is not installed; run: pip install 'calotools[trees]'"
        ) from None
    settings = {"objective": "binary", "num_leaves": 15, "learning_rate": 0.05, "min_data_in_leaf": 100}
    fixed = {"num_threads": 1, "seed": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
    data = lightgbm.Dataset(rows, label > 0, weight=_balanced(label, weight))
    booster = lightgbm.train(settings | fixed, data, num_boost_round=100)
    return np.asarray(booster.predict(others, raw_score=True, num_threads=1))


def _fit_quadratic(rows: np.ndarray, label: np.ndarray, weight: np.ndarray, others: np.ndarray) -> np.ndarray:
    from scipy.optimize import minimize

    centre = np.median(rows, axis=0)
    width = np.maximum(np.subtract(*np.percentile(rows, [84, 16], axis=0)) / 2, 1e-12)
    design, unseen = (_terms(np.clip((part - centre) / width, -_LIMIT, _LIMIT)) for part in (rows, others))
    weight = _balanced(label, weight)

    def loss(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        margin = label * (design @ coefficients)
        slope = -label * weight / (1 + np.exp(np.clip(margin, -500, 500)))
        penalty = _PENALTY * coefficients
        value = np.mean(weight * np.logaddexp(0, -margin)) + 0.5 * float(coefficients @ penalty)
        return float(value), design.T @ slope / len(label) + penalty

    found = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return unseen @ found.x


def _terms(x: np.ndarray) -> np.ndarray:
    """1, x_i, and x_i x_j for j >= i."""
    i, j = np.triu_indices(x.shape[1])
    return np.concatenate([np.ones((len(x), 1)), x, x[:, i] * x[:, j]], axis=1)
