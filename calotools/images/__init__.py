"""Cells to pixels: image specs, images, padded tracks and the store that training reads."""

from calotools.images.build import build_images, cell_fields
from calotools.images.grid import pixel_edges
from calotools.images.spec import image_spec, shipped_specs, spec_from_dict, spec_to_dict
from calotools.images.store import ImageStore
from calotools.images.store_build import build_store, merge_stores
from calotools.images.tracks import pad_tracks

__all__ = [
    "ImageStore",
    "build_images",
    "build_store",
    "cell_fields",
    "image_spec",
    "merge_stores",
    "pad_tracks",
    "pixel_edges",
    "shipped_specs",
    "spec_from_dict",
    "spec_to_dict",
]
