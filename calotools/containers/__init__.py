"""The nouns: what travels between the rooms.

Units are GeV, rad, mm, ns. Axes are always (candidate, layer, eta, phi). A missing value is NaN, never -999. Every
per-candidate noun carries the index (run, event, candidate), so that nothing has to be looked up again.

The commonest noun, *candidates*, is not a class: it is an awkward record array, one row per candidate, with the
canonical fields of `calotools/ntuple/flavours/native.toml`; only `cells` and `tracks` are ragged.
"""

from calotools.containers.batch import Batch
from calotools.containers.candidates import Index, Scores
from calotools.containers.checks import Check
from calotools.containers.images import ImageGrid, Images, ImageSpec, Layer
from calotools.containers.memory import new_array, trim_heap
from calotools.containers.peaks import MassCategories, PeakFit, WidthComparison
from calotools.containers.performance import (
    Closeness,
    Confusion,
    Efficiency,
    RejectionRatio,
    Reliability,
    Resolution,
    Roc,
    WorkingPoints,
)
from calotools.containers.records import column_of
from calotools.containers.tagprobe import Closure, ScaleFactors, TagProbeFit

__all__ = [
    "Batch",
    "Check",
    "Closeness",
    "Closure",
    "Confusion",
    "Efficiency",
    "ImageGrid",
    "ImageSpec",
    "Images",
    "Index",
    "Layer",
    "MassCategories",
    "PeakFit",
    "RejectionRatio",
    "Reliability",
    "Resolution",
    "Roc",
    "ScaleFactors",
    "Scores",
    "TagProbeFit",
    "WidthComparison",
    "WorkingPoints",
    "column_of",
    "new_array",
    "trim_heap",
]
