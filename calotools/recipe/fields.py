"""Types that fields of several stages share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from calotools.recipe.settings import ending

__all__ = ["BadCandidates", "Figure", "Precision", "RootFile", "Shard"]

BadCandidates = Literal["error", "skip"]
Precision = Literal["fp32", "bf16"]
RootFile = Annotated[Path, ending(".root")]
Figure = Annotated[Path, ending(".pdf", ".png")]


def _part(value: object) -> object:
    """Two numbers of ``I/N``."""
    if not isinstance(value, str):
        return value
    words = value.split("/")
    if len(words) != 2 or not all(word.strip().lstrip("-").isdecimal() for word in words):
        raise PydanticCustomError("part", "it is written I/N, two whole numbers: 0/4 is the first of four parts")
    return words


Shard = Annotated[tuple[int, int], BeforeValidator(_part)]
