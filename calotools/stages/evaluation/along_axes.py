"""What a cut keeps of signal and background along |eta|, E_T and mu: one for all candidates, or one in each bin."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from calotools.analysis import bin_numbers, cuts_in_bins, efficiency_in_bins
from calotools.containers import Efficiency
from calotools.plots import draw_efficiency, draw_rejection
from calotools.stages.evaluation.labels import Labelled, Measured, edges_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["measure_along_axes"]


def measure_along_axes(labelled: Labelled, *, cut: float, target: float) -> Measured:
    """Efficiencies of one cut for all, and of a cut in each bin that keeps the same part of the signal.

    Parameters
    ----------
    labelled : Labelled
    cut : float
        On the discriminant, for all.
    target : float
        Its signal efficiency, which the other cuts have in their bins.

    Returns
    -------
    Measured
    """
    binned = {axis: _one_cut(labelled, axis, cut) for axis in labelled.rows.axes}
    flat = {axis: _cut_in_each_bin(labelled, axis, target) for axis in labelled.rows.axes}
    return Measured({"binned": binned, "flat": flat}, (), _figures(labelled, binned, flat, target))


def _one_cut(labelled: Labelled, axis: str, cut: float) -> dict[str, Efficiency]:
    passing, values = labelled.rows.value >= cut, labelled.rows.axes[axis]
    return {
        name: efficiency_in_bins(
            passing[mask],
            axes={axis: values[mask]},
            edges={axis: np.asarray(edges_of(labelled.config)[axis])},
            weight=labelled.weight[mask],
            name=name,
        )
        for name, mask in (("signal", labelled.signal), ("background", labelled.background))
    }


def _cut_in_each_bin(labelled: Labelled, axis: str, target: float) -> Efficiency:
    rows, own, other = labelled.rows, labelled.signal, labelled.background
    values, edges = rows.axes[axis], {axis: np.asarray(edges_of(labelled.config)[axis], float)}
    cut = cuts_in_bins(
        rows.value[own], target=target, axes={axis: values[own]}, edges=edges, weight=labelled.weight[own]
    )
    number = bin_numbers({axis: values[other]}, edges)
    passing = rows.value[other] >= np.where(number >= 0, cut[number], np.nan)
    one = efficiency_in_bins(
        passing, axes={axis: values[other]}, edges=edges, weight=labelled.weight[other], name="cut in each bin"
    )
    known = np.isfinite(cut)
    nan = np.where(known, 0.0, np.nan)  # without signal there is no cut
    return replace(one, value=one.value + nan, low=one.low + nan, high=one.high + nan, valid=one.valid & known)


def _figures(
    labelled: Labelled, binned: dict[str, dict[str, Efficiency]], flat: dict[str, Efficiency], target: float
) -> dict[str, tuple[Figure, str]]:
    label, note = labelled.config.label, f"{100 * target:.0f} % signal"
    figures = {}
    for axis, one in binned.items():
        figures[f"efficiency_{axis}"] = (
            draw_efficiency([one["signal"]], ylabel="Signal efficiency", label=label, note=f"one cut, {note}"),
            f"Signal efficiency of the cut that keeps {100 * target:.0f} % of the signal overall.",
        )
        rejections = [replace(one["background"], name="one cut"), flat[axis]]
        figures[f"rejection_{axis}"] = (
            draw_rejection(rejections, label=label, note=note),
            "Background rejection of the same cut, and of a cut in each bin that keeps this part of the signal there.",
        )
    return figures
