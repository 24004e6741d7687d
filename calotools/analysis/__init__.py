"""Numbers with uncertainties: ROC and working points, resolution, pairs and masses, peak fits, tag-and-probe.

Results are the nouns of `calotools.containers`. Everything here works on arrays; nothing needs torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calotools.analysis.binned import bin_numbers, bin_ranges, cuts_in_bins, efficiency_in_bins, rejection
    from calotools.analysis.bootstrap import Bootstrap, event_bootstrap
    from calotools.analysis.calibration import confusion_matrix, fit_temperature, measure_reliability, with_temperature
    from calotools.analysis.cuts import cut_closure, fit_cuts, measure_cuts, rising_targets
    from calotools.analysis.dependence import profile, rank_correlation, sculpting
    from calotools.analysis.estimates import (
        Estimate,
        bootstrap_estimate,
        correlation,
        fraction,
        mean_rows,
        median,
        robust_width,
    )
    from calotools.analysis.histograms import (
        FilledHistograms,
        fill_histograms,
        histogram_fields,
        new_histograms,
    )
    from calotools.analysis.intervals import binomial_interval
    from calotools.analysis.pairs import PairRule, Pairs, all_pairs, find_pairs, pair_mass
    from calotools.analysis.peakfit import fit_peak
    from calotools.analysis.pulls import measure_pulls, significance
    from calotools.analysis.resolution import measure_resolution, quantiles, shortest_interval, sigma68
    from calotools.analysis.results import from_dict, read_numbers, to_dict, write_numbers
    from calotools.analysis.reweighting import closeness, effective_size, overlap
    from calotools.analysis.roc import auc, measure_roc, working_points
    from calotools.analysis.scalefactors import (
        ScaleFactorMeasurement,
        check_closure,
        measure_scale_factors,
        scale_factors,
    )
    from calotools.analysis.separation import separate
    from calotools.analysis.tagprobe import TagProbeSample, count_efficiencies, design_effect, tag_probe_sample
    from calotools.analysis.tagprobefit import TagProbeModel, efficiency_of_fits, fit_efficiencies
    from calotools.analysis.terms import ResolutionTerms, fit_terms, mixture_width, resolution_at
    from calotools.analysis.widths import compare_widths

_HOME = {
    "Bootstrap": "bootstrap",
    "Estimate": "estimates",
    "FilledHistograms": "histograms",
    "PairRule": "pairs",
    "Pairs": "pairs",
    "ResolutionTerms": "terms",
    "ScaleFactorMeasurement": "scalefactors",
    "TagProbeModel": "tagprobefit",
    "TagProbeSample": "tagprobe",
    "all_pairs": "pairs",
    "auc": "roc",
    "bin_numbers": "binned",
    "bin_ranges": "binned",
    "binomial_interval": "intervals",
    "bootstrap_estimate": "estimates",
    "check_closure": "scalefactors",
    "closeness": "reweighting",
    "compare_widths": "widths",
    "confusion_matrix": "calibration",
    "correlation": "estimates",
    "count_efficiencies": "tagprobe",
    "cut_closure": "cuts",
    "cuts_in_bins": "binned",
    "design_effect": "tagprobe",
    "effective_size": "reweighting",
    "efficiency_in_bins": "binned",
    "efficiency_of_fits": "tagprobefit",
    "event_bootstrap": "bootstrap",
    "fill_histograms": "histograms",
    "find_pairs": "pairs",
    "fit_cuts": "cuts",
    "fit_efficiencies": "tagprobefit",
    "fit_peak": "peakfit",
    "fit_temperature": "calibration",
    "fit_terms": "terms",
    "fraction": "estimates",
    "from_dict": "results",
    "histogram_fields": "histograms",
    "mean_rows": "estimates",
    "measure_cuts": "cuts",
    "measure_pulls": "pulls",
    "measure_reliability": "calibration",
    "measure_resolution": "resolution",
    "measure_roc": "roc",
    "measure_scale_factors": "scalefactors",
    "median": "estimates",
    "mixture_width": "terms",
    "new_histograms": "histograms",
    "overlap": "reweighting",
    "pair_mass": "pairs",
    "profile": "dependence",
    "quantiles": "resolution",
    "rank_correlation": "dependence",
    "read_numbers": "results",
    "rejection": "binned",
    "resolution_at": "terms",
    "rising_targets": "cuts",
    "robust_width": "estimates",
    "scale_factors": "scalefactors",
    "sculpting": "dependence",
    "separate": "separation",
    "shortest_interval": "resolution",
    "sigma68": "resolution",
    "significance": "pulls",
    "tag_probe_sample": "tagprobe",
    "to_dict": "results",
    "with_temperature": "calibration",
    "working_points": "roc",
    "write_numbers": "results",
}

__all__ = [
    "Bootstrap",
    "Estimate",
    "FilledHistograms",
    "PairRule",
    "Pairs",
    "ResolutionTerms",
    "ScaleFactorMeasurement",
    "TagProbeModel",
    "TagProbeSample",
    "all_pairs",
    "auc",
    "bin_numbers",
    "bin_ranges",
    "binomial_interval",
    "bootstrap_estimate",
    "check_closure",
    "closeness",
    "compare_widths",
    "confusion_matrix",
    "correlation",
    "count_efficiencies",
    "cut_closure",
    "cuts_in_bins",
    "design_effect",
    "effective_size",
    "efficiency_in_bins",
    "efficiency_of_fits",
    "event_bootstrap",
    "fill_histograms",
    "find_pairs",
    "fit_cuts",
    "fit_efficiencies",
    "fit_peak",
    "fit_temperature",
    "fit_terms",
    "fraction",
    "from_dict",
    "histogram_fields",
    "mean_rows",
    "measure_cuts",
    "measure_pulls",
    "measure_reliability",
    "measure_resolution",
    "measure_roc",
    "measure_scale_factors",
    "median",
    "mixture_width",
    "new_histograms",
    "overlap",
    "pair_mass",
    "profile",
    "quantiles",
    "rank_correlation",
    "read_numbers",
    "rejection",
    "resolution_at",
    "rising_targets",
    "robust_width",
    "scale_factors",
    "sculpting",
    "separate",
    "shortest_interval",
    "sigma68",
    "significance",
    "tag_probe_sample",
    "to_dict",
    "with_temperature",
    "working_points",
    "write_numbers",
]


def __getattr__(name: str) -> object:
    """Import a public name on first use: fits and pairs need libraries that other commands do not."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'calotools.analysis' has no attribute '{name}'")
    return getattr(import_module(f"calotools.analysis.{_HOME[name]}"), name)
