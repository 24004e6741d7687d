"""Simulate one process at <mu> = 40 with calotools."""

from __future__ import annotations

from pathlib import Path

from protocol import answer

from calotools.recipe import SimulateConfig
from calotools.stages import simulate


def work(*, process: str, n: int, output: str) -> dict[str, int]:
    """Candidates of one file."""
    simulate(SimulateConfig(process=process, n=n, mu=40.0, seed=1, jobs=2, output=Path(output), overwrite=True))
    return {"events": n}


if __name__ == "__main__":
    answer(work)
