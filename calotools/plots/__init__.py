"""Figures from results, in one style, and the report: the only room that knows matplotlib and mplhep.

Every `draw_*` takes results (nouns of `calotools.containers`, or arrays by name) and returns a
`matplotlib.figure.Figure`; nothing is shown, saved or left open.
`save_figure` writes one, `write_report` collects them.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "draw_candidate": "display",
    "draw_confusion": "calibration",
    "draw_efficiency": "efficiency",
    "draw_efficiency_map": "maps",
    "draw_histogram": "histograms",
    "draw_history": "history",
    "draw_image_pairs": "image_pairs",
    "draw_images": "images",
    "draw_importance": "importance",
    "draw_peak": "peak",
    "draw_peak_comparison": "peak",
    "draw_pipeline": "pipeline",
    "draw_pulls": "distributions",
    "draw_rejection": "efficiency",
    "draw_reliability": "calibration",
    "draw_residuals": "distributions",
    "draw_resolution": "resolution",
    "draw_reweighting": "reweighting",
    "draw_roc": "roc",
    "draw_scale_factors": "maps",
    "draw_scores": "distributions",
    "draw_series": "series",
    "draw_shapes": "shapes",
    "draw_tagprobe": "tagprobe",
    "read_history": "history",
    "save_figure": "save",
    "save_file": "save",
    "write_report": "report",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'calotools.plots' has no attribute '{name}'")
    return getattr(importlib.import_module(f"calotools.plots.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
