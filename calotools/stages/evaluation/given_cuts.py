"""Cuts that were made elsewhere, on the same candidates: the cut-based flags, and a file of working points."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import awkward as ak
import numpy as np

from calotools.containers import Efficiency, WorkingPoints
from calotools.stages.evaluation.curves import points_of
from calotools.stages.evaluation.efficiencies import (
    efficiency_along_axes,
    inclusive_efficiency,
    overall_efficiency,
    percent,
)
from calotools.stages.evaluation.labels import Labelled, Measured, edges_of
from calotools.stages.publish import Headline
from calotools.variables import read_cut_table

__all__ = ["measure_cut_based", "measure_cut_table"]

CUT_BASED = ("pass_loose", "pass_medium", "pass_tight")


def measure_cut_based(labelled: Labelled) -> Measured:
    """Each cut-based flag, and the network at the same signal efficiency on the same candidates.

    Parameters
    ----------
    labelled : Labelled

    Returns
    -------
    Measured
    """
    sample, weight = labelled.sample, labelled.weight
    compared: dict[str, dict[str, Any]] = {}
    for flag in filter(sample.__contains__, CUT_BASED):
        passing = ak.to_numpy(sample.candidates[flag]) == 1
        signal, background = (
            overall_efficiency(passing[mask], weight=weight[mask], name=f"{flag} {side}")
            for side, mask in (("signal", labelled.signal), ("background", labelled.background))
        )
        if 0 < signal.value[0] < 1:
            network = points_of(labelled, labelled.rows.value, efficiencies=(float(signal.value[0]),))
            compared[flag] = {"signal": signal, "background": background, "network": network}
    return Measured({"cut_based": compared}, _headline(compared))


def _headline(cuts: dict[str, dict[str, Any]]) -> tuple[Headline, ...]:
    lines = []
    for flag, one in cuts.items():
        ours, theirs = one["network"].background[0], one["background"].value[0]
        if ours > 0 and theirs > 0:
            spread = np.hypot(_relative(one["background"]), _relative_points(one["network"]))
            comment = f"at its signal efficiency of {100 * one['signal'].value[0]:.1f} %"
            lines.append(
                Headline(f"rejection over cut-based {flag}", theirs / ours, theirs / ours * spread, "", comment)
            )
    return tuple(lines)


def _relative(efficiency: Efficiency) -> float:
    return float((efficiency.high - efficiency.low)[0] / 2 / efficiency.value[0])


def _relative_points(points: WorkingPoints) -> float:
    return float((points.background_high - points.background_low)[0] / 2 / points.background[0])


def measure_cut_table(labelled: Labelled) -> Measured:
    """Efficiencies of the cuts in a file of working points, over all and along |eta|, E_T and mu.

    Parameters
    ----------
    labelled : Labelled

    Returns
    -------
    Measured
        Nothing is in it where the recipe names no file.
    """
    if labelled.config.working_points is None:
        return Measured({"applied": {}})
    table = read_cut_table(labelled.config.working_points)
    found: dict[str, dict[str, Any]] = {}
    for side, mask in (("signal", labelled.signal), ("background", labelled.background)):
        own = replace(labelled.rows, weight=labelled.weight).take(mask)
        along = efficiency_along_axes(table, own, edges=edges_of(labelled.config))
        found[side] = {"all": inclusive_efficiency(table, own), "along": along}
    lines = tuple(
        percent(f"{side} efficiency of {name}", one, "of the working points given")
        for side, measured in found.items()
        for name, one in measured["all"].items()
    )
    return Measured({"applied": found}, lines)
