"""What happens around the steps: the log of every epoch, and progress."""

# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)
from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning

from calotools.containers import Batch
from calotools.outputs import new_file
from calotools.progress import Progress

__all__ = ["History", "ShowProgress", "Watch"]


class History(lightning.Callback):
    """Numbers of every epoch, kept in the checkpoints and written as CSV after each epoch.

    Parameters
    ----------
    path : Path
        CSV file: epoch, learning_rate, train_loss, val_loss, the metric, seconds, candidates_per_s.
    n_candidates : int
        In the training part.
    """

    def __init__(self, path: Path, *, n_candidates: int) -> None:
        self.epochs: list[dict[str, float]] = []
        self._path = path
        self._n_candidates = n_candidates
        self._start = 0.0
        self._trained = 0.0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock, also in the middle of an epoch."""
        self._start = time.perf_counter()

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock."""
        self._start = time.perf_counter()

    def on_validation_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Stop the clock of training."""
        self._trained = time.perf_counter() - self._start

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Add a row, and write the table whole."""
        row = {"epoch": trainer.current_epoch + 1, "learning_rate": trainer.optimizers[0].param_groups[0]["lr"]}
        row |= {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        row |= {"seconds": self._trained, "candidates_per_s": self._n_candidates / self._trained}
        self.epochs.append(row)
        if trainer.is_global_zero:
            self._write()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"epochs": self.epochs}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.epochs = list(state_dict["epochs"])

    def _write(self) -> None:
        with new_file(self._path, overwrite=True) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(self.epochs[0]))
            writer.writeheader()
            writer.writerows(self.epochs)


class ShowProgress(lightning.Callback):
    """Tell how many candidates are done, over all epochs.

    Parameters
    ----------
    progress : callable
        ``progress(task, done, total)``.
    n_candidates : int
        In one epoch.
    """

    def __init__(self, progress: Progress, *, n_candidates: int) -> None:
        self._progress = progress
        self._n_candidates = n_candidates

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """One more batch."""
        if trainer.is_global_zero:
            before = trainer.current_epoch * self._n_candidates
            done = before + round(self._n_candidates * (batch_idx + 1) / trainer.num_training_batches)
            self._progress("train", done, (trainer.max_epochs or 0) * self._n_candidates)


class Watch(lightning.Callback):
    """Tell how the validation metric goes.

    Parameters
    ----------
    watch : callable
        ``watch(epoch, metric)``, epochs from 1; an error that it raises ends the fit.
    metric : str
        What the task logs.
    """

    def __init__(self, watch: Callable[[int, float], None], *, metric: str) -> None:
        self._watch, self._metric = watch, metric

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """One more epoch."""
        self._watch(trainer.current_epoch + 1, float(trainer.callback_metrics[self._metric]))
