"""The detector: what a cell is, where it is, what is in front of it, and how it is read out.

Numbers live in `tables/*.toml`, each with its source and how far to trust it; the functions here are pure and work on
arrays. `load_table(name, path="mine.toml")` replaces some of the numbers of a table; every function takes the result as
``table=``.
"""

from calotools.detector.cells import build_cells, cell_at, cells_in_window
from calotools.detector.crosstalk import crosstalk
from calotools.detector.gain import gain_thresholds, select_gain
from calotools.detector.granularity import cell_size, regions
from calotools.detector.material import layer_edges, material_before, material_inside
from calotools.detector.medium import Medium, effective_medium, stack_medium
from calotools.detector.modulation import TILE_MODULES, absorber_period
from calotools.detector.noise import cell_noise
from calotools.detector.position import shower_position, shower_radius
from calotools.detector.pulse import OptimalFilter, filter_response, optimal_filter, pulse_shape
from calotools.detector.resolution import pileup_resolution, resolution_terms, time_resolution
from calotools.detector.sampling import Sampling
from calotools.detector.tables import load_table

__all__ = [
    "TILE_MODULES",
    "Medium",
    "OptimalFilter",
    "Sampling",
    "absorber_period",
    "build_cells",
    "cell_at",
    "cell_noise",
    "cell_size",
    "cells_in_window",
    "crosstalk",
    "effective_medium",
    "filter_response",
    "gain_thresholds",
    "layer_edges",
    "load_table",
    "material_before",
    "material_inside",
    "optimal_filter",
    "pileup_resolution",
    "pulse_shape",
    "regions",
    "resolution_terms",
    "select_gain",
    "shower_position",
    "shower_radius",
    "stack_medium",
    "time_resolution",
]
