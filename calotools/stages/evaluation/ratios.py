"""Ratios of rejections on the same candidates: of several scores at once, and as a line for the top of the page."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from calotools.analysis import ComparedRejections, compare_rejections
from calotools.containers import RejectionRatio
from calotools.plots.numbers import format_range
from calotools.stages.evaluation.labels import Labelled
from calotools.stages.publish import Headline

__all__ = ["compare_scores", "ratio_line"]

_SHOWN = np.linspace(0.5, 1.0, 101)  # signal efficiencies of the figures


def compare_scores(
    labelled: Labelled, values: Mapping[str, np.ndarray], backgrounds: Mapping[str, np.ndarray]
) -> dict[str, ComparedRejections]:
    """What discriminants keep of backgrounds, at the signal efficiencies of the recipe and of the figures.

    Parameters
    ----------
    labelled : Labelled
    values : dict of str to (n,) float
        Discriminants.
    backgrounds : dict of str to (n,) bool

    Returns
    -------
    dict of str to ComparedRejections
        By background.
    """
    return compare_rejections(
        values,
        signal=labelled.signal,
        backgrounds=backgrounds,
        efficiencies=np.union1d(_SHOWN, labelled.config.efficiencies),
        bootstrap=labelled.bootstrap,
        weight=labelled.weight,
    )


def ratio_line(title: str, ratio: RejectionRatio, *, at: int = 0, comment: str = "") -> Headline:
    """One of the ratios, with the error of the ratio itself.

    Parameters
    ----------
    title : str
    ratio : RejectionRatio
    at : int
        Number of its signal efficiency.
    comment : str

    Returns
    -------
    Headline

    Examples
    --------
    >>> one, infinite = np.ones(1), np.full(1, np.inf)
    >>> ratio_line("rejection over cuts", RejectionRatio(0.9 * one, 3 * one, 2 * one, infinite)).comment
    '68.3 % interval 2 to ∞'
    """
    low, high = ratio.low[at], ratio.high[at]
    interval = f"68.3 % interval {format_range(low, high)}" if high > low else ""
    comment = "; ".join(one for one in (comment, interval) if one)
    return Headline(title, float(ratio.value[at]), float(ratio.error[at]), "", comment)
