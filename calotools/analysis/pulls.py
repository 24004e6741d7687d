"""How honest a stated uncertainty is: how often the truth is inside, and the pull, with bootstrap errors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from calotools.analysis.binned import bins_of_rows
from calotools.analysis.bootstrap import Bootstrap
from calotools.analysis.resolution import quantiles
from calotools.containers import Resolution
from calotools.errors import EmptyInputError, ShapeError
from calotools.variables import IQR_OF_GAUSSIAN

__all__ = ["measure_pulls", "significance"]

_METRICS = ("coverage68", "coverage95", "pull_median", "pull_width", "relative_sigma")


def measure_pulls(
    energy: np.ndarray,
    sigma: np.ndarray,
    energy_true: np.ndarray,
    *,
    bootstrap: Bootstrap,
    axes: Mapping[str, np.ndarray] | None = None,
    edges: Mapping[str, np.ndarray] | None = None,
    weight: np.ndarray | None = None,
    name: str = "network",
) -> Resolution:
    """Coverage and pull of an energy with its uncertainty, inclusive or in bins.

    Parameters
    ----------
    energy, sigma, energy_true : (n,) float [GeV]
        Candidates that lack a finite value of any, or whose sigma is not positive, are left out.
    bootstrap : Bootstrap
        Over the events of these n rows.
    axes, edges : dict, optional
        As for `efficiency_in_bins`; without them one inclusive bin.
    weight : (n,) float, optional
        At least 0.
    name : str

    Returns
    -------
    Resolution
        ``coverage68`` and ``coverage95``: fraction of candidates whose truth is within 1 and 2 sigma (a Gaussian's:
        0.6827, 0.9545); ``pull_median`` and ``pull_width``: median and IQR / 1.349 of (E - E_true) / sigma;
        ``relative_sigma``: mean of sigma / E. NaN in a bin with fewer than two candidates.

    Raises
    ------
    EmptyInputError
        No candidate can be used.
    ShapeError
        The arrays differ in length.

    Examples
    --------
    >>> from calotools.analysis.bootstrap import event_bootstrap
    >>> from calotools.containers import Index
    >>> rng = np.random.default_rng(1)
    >>> n, noise = np.arange(4000), rng.normal(size=4000)
    >>> boot = event_bootstrap(Index(n, n, n), rng=rng, replicas=20)
    >>> honest = measure_pulls(50 + 2 * noise, np.full(4000, 2.0), np.full(4000, 50.0), bootstrap=boot)
    >>> honest.metrics["coverage68"].round(2), honest.metrics["pull_width"].round(1)
    (array([0.69]), array([1.]))
    """
    lengths = {len(energy), len(sigma), len(energy_true), len(bootstrap.group)}
    if len(lengths) != 1:
        raise ShapeError(f"energy, sigma, truth and bootstrap have lengths {sorted(lengths)}; they must agree")
    usable = np.isfinite(energy) & np.isfinite(energy_true) & np.isfinite(sigma) & (np.asarray(sigma) > 0)
    rows = np.flatnonzero(usable)
    if len(rows) == 0:
        raise EmptyInputError(f"none of {len(energy)} candidates has an energy, a positive sigma and a true energy")
    weight = np.ones(len(rows)) if weight is None else np.asarray(weight, float)[rows]
    pull = (energy[rows] - energy_true[rows]) / sigma[rows]
    number, size = bins_of_rows(axes, edges, rows)
    parts = [np.flatnonzero(number == one) for one in range(size)]
    shared = bootstrap.take(rows)
    relative = sigma[rows] / energy[rows]
    value = _table(pull, relative, parts, weight)
    replicas = [_table(pull, relative, parts, weight * shared.weights(r)) for r in range(len(shared))]
    error = np.std(replicas, axis=0, ddof=1)  # NaN where a replica has no value: the bin is too small
    quoted = np.where(np.isfinite(error), value, np.nan)
    kept = {axis: np.asarray(edge, float) for axis, edge in (edges or {}).items()}
    counts = np.array([len(part) for part in parts])
    return Resolution(
        dict(zip(_METRICS, quoted.T, strict=True)), dict(zip(_METRICS, error.T, strict=True)), kept, counts, name
    )


def _table(pull: np.ndarray, relative: np.ndarray, parts: list[np.ndarray], weight: np.ndarray) -> np.ndarray:
    """(bin, metric)."""
    return np.array([_basic(pull[part], relative[part], weight[part]) for part in parts])


def _basic(pull: np.ndarray, relative: np.ndarray, weight: np.ndarray) -> tuple[float, ...]:
    used = weight > 0
    pull, relative, weight = pull[used], relative[used], weight[used]
    if len(pull) < 2:
        return (float("nan"),) * len(_METRICS)
    low, middle, high = quantiles(pull, np.array([0.25, 0.5, 0.75]), weight=weight)
    inside = [float(np.average(np.abs(pull) < limit, weights=weight)) for limit in (1, 2)]
    return (*inside, middle, (high - low) / IQR_OF_GAUSSIAN, float(np.average(relative, weights=weight)))


def significance(resolution: Resolution, *, metric: str = "rel_improvement") -> np.ndarray:
    """A difference in units of its error, bin by bin.

    The error is that of the difference itself, because the replicas are the same for both energies.

    Parameters
    ----------
    resolution : Resolution
        Of an estimate that was compared with a reference.
    metric : str

    Returns
    -------
    (n_bin,) float
        Standard deviations; positive where the estimate is the better one.

    Examples
    --------
    >>> one = Resolution({"rel_improvement": np.array([0.2])}, {"rel_improvement": np.array([0.04])}, {}, np.array([9]))
    >>> significance(one)
    array([5.])
    """
    value, error = resolution.metrics[metric], resolution.errors[metric]
    return np.divide(value, error, out=np.full(np.shape(value), np.nan), where=error > 0)
