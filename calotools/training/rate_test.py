"""Which learning rate to take: steps at rates that grow from tiny to far too large, and what the loss does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from calotools.containers import Batch
from calotools.errors import NumericalError
from calotools.models import use_threads
from calotools.progress import Progress
from calotools.training.fitting.mirror import Mirror
from calotools.training.fitting.network import check_device, new_network, own_generator
from calotools.training.fitting.network_parts import rest_frozen
from calotools.training.fitting.optimisers import build_optimiser
from calotools.training.fitting.task import loss_of

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig
    from calotools.training.loading.stored import StoreData
    from calotools.training.loading.streaming import StreamData

__all__ = ["RateTest", "suggest_rate", "try_learning_rates"]

# The mean of the last losses, some ten of them; it ends when that is so many times the lowest one.
_MEMORY = 0.9
_WORSE = 4.0
_FIRST = 10
# The rate is taken so far below the largest one that does no harm, where steps begin to overshoot.
_MARGIN = 10.0
# Means of a loss that stays the same spread over about so many of their standard deviations.
_SPREAD = 4.0
# Standard deviation over median absolute deviation, of a Gaussian.
_MAD = 1.4826


@dataclass(frozen=True)
class RateTest:
    """A learning-rate range test.

    Attributes
    ----------
    rate : (n_step,) float
    loss : (n_step,) float
        Of each batch.
    smooth : (n_step,) float
        Mean of the last ten or so.
    suggested : float

    References
    ----------
    Smith, arXiv:1506.01186.
    """

    rate: np.ndarray
    loss: np.ndarray
    smooth: np.ndarray
    suggested: float


def suggest_rate(rate: np.ndarray, loss: np.ndarray, smooth: np.ndarray) -> float:
    """A tenth of the largest rate at which the smoothed loss is its lowest value, up to its noise.

    Parameters
    ----------
    rate, loss, smooth : (n_step,) float

    Returns
    -------
    float

    Examples
    --------
    >>> loss = np.array([1.0, 0.9, 0.5, 0.8])
    >>> suggest_rate(np.array([1e-4, 1e-3, 1e-2, 1e-1]), loss, loss)
    0.001
    """
    noise = _MAD * np.median(np.abs(loss - smooth)) * np.sqrt((1 - _MEMORY) / (1 + _MEMORY))
    harmless = np.flatnonzero(smooth <= smooth.min() + _SPREAD * noise)
    return float(rate[harmless[-1]] / _MARGIN)


def try_learning_rates(
    config: TrainConfig,
    data: StoreData | StreamData,
    *,
    steps: int = 200,
    low: float = 1e-6,
    high: float = 1.0,
    progress: Progress | None = None,
) -> RateTest:
    """Train a fresh network for some steps, each at a larger rate; nothing is kept of it.

    Parameters
    ----------
    config : TrainConfig
        Its network, loss, optimiser, mirrors, precision, limit of the gradient and batch size.
    data : StoreData or StreamData
        As `open_data` made it; it is closed.
    steps : int
        At most: the test ends when the loss is four times the lowest one.
    low, high : float
        Rates.
    progress : callable, optional
        ``progress(task, done, total)`` in steps.

    Returns
    -------
    RateTest

    Raises
    ------
    ConfigError
        There is no such model, setting, loss or GPU.
    NumericalError
        The loss is not finite at the lowest rates.
    """
    check_device(config)
    rates = np.geomspace(low, high, steps)
    losses: list[float] = []
    smooth: list[float] = []
    with use_threads(config.trainer.threads), own_generator(config.seed), closing(data):
        mean = 0.0
        for number, loss in enumerate(_losses(config, data, rates), start=1):
            if not np.isfinite(loss):
                break
            losses.append(loss)
            mean = _MEMORY * mean + (1 - _MEMORY) * loss
            smooth.append(mean / (1 - _MEMORY**number))
            if progress is not None:
                progress("steps", number, steps)
            if number > _FIRST and smooth[-1] > _limit(smooth):
                break
    if len(losses) <= _FIRST:
        last = rates[max(len(losses) - 1, 0)]
        raise NumericalError(
            f"the loss was not finite after {len(losses)} steps at learning rates up to {last:.1e}; "
            "look at the inputs: calotools train names the candidates"
        )
    rate, means = rates[: len(losses)], np.array(smooth)
    each = np.array(losses)
    return RateTest(rate, each, means, suggest_rate(rate[_FIRST:], each[_FIRST:], means[_FIRST:]))


def _limit(smooth: list[float]) -> float:
    """A loss may be negative (a likelihood), so what it is compared with is its fall."""
    lowest = min(smooth)
    return lowest + (_WORSE - 1) * max(abs(lowest), smooth[0] - lowest)


def _losses(config: TrainConfig, data: StoreData | StreamData, rates: np.ndarray) -> Iterator[float]:
    """Loss of a batch before each step, at one rate after the other; steps are those of a training."""
    on_gpu = config.trainer.accelerator != "cpu" and torch.cuda.is_available()
    device = torch.device("cuda" if on_gpu else "cpu")
    cast = torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.trainer.precision == "bf16")
    network = new_network(config).to(device).train()
    rest_frozen(network)
    weights = list(network.parameters())
    optimiser, loss_of_batch = build_optimiser(weights, config.trainer), loss_of(config)
    mirror = Mirror(config.trainer.mirror, data.scalers, keeps=config.trainer.mirror_keeps)
    for rate, batch in zip(rates, _batches(data), strict=False):
        for group in optimiser.param_groups:
            group["lr"] = rate
        here = mirror(batch.to(device))
        with cast:
            loss = (loss_of_batch(here, network(here)) * here.weight).mean()
        yield float(loss.detach())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if config.trainer.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(weights, config.trainer.gradient_clip)
        optimiser.step()


def _batches(data: StoreData | StreamData) -> Iterator[Batch]:
    epoch = 0
    while True:
        yield from data.batches(epoch)
        epoch += 1
