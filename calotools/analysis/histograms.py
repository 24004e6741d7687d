"""Histograms of candidates, filled in parts that are added: weighted counts with the sum of squared weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.errors import ConfigError
from calotools.variables import compute, fields_in, select

if TYPE_CHECKING:
    import awkward as ak
    from hist import Hist

    from calotools.recipe import AxisSpec, HistogramSpec

__all__ = ["FilledHistograms", "fill_histograms", "histogram_fields", "new_histograms"]


@dataclass(frozen=True)
class FilledHistograms:
    """Histograms of one set of candidates, or of several that were added.

    Attributes
    ----------
    histograms : dict of str to Hist
        With Weight storage; values outside the axes are in the flow bins.
    entries : dict of str to int
        Candidates in each, flow bins included.
    left_out : dict of str to int
        Candidates that were selected and have a value or weight that is not finite: they are in no bin.
    """

    histograms: dict[str, Hist]
    entries: dict[str, int]
    left_out: dict[str, int]

    def __add__(self, other: FilledHistograms) -> FilledHistograms:
        """The histograms of both sets of candidates."""
        return FilledHistograms(
            {name: one + other.histograms[name] for name, one in self.histograms.items()},
            {name: one + other.entries[name] for name, one in self.entries.items()},
            {name: one + other.left_out[name] for name, one in self.left_out.items()},
        )


def histogram_fields(specs: Mapping[str, HistogramSpec], *, selection: tuple[str, ...], weight: str) -> set[str]:
    """Fields of candidates that histograms need.

    Parameters
    ----------
    specs : dict of str to HistogramSpec
    selection : tuple of str
        Cuts of all of them.
    weight : str

    Returns
    -------
    set of str

    Examples
    --------
    >>> from calotools.recipe import HistogramSpec
    >>> sorted(histogram_fields({"et": HistogramSpec(x="et: 5, 0, 100")}, selection=("eta > 0",), weight="1"))
    ['et', 'eta']
    """
    axes = [axis.value for one in specs.values() for axis in (one.x, one.y) if axis is not None]
    return fields_in([*axes, *selection, *(cut for one in specs.values() for cut in one.selection), weight])


def new_histograms(specs: Mapping[str, HistogramSpec]) -> FilledHistograms:
    """Empty histograms.

    Parameters
    ----------
    specs : dict of str to HistogramSpec

    Returns
    -------
    FilledHistograms

    Raises
    ------
    ConfigError
        An axis has no bins, or edges that do not rise.
    """
    from hist import Hist, storage

    empty = {
        name: Hist(
            *(_axis(axis, where=f"histograms.{name}.{key}") for key, axis in (("x", one.x), ("y", one.y)) if axis),
            storage=storage.Weight(),
            name=name,
        )
        for name, one in specs.items()
    }
    return FilledHistograms(empty, dict.fromkeys(specs, 0), dict.fromkeys(specs, 0))


def _axis(spec: AxisSpec, *, where: str) -> Any:
    from hist import axis

    if (spec.edges is None) == (spec.bins is None) or (spec.bins is None) != (spec.range is None):
        raise ConfigError(
            f"{where}: give 'bins' and 'range', or 'edges', as in {{value = 'et', bins = 50, range = [0, 100]}}"
        )
    edges = spec.edges if spec.edges is not None else spec.range
    if edges is None or len(edges) < 2 or not np.all(np.diff(edges) > 0) or not np.all(np.isfinite(edges)):
        raise ConfigError(f"{where}: edges {list(edges or ())} do not rise; at least two are needed")
    if spec.bins is not None:
        return axis.Regular(spec.bins, *edges, label=spec.value)
    return axis.Variable(edges, label=spec.value)


def fill_histograms(
    candidates: ak.Array | Mapping[str, np.ndarray],
    specs: Mapping[str, HistogramSpec],
    *,
    selection: tuple[str, ...] = (),
    weight: str = "1",
) -> FilledHistograms:
    """Fill histograms of candidates.

    Parameters
    ----------
    candidates : (n,) awkward record array, or dict of str to (n,) array
    specs : dict of str to HistogramSpec
    selection : tuple of str
        Cuts of all of them.
    weight : str
        Field or expression.

    Returns
    -------
    FilledHistograms

    Raises
    ------
    ConfigError
        An expression is not one, names an unknown field, or an axis has no bins.

    Examples
    --------
    >>> from calotools.recipe import HistogramSpec
    >>> et = {"et": np.array([5.0, 15.0, 15.0, np.nan])}
    >>> filled = fill_histograms(et, {"et": HistogramSpec(x="et: 2, 0, 20")})
    >>> filled.histograms["et"].values(), filled.left_out
    (array([1., 2.]), {'et': 1})
    """
    filled = new_histograms(specs)
    common = select(candidates, selection).mask
    weights = compute(candidates, weight)
    for name, spec in specs.items():
        wanted = common & select(candidates, spec.selection).mask
        columns = [compute(candidates, axis.value) for axis in (spec.x, spec.y) if axis is not None]
        finite = np.logical_and.reduce([np.isfinite(one) for one in (*columns, weights)])
        used = wanted & finite
        filled.histograms[name].fill(*(one[used] for one in columns), weight=weights[used])
        filled.entries[name] = int(used.sum())
        filled.left_out[name] = int((wanted & ~finite).sum())
    return filled
