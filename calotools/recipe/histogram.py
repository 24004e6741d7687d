"""`calotools histogram`: axes, histograms of them, and the stage that fills them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from calotools.recipe.jobs import ManyFilesConfig
from calotools.recipe.settings import Settings, positional, short

__all__ = ["AxisSpec", "HistogramConfig", "HistogramSpec"]


def _axis_of(value: Any) -> Any:
    """``"et: 50, 0, 100"``: what is binned, how many bins, from, to."""
    if not isinstance(value, str):
        return value
    what, _, numbers = value.rpartition(":")
    count, *ends = [one.strip() for one in numbers.split(",")]
    if not what or len(ends) != 2:
        raise ValueError("write it like 'et: 50, 0, 100': what is binned, bins, from, to")
    return {"value": what.strip(), "bins": count, "range": ends}


class AxisSpec(Settings):
    """An axis of a histogram: equal bins in a range, or edges."""

    value: str = Field(description="what is binned: a field, or an expression such as 'e / e_true'", min_length=1)
    bins: int | None = Field(None, description="number of equal bins", gt=0)
    range: tuple[float, float] | None = Field(None, description="first and last edge of equal bins")
    edges: tuple[float, ...] | None = Field(None, description="edges of bins, in place of 'bins' and 'range'")


Axis = Annotated[AxisSpec, BeforeValidator(_axis_of)]


class HistogramSpec(Settings):
    """A histogram of one or two axes."""

    x: Axis = Field(description="a table, or in short 'et: 50, 0, 100'")
    y: Axis | None = Field(None, description="second axis")
    selection: tuple[str, ...] = Field((), description="cuts beside those of all histograms")


class HistogramConfig(ManyFilesConfig):
    """Fill histograms of candidates."""

    files: tuple[str, ...] = positional("ROOT files or globs", min_length=1)
    histograms: dict[Annotated[str, Field(pattern=r"^\w+$")], HistogramSpec] = Field(
        description="by name, such as {et = {x = 'et: 50, 0, 100'}}", min_length=1
    )
    output: Path = short("-o", "folder for histograms (ROOT), numbers (JSON) and figures (PDF, PNG)")
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    selection: tuple[str, ...] = Field((), description="cuts; all must hold")
    weight: str = Field("weight", description="field or expression that entries are weighted with")
    label: str = Field("calotools simulation", description="label on the figures")
    overwrite: bool = Field(False, description="replace an existing output")
