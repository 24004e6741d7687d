"""Numbers with uncertainties: ROC and working points, resolution, pairs and masses, peak fits, tag-and-probe.

Results are the nouns of `calotools.containers`. Everything here works on arrays; nothing needs torch.
"""

from __future__ import annotations

import importlib
from typing import Any

_WHERE = {
    "Bootstrap": "bootstrap",
    "PairRule": "pairs",
    "Pairs": "pairs",
    "Shape": "lineshapes",
    "TagProbeModel": "tagprobe",
    "TagProbeSample": "tagprobe",
    "auc": "roc",
    "bin_numbers": "binned",
    "bin_ranges": "binned",
    "binomial_interval": "intervals",
    "closure": "scalefactors",
    "compare_widths": "widths",
    "count_efficiencies": "tagprobe",
    "cuts_in_bins": "binned",
    "efficiency_in_bins": "binned",
    "efficiency_of_fits": "tagprobe",
    "event_bootstrap": "bootstrap",
    "find_pairs": "pairs",
    "fit_efficiencies": "tagprobe",
    "fit_peak": "peakfit",
    "from_dict": "results",
    "measure_scale_factors": "scalefactors",
    "pair_mass": "pairs",
    "quantiles": "resolution",
    "read_numbers": "results",
    "rejection": "binned",
    "resolution": "resolution",
    "roc": "roc",
    "scale_factors": "scalefactors",
    "shortest_interval": "resolution",
    "sigma68": "resolution",
    "tag_probe_sample": "tagprobe",
    "to_dict": "results",
    "working_points": "roc",
    "write_numbers": "results",
}

__all__ = sorted(_WHERE)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'calotools.analysis' has no attribute '{name}'")
    return getattr(importlib.import_module(f"calotools.analysis.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
