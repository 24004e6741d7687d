"""Fit an ensemble: the same recipe several times, with other first weights and another order, on the same split."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from calotools.errors import ConfigError
from calotools.models import build_model, use_threads
from calotools.models.ensemble import member_name
from calotools.training.calibration.temperature import TEMPERATURE_WARNING
from calotools.training.fitting.network import calibrate, fit, validate
from calotools.training.fitting.result import TrainingResult
from calotools.training.loading.opening import open_data

if TYPE_CHECKING:
    from calotools.progress import Progress
    from calotools.recipe import TrainConfig

__all__ = ["fit_ensemble", "member_recipe"]


def member_recipe(config: TrainConfig, number: int) -> TrainConfig:
    """The recipe of one member, in a folder of its own; the store is common to all.

    Parameters
    ----------
    config : TrainConfig
        With ``members``.
    number : int
        From 0; the first is what the recipe would train alone.

    Returns
    -------
    TrainConfig
    """
    return config.model_copy(
        update={
            "members": 1,
            "member": number,
            "output": config.output / "members" / str(number),
            "store": config.store or config.output / "store",
        }
    )


def fit_ensemble(config: TrainConfig, *, progress: Progress | None = None) -> TrainingResult:
    """Train each member as `fit` does, and correct and measure their mean with the validation part that they share.

    Checkpoints and the log of member k are in ``config.output/members/k``; members that are finished are not fitted
    again.

    Parameters
    ----------
    config : TrainConfig
        With ``members`` above 1.
    progress : callable, optional
        ``progress(task, done, total)`` of each member.

    Returns
    -------
    TrainingResult
        Its network is an `Ensemble`; ``best`` of its record is of the mean, ``members`` are the records of each.

    Raises
    ------
    ConfigError, EmptyInputError, NumericalError
        As of `fit`; or the recipe asks for a single member, too.
    """
    if config.member:
        raise ConfigError("members trains every member, member a single one; give one of the two")
    results = []
    for number in range(config.members):
        own = member_recipe(config, number)
        results.append(fit(own, open_data(own, progress=progress), progress=progress))
    weights = {
        f"{member_name(number)}{name}": weight
        for number, one in enumerate(results)
        for name, weight in one.state_dict.items()
    }
    first = results[0]
    network = build_model(config.model.name, config.model.settings, first.inputs, members=config.members)
    network.load_state_dict(weights)
    with use_threads(config.trainer.threads), closing(open_data(member_recipe(config, 0))) as data:
        best = validate(config, network, data)
        calibration, remarks = calibrate(config, network, weights, data)
    return TrainingResult(
        state_dict=weights,
        config=config,
        image_spec=first.image_spec,
        inputs=first.inputs,
        scalers=first.scalers,
        record=_record([one.record for one in results]) | {"best": best} | remarks,
        **calibration,
    )


def _record(records: list[dict[str, Any]]) -> dict[str, Any]:
    """What is common to the members, all their parameters, and the record of each."""
    own = {"best_epoch", "best", "history", TEMPERATURE_WARNING}
    common = {name: value for name, value in records[0].items() if name not in own}
    return common | {"parameters": sum(one["parameters"] for one in records), "members": records}
