"""Models of cross-validation in one bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from calotools.deploy.bundle import ModelBundle, fold_name
from calotools.errors import ModelError

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig

__all__ = ["combine_folds"]


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
        temperature=1.0,
        folds=tuple(bundles),
    )
