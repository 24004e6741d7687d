"""An epoch of calotools' batches: streaming, streaming while the store is written, from the store."""

from __future__ import annotations

import tempfile
from pathlib import Path

from our_recipe import Epochs, loading_recipe, warm_up
from protocol import answer, read_epochs


def work(*, files: list[str], how: str, folder: str) -> dict[str, float]:
    """``stream`` and ``build`` measure their first epoch, which finds nothing; ``store`` the second epoch."""
    warm_up(files)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        first = Epochs(loading_recipe(files, Path(name), source="stream" if how == "stream" else "store"))
        return read_epochs(first, epochs=2 if how == "store" else 1)


if __name__ == "__main__":
    answer(work)
