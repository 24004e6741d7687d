"""What a model's answers are worth, on candidates that it was not trained on: one file per measurement.

`run` chooses what an evaluation consists of: `identification` of signal (with `curves`, `along_axes`, `dependence`,
`probabilities`, `given_cuts`, `rivals` and `combination`), `classes` that are all alike, or `energy` (with `pulls` and
`bias_part`). `labels`, `weights` and `efficiencies` serve them and `cuts`, which makes working points; `other_scores`
adds what other models say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.stages.evaluation.cuts import working_points
    from calotools.stages.evaluation.run import evaluate
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = ["evaluate", "working_points"]
