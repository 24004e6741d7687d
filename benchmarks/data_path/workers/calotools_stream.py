"""calotools: ROOT files to shuffled batches, without anything written on the way but the validation part."""

from __future__ import annotations

import tempfile
from pathlib import Path

from our_recipe import Epochs, loading_recipe, warm_up
from protocol import answer, read_epochs


def work(*, files: list[str], share: str) -> dict[str, float]:
    """Rate of the second epoch."""
    warm_up(files)
    with tempfile.TemporaryDirectory() as folder:
        return read_epochs(Epochs(loading_recipe(files, Path(folder), source="stream", share=share)))


if __name__ == "__main__":
    answer(work)
