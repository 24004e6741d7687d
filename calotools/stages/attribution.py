"""Which layer, quantity, scalar or track a network's answer rests on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools import deploy
from calotools.analysis import mean_rows
from calotools.outputs import check_output
from calotools.stages.explanation import explain
from calotools.stages.importance import (
    Importance,
    draw_shuffled,
    draw_values,
    first_lines,
    metric_of,
    name_values,
    table_of,
)
from calotools.stages.publish import Outcome, publish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calotools.deploy import OwnBatch
    from calotools.progress import Progress
    from calotools.recipe import AttributeConfig

__all__ = ["attribute"]


def attribute(config: AttributeConfig, *, progress: Progress | None = None) -> Outcome:
    """Measure how much each input matters, on candidates that the network was not trained on.

    Of models of folds, each is asked about the candidates that it did not learn from, as `predict` asks it.

    Parameters
    ----------
    config : AttributeConfig
    progress : callable, optional
        ``progress(task, done, total)`` in inputs.

    Returns
    -------
    Outcome
        Also written to ``config.output``.

    Raises
    ------
    OutputExistsError, InputFileError, BranchError, ModelError, CellError
    EmptyInputError
        Fewer than 50 candidates are left; or all that a model is asked about are of one class.
    """
    check_output(config.output, overwrite=config.overwrite)
    bundle = deploy.load_bundle(config.model)
    if bundle.sees_variables:
        outcome = explain(bundle, config, progress=progress)
        return publish(outcome, config, output=config.output, overwrite=config.overwrite)
    parts = deploy.read_batches(bundle, config)
    n = sum(len(one.truth) for one in parts)
    importance = deploy.permutation_importance(
        parts,
        partial(metric_of, bundle),
        rng=np.random.default_rng(config.seed),
        repeats=config.repeats,
        batch_size=config.batch_size,
        progress=progress,
    )
    figures = {"importance": draw_shuffled(importance, bundle, label=config.label)}
    results: dict[str, Any] = {"candidates": n, "permutation": table_of(importance)}
    if bundle.task == "energy":
        shares, gev, gap = _shares(parts, config)
        results |= {
            "integrated_gradients": table_of(shares),
            "integrated_gradients_gev": table_of(gev),
            "unexplained": gap,
        }
        axis = "Mean share of the energy [%]"
        figures["integrated_gradients"] = draw_values(shares, axis=axis, label=config.label, percent=True)
        figures["integrated_gradients_gev"] = draw_values(gev, axis="Mean part of the energy [GeV]", label=config.label)
    captions = {
        "importance": "How much worse the network is with the input of other candidates; bootstrap errors.",
        "integrated_gradients": "Gradients of E/E_base, integrated from empty inputs; standard errors of the means.",
        "integrated_gradients_gev": "The same times E_base: what each input adds to the energy.",
    }
    outcome = Outcome(
        stage="attribute",
        title=f"What {bundle.config.model.name} rests on",
        headline=first_lines(importance, n, before="without", percent="worse"),
        results=results,
        figures={name: (figure, captions[name]) for name, figure in figures.items()},
    )
    return publish(outcome, config, output=config.output, overwrite=config.overwrite)


def _shares(parts: Sequence[OwnBatch], config: AttributeConfig) -> tuple[Importance, Importance, float]:
    """Mean attribution of each input, the same in GeV, and the mean of what the integral is short of."""
    options = {"steps": config.steps, "batch_size": config.batch_size}
    found, gaps = zip(*(deploy.integrate_gradients(one.bundle, one.batch, **options) for one in parts), strict=True)
    columns = np.concatenate([np.stack(list(one.values()), axis=1) for one in found])  # (n, input)
    base = np.concatenate([one.batch.base_energy.numpy() for one in parts])[:, None]  # (n, 1)
    shares, gev = (name_values(found[0], *mean_rows(one)) for one in (columns, columns * base))
    return shares, gev, float(np.mean(np.abs(np.concatenate(gaps))))
