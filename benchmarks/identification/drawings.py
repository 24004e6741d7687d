"""Figures of the table, from its JSON alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rejections import AXES, CURVE

from calotools.containers import RejectionRatio, Roc
from calotools.plots import draw_roc, draw_series, save_figure

__all__ = ["draw_all"]

LABEL = "calotools simulation"
SHOWN = ("likelihood", "trees_all", "cnn_2018_published", "rnn", "cnn_2020", "compact")
AGAINST = ("trees_all", "cnn_2020", "compact")
AXIS_LABELS = {"abs_eta": r"$|\eta|$", "et": r"$E_\mathrm{T}$ [GeV]", "mu": r"$\langle\mu\rangle$"}
COUNTED = ("trees_18", "trees_22", "trees_26", "trees_29", "trees_all")


def draw_all(results: Mapping[str, Any], folder: Path) -> list[str]:
    """Draw what there is; names of the figures."""
    rows = {name: _first(row) for name, row in results["rows"].items() if row["runs"]}
    figures = {}
    shown = [name for name in SHOWN if name in rows]
    if shown:
        rocs = [_roc(rows[name], results["rows"][name]["title"]) for name in shown]
        figures["roc"] = draw_roc(rocs, ratios=_ratios(results, shown), label=LABEL)
    for axis in AXES:
        points = _gains(results, axis)
        if points:
            figures[f"gain_{axis}"] = draw_series(
                points,
                axes=(AXIS_LABELS[axis], "Rejection over the likelihood's"),
                curves={"likelihood": (np.array(AXES[axis])[[0, -1]], np.ones(2))},
                scale="logy",
                label=LABEL,
                note=r"$\varepsilon_\mathrm{s}$ = 92 % in each bin",
            )
    counted = [name for name in COUNTED if name in rows]
    if len(counted) > 1:
        figures["variables"] = _variables(counted, rows, results)
    for name, figure in figures.items():
        save_figure(figure, folder, name, overwrite=True)
    return list(figures)


def _first_run(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run with the smallest seed."""
    run: Mapping[str, Any] = row["runs"][min(row["runs"], key=int)]
    return run


def _first(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Its numbers."""
    numbers: Mapping[str, Any] = _first_run(row)["numbers"]
    return numbers


def _roc(numbers: Mapping[str, Any], name: str) -> Roc:
    curve = {key: np.array(values) for key, values in numbers["roc"].items()}
    return Roc(**curve, auc=numbers["auc"][0], auc_error=numbers["auc"][1], n_signal=0, n_background=0, name=name)


def _ratios(results: Mapping[str, Any], shown: list[str]) -> list[RejectionRatio]:
    """Of each to the first, with the bootstrap's intervals; none unless all have been compared with it."""
    over = [_first_run(results["rows"][name]).get("over", {}).get(shown[0], {}) for name in shown[1:]]
    if not all("curve" in one for one in over):
        return []
    curves = [
        {key: np.array([point[key] for point in one["curve"]]) for key in ("value", "low", "high")} for one in over
    ]
    return [RejectionRatio(np.array(CURVE), **one, name=name) for one, name in zip(curves, shown[1:], strict=True)]


def _gains(results: Mapping[str, Any], axis: str) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Rejection over the likelihood's in each bin; the bootstrap's errors of the ratio."""
    edges, points = np.array(AXES[axis]), {}
    runs = {name: _first_run(row) for name, row in results["rows"].items() if name in AGAINST and row["runs"]}
    shown = [name for name in AGAINST if "likelihood" in runs.get(name, {}).get("over", {})]
    for shift, name in enumerate(shown):
        found = runs[name]["over"]["likelihood"]["axes"][axis]
        place = edges[:-1] + (0.35 + 0.15 * shift) * np.diff(edges)
        ratio, error = (np.array([one[key] for one in found], float) for key in ("value", "error"))
        points[name.replace("_", " ")] = (place, ratio, np.nan_to_num(error))
    return points


def _variables(counted: list[str], rows: Mapping[str, Any], results: Mapping[str, Any]) -> Any:
    number = np.array([results["rows"][name]["variables"] for name in counted], float)
    values = np.array([rows[name]["points"]["published"] for name in counted])
    points = {"trees": (number, 100 * values[:, 0], 50 * (values[:, 2] - values[:, 1]))}
    curves = {}
    if "likelihood" in rows:
        curves["likelihood of 22"] = (number[[0, -1]], np.full(2, 100 * rows["likelihood"]["points"]["published"][0]))
    return draw_series(
        points,
        axes=("Variables", r"Background efficiency at $\varepsilon_\mathrm{s}$ = 92 % [%]"),
        curves=curves,
        whole=True,
        label=LABEL,
    )
