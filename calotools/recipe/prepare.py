"""`calotools prepare`: the image store of a training, made beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from calotools.recipe.jobs import ManyFilesConfig
from calotools.recipe.settings import short
from calotools.recipe.train import TrainConfig

__all__ = ["PrepareConfig"]


class PrepareConfig(TrainConfig, ManyFilesConfig):
    """Make the image store of a training recipe."""

    output: Path = Field(
        description="folder of the training; not needed where the store has a name: --store, -o",
        json_schema_extra={"required": False},
    )
    overwrite: bool = Field(False, description="replace another store")
    store: Path | None = short("-o", "image store to make; default: OUTPUT/store", default=None)

    @model_validator(mode="before")
    @classmethod
    def _find_place(cls, values: Any) -> Any:
        """A store that has a name needs no folder of a training."""
        if isinstance(values, dict) and values.get("output") is None and values.get("store") is not None:
            return values | {"output": Path(values["store"]).parent}
        return values
