"""What candidates count: their weights, composed by class, the background in the kinematics of the signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np

from calotools.errors import ConfigError, EmptyInputError
from calotools.variables import match_weights

if TYPE_CHECKING:
    from calotools.recipe import EvaluateConfig, WorkingPointsConfig
    from calotools.stages.scored import Scored

__all__ = ["composed_weight", "measured_weight"]


def composed_weight(sample: Scored, config: EvaluateConfig | WorkingPointsConfig) -> np.ndarray:
    """Event weights, or ones, times those of the classes: the background is composed as the recipe says.

    Parameters
    ----------
    sample : Scored
        With ``class_true`` and ``weight``.
    config : EvaluateConfig or WorkingPointsConfig

    Returns
    -------
    (n,) float64

    Raises
    ------
    ConfigError
        A weight of a ``class_true`` that no class of the model collects.
    """
    truth = ak.to_numpy(sample.candidates["class_true"])
    known = {value for values in sample.record["classes"].values() for value in values}
    for value in sorted(config.class_weights.keys() - known):
        raise ConfigError(
            f"class_weights.{value} is a weight of class_true = {value}, which no class of the model collects; those "
            f"that one does: {', '.join(map(str, sorted(known)))}"
        )
    weight = sample.weight(unweighted=config.unweighted).astype(float)
    for value, factor in config.class_weights.items():
        weight[truth == value] *= factor
    return weight


def measured_weight(
    sample: Scored, config: EvaluateConfig | WorkingPointsConfig, *, sides: Mapping[str, np.ndarray], match: bool
) -> np.ndarray:
    """As composed, the background's scaled to the signal's E_T and |eta| with `match`.

    Otherwise a score that only knew the candidate's E_T would tell signal from background.

    Parameters
    ----------
    sample : Scored
        With ``class_true``, ``weight``, ``et`` and ``eta``.
    config : EvaluateConfig or WorkingPointsConfig
    sides : dict of str to (n,) bool
        Candidates that are ``signal`` and, where there are any, ``background``.
    match : bool

    Returns
    -------
    (n,) float64

    Raises
    ------
    ConfigError
        As of `composed_weight`.
    EmptyInputError
        All candidates of a side have the weight 0.
    """
    weight = composed_weight(sample, config)
    for name, mask in sides.items():
        if not weight[mask].any():
            raise EmptyInputError(
                f"no {name} candidate is left with a weight; all {int(mask.sum())} are 0 in the files (--unweighted "
                "counts each once) or by class_weights"
            )
    if not match or "background" not in sides:
        return weight
    et, eta = sample.column("et"), sample.column("eta")
    signal, background = sides["signal"], sides["background"]
    weight[background] = match_weights(
        et[background],
        eta[background],
        like=(et[signal], eta[signal]),
        like_weight=weight[signal],
        weight=weight[background],
    )
    return weight
