"""What is minimised: one number per candidate, averaged with the candidates' weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch.nn import functional

from calotools.errors import ConfigError, nearest

__all__ = ["CORE", "ENERGY_LOSSES", "IDENTIFICATION_LOSSES", "QUANTILES", "choose_loss", "log_cosh", "weighted_mean"]

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Scaled = Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]

# Log-cosh and Huber turn from quadratic to linear at about this error: relative, of the core of an electromagnetic
# shower; and in GeV.
CORE = 0.02
_CORE_GEV = 1.0
# Of the energy and of the ends of its interval: those of a Gaussian at -1, 0 and 1 sigma.
QUANTILES = (0.5, 0.158655, 0.841345)


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


def _huber(error: torch.Tensor, scale: float) -> torch.Tensor:
    return functional.huber_loss(error, torch.zeros_like(error), reduction="none", delta=scale)


def _gaussian(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """(n, 2) energy and sigma: -ln of the Gaussian density of E / E_true, without the constant ln sqrt(2 pi)."""
    energy, sigma = output.unbind(dim=1)
    return 0.5 * ((energy - target) / sigma) ** 2 + torch.log(sigma / target)


def _quantile(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """(n, 3) energy and ends of its interval: the pinball losses of their relative errors, added up."""
    missing = (target[:, None] - output) / target[:, None]  # (n, 3)
    level = torch.tensor(QUANTILES, device=output.device, dtype=output.dtype)
    return torch.maximum(level * missing, (level - 1) * missing).sum(dim=1)


# Name: (loss of energy, target and scale; the scale by default).
ENERGY_LOSSES: dict[str, tuple[Scaled, float]] = {
    "log-cosh": (lambda energy, target, scale: log_cosh(_relative(energy, target) / scale), CORE),
    "relative-mae": (lambda energy, target, _: _relative(energy, target).abs(), 1.0),
    "relative-mse": (lambda energy, target, _: _relative(energy, target) ** 2, 1.0),
    "relative-huber": (lambda energy, target, scale: _huber(_relative(energy, target), scale), CORE),
    "log-cosh-gev": (lambda energy, target, scale: log_cosh((energy - target) / scale), _CORE_GEV),
    "mae": (lambda energy, target, _: (energy - target).abs(), 1.0),
    "mse": (lambda energy, target, _: (energy - target) ** 2, 1.0),
    "huber": (lambda energy, target, scale: _huber(energy - target, scale), _CORE_GEV),
}
_WITH_UNCERTAINTY: dict[str, dict[str, Loss]] = {
    "gaussian": {"gaussian-nll": _gaussian},
    "quantiles": {"quantile": _quantile},
}
IDENTIFICATION_LOSSES: dict[str, Loss] = {
    "cross-entropy": lambda logits, target: functional.cross_entropy(logits, target, reduction="none"),
    "mse": lambda logits, target: (
        (torch.softmax(logits, dim=1) - functional.one_hot(target, logits.shape[1])).square().sum(dim=1)
    ),
}


def choose_loss(name: str | None, *, task: str, uncertainty: str = "none", scale: float | None = None) -> Loss:
    """The loss of a recipe.

    Parameters
    ----------
    name : str, optional
        Energy: ``log-cosh`` (the default: of the relative error over 0.02), ``relative-mae``, ``relative-mse``,
        ``relative-huber``, ``log-cosh-gev``, ``mae``, ``mse``, ``huber`` (of the error in GeV); ``gaussian-nll`` or
        ``quantile`` where the network also gives its uncertainty. Identification: ``cross-entropy``, ``mse`` (of the
        probabilities).
    task : {"identification", "energy"}
    uncertainty : {"none", "gaussian", "quantiles"}
        What the network gives beside the energy.
    scale : float, optional
        Error at which log-cosh and Huber turn from quadratic to linear; default: 0.02 (relative), 1 GeV.

    Returns
    -------
    callable
        (prediction, target) -> (n,) loss of each candidate; energies in GeV, or (n, class) logits and int64 classes.

    Raises
    ------
    ConfigError
        The task has no such loss, or it needs another output of the network.

    Examples
    --------
    >>> choose_loss("relative-mse", task="energy")(torch.tensor([55.0]), torch.tensor([50.0])).item()
    0.01...
    """
    table = _losses(task, uncertainty, scale)
    name = name or next(iter(table))
    if name not in table:
        kinds = [kind for kind, losses in _WITH_UNCERTAINTY.items() if task == "energy" and name in losses]
        if kinds:
            raise ConfigError(
                f"trainer.loss = '{name}' needs a network with an uncertainty: set uncertainty = '{kinds[0]}'"
            )
        also = f" with uncertainty = '{uncertainty}'" if uncertainty != "none" else ""
        raise ConfigError(f"trainer.loss = '{name}' is no loss of task '{task}'{also}; {nearest(name, table)}")
    return table[name]


def _losses(task: str, uncertainty: str, scale: float | None) -> dict[str, Loss]:
    if task != "energy":
        return IDENTIFICATION_LOSSES
    if uncertainty != "none":
        return _WITH_UNCERTAINTY[uncertainty]
    return {name: partial(_scaled, loss, scale or usual) for name, (loss, usual) in ENERGY_LOSSES.items()}


def _scaled(loss: Scaled, scale: float, energy: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return loss(energy, target, scale)


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
