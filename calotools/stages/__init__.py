"""One function for each stage of the chain: a configuration in, whole files out.

Each function takes its configuration (`calotools.recipe`) and, optionally, ``progress(task, done, total)``. Outputs are
checked before the work starts, appear whole or not at all, and carry the resolved recipe.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

Progress = Callable[[str, int, int], None]

_WHERE = {
    "Outcome": "publish",
    "describe_written": "written",
    "attribute": "attribution",
    "display": "ntuples",
    "evaluate": "evaluation",
    "find_rate": "tuning",
    "histogram": "histograms",
    "inspect": "ntuples",
    "peaks": "masses",
    "predict": "networks",
    "prepare": "networks",
    "report": "reporting",
    "reweight": "reweighting",
    "simulate": "ntuples",
    "tagprobe": "tag_and_probe",
    "train": "networks",
    "tune": "tuning",
    "validate_simulation": "validation",
    "working_points": "cuts",
}

__all__ = ["Progress", *sorted(_WHERE)]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'calotools.stages' has no attribute {name!r}")
    return getattr(importlib.import_module(f"calotools.stages.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
