"""Which variable the answer of a likelihood or of trees rests on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools import deploy
from calotools.analysis import fisher_separation, mean_rows
from calotools.stages.evaluation.labels import SIGNAL
from calotools.stages.importance import draw_shuffled, draw_values, first_lines, metric_of, name_values, table_of
from calotools.stages.publish import Outcome

if TYPE_CHECKING:
    from calotools.deploy import ModelBundle
    from calotools.progress import Progress
    from calotools.recipe import AttributeConfig

__all__ = ["explain"]


def explain(bundle: ModelBundle, config: AttributeConfig, *, progress: Progress | None = None) -> Outcome:
    """What each variable adds to the answer, is worth beside the others, and separates of the classes by itself.

    Parameters
    ----------
    bundle : ModelBundle
        A likelihood or trees; of folds, each is asked about the candidates that it did not learn from.
    config : AttributeConfig
    progress : callable, optional
        ``progress(task, done, total)`` in variables.

    Returns
    -------
    Outcome
        ``shap``: mean of |contribution| with standard errors; ``permutation``: how much worse the model is with the
        variable of other candidates; ``fisher``: of each variable alone (signal against the
        rest); ``gain``: of splits, where the model knows it.

    Raises
    ------
    EmptyInputError
        Fewer than 50 candidates are left; or all that a model is asked about are of one class.
    """
    candidates, truth, usable = deploy.read_labelled(bundle, config)
    found = deploy.explain_variables(bundle, candidates[usable])
    names = bundle.config.scalars
    size = np.abs(found.contributions).mean(axis=1)  # (n, variable), mean over classes
    shap = name_values(names, *mean_rows(size))
    trees = bundle.config.model.name == "trees"
    what = "SHAP values" if trees else "terms of the log-likelihood ratio"
    unit = "" if bundle.task == "energy" else " [log-odds]"
    figures = {
        "shap": (
            draw_values(shap, axis=rf"Mean $|$contribution$|${unit}", label=config.label),
            f"Mean of the absolute {what} over candidates that the model was not trained on.",
        )
    }
    shuffled = deploy.shuffle_variables(
        bundle,
        candidates[usable],
        truth[usable],
        metric_of=partial(metric_of, bundle),
        rng=np.random.default_rng(config.seed),
        repeats=config.repeats,
        progress=progress,
    )
    figures["importance"] = (
        draw_shuffled(shuffled, bundle, label=config.label),
        "How much worse the model is with the variable of other candidates; bootstrap errors.",
    )
    results: dict[str, Any] = {
        "candidates": len(found.used),
        "shap": table_of(shap),
        "permutation": table_of(shuffled),
    }
    if SIGNAL in bundle.classes:
        is_signal = truth[usable][found.used] == bundle.classes.index(SIGNAL)
        rng = np.random.default_rng(config.seed)
        fisher = name_values(names, *fisher_separation(found.values.astype(float), is_signal, rng=rng))
        results["fisher"] = table_of(fisher)
        figures["fisher"] = (
            draw_values(fisher, axis=r"$(\Delta\mu)^2/(\sigma_1^2+\sigma_2^2)$", label=config.label),
            "Fisher's criterion of each variable by itself, signal against the rest; bootstrap errors.",
        )
    gain = _gain(bundle)
    return Outcome(
        stage="attribute",
        title=f"What {bundle.config.model.name} rests on",
        headline=first_lines(shap, len(found.used), before="mean |contribution| of"),
        results=results | ({"gain": gain} if gain else {}),
        figures=figures,
    )


def _gain(bundle: ModelBundle) -> dict[str, float]:
    """What splits on each variable gained, the mean over folds; empty where the model does not know it."""
    each = [one.record.get("importance") or {} for one in bundle.folds or (bundle,)]
    return {name: float(np.mean([one.get(name, 0.0) for one in each])) for name in each[0]}
