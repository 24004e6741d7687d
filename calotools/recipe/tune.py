"""`calotools find-rate` and `calotools tune`: trials of a training, to find its settings."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from calotools.recipe.settings import short
from calotools.recipe.train import TrainConfig

__all__ = ["FindRateConfig", "TuneConfig"]


class FindRateConfig(TrainConfig):
    """Test learning rates from tiny to far too large, and suggest one."""

    output: Path = short("-o", "folder of the training; the test goes into its folder learning_rate")
    steps: int = Field(200, description="steps, each at a larger rate", ge=20)
    low: float = Field(1e-6, description="first learning rate", gt=0)
    high: float = Field(1.0, description="last learning rate", gt=0)


class TuneConfig(TrainConfig):
    """Search for settings of network and training (the recipe's [search])."""

    output: Path = short("-o", "folder of the search: journal, trials, numbers, figures and best.toml")
    trials: int = short("-n", "trials that come to an end, also those of other processes", default=30, gt=0)
    jobs: int = Field(
        1, description="processes that try at once, and share the threads; more may join with the same journal", ge=1
    )
    prune: bool = Field(True, description="end trials that are worse than the median of the others so far")
    journal: Path | None = Field(None, description="file that processes share; default: OUTPUT/study.journal")
