"""Cuts that were made elsewhere, on the same candidates: the ntuple's flags, and a file of working points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.analysis import compare_with_cuts
from calotools.errors import ConfigError
from calotools.stages.evaluation.curves import points_of
from calotools.stages.evaluation.efficiencies import (
    efficiency_along_axes,
    inclusive_efficiency,
    overall_efficiency,
    percent,
)
from calotools.stages.evaluation.labels import Labelled, Measured, edges_of, rows_of
from calotools.stages.evaluation.ratios import ratio_line
from calotools.stages.publish import Headline
from calotools.variables import ScoreOrigin, check_origin, read_cut_table

if TYPE_CHECKING:
    from calotools.stages.scored import Scored

__all__ = ["check_cuts", "measure_cut_based", "measure_cut_table"]

FLAGS = ("pass_loose", "pass_medium", "pass_tight")


def measure_cut_based(labelled: Labelled) -> Measured:
    """Each flag of the ntuple, and the network at the same signal efficiency on the same candidates.

    Parameters
    ----------
    labelled : Labelled

    Returns
    -------
    Measured
        ``cut_based``: by canonical flag, its ``name`` as the flavour has it, and what it keeps.
    """
    sample, weight = labelled.sample, labelled.weight
    compared: dict[str, dict[str, Any]] = {}
    flags = {flag: ak.to_numpy(sample.candidates[flag]) == 1 for flag in filter(sample.__contains__, FLAGS)}
    for flag, passing in flags.items():
        name = _name_of(sample, flag)
        signal, background = (
            overall_efficiency(passing[mask], weight=weight[mask], name=f"{name} {side}")
            for side, mask in (("signal", labelled.signal), ("background", labelled.background))
        )
        if 0 < signal.value[0] < 1:
            network = points_of(labelled, labelled.rows.value, efficiencies=(float(signal.value[0]),))
            compared[flag] = {"name": name, "signal": signal, "background": background, "network": network}
    if not compared:
        return Measured({"cut_based": compared})
    ratios = compare_with_cuts(
        labelled.rows.value,
        {one["name"]: flags[flag] for flag, one in compared.items()},
        signal=labelled.signal,
        background=labelled.background,
        bootstrap=labelled.bootstrap,
        weight=weight,
    )
    for one in compared.values():
        one["ratio"] = ratios[one["name"]]
    what = "cut-based " if sample.flavour == "native" else ""
    return Measured({"cut_based": compared}, _headline(compared, what))


def _name_of(sample: Scored, flag: str) -> str:
    """The branch of a flag, without the collection that it is in."""
    return sample.branches.get(flag, "").rpartition(".")[2] or flag


def _headline(cuts: dict[str, dict[str, Any]], what: str) -> tuple[Headline, ...]:
    return tuple(
        ratio_line(
            f"rejection over {what}{one['name']}",
            one["ratio"],
            comment=f"at its signal efficiency of {100 * one['signal'].value[0]:.1f} %",
        )
        for one in cuts.values()
        if np.isfinite(one["ratio"].value[0])
    )


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
