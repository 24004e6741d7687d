"""Scores of models that see different things, made into one without a training: their product, and Fisher's."""

from __future__ import annotations

import numpy as np

from calotools.errors import EmptyInputError, NumericalError, ShapeError

__all__ = ["fisher_combination", "product_combination"]


def product_combination(values: np.ndarray) -> np.ndarray:
    """Product of likelihood ratios: the sum of their logarithms.

    No function of the scores tells better what is signal if they are true log-likelihood ratios, and independent for
    signal and for background (Neyman and Pearson, Phil. Trans. R. Soc. A 231 (1933) 289).

    Parameters
    ----------
    values : (n, score) float
        Discriminants, such as log-odds.

    Returns
    -------
    (n,) float64

    Examples
    --------
    >>> product_combination(np.log([[2.0, 3.0], [0.5, 4.0]])).round(3)  # ln 6, ln 2
    array([1.792, 0.693])
    """
    return np.asarray(np.sum(values, axis=1, dtype=np.float64))


def fisher_combination(
    values: np.ndarray,
    *,
    signal: np.ndarray,
    background: np.ndarray,
    fold: np.ndarray,
    weight: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Fisher's linear combination of scores; that of each candidate is found without its fold.

    The direction separates the means most, in units of the widths. For Gaussian scores of the same covariance in signal
    and background, whatever their scales and their correlation, the result is the logarithm of the likelihood ratio.

    Parameters
    ----------
    values : (n, score) float
        Scores, of any scale.
    signal, background : (n,) bool
        What the direction is found from; other rows are combined, too (a score that is not finite gives one there).
    fold : (n,) int
        Rows of one number are not learnt from for each other: give all candidates of an event the same.
    weight : (n,) float, optional

    Returns
    -------
    combined : (n,) float64
        (x - m) S^-1 (m_signal - m_background), with m the middle of the two means and S the mean of the covariances;
        scores of other scales give the same.
    directions : (fold, score) float64
        What each score is multiplied by, by rising number of the fold.

    Raises
    ------
    EmptyInputError
        There are no two folds, or signal or background has no weight outside one.
    NumericalError
        A score of signal or background is not finite, or all scores are the same.
    ShapeError
        Arrays differ in length.

    References
    ----------
    R. A. Fisher, Annals of Eugenics 7 (1936) 179.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> signal = np.arange(20_000) % 2 == 0
    >>> scores = rng.normal(np.outer(signal, [2.0, 1.0]))  # of unit width: weights are as the means, 2 to 1
    >>> fold = np.arange(20_000) // 2 % 2
    >>> combined, directions = fisher_combination(scores, signal=signal, background=~signal, fold=fold)
    >>> np.abs(directions - [2.0, 1.0]).max() < 0.1
    np.True_
    """
    values, weight = _checked(values, (signal, background, fold), weight)
    sides = [np.asarray(one, bool) for one in (signal, background)]
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise EmptyInputError(f"Fisher's combination needs candidates of two folds or more, not of {len(numbers)}")
    combined, directions = np.zeros(len(values)), []
    for number in numbers:
        own = fold == number
        moments = [_moments(values[side & ~own], weight[side & ~own]) for side in sides]
        directions.append(_direction(*moments))
        combined[own] = (values[own] - 0.5 * (moments[0][0] + moments[1][0])) @ directions[-1]
    return combined, np.array(directions)


def _checked(
    values: np.ndarray, columns: tuple[np.ndarray, ...], weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(values, np.float64)
    weight = np.ones(len(values)) if weight is None else np.asarray(weight, np.float64)
    if values.ndim != 2 or any(len(one) != len(values) for one in (*columns, weight)):
        lengths = [len(one) for one in (*columns, weight)]
        raise ShapeError(
            f"scores of shape {values.shape} for signal, background, fold and weight of {lengths} candidates; give "
            "(candidate, score), and one entry for each candidate"
        )
    used = np.asarray(columns[0], bool) | np.asarray(columns[1], bool)
    if bad := int(np.count_nonzero(~np.isfinite(values[used]).all(axis=1))):
        raise NumericalError(
            f"{bad} of {np.count_nonzero(used)} candidates have a score that is not finite; keep those that every "
            "model scores"
        )
    return values, weight


def _moments(values: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and covariance."""
    total = weight.sum()
    if not total > 0:
        raise EmptyInputError(
            "signal or background has no weight outside one fold: Fisher's combination needs both in every part"
        )
    mean = weight @ values / total
    centred = values - mean
    return mean, (weight * centred.T) @ centred / total


def _direction(signal: tuple[np.ndarray, np.ndarray], background: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    covariance = 0.5 * (signal[1] + background[1])
    width = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    width = np.where(width > 0, width, 1.0)
    # by least squares: scores that say the same share the weight; in widths, so that none is too small to count
    correlation, apart = covariance / np.outer(width, width), (signal[0] - background[0]) / width
    found = np.asarray(np.linalg.lstsq(correlation, apart, rcond=None)[0]) / width
    if not np.any(found != 0):
        raise NumericalError("the scores do not differ between signal and background; there is nothing to combine")
    return found
