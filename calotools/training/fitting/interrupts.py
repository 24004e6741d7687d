"""An interrupt in the middle of a fit: the step is ended and kept, so that nothing is lost."""

# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)
from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import lightning

from calotools.containers import Batch

__all__ = ["SaveWhenInterrupted"]


class SaveWhenInterrupted(lightning.Callback):
    """After the step in which SIGINT or SIGTERM comes, save a checkpoint and raise KeyboardInterrupt.

    A step that is broken off leaves weights half-way. The last step of an epoch is kept with the validation that
    follows. A second signal interrupts at once. Only for a fit of one process, whose main thread it runs in: several
    would have to agree on the step.

    Parameters
    ----------
    path : Path
        Of the checkpoint.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take the signals over, but none that is ignored (nohup)."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Stop: the epoch before has a checkpoint."""
        if self._asked:
            raise KeyboardInterrupt

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Save, and stop."""
        if self._asked and batch_idx + 1 < trainer.num_training_batches:
            trainer.save_checkpoint(self._path)
            raise KeyboardInterrupt

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Give the signals back; one that came after the last steps stops what would follow."""
        self._give_back()
        if self._asked:
            raise KeyboardInterrupt

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Give the signals back."""
        self._give_back()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            if signal.getsignal(number) == self._note:  # after an interrupt Lightning has another one
                signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()
