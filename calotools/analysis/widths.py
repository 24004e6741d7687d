"""Widths of one peak with two energies, compared on the same events."""

from __future__ import annotations

import numpy as np

from calotools.analysis.bootstrap import Bootstrap
from calotools.analysis.resolution import quantiles, sigma68
from calotools.containers import WidthComparison
from calotools.errors import EmptyInputError, ShapeError

__all__ = ["compare_widths"]

_QUARTILES = np.array([0.25, 0.5, 0.75])


def compare_widths(
    before: np.ndarray,
    after: np.ndarray,
    *,
    bootstrap: Bootstrap,
    window: tuple[float, float],
    weight: np.ndarray | None = None,
) -> WidthComparison:
    """Widths of the masses of the same pairs with two energies, and their ratio with its correlated error.

    Parameters
    ----------
    before, after : (n,) float [GeV]
        Masses; row i of both is the same pair. Pairs without a finite value of both are not used.
    bootstrap : Bootstrap
        Over the events of these n pairs.
    window : (float, float) [GeV]
        A pair is used when either of its masses is inside, so that both widths are of the same pairs.
    weight : (n,) float, optional
        At least 0.

    Returns
    -------
    WidthComparison
        The natural width and any background are included in the widths.

    Raises
    ------
    EmptyInputError
        Fewer than two pairs are used.
    ShapeError
        The arrays differ in length.

    Examples
    --------
    >>> from calotools.analysis.bootstrap import event_bootstrap
    >>> from calotools.containers import Index
    >>> rng = np.random.default_rng(1)
    >>> n, noise = np.arange(3000), rng.normal(size=3000)
    >>> boot = event_bootstrap(Index(n, n, n), rng=rng, replicas=50)
    >>> widths = compare_widths(125 + 2 * noise, 125 + 1.8 * noise, bootstrap=boot, window=(105.0, 145.0))
    >>> round(widths.ratio["sigma68"], 3), widths.ratio_error["sigma68"] < 1e-9
    (0.9, True)
    """
    weight = np.ones(len(before)) if weight is None else np.asarray(weight, float)
    if not len(before) == len(after) == len(weight) == len(bootstrap.group):
        raise ShapeError(
            f"{len(before)} masses before, {len(after)} after, {len(weight)} weights, {len(bootstrap.group)} bootstrap "
            "rows: give the same pairs in all"
        )
    used = _used(np.asarray(before, float), np.asarray(after, float), window)
    masses = [np.asarray(one, float)[used] for one in (before, after)]
    weight, shared = weight[used], bootstrap.take(used)
    values = [_widths(mass, weight) for mass in masses]
    replicas = np.array([[_widths(mass, weight * shared.weights(r)) for mass in masses] for r in range(len(shared))])
    errors = replicas.std(axis=0, ddof=1)
    ratio_error = (replicas[:, 1] / replicas[:, 0]).std(axis=0, ddof=1)
    return WidthComparison(
        before=_named(values[0]),
        before_error=_named(errors[0]),
        after=_named(values[1]),
        after_error=_named(errors[1]),
        ratio=_named(values[1] / values[0]),
        ratio_error=_named(ratio_error),
        n=len(used),
    )


def _used(before: np.ndarray, after: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    both = np.isfinite(before) & np.isfinite(after)
    inside = ((before > window[0]) & (before < window[1])) | ((after > window[0]) & (after < window[1]))
    used = np.flatnonzero(both & inside)
    if len(used) < 2:
        raise EmptyInputError(
            f"{len(used)} of {len(before)} pairs have both masses and one of them between {window[0]:g} and "
            f"{window[1]:g} GeV; a width needs two or more"
        )
    return used


def _widths(mass: np.ndarray, weight: np.ndarray) -> np.ndarray:
    low, middle, high = quantiles(mass, _QUARTILES, weight=weight)
    width = sigma68(mass, weight=weight)
    return np.array([width, high - low, width / middle])


def _named(values: np.ndarray) -> dict[str, float]:
    return dict(zip(("sigma68", "iqr", "sigma68_rel"), values.tolist(), strict=True))
