"""The network of four objects: trained and measured as the rows are, by what each class is taken for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from contenders import OBJECT_ROW
from electron_samples import Source, describe, simulate_all
from training_rows import Plan, fill

from calotools.analysis import to_dict
from calotools.recipe import EvaluateConfig
from calotools.stages import evaluate

__all__ = ["measure_objects"]

SELECTION = ("et > 15", "abs(eta) < 2.47")


def measure_objects(plan: Plan, sources: tuple[Source, ...], *, seed: int) -> dict[str, Any]:
    """Simulate, train, evaluate.

    Returns
    -------
    dict
        ``samples``, ``training``, ``confusion`` and what it says of the first candidate of each class.
    """
    files = simulate_all(plan.work / "samples", sources, report=plan.report)
    samples = describe(sources, files)
    own = replace(
        plan,
        train=[name for some in files["train"].values() for name in some],
        test=[name for some in files["test"].values() for name in some],
        selection=SELECTION,
        class_weights={},
        digest=samples["digest"],
        tree="objects",
    )
    training = fill(OBJECT_ROW, seed, own)
    outcome = evaluate(
        EvaluateConfig(
            files=own.test,  # type: ignore[arg-type]
            scores=(Path(training.pop("scores")),),
            output=plan.work / "objects" / samples["digest"],
            selection=SELECTION,
            split="all",
            overwrite=True,
        )
    )
    kept = {name: to_dict(outcome.results[name]) for name in ("confusion", "one_candidate", "n")}
    return {"samples": samples, "training": training, **kept}
