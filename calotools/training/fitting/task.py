"""The Lightning module: one network, its loss, and what is watched on the validation part."""

# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import lightning
import numpy as np
import torch
from torch import nn

from calotools.containers import Batch
from calotools.errors import NumericalError
from calotools.models.heads import energy_of
from calotools.recipe import TrainConfig
from calotools.training.fitting.losses import CORE, choose_loss, weighted_mean
from calotools.training.fitting.metrics import METRICS, mean_auc, relative_iqr
from calotools.training.fitting.mirror import Mirror
from calotools.training.fitting.network_parts import rest_frozen
from calotools.training.fitting.optimisers import build_optimiser
from calotools.training.fitting.schedules import learning_rate_factor, plateau_factor
from calotools.training.loading.candidate_names import absurd_inputs, bad_inputs

__all__ = ["METRICS", "Task", "loss_of"]

_LOOK = "look at them (calotools inspect, calotools display)"
_SLOWER = "lower trainer.learning_rate, or take out files of which calotools inspect counts cells beyond 1e6 GeV"


def loss_of(config: TrainConfig) -> Callable[[Batch, torch.Tensor], torch.Tensor]:
    """The loss of a recipe, of a batch and what the network says of it.

    Parameters
    ----------
    config : TrainConfig

    Returns
    -------
    callable
        (`Batch`, output) -> (n,) loss of each candidate.

    Raises
    ------
    ConfigError
        There is no such loss.
    """
    trainer = config.trainer
    of_energies = config.task != "energy" or trainer.target == "e_true"
    # ratios are about 1: what is 1 GeV of an energy would never be reached, and every loss be a squared error
    scale = trainer.loss_scale or (None if of_energies else CORE)
    loss = choose_loss(trainer.loss, task=config.task, uncertainty=config.uncertainty, scale=scale)
    if of_energies:
        return lambda batch, output: loss(output, batch.target)

    def of_ratio(batch: Batch, output: torch.Tensor) -> torch.Tensor:
        base = batch.base_energy
        return loss(output / (base if output.ndim == 1 else base[:, None]), batch.target / base)

    return of_ratio


