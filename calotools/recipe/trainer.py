"""How a network is fitted: optimiser, schedule, loss, machine."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calotools.recipe.fields import Precision
from calotools.recipe.settings import Settings

__all__ = ["TrainerConfig"]


class TrainerConfig(Settings):
    """How the network is fitted."""

    epochs: int = Field(10, description="at most this many passes over the training part", gt=0)
    batch_size: int = Field(500, description="candidates per step", gt=0)
    learning_rate: float = Field(1e-3, description="peak learning rate", gt=0)
    optimizer: Literal["adamw", "adam", "nadam", "sgd", "rmsprop"] = Field("adamw", description="optimiser")
    momentum: float = Field(0.9, description="of sgd and rmsprop", ge=0, lt=1)
    weight_decay: float = Field(0.0, description="weight decay", ge=0)
    gradient_clip: float | None = Field(None, description="largest norm of the gradient; default: not limited", gt=0)
    schedule: Literal["constant", "cosine", "one-cycle", "cyclical", "cosine-restarts", "plateau"] = Field(
        "one-cycle", description="learning-rate schedule"
    )
    cycle_epochs: float = Field(5, description="epochs of a cycle (cyclical), or of the first (cosine-restarts)", gt=0)
    cycle_growth: float = Field(1, description="length of a cycle over the one before (cosine-restarts)", ge=1)
    plateau_epochs: int = Field(3, description="epochs without improvement that lower the rate (plateau)", gt=0)
    plateau_factor: float = Field(0.3, description="what the rate is multiplied by then", gt=0, lt=1)
    loss: str | None = Field(None, description="default: cross-entropy (identification), log-cosh (energy)")
    loss_scale: float | None = Field(
        None,
        description="error at which log-cosh and Huber become linear; default: 0.02 (relative, or of ratios), 1 GeV",
        gt=0,
    )
    target: Literal["e_true", "ratio"] = Field(
        "e_true", description="what the loss compares: energies, or both over the base energy"
    )
    mirror: tuple[Literal["eta", "phi"], ...] = Field(
        (), description="axes along which half of the training candidates are seen in a mirror, each time anew"
    )
    mirror_keeps: tuple[str, ...] = Field(
        (), description="variables of your own ntuple that a mirror leaves as they are"
    )
    average: float = Field(
        0, description="decay of a moving average of the weights, such as 0.999; 0: none", ge=0, lt=1
    )
    patience: int = Field(10, description="epochs without improvement before stopping", gt=0)
    accelerator: Literal["auto", "cpu", "gpu"] = Field("auto", description="where to train")
    devices: int = Field(1, description="number of GPUs, or of CPU processes", ge=1)
    threads: int | None = Field(
        None,
        description="CPU threads; default: OMP_NUM_THREADS, or the machine's cores (trees: one per 50,000 candidates)",
        ge=1,
    )
    precision: Precision = Field("fp32", description="bf16: convolutions with 8 bits of mantissa, faster")
    prefetch: int = Field(2, description="batches made ready beside the training; 0: none", ge=0)
    checkpoint_minutes: float = Field(10.0, description="time between checkpoints inside an epoch", gt=0)
