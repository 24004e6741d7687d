"""Cells to pixels: image specs, images, padded tracks and the store that training reads."""

from calotools.images.build import build_images, cell_fields
from calotools.images.drafts import DraftStore, is_draft, without_cells
from calotools.images.grid import pixel_edges
from calotools.images.rows import join_pieces, take_rows
from calotools.images.spec import image_spec, shipped_specs, spec_from_dict, spec_to_dict
from calotools.images.store import ImageStore
from calotools.images.store_build import StoreWriter, build_store, merge_stores, piece_arrays, piece_draft
from calotools.images.store_order import order_store
from calotools.images.threads import default_threads
from calotools.images.tracks import pad_tracks

__all__ = [
    "DraftStore",
    "ImageStore",
    "StoreWriter",
    "build_images",
    "build_store",
    "cell_fields",
    "default_threads",
    "image_spec",
    "is_draft",
    "join_pieces",
    "merge_stores",
    "order_store",
    "pad_tracks",
    "piece_arrays",
    "piece_draft",
    "pixel_edges",
    "shipped_specs",
    "spec_from_dict",
    "spec_to_dict",
    "take_rows",
    "without_cells",
]
