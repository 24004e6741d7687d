"""What a recipe's fit learns from: an image store, or ROOT files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools.progress import Progress
from calotools.training.loading.stored import StoreData
from calotools.training.loading.streaming import StreamData
from calotools.training.sample.labels import check_inputs
from calotools.training.sample.preparation import find_store, prepare
from calotools.training.sample.survey import take_survey

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig

__all__ = ["open_data"]


def open_data(config: TrainConfig, *, progress: Progress | None = None) -> StoreData | StreamData:
    """What a recipe's fit learns from.

    Parameters
    ----------
    config : TrainConfig
        With ``source = "store"`` its image store, which is made during the first epoch if it is not there; with
        ``"stream"`` its ROOT files, in every epoch.
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    StoreData or StreamData

    Raises
    ------
    CalotoolsError
        Of the files, the recipe, or a store that is another recipe's.
    """
    check_inputs(config)
    several = config.trainer.devices > 1  # processes cannot write one store together
    if config.source == "store":
        store = prepare(config, progress=progress) if several else find_store(config)
        if store is not None:
            return StoreData(config, store)
    data = StreamData(config, take_survey(config, progress=progress))
    if several:
        data.complete()
        data.close()  # a fork would take over its threads without life in them, and wait for them for ever
    return data
