"""What is minimised: one number per candidate, averaged with the candidates' weights."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn import functional

from calotools.errors import ConfigError, nearest

__all__ = ["ENERGY_LOSSES", "IDENTIFICATION_LOSSES", "choose_loss", "log_cosh", "weighted_mean"]

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# Log-cosh turns from quadratic to linear at about this relative error: the core of an electromagnetic shower.
_CORE = 0.02
_HUBER_GEV = 1.0


def log_cosh(x: torch.Tensor) -> torch.Tensor:
    """ln cosh x, without overflow: x^2/2 near zero, abs(x) - ln 2 far away.

    Parameters
    ----------
    x : tensor
        Any shape, dimensionless.

    Examples
    --------
    >>> [round(value, 4) for value in log_cosh(torch.tensor([0.0, 1.0, -1000.0])).tolist()]
    [0.0, 0.4338, 999.3068]
    """
    x = x.abs()
    return x + functional.softplus(-2 * x) - math.log(2)


def _relative(energy: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (energy - target) / target


ENERGY_LOSSES: dict[str, Loss] = {
    "log-cosh": lambda energy, target: log_cosh(_relative(energy, target) / _CORE),
    "relative-mae": lambda energy, target: _relative(energy, target).abs(),
    "relative-mse": lambda energy, target: _relative(energy, target) ** 2,
    "log-cosh-gev": lambda energy, target: log_cosh(energy - target),
    "mae": lambda energy, target: (energy - target).abs(),
    "mse": lambda energy, target: (energy - target) ** 2,
    "huber": lambda energy, target: functional.huber_loss(energy, target, reduction="none", delta=_HUBER_GEV),
}
IDENTIFICATION_LOSSES: dict[str, Loss] = {
    "cross-entropy": lambda logits, target: functional.cross_entropy(logits, target, reduction="none"),
}


def choose_loss(name: str | None, *, task: str) -> Loss:
    """The loss of a recipe.

    Parameters
    ----------
    name : str, optional
        Energy: ``log-cosh`` (the default: of the relative error over 0.02), ``relative-mae``, ``relative-mse``,
        ``log-cosh-gev``, ``mae``, ``mse``, ``huber`` (of the error in GeV). Identification: ``cross-entropy``.
    task : {"identification", "energy"}

    Returns
    -------
    callable
        (prediction, target) -> (n,) loss of each candidate; energies in GeV, or (n, class) logits and int64 classes.

    Raises
    ------
    ConfigError
        The task has no such loss.

    Examples
    --------
    >>> choose_loss("relative-mse", task="energy")(torch.tensor([55.0]), torch.tensor([50.0])).item()
    0.01...
    """
    table = ENERGY_LOSSES if task == "energy" else IDENTIFICATION_LOSSES
    name = name or next(iter(table))
    if name not in table:
        raise ConfigError(f"trainer.loss = '{name}' is no loss of task '{task}'; {nearest(name, table)}")
    return table[name]


def weighted_mean(losses: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Average with weights.

    Parameters
    ----------
    losses, weight : (n,) tensor

    Returns
    -------
    () tensor

    Examples
    --------
    >>> weighted_mean(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 1.0])).item()
    2.0
    """
    return (losses * weight).sum() / weight.sum()
