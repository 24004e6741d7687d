"""calotools: from calorimeter cells in a ROOT file to electrons, photons, their energy, and a narrower peak.

    ROOT ntuple -> candidates -> images, variables, tracks -> model -> scores and energies (back in ROOT)
                -> performance, peaks, tag-and-probe -> numbers with uncertainties -> figures

    simulate, inspect, display, train, predict, evaluate, peaks, tagprobe, report    one stage each (calotools.stages)
    SimulateConfig, TrainConfig, ...     what a stage is told: keywords here, keys in TOML, flags in the shell
    read_candidates, build_images, shower_shapes, select    the same steps as functions on arrays

Names are imported when first used, so that `import calotools` costs nothing. Units are GeV, rad, mm, ns.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from calotools._version import version as __version__

if TYPE_CHECKING:
    from calotools.images import build_images, image_spec, pad_tracks
    from calotools.ntuple import iterate_candidates, read_candidates, read_friend, write_friend
    from calotools.recipe import (
        DisplayConfig,
        EvaluateConfig,
        InspectConfig,
        PeaksConfig,
        PredictConfig,
        ReportConfig,
        SimulateConfig,
        TagProbeConfig,
        TrainConfig,
    )
    from calotools.stages import display, evaluate, inspect, peaks, predict, report, simulate, tagprobe, train
    from calotools.variables import select, shower_shapes

_ROOM_OF = {
    **dict.fromkeys(
        ["display", "evaluate", "inspect", "peaks", "predict", "report", "simulate", "tagprobe", "train"], "stages"
    ),
    **dict.fromkeys(
        [
            "DisplayConfig",
            "EvaluateConfig",
            "InspectConfig",
            "PeaksConfig",
            "PredictConfig",
            "ReportConfig",
            "SimulateConfig",
            "TagProbeConfig",
            "TrainConfig",
        ],
        "recipe",
    ),
    **dict.fromkeys(["iterate_candidates", "read_candidates", "read_friend", "write_friend"], "ntuple"),
    **dict.fromkeys(["select", "shower_shapes"], "variables"),
    **dict.fromkeys(["build_images", "image_spec", "pad_tracks"], "images"),
}

__all__ = [
    "DisplayConfig",
    "EvaluateConfig",
    "InspectConfig",
    "PeaksConfig",
    "PredictConfig",
    "ReportConfig",
    "SimulateConfig",
    "TagProbeConfig",
    "TrainConfig",
    "__version__",
    "build_images",
    "display",
    "evaluate",
    "image_spec",
    "inspect",
    "iterate_candidates",
    "pad_tracks",
    "peaks",
    "predict",
    "read_candidates",
    "read_friend",
    "report",
    "select",
    "shower_shapes",
    "simulate",
    "tagprobe",
    "train",
    "write_friend",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'calotools' has no attribute {name!r}")
    return getattr(importlib.import_module(f"calotools.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
