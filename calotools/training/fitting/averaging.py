"""Weights averaged over the steps: less noisy than those of any one step, and what is evaluated and kept."""

# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)
from __future__ import annotations

from typing import Any

import lightning
import torch

from calotools.containers import Batch

__all__ = ["WeightAverage"]

# The first averages are over few steps: the decay grows as (1 + step) / (10 + step) until it is what was asked for.
_WARM_UP = 10


class WeightAverage(lightning.Callback):
    """Exponential moving average of weights and of the running statistics of normalisations.

    Parameters
    ----------
    decay : float
        Share of the old average that stays at each step, such as 0.999.

    References
    ----------
    Polyak and Juditsky, SIAM J. Control Optim. 30 (1992) 838; the warm-up is TensorFlow's.
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self._step = 0
        self._average: dict[str, torch.Tensor] = {}
        self._own: dict[str, torch.Tensor] = {}

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Begin with the weights as they are, unless a checkpoint brought an average."""
        now = pl_module.state_dict()
        kept = self._average or now
        self._average = {name: kept[name].detach().clone().to(one.device) for name, one in now.items()}

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Take the new weights in."""
        self._step += 1
        share = 1 - min(self._decay, (1 + self._step) / (_WARM_UP + self._step))
        for name, now in pl_module.state_dict().items():
            if now.is_floating_point():
                self._average[name].lerp_(now.detach(), share)
            else:
                self._average[name].copy_(now)

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Watch the average."""
        self._own = {name: one.detach().clone() for name, one in pl_module.state_dict().items()}
        pl_module.load_state_dict(self._average)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Go on with the weights themselves."""
        pl_module.load_state_dict(self._own)
        self._own = {}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"step": self._step, "weights": self._average}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._step, self._average = state_dict["step"], state_dict["weights"]
