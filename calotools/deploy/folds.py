"""Models of cross-validation in one bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from calotools.deploy.bundle import ModelBundle, fold_name
from calotools.errors import ModelError
from calotools.ntuple import index_of
from calotools.variables import fold_numbers

if TYPE_CHECKING:
    import awkward as ak

    from calotools.recipe import TrainConfig

__all__ = ["combine_folds", "own_rows"]


def combine_folds(config: TrainConfig, bundles: Sequence[ModelBundle]) -> ModelBundle:
    """One bundle of the models of all folds.

    Parameters
    ----------
    config : TrainConfig
        With ``folds``.
    bundles : sequence of ModelBundle
        Model k was tested on fold k.

    Returns
    -------
    ModelBundle

    Raises
    ------
    ModelError
        They are not as many as there are folds.
    """
    if len(bundles) != config.folds:
        raise ModelError(f"{len(bundles)} models are given for folds = {config.folds}; there must be one for each")
    records = [one.record for one in bundles]
    best = {name: float(np.mean([one["best"][name] for one in records])) for name in records[0].get("best", {})}
    runs = sorted({run for one in records for run in one["runs"]})
    return replace(
        bundles[0],
        state_dict={
            f"{fold_name(number)}{name}": weight
            for number, one in enumerate(bundles)
            for name, weight in one.state_dict.items()
        },
        config=config,
        record=records[0] | {"best": best, "runs": runs, "folds": records},
        bias=None,
        sigma_scale=1.0,
        factors=None,
        temperature=1.0,
        folds=tuple(bundles),
    )


def own_rows(bundle: ModelBundle, candidates: ak.Array) -> list[tuple[ModelBundle, np.ndarray]]:
    """Each model of a bundle, and the candidates that are its own: those whose event it did not learn from.

    Parameters
    ----------
    bundle : ModelBundle
    candidates : (n,) awkward record array
        With run and event.

    Returns
    -------
    list of (ModelBundle, (m,) int64)
        In the order of the folds; one without candidates is left out. A bundle that holds no folds has all rows.
    """
    if not bundle.folds:
        return [(bundle, np.arange(len(candidates)))]
    index = index_of(candidates)
    number = fold_numbers(index.run, index.event, folds=len(bundle.folds), seed=bundle.config.seed)
    rows = [np.flatnonzero(number == fold) for fold in range(len(bundle.folds))]
    return [(one, own) for one, own in zip(bundle.folds, rows, strict=True) if len(own)]
