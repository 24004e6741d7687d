"""Figures from results, in one style, and the report: the only room that knows matplotlib and mplhep.

Every `draw_*` takes results (nouns of `calotools.containers`, or arrays by name) and returns a
`matplotlib.figure.Figure`; nothing is shown, saved or left open.
`save_figure` writes one, `write_report` collects them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.plots.calibration import draw_confusion, draw_reliability
    from calotools.plots.categories import draw_categories
    from calotools.plots.display import draw_candidate
    from calotools.plots.distributions import draw_pulls, draw_residuals, draw_scores
    from calotools.plots.efficiency import draw_efficiency, draw_rejection
    from calotools.plots.histograms import draw_histogram
    from calotools.plots.history import draw_history, read_history
    from calotools.plots.image_pairs import draw_image_pairs
    from calotools.plots.images import draw_images
    from calotools.plots.importance import draw_importance
    from calotools.plots.maps import draw_efficiency_map, draw_scale_factors
    from calotools.plots.peak import draw_peak, draw_peak_comparison
    from calotools.plots.pipeline import draw_pipeline
    from calotools.plots.report import write_report
    from calotools.plots.resolution import draw_resolution
    from calotools.plots.reweighting import draw_reweighting
    from calotools.plots.roc import draw_roc
    from calotools.plots.save import save_figure, save_file
    from calotools.plots.series import draw_series
    from calotools.plots.shapes import draw_shapes
    from calotools.plots.tagprobe import draw_tagprobe
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "draw_candidate",
    "draw_categories",
    "draw_confusion",
    "draw_efficiency",
    "draw_efficiency_map",
    "draw_histogram",
    "draw_history",
    "draw_image_pairs",
    "draw_images",
    "draw_importance",
    "draw_peak",
    "draw_peak_comparison",
    "draw_pipeline",
    "draw_pulls",
    "draw_rejection",
    "draw_reliability",
    "draw_residuals",
    "draw_resolution",
    "draw_reweighting",
    "draw_roc",
    "draw_scale_factors",
    "draw_scores",
    "draw_series",
    "draw_shapes",
    "draw_tagprobe",
    "read_history",
    "save_figure",
    "save_file",
    "write_report",
]
