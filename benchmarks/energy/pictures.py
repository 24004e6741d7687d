"""The figures, from the numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from seeds import honesty_of, numbers_of

from calotools.plots import draw_pulls, draw_resolution, save_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Mapping[str, Any]
_SHOWN = {
    "electrons": ("lgbm_12", "tree_all", "cnn_i", "cnn_is", "cloud", "compact", "ensemble"),
    "photons": ("tree_all_photons", "cnn_i_photons", "compact_photons", "ensemble_photons"),
}
_SHORT = {
    "lgbm_12": "LGBM(12)",
    "tree_all": "trees, all scalars",
    "tree_all_photons": "trees, all scalars",
    "cnn_i": "cnn(i)",
    "cnn_i_photons": "cnn(i)",
    "cnn_is": "cnn(i, s)",
    "cloud": "cells as points",
    "compact": "compact",
    "compact_photons": "compact",
    "ensemble": "three compact",
    "ensemble_photons": "three compact",
    "tree": "trees",
    "tree_photons": "trees",
}


def draw(rows: Rows, folder: Path) -> list[str]:
    """Draw what there are numbers for; the names of the figures."""
    figures: dict[str, Figure] = {}
    for axis in ("abs_eta", "et_true", "mu"):
        for particle, names in _SHOWN.items():
            there = [name for name in names if f"{name}/1" in rows]
            gains = [_named(rows, name, axis) for name in there]
            if gains:
                figures[f"gain_{particle}_{axis}"] = _gain(gains, particle)
        figures |= _by_conversion(rows, axis)
    if "tree/1" in rows and "compact/1" in rows:
        figures["iqr_electrons_abs_eta"] = _iqr(rows)
    figures |= _honesty(rows)
    for name, figure in figures.items():
        save_file(figure, folder / f"{name}.png", overwrite=True)
    return list(figures)


def _named(rows: Rows, name: str, axis: str) -> Any:
    return replace(numbers_of(rows, name)["binned"][axis], name=_SHORT[name])


def _gain(gains: list[Any], note: str) -> Figure:
    return draw_resolution(gains, metric="rel_improvement", panel=None, note=note)


def _by_conversion(rows: Rows, axis: str) -> dict[str, Figure]:
    name = "compact_photons"
    if f"{name}/1" not in rows:
        return {}
    found = numbers_of(rows, name)["conversion"]
    gains = [replace(found[kind]["binned"][axis], name=kind) for kind in ("unconverted", "converted")]
    return {f"gain_conversion_{axis}": _gain(gains, f"photons, {_SHORT[name]}")}


def _iqr(rows: Rows) -> Figure:
    shown = [_named(rows, name, "abs_eta") for name in ("tree", "compact")]
    return draw_resolution(shown, metric="iqr", note="electrons")


def _honesty(rows: Rows) -> dict[str, Figure]:
    found = honesty_of(rows)
    if found is None:
        return {}
    edges, counts = (np.asarray(found["pulls"][key]) for key in ("edges", "counts"))
    middle = 0.5 * (edges[1:] + edges[:-1])
    each = np.repeat(middle, counts.astype(int))  # a candidate each: a weight would count as one candidate's
    figures = {
        "sigma_pull": draw_pulls({"compact": each}, bins=len(middle)),
    }
    for axis, binned in found["binned"].items():
        named = replace(binned, name="compact")
        figures[f"sigma_coverage_{axis}"] = draw_resolution([named], metric="coverage68", panel=None)
    return figures
