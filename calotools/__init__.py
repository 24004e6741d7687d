"""calotools: from calorimeter cells in a ROOT file to electrons, photons, their energy, and a narrower peak.

    ROOT ntuple -> candidates -> images, variables, tracks -> model -> scores and energies (back in ROOT)
                -> performance, peaks, tag-and-probe -> numbers with uncertainties -> figures

    calotools.stages     simulate, inspect, display, train, predict, evaluate, peaks, tagprobe, report: one step each
    calotools.recipe     what each step is told: keywords here, keys in TOML, flags in the shell
    calotools.containers the nouns that travel between the rooms
    read_candidates, select, shower_shapes, build_images, ...    the same steps as functions on arrays

Names are imported when first used, so that `import calotools` costs nothing. Units are GeV, rad, mm, ns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names
from calotools._version import version as __version__

if TYPE_CHECKING:
    from calotools.images import build_images, image_spec, pad_tracks
    from calotools.ntuple import index_of, iterate_candidates, read_candidates, read_friend, write_friend
    from calotools.variables import select, shower_shapes
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "__version__",
    "build_images",
    "image_spec",
    "index_of",
    "iterate_candidates",
    "pad_tracks",
    "read_candidates",
    "read_friend",
    "select",
    "shower_shapes",
    "write_friend",
]
