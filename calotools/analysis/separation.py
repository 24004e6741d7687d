"""How well two samples can be told apart: a quadratic logistic regression, cross-validated."""

from __future__ import annotations

import numpy as np

from calotools.errors import EmptyInputError, ShapeError

__all__ = ["separate"]

_PENALTY = 1e-3
_LIMIT = 5.0


def separate(
    one: np.ndarray, zero: np.ndarray, *, rng: np.random.Generator, folds: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of a logistic regression on all variables, their squares and products, each on rows that it did not see.

    Parameters
    ----------
    one, zero : (n, k), (m, k) float
        The two samples; rows with an entry that is not finite get NaN.
    rng : numpy.random.Generator
        Draws the folds.
    folds : int

    Returns
    -------
    score_one, score_zero : (n,), (m,) float
        Higher for what looks like `one`. Samples that do not differ give scores that do not either (AUC 0.5).

    Raises
    ------
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
    usable = np.flatnonzero(np.isfinite(rows).all(axis=1))
    if min(np.count_nonzero(label[usable] == side) for side in (1, -1)) < folds:
        raise EmptyInputError(f"{len(usable)} of {len(rows)} rows are finite; both samples need {folds} or more")
    fold = rng.permutation(np.arange(len(usable)) % folds)
    score = np.full(len(rows), np.nan)
    for one_fold in range(folds):
        train, test = usable[fold != one_fold], usable[fold == one_fold]
        score[test] = _fit_and_apply(rows[train], label[train], rows[test])
    return score[: len(one)], score[len(one) :]


def _fit_and_apply(rows: np.ndarray, label: np.ndarray, others: np.ndarray) -> np.ndarray:
    from scipy.optimize import minimize

    centre = np.median(rows, axis=0)
    width = np.maximum(np.subtract(*np.percentile(rows, [84, 16], axis=0)) / 2, 1e-12)
    design, unseen = (_terms(np.clip((part - centre) / width, -_LIMIT, _LIMIT)) for part in (rows, others))
    weight = np.where(label > 0, 0.5 / (label > 0).mean(), 0.5 / (label < 0).mean())

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
