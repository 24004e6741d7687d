"""Deployment: one file that holds a trained network, and its application to ntuples."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calotools.deploy.attribution import integrate_gradients, permutation_importance, read_batch
    from calotools.deploy.bundle import ModelBundle, bundle_of, load_bundle, save_bundle
    from calotools.deploy.distributed import workers
    from calotools.deploy.folds import combine_folds
    from calotools.deploy.prediction import predict
    from calotools.deploy.preparation import prepare, without_bad_files
    from calotools.deploy.score import Scorer, make_scorer

__all__ = [
    "ModelBundle",
    "Scorer",
    "bundle_of",
    "combine_folds",
    "integrate_gradients",
    "load_bundle",
    "make_scorer",
    "permutation_importance",
    "predict",
    "prepare",
    "read_batch",
    "save_bundle",
    "without_bad_files",
    "workers",
]

_HOME = {
    "integrate_gradients": "attribution",
    "permutation_importance": "attribution",
    "read_batch": "attribution",
    "ModelBundle": "bundle",
    "Scorer": "score",
    "bundle_of": "bundle",
    "combine_folds": "folds",
    "load_bundle": "bundle",
    "make_scorer": "score",
    "predict": "prediction",
    "prepare": "preparation",
    "save_bundle": "bundle",
    "without_bad_files": "preparation",
    "workers": "distributed",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that `import calotools.deploy` needs no torch."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'calotools.deploy' has no attribute {name!r}")
    return getattr(import_module(f"calotools.deploy.{_HOME[name]}"), name)
