"""The Lightning module: one network, its loss, and what is watched on the validation part."""

# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightning
import numpy as np
import torch
from torch import nn

from calotools.containers import Batch
from calotools.errors import NumericalError
from calotools.recipe import TrainerConfig
from calotools.training.losses import choose_loss, weighted_mean
from calotools.training.metrics import METRICS, mean_auc, relative_iqr
from calotools.training.schedules import learning_rate_factor

__all__ = ["METRICS", "Task"]


class Task(lightning.LightningModule):
    """Fit a network to a task.

    Logs ``train_loss``, ``val_loss`` and ``val_auc`` (identification) or ``val_iqr`` (energy).

    Parameters
    ----------
    network : torch.nn.Module
        `Batch` -> (n, class) logits or (n,) energies [GeV].
    task : {"identification", "energy"}
    trainer_config : TrainerConfig
    n_steps : int
        Steps of the whole fit.
    seed : int
        Of anything that a network draws; restarted for every batch, so that a resumed fit draws the same.
    name_rows : callable
        Rows of the store -> text that names their candidates.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        task: str,
        trainer_config: TrainerConfig,
        n_steps: int,
        seed: int,
        name_rows: Callable[[np.ndarray], str],
    ) -> None:
        super().__init__()
        self.network = network
        self._task = task
        self._config = trainer_config
        self._n_steps = n_steps
        self._seed = seed
        self._name_rows = name_rows
        self._loss = choose_loss(trainer_config.loss, task=task)
        self._seen: list[list[torch.Tensor]] = []
        self._train_loss = torch.zeros(2, dtype=torch.float64)  # sum of weighted losses, candidates

    def forward(self, batch: Batch) -> torch.Tensor:
        """The network's output."""
        return self.network(batch)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move a batch (Lightning cannot look into a frozen noun)."""
        return batch.to(device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Restart torch's generator with every batch, and the mean loss with every epoch."""
        torch.manual_seed(self._seed + 1_000_003 * self.current_epoch + 101 * batch_idx)
        if batch_idx == 0:
            self._train_loss = torch.zeros_like(self._train_loss)

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """Weighted mean loss of a batch."""
        losses = self._losses(batch, self(batch))
        weighted = losses * batch.weight
        self._train_loss = self._train_loss.to(weighted.device)
        self._train_loss[0] += weighted.detach().sum()
        self._train_loss[1] += len(weighted)
        return weighted.mean()  # weights average 1; every process then counts its candidates alike

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
        self.log("val_loss", weighted_mean(losses.double(), weight.double()).float())
        self.log(METRICS[self._task], self._metric(output, target.numpy(), weight.numpy()))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the mean loss so far."""
        checkpoint["train_loss"] = self._train_loss.tolist()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with it."""
        self._train_loss = torch.tensor(checkpoint["train_loss"], dtype=torch.float64)

    def configure_optimizers(self) -> Any:
        """AdamW, and the schedule, step by step."""
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=self._config.learning_rate, weight_decay=self._config.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer,
            lambda step: learning_rate_factor(step, schedule=self._config.schedule, n_steps=self._n_steps),
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _losses(self, batch: Batch, output: torch.Tensor) -> torch.Tensor:
        losses = self._loss(output, batch.target)  # (n,)
        bad = ~torch.isfinite(losses)
        if bad.any():
            rows = batch.row[bad].cpu().numpy()
            raise NumericalError(
                f"the loss became non-finite in epoch {self.current_epoch + 1} for {len(rows)} of {len(losses)} "
                f"candidates of a batch: {self._name_rows(rows)}; look at their inputs (calotools inspect), or lower "
                "trainer.learning_rate"
            )
        return losses

    def _metric(self, output: torch.Tensor, target: np.ndarray, weight: np.ndarray) -> float:
        if self._task == "energy":
            return relative_iqr(output.numpy()[weight > 0], target[weight > 0])
        return mean_auc(torch.softmax(output, dim=1).numpy(), target, weight=weight)
