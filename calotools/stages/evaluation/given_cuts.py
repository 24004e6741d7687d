"""Cuts that were made elsewhere, on the same candidates: the cut-based flags, and a file of working points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from calotools.containers import Efficiency, WorkingPoints
from calotools.errors import ConfigError
from calotools.stages.evaluation.curves import points_of
from calotools.stages.evaluation.efficiencies import (
    efficiency_along_axes,
    inclusive_efficiency,
    overall_efficiency,
    percent,
)
from calotools.stages.evaluation.labels import Labelled, Measured, edges_of, rows_of
from calotools.stages.publish import Headline
from calotools.variables import ScoreOrigin, check_origin, read_cut_table

__all__ = ["check_cuts", "measure_cut_based", "measure_cut_table"]

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


def check_cuts(path: Path, record: Mapping[str, Any]) -> None:
    """Refuse cuts that are not for some scores.

    Parameters
    ----------
    path : path
        Of the working points.
    record : mapping
        Of the scores.

    Raises
    ------
    ConfigError
        They are energies, or the cuts were made from scores of another model or calibration.
    """
    if record["task"] != "identification":
        raise ConfigError(f"working points are cuts on class scores; these scores are of task '{record['task']}'")
    check_origin(read_cut_table(path).origin, ScoreOrigin.from_record(record), where=str(path))


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
    # on the discriminant that the cuts were made for, whichever the recipe has
    rows = rows_of(labelled.sample, table.discriminant, unweighted=labelled.config.unweighted)
    rows = replace(rows, weight=labelled.weight)
    found: dict[str, dict[str, Any]] = {}
    for side, mask in (("signal", labelled.signal), ("background", labelled.background)):
        own = rows.take(mask)
        along = efficiency_along_axes(table, own, edges=edges_of(labelled.config))
        found[side] = {"all": inclusive_efficiency(table, own), "along": along}
    comment = "of the working points given" + ("" if table.origin else ", which do not say of which scores they are")
    lines = tuple(
        percent(f"{side} efficiency of {name}", one, comment)
        for side, measured in found.items()
        for name, one in measured["all"].items()
    )
    return Measured({"applied": found}, lines)
