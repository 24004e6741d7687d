"""What `calotools tune` tries of each setting."""

from __future__ import annotations

from math import inf
from typing import Any

from pydantic import Field, model_validator

from calotools.recipe.settings import Settings

__all__ = ["SearchSpec", "flat_search"]


class SearchSpec(Settings):
    """What a search tries of one setting: a range, or choices."""

    low: int | float | None = Field(None, description="smallest value; whole numbers at both ends stay whole")
    high: int | float | None = Field(None, description="largest value")
    log: bool = Field(False, description="as many trials in each factor of ten")
    step: int | float | None = Field(None, description="distance of the values; default: any, or 1", gt=0)
    choices: tuple[Any, ...] | None = Field(None, description="values, in place of a range", min_length=1)

    @model_validator(mode="after")
    def _check(self) -> SearchSpec:
        ends = self.low, self.high
        if self.choices is not None:
            if ends != (None, None) or self.step is not None or self.log:
                raise ValueError("choices stand alone; low, high, log and step are of a range")
            return self
        if self.low is None or self.high is None:
            raise ValueError("give low and high, or choices: {low = 1e-4, high = 1e-2} or {choices = [8, 16]}")
        if not -inf < self.low < self.high < inf:
            raise ValueError("low must be below high")
        if self.log and self.low <= 0:
            raise ValueError(f"log = true needs low above 0, which is {self.low:g}: such as low = {self.high / 1000:g}")
        if self.log and self.step is not None:
            raise ValueError("log and step exclude each other: leave one out, or give choices")
        whole = all(isinstance(one, int) for one in ends)
        if whole and self.step is not None and self.step != int(self.step):
            raise ValueError(f"step = {self.step:g} between whole numbers must be whole; for others write {self.low}.0")
        return self


def flat_search(value: Any, prefix: str = "") -> Any:
    """Tables in tables, as TOML reads ``trainer.learning_rate = {...}``, by dotted name."""
    if not isinstance(value, dict):
        return value
    flat: dict[str, Any] = {}
    for key, one in value.items():
        nested = isinstance(one, dict) and one and not set(one) & set(SearchSpec.model_fields)
        flat |= flat_search(one, f"{prefix}{key}.") if nested else {f"{prefix}{key}": one}
    return flat
