"""Per-candidate variables: shower shapes, selections with a cut flow, splits, scaling and weights."""

from calotools.variables.jagged import flat_collection
from calotools.variables.scaling import Scaler, fit_scaler
from calotools.variables.selection import CutStep, Selection, add_cutflows, fields_in, select
from calotools.variables.shower_shapes import SHAPES, candidate_shapes, shower_shapes
from calotools.variables.splits import SPLITS, event_hash, split_of
from calotools.variables.weights import flatten_weights, match_weights

__all__ = [
    "SHAPES",
    "SPLITS",
    "CutStep",
    "Scaler",
    "Selection",
    "add_cutflows",
    "candidate_shapes",
    "event_hash",
    "fields_in",
    "fit_scaler",
    "flat_collection",
    "flatten_weights",
    "match_weights",
    "select",
    "shower_shapes",
    "split_of",
]
