"""Optimisers by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch

from calotools.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from calotools.recipe import TrainerConfig

__all__ = ["build_optimiser"]


def build_optimiser(parameters: Iterable[nn.Parameter], config: TrainerConfig) -> torch.optim.Optimizer:
    """The optimiser of a recipe.

    Parameters
    ----------
    parameters : iterable of torch.nn.Parameter
        Frozen ones are left out.
    config : TrainerConfig
        ``adamw`` and ``nadam`` take the weight decay off the weights themselves, the others add it to the gradient.

    Returns
    -------
    torch.optim.Optimizer

    Raises
    ------
    ConfigError
        Every parameter is frozen.

    Examples
    --------
    >>> from calotools.recipe import TrainerConfig
    >>> type(build_optimiser(torch.nn.Linear(2, 1).parameters(), TrainerConfig(optimizer="nadam"))).__name__
    'NAdam'
    """
    free = [one for one in parameters if one.requires_grad]
    if not free:
        raise ConfigError("model.freeze holds every parameter of the network: nothing is left to train")
    common: dict[str, Any] = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    optim = torch.optim
    match config.optimizer:
        case "adam":
            return optim.Adam(free, **common)
        case "nadam":
            return optim.NAdam(free, decoupled_weight_decay=True, **common)
        case "sgd":
            return optim.SGD(free, momentum=config.momentum, nesterov=config.momentum > 0, **common)
        case "rmsprop":
            return optim.RMSprop(free, momentum=config.momentum, **common)
        case _:
            return optim.AdamW(free, **common)
