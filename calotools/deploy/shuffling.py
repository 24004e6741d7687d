"""How much worse a model is when one of its inputs is that of another candidate."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from calotools.errors import NumericalError
from calotools.progress import Progress

__all__ = ["Asked", "Metric", "Outputs", "measure_shuffled", "shuffle_each"]

Metric = Callable[[np.ndarray, np.ndarray], float]
"""(output of the model, (n,) weight) -> a number that is larger when the model is worse."""
Outputs = Callable[[str | None, np.ndarray], np.ndarray]
"""(name of an input, (n,) order) -> output of the model with that input in this order; without a name, as it is."""


@dataclass(frozen=True)
class Asked:
    """A model with the candidates that it is asked about.

    Attributes
    ----------
    n : int
        Candidates.
    outputs : callable
    metric : callable
    """

    n: int
    outputs: Outputs
    metric: Metric


def shuffle_each(
    models: Sequence[Asked],
    *,
    names: Collection[str],
    rng: np.random.Generator,
    repeats: int = 10,
    progress: Progress | None = None,
) -> dict[str, tuple[float, float]]:
    """How much worse several models are, each on candidates of its own, when one input is that of another of these.

    Parameters
    ----------
    models : sequence of Asked
        Such as those of folds. Their inputs have the same names, and may be scaled differently.
    names, rng, repeats, progress
        As of `measure_shuffled`.

    Returns
    -------
    dict of str to (float, float)
        As of `measure_shuffled`, of the mean metric over models, each with the number of its candidates.

    Examples
    --------
    >>> x, rng = np.random.default_rng(1).normal(size=(2, 4000)), np.random.default_rng(2)
    >>> def model(name):  # that sees one of the two, and is off by a constant
    ...     rows, column = (slice(0, 1000), x[0]) if name == "a" else (slice(1000, 4000), x[1])
    ...     truth = 2 * column[rows]
    ...     return Asked(
    ...         len(truth),
    ...         lambda shuffled, order: (truth[order] if shuffled == name else truth) + 1,
    ...         lambda said, weight: float(np.average((said - truth) ** 2, weights=weight)),
    ...     )
    >>> found = shuffle_each([model("a"), model("b")], names=("a", "b"), rng=rng)
    >>> [round(value) for value, error in found.values()]  # a quarter and three quarters of 8
    [2, 6]
    """
    edges = np.cumsum([0, *(one.n for one in models)]).tolist()
    spans = [(one, slice(*span)) for one, span in zip(models, pairwise(edges), strict=True)]

    def outputs(name: str | None, order: np.ndarray) -> np.ndarray:
        return np.concatenate([one.outputs(name, _among_themselves(order[own])) for one, own in spans])

    def metric(output: np.ndarray, weight: np.ndarray) -> float:
        return sum(one.n / edges[-1] * one.metric(output[own], weight[own]) for one, own in spans)

    return measure_shuffled(outputs, metric, names=names, n=edges[-1], rng=rng, repeats=repeats, progress=progress)


def _among_themselves(order: np.ndarray) -> np.ndarray:
    """An order of some of the candidates, from their places in one of all; of all it is that order."""
    return np.argsort(np.argsort(order))


def measure_shuffled(
    outputs: Outputs,
    metric: Metric,
    *,
    names: Collection[str],
    n: int,
    rng: np.random.Generator,
    repeats: int = 10,
    progress: Progress | None = None,
) -> dict[str, tuple[float, float]]:
    """How much worse a metric is when one input is that of another candidate.

    Parameters
    ----------
    outputs : callable
    metric : callable
    names : collection of str
        Of the inputs.
    n : int
        Candidates.
    rng : numpy.random.Generator
    repeats : int
        Orders that are tried.
    progress : callable, optional
        ``progress(task, done, total)`` in inputs.

    Returns
    -------
    dict of str to (float, float)
        Mean of metric(shuffled) / metric - 1 over the orders, and its error: the spread over orders, each with other
        Poisson weights of the candidates, which are the same before and after.

    Raises
    ------
    NumericalError
        The metric is 0, or has no value, before anything is shuffled: there is nothing to compare with.

    Examples
    --------
    >>> x, rng = np.random.default_rng(1).normal(size=(2, 1000)), np.random.default_rng(2)
    >>> truth = 2 * x[0]
    >>> def outputs(name, order):  # of a model that sees a, and is off by a constant
    ...     return 2 * (x[0][order] if name == "a" else x[0]) + 1
    >>> def mean_square(said, weight):
    ...     return float(np.average((said - truth) ** 2, weights=weight))
    >>> found = measure_shuffled(outputs, mean_square, names=("a", "b"), n=1000, rng=rng)
    >>> [round(value) for value, error in found.values()]  # the difference of two has twice the variance, 2 * 4
    [8, 0]
    """
    orders = [rng.permutation(n) for _ in range(repeats)]
    weights = [rng.poisson(1.0, n).astype(float) for _ in range(repeats)]
    before, ones, found = outputs(None, np.arange(n)), np.ones(n), {}
    as_is = metric(before, ones), [metric(before, weight) for weight in weights]
    if not all(np.isfinite(one) and one > 0 for one in (as_is[0], *as_is[1])):
        raise NumericalError(
            f"on these {n} candidates the model makes no mistake that can grow when an input is shuffled (its metric "
            f"is {as_is[0]:g}, or 0 for some bootstrap weights); give more candidates (-n)"
        )
    for number, name in enumerate(names, start=1):
        after = [outputs(name, order) for order in orders]
        value = float(np.mean([metric(one, ones) / as_is[0] - 1 for one in after]))
        spread = [metric(one, weight) / base - 1 for one, weight, base in zip(after, weights, as_is[1], strict=True)]
        found[name] = value, float(np.std(spread, ddof=1))
        if progress is not None:
            progress("inputs", number, len(names))
    return found