class Task(lightning.LightningModule):
    """Fit a network to a task.

    Logs ``train_loss``, ``val_loss`` and ``val_auc`` (identification) or ``val_iqr`` (energy).

    Parameters
    ----------
    network : torch.nn.Module
        `Batch` -> (n, class) logits or energies [GeV], as `calotools.models.heads.energies` gives them.
    config : TrainConfig
        Its seed is that of anything that a network draws; restarted for every batch, so that a resumed fit draws the
        same.
    steps_per_epoch : int
    name_rows : callable
        Rows of the store -> text that names their candidates.
    mirror : Mirror
        What training candidates are seen in.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        config: TrainConfig,
        steps_per_epoch: int,
        name_rows: Callable[[np.ndarray], str],
        mirror: Mirror,
    ) -> None:
        super().__init__()
        self.network = network
        self._task, self._seed = config.task, config.own_seed
        self._config = config.trainer
        self._steps_per_epoch = steps_per_epoch
        self._name_rows = name_rows
        self._loss = loss_of(config)
        self._mirror = mirror
        self._val_losses: list[float] = []
        self._seen: list[list[torch.Tensor]] = []
        self._train_loss = torch.zeros(2, dtype=torch.float64)  # sum of weighted losses, candidates

    def forward(self, batch: Batch) -> torch.Tensor:
        """The network's output."""
        return self.network(batch)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move a batch (Lightning cannot look into a frozen noun)."""
        return batch.to(device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Restart torch's generator with every batch, and the mean loss with every epoch; set the learning rate."""
        torch.manual_seed(self._seed + 1_000_003 * self.current_epoch + 101 * batch_idx)
        if batch_idx == 0:
            self._train_loss = torch.zeros_like(self._train_loss)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self._learning_rate()

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """Weighted mean loss of a batch."""
        batch = self._mirror(batch)
        losses = self._losses(batch, self(batch))
        weighted = losses * batch.weight
        self._train_loss = self._train_loss.to(weighted.device)
        self._train_loss[0] += weighted.detach().sum()
        self._train_loss[1] += len(weighted)
        # weights average 1; every process then counts its candidates alike, and one without any counts nothing
        return weighted.mean() if len(weighted) else weighted.sum()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep what the network says; it is summed up when the epoch ends."""
        output = self(batch).float()
        losses = self._losses(batch, output)
        self._seen.append([one.detach().cpu() for one in (output, losses, batch.target, batch.weight)])

    def on_validation_epoch_end(self) -> None:
        """Loss and metric over the whole validation part."""
        output, losses, target, weight = (torch.cat(parts) for parts in zip(*self._seen, strict=True))
        self._seen.clear()
        self.log("train_loss", (self._train_loss[0] / self._train_loss[1]).float(), sync_dist=True)
        val_loss = weighted_mean(losses.double(), weight.double()).float()
        self._val_losses.append(float(val_loss))
        self.log("val_loss", val_loss)
        self.log(METRICS[self._task], self._metric(output, target.numpy(), weight.numpy()))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the losses so far."""
        checkpoint["train_loss"], checkpoint["val_losses"] = self._train_loss.tolist(), self._val_losses

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with them."""
        self._train_loss = torch.tensor(checkpoint["train_loss"], dtype=torch.float64)
        self._val_losses = list(checkpoint["val_losses"])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The recipe's optimiser; its learning rate is set before every step."""
        return build_optimiser(self.network.parameters(), self._config)

    def on_train_start(self) -> None:
        """What is frozen stays as in evaluation."""
        rest_frozen(self.network)

    def _learning_rate(self) -> float:
        config, each = self._config, self._steps_per_epoch
        factor = learning_rate_factor(
            self.global_step,
            schedule=config.schedule,
            n_steps=each * config.epochs,
            cycle_steps=each * config.cycle_epochs,
            growth=config.cycle_growth,
        )
        if config.schedule == "plateau":
            factor *= plateau_factor(self._val_losses, epochs=config.plateau_epochs, factor=config.plateau_factor)
        return config.learning_rate * factor

    def _losses(self, batch: Batch, output: torch.Tensor) -> torch.Tensor:
        losses = self._loss(batch, output)  # (n,)
        if not torch.isfinite(losses).all():
            self._blame(batch, losses)
        return losses

    def _blame(self, batch: Batch, losses: torch.Tensor) -> NoReturn:
        """Name the candidates; a bad one spoils the others of its batch where a network normalises over them."""
        found, how, advice = bad_inputs(batch), "not finite", _LOOK
        if not found and (absurd := absurd_inputs(batch)):
            found, how, advice = absurd, "beyond 1e6 GeV", f"{_LOOK}, or take their file out"
        number = np.unique(np.concatenate(list(found.values()))) if found else None
        bad = ~torch.isfinite(losses.detach()).cpu().numpy()
        rows = batch.row.cpu().numpy()[bad if number is None else number]
        what = f"their {', '.join(found)} {'are' if len(found) > 1 else 'is'}" if found else "the loss alone is"
        raise NumericalError(
            f"the loss became non-finite in epoch {self.current_epoch + 1} for {bad.sum()} of {len(losses)} candidates "
            f"of a batch: {what} {how} for {len(rows)}, {self._name_rows(rows)}; "
            f"{advice if found else _SLOWER}"
        )

    def _metric(self, output: torch.Tensor, target: np.ndarray, weight: np.ndarray) -> float:
        if self._task == "energy":
            return relative_iqr(energy_of(output).numpy()[weight > 0], target[weight > 0])
        return mean_auc(torch.softmax(output, dim=1).numpy(), target, weight=weight)
