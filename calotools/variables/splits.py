"""Training, validation and test parts by a hash of (run, event): all candidates of one event are on one side."""

from __future__ import annotations

import numpy as np

from calotools.errors import ConfigError, ShapeError

__all__ = ["SPLITS", "event_hash", "fold_numbers", "fold_split", "split_of"]

SPLITS = ("train", "validation", "test")


def event_hash(run: np.ndarray, event: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Hash of (run, event, seed), the same on every machine and for every order of events.

    Parameters
    ----------
    run, event : (n,) int
    seed : int

    Returns
    -------
    (n,) uint64
        Uniform in [0, 2**64).

    Raises
    ------
    ShapeError
        `run` and `event` differ in length.

    Notes
    -----
    The finaliser of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014) applied to seed, run and event in turn.

    Examples
    --------
    >>> event_hash([1, 1], [7, 8]).tolist() == event_hash([1], [7]).tolist() + event_hash([1], [8]).tolist()
    True
    """
    run, event = np.asarray(run), np.asarray(event)
    if run.shape != event.shape:
        raise ShapeError(f"run has shape {run.shape} and event {event.shape}; they must agree")
    state = _mix(np.full(run.shape, seed, dtype=np.uint64))
    for part in (run, event):
        state = _mix(state ^ part.astype(np.uint64))
    return state


def _mix(state: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        state = state + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def split_of(run: np.ndarray, event: np.ndarray, *, validation: float, test: float, seed: int = 0) -> np.ndarray:
    """Assign each candidate to training, validation or test by its event.

    Parameters
    ----------
    run, event : (n,) int
    validation, test : float
        Fractions of the events; the rest is for training.
    seed : int

    Returns
    -------
    (n,) int8
        0 train, 1 validation, 2 test (see `SPLITS`).

    Raises
    ------
    ConfigError
        Fractions are negative or leave nothing for training.
    ShapeError
        `run` and `event` differ in length.

    Examples
    --------
    >>> split = split_of(np.ones(1000), np.arange(1000), validation=0.1, test=0.2, seed=3)
    >>> [int((split == part).sum()) for part in range(3)]
    [712, 84, 204]
    """
    if min(validation, test) < 0 or validation + test >= 1:
        raise ConfigError(
            f"validation fraction {validation} and test fraction {test} must be at least 0 and together below 1"
        )
    uniform = _uniform(run, event, seed=seed)
    return np.where(uniform < test, 2, np.where(uniform < test + validation, 1, 0)).astype(np.int8)


def fold_numbers(run: np.ndarray, event: np.ndarray, *, folds: int, seed: int = 0) -> np.ndarray:
    """Fold of each candidate, by its event.

    Parameters
    ----------
    run, event : (n,) int
    folds : int
    seed : int

    Returns
    -------
    (n,) int64
        From 0.

    Examples
    --------
    >>> np.bincount(fold_numbers(np.ones(3000), np.arange(3000), folds=3)).tolist()
    [992, 1000, 1008]
    """
    return (_uniform(run, event, seed=seed) * folds).astype(np.int64)


def fold_split(run: np.ndarray, event: np.ndarray, *, fold: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Parts for cross-validation: fold I of N is for the test, the next one for validation, the others for training.

    Parameters
    ----------
    run, event : (n,) int
    fold : (int, int)
        I, from 0, and N, at least 3.
    seed : int

    Returns
    -------
    (n,) int8
        0 train, 1 validation, 2 test. Over all I, each candidate is in the test part once and in validation once.

    Raises
    ------
    ConfigError
        There is no such fold.
    ShapeError
        `run` and `event` differ in length.

    Examples
    --------
    >>> parts = [fold_split(np.ones(90), np.arange(90), fold=(k, 3)) for k in range(3)]
    >>> np.unique(np.sort(parts, axis=0), axis=1).ravel().tolist()
    [0, 1, 2]
    """
    number, n_folds = fold
    if n_folds < 3 or not 0 <= number < n_folds:
        raise ConfigError(f"fold {number}/{n_folds}: folds are numbered from 0, and at least 3 are needed")
    found = fold_numbers(run, event, folds=n_folds, seed=seed)
    return np.where(found == number, 2, np.where(found == (number + 1) % n_folds, 1, 0)).astype(np.int8)


def _uniform(run: np.ndarray, event: np.ndarray, *, seed: int) -> np.ndarray:
    return (event_hash(run, event, seed=seed) >> np.uint64(11)).astype(np.float64) * 2.0**-53
