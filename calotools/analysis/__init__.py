"""Numbers with uncertainties: ROC and working points, resolution, pairs and masses, peak fits, tag-and-probe.

Results are the nouns of `calotools.containers`. Everything here works on arrays; nothing needs torch.

Names are imported on first use, since fits and pairs need libraries that other commands do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.analysis.binned import bin_numbers, bin_ranges, cuts_in_bins, efficiency_in_bins, rejection
    from calotools.analysis.bootstrap import Bootstrap, event_bootstrap
    from calotools.analysis.calibration import confusion_matrix, fit_temperature, measure_reliability, with_temperature
    from calotools.analysis.categories import mass_sigma, measure_categories
    from calotools.analysis.combination import fisher_combination, product_combination
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
    from calotools.analysis.histograms import FilledHistograms, fill_histograms, histogram_fields, new_histograms
    from calotools.analysis.intervals import binomial_interval
    from calotools.analysis.linearity import Linearity, measure_linearity
    from calotools.analysis.pairs import PairRule, Pairs, all_pairs, find_pairs, leg_mass, pair_mass
    from calotools.analysis.peakfit import fit_peak
    from calotools.analysis.pulls import measure_pulls, significance
    from calotools.analysis.rejection_ratios import ComparedRejections, compare_rejections, compare_with_cuts
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
    from calotools.analysis.separation import fisher_separation, separate
    from calotools.analysis.tagprobe import TagProbeSample, count_efficiencies, design_effect, tag_probe_sample
    from calotools.analysis.tagprobefit import TagProbeModel, efficiency_of_fits, fit_efficiencies
    from calotools.analysis.terms import ResolutionTerms, fit_terms, mixture_width, resolution_at, term_reach
    from calotools.analysis.widths import compare_widths
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "Bootstrap",
    "ComparedRejections",
    "Estimate",
    "FilledHistograms",
    "Linearity",
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
    "compare_rejections",
    "compare_widths",
    "compare_with_cuts",
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
    "fisher_combination",
    "fisher_separation",
    "fit_cuts",
    "fit_efficiencies",
    "fit_peak",
    "fit_temperature",
    "fit_terms",
    "fraction",
    "from_dict",
    "histogram_fields",
    "leg_mass",
    "mass_sigma",
    "mean_rows",
    "measure_categories",
    "measure_cuts",
    "measure_linearity",
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
    "product_combination",
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
    "term_reach",
    "to_dict",
    "with_temperature",
    "working_points",
    "write_numbers",
]
