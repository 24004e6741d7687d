"""Types that fields of several stages share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator

from calotools.recipe.settings import ending

__all__ = ["BadCandidates", "Figure", "Precision", "RootFile", "Shard"]

BadCandidates = Literal["error", "skip"]
Precision = Literal["fp32", "bf16"]
RootFile = Annotated[Path, ending(".root")]
Figure = Annotated[Path, ending(".pdf", ".png")]
Shard = Annotated[tuple[int, int], BeforeValidator(lambda value: value.split("/") if isinstance(value, str) else value)]
