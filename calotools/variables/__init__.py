"""Per-candidate variables: shower shapes, selections with a cut flow, splits, scaling and weights.

Selections, splits, scaling and weights are plain numpy; the shower shapes, which are compiled, are imported when first
used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names
from calotools.variables.cut_table import CutTable, read_cut_table, write_cut_table
from calotools.variables.derived import DERIVED, add_derived, derived_inputs
from calotools.variables.discriminant import Discriminant, make_discriminant
from calotools.variables.jagged import flat_collection
from calotools.variables.mirror import CHANGES_SIGN, MirrorAxis, sign_changes
from calotools.variables.reweighting import fold_factors, make_reweighter
from calotools.variables.scaling import IQR_OF_GAUSSIAN, Scaler, fit_scaler
from calotools.variables.score_origin import ScoreOrigin, check_origin
from calotools.variables.selection import CutStep, Selection, add_cutflows, compute, fields_in, select
from calotools.variables.splits import SPLITS, event_hash, fold_numbers, fold_split, split_of
from calotools.variables.temperature import find_temperature, with_temperature
from calotools.variables.weighted import WeightedSample
from calotools.variables.weights import WeightTable, count_bins, flatten_weights, match_weights

if TYPE_CHECKING:
    from calotools.variables.shapes import SHAPES, candidate_shapes, shower_shapes
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "CHANGES_SIGN",
    "DERIVED",
    "IQR_OF_GAUSSIAN",
    "SHAPES",
    "SPLITS",
    "CutStep",
    "CutTable",
    "Discriminant",
    "MirrorAxis",
    "Scaler",
    "ScoreOrigin",
    "Selection",
    "WeightTable",
    "WeightedSample",
    "add_cutflows",
    "add_derived",
    "candidate_shapes",
    "check_origin",
    "compute",
    "count_bins",
    "derived_inputs",
    "event_hash",
    "fields_in",
    "find_temperature",
    "fit_scaler",
    "flat_collection",
    "flatten_weights",
    "fold_factors",
    "fold_numbers",
    "fold_split",
    "make_discriminant",
    "make_reweighter",
    "match_weights",
    "read_cut_table",
    "select",
    "shower_shapes",
    "sign_changes",
    "split_of",
    "with_temperature",
    "write_cut_table",
]
