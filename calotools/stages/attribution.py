"""Which layer, quantity, scalar or track a network's answer rests on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools import deploy, training
from calotools.analysis import mean_rows, quantiles
from calotools.outputs import check_output
from calotools.plots import draw_importance
from calotools.stages.explanation import explain
from calotools.stages.publish import Headline, Outcome, publish

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.containers import Batch
    from calotools.deploy import ModelBundle
    from calotools.recipe import AttributeConfig
    from calotools.stages import Progress

__all__ = ["attribute"]

Importance = dict[str, tuple[float, float]]


def attribute(config: AttributeConfig, *, progress: Progress | None = None) -> Outcome:
    """Measure how much each input matters, on candidates that the network was not trained on.

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
    ConfigError
        A likelihood or trees of folds.
    EmptyInputError
        Fewer than 50 candidates are left.
    """
    check_output(config.output, overwrite=config.overwrite)
    bundle = deploy.load_bundle(config.model)
    if bundle.sees_variables:
        return publish(explain(bundle, config), config, output=config.output, overwrite=config.overwrite)
    batch, truth = deploy.read_batch(bundle, config)
    importance = deploy.permutation_importance(
        bundle,
        batch,
        _metric(bundle, truth),
        rng=np.random.default_rng(config.seed),
        repeats=config.repeats,
        batch_size=config.batch_size,
        progress=progress,
    )
    what = "IQR of E/E_true" if bundle.task == "energy" else "1 − AUC"
    figures = {"importance": _figure(importance, rf"Increase of the {what} [%]", config.label)}
    results: dict[str, Any] = {"candidates": len(truth), "permutation": _table(importance)}
    if bundle.task == "energy":
        shares, gap = _shares(bundle, batch, config)
        results |= {"integrated_gradients": _table(shares), "unexplained": gap}
        figures["integrated_gradients"] = _figure(shares, "Mean share of the energy [%]", config.label)
    captions = {
        "importance": "How much worse the network is with the input of other candidates; bootstrap errors.",
        "integrated_gradients": "Gradients of E/E_base, integrated from empty inputs; standard errors of the means.",
    }
    outcome = Outcome(
        stage="attribute",
        title=f"What {bundle.config.model.name} rests on",
        headline=_headline(importance, len(truth)),
        results=results,
        figures={name: (figure, captions[name]) for name, figure in figures.items()},
    )
    return publish(outcome, config, output=config.output, overwrite=config.overwrite)


def _metric(bundle: ModelBundle, truth: np.ndarray) -> Callable[[np.ndarray, np.ndarray], float]:
    """Of the network's output: larger is worse."""

    def iqr(output: np.ndarray, weight: np.ndarray) -> float:
        energy = output.reshape(len(output), -1)[:, 0]
        low, high = quantiles(energy / truth, np.array([0.25, 0.75]), weight=weight)
        return float(high - low)

    def missing_auc(output: np.ndarray, weight: np.ndarray) -> float:
        return 1.0 - training.mean_auc(output, truth, weight=weight)

    return iqr if bundle.task == "energy" else missing_auc


def _shares(bundle: ModelBundle, batch: Batch, config: AttributeConfig) -> tuple[Importance, float]:
    """Mean attribution of each input, and the mean of what the integral is short of."""
    found, gap = deploy.integrate_gradients(bundle, batch, steps=config.steps, batch_size=config.batch_size)
    mean, error = mean_rows(np.stack(list(found.values()), axis=1))
    both = zip(mean.tolist(), error.tolist(), strict=True)
    return dict(zip(found, both, strict=True)), float(np.mean(np.abs(gap)))


def _table(importance: Importance) -> dict[str, dict[str, float]]:
    return {name: {"value": value, "error": error} for name, (value, error) in importance.items()}


def _figure(importance: Importance, axis: str, label: str) -> Figure:
    values = {name: 100 * value for name, (value, _) in importance.items()}
    errors = {name: 100 * error for name, (_, error) in importance.items()}
    return draw_importance(values, errors=errors, axis=axis, label=label)


def _headline(importance: Importance, n: int) -> tuple[Headline, ...]:
    largest = sorted(importance.items(), key=lambda item: -item[1][0])[:5]
    lines = (Headline(f"without {name}", 100 * value, 100 * error, "%", "worse") for name, (value, error) in largest)
    return (*lines, Headline("candidates", n))
