"""Efficiencies of cuts: over all candidates, along |eta|, E_T and mu, and as a line for the top of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from calotools.analysis import efficiency_in_bins
from calotools.containers import Efficiency
from calotools.stages.evaluation.labels import Rows
from calotools.stages.publish import Headline
from calotools.variables import CutTable

__all__ = ["efficiency_along_axes", "inclusive_efficiency", "overall_efficiency", "percent"]


def overall_efficiency(passing: np.ndarray, *, weight: np.ndarray, name: str) -> Efficiency:
    """Efficiency over all candidates, as one bin.

    Parameters
    ----------
    passing : (n,) bool
    weight : (n,) float
    name : str

    Returns
    -------
    Efficiency
    """
    return efficiency_in_bins(
        passing,
        axes={"all": np.full(len(passing), 0.5)},
        edges={"all": np.array([0.0, 1.0])},
        weight=weight,
        name=name,
    )


def inclusive_efficiency(table: CutTable, rows: Rows) -> dict[str, Efficiency]:
    """Efficiency of every working point over all bins that have a cut."""
    passes = table.passes(rows.value, eta=rows.eta, et=rows.et, mu=rows.mu)
    return {
        name: overall_efficiency(passing[passing >= 0] == 1, weight=rows.weight[passing >= 0], name=name)
        for name, passing in passes.items()
    }


def efficiency_along_axes(
    table: CutTable, rows: Rows, *, edges: Mapping[str, Sequence[float]]
) -> dict[str, dict[str, Efficiency]]:
    """Efficiency of every working point along |eta|, E_T and mu.

    Parameters
    ----------
    table : CutTable
    rows : Rows
    edges : dict of str to sequence of float
        Of ``abs_eta``, ``et`` and ``mu``.

    Returns
    -------
    dict of str to dict of str to Efficiency
        By axis and working point.
    """
    passes = table.passes(rows.value, eta=rows.eta, et=rows.et, mu=rows.mu)
    return {
        axis: {
            name: efficiency_in_bins(
                passing[passing >= 0] == 1,
                axes={axis: values[passing >= 0]},
                edges={axis: np.asarray(edges[axis], float)},
                weight=rows.weight[passing >= 0],
                name=name,
            )
            for name, passing in passes.items()
        }
        for axis, values in rows.axes.items()
    }


def percent(name: str, one: Efficiency, comment: str = "") -> Headline:
    """The only bin of an efficiency in percent, with half of its interval."""
    return Headline(name, 100 * float(one.value[0]), 50 * float((one.high - one.low)[0]), "%", comment)
