"""`calotools report`: one page of what is under a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from calotools.recipe.settings import StageConfig, ending, positional, short

__all__ = ["ReportConfig"]

Page = Annotated[Path | None, ending(".html", ".htm")]


class ReportConfig(StageConfig):
    """Collect the numbers and figures under a folder into one self-contained HTML page."""

    folder: Path = positional("folder that holds the outputs of evaluate, peaks and tagprobe")
    output: Page = short("-o", "HTML file; default: FOLDER/report.html", default=None)
    title: str = Field("calotools report", description="heading of the page")
    overwrite: bool = Field(False, description="replace an existing output")
