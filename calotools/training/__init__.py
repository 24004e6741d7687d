"""Training: a store made from ntuples, a task with its loss, a fit with checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calotools.training.batches import make_batch
    from calotools.training.fitting import fit
    from calotools.training.inputs import InputScalers
    from calotools.training.preparation import prepare
    from calotools.training.result import TrainingResult

__all__ = ["InputScalers", "TrainingResult", "fit", "make_batch", "prepare"]

_HOME = {
    "InputScalers": "inputs",
    "TrainingResult": "result",
    "fit": "fitting",
    "make_batch": "batches",
    "prepare": "preparation",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use: Lightning takes seconds."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'calotools.training' has no attribute {name!r}")
    return getattr(import_module(f"calotools.training.{_HOME[name]}"), name)
