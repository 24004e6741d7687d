"""Energy resolution of a network against the calibrated layer sum, on the same candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.analysis import event_bootstrap, measure_resolution
from calotools.containers import Resolution
from calotools.errors import EmptyInputError
from calotools.plots import draw_residuals, draw_resolution
from calotools.stages.publish import Headline, Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.recipe import EvaluateConfig
    from calotools.stages.scored import Scored

__all__ = ["measure_energy"]

NETWORK, REFERENCE = "network", "layer sum"


def measure_energy(sample: Scored, config: EvaluateConfig) -> Outcome:
    """Measure bias, IQR, sigma68 and both rIQR of the network and of the reference energy.

    Parameters
    ----------
    sample : Scored
        With ``e_true``, ``eta``, ``weight``, the reference energy and the index; ``class_true`` and ``mu`` where known.
    config : EvaluateConfig

    Returns
    -------
    Outcome
    """
    # where the ntuple does not say, every candidate is taken for what e_true belongs to
    prompt = sample.column("class_true") == 0 if "class_true" in sample else np.ones(len(sample.candidates), bool)
    if not prompt.any():
        raise EmptyInputError(f"no prompt candidate (class_true = 0) among {len(prompt)}; energies need true ones")
    names = {"e_true", "eta", config.reference, *(["mu"] if "mu" in sample else [])}
    columns = {name: sample.column(name)[prompt] for name in names}
    columns["weight"] = sample.weight(unweighted=config.unweighted)[prompt]
    estimates = {REFERENCE: columns[config.reference], NETWORK: sample.scores["e_network"][prompt].astype(float)}
    bootstrap = event_bootstrap(
        sample.index.take(prompt), rng=np.random.default_rng(config.seed), replicas=config.replicas
    )
    common = {"bootstrap": bootstrap, "reference": REFERENCE, "weight": columns["weight"]}
    inclusive = measure_resolution(estimates, columns["e_true"], **common)
    binned = {
        axis: measure_resolution(
            estimates, columns["e_true"], axes={axis: values}, edges={axis: np.asarray(edges)}, **common
        )
        for axis, (values, edges) in _axes(columns, config).items()
    }
    results: dict[str, Any] = {
        "inclusive": inclusive,
        "binned": binned,
        "cutflow": [*sample.cutflow, {"step": "prompt", "candidates": int(prompt.sum())}],
    }
    return Outcome(
        stage="evaluate",
        title=f"Energy: {sample.record.get('model', 'network')} ({sample.record.get('tree', 'candidates')})",
        headline=_headline(inclusive),
        results=results,
        figures=_figures(estimates, columns, binned, config),
    )


def _axes(columns: dict[str, np.ndarray], config: EvaluateConfig) -> dict[str, tuple[np.ndarray, Any]]:
    # true E_T: a bin in a measured energy would bias its own resolution
    axes = {
        "abs_eta": (np.abs(columns["eta"]), config.eta_bins),
        "et_true": (columns["e_true"] / np.cosh(columns["eta"]), config.et_bins),
    }
    return axes | ({"mu": (columns["mu"], config.mu_bins)} if "mu" in columns else {})


def _headline(inclusive: dict[str, Resolution]) -> tuple[Headline, ...]:
    network, reference = inclusive[NETWORK], inclusive[REFERENCE]

    def line(name: str, one: Resolution, metric: str, unit: str = "%", scale: float = 100.0) -> Headline:
        return Headline(name, scale * one.metrics[metric][0], scale * one.errors[metric][0], unit)

    return (
        line("relative improvement of the IQR", network, "rel_improvement"),
        line("the same, bias corrected", network, "rel_improvement_corr"),
        line("IQR, layer sum", reference, "iqr"),
        line("IQR, network", network, "iqr"),
        line("σ68, layer sum", reference, "sigma68"),
        line("σ68, network", network, "sigma68"),
        line("bias, network", network, "bias"),
    )


def _figures(
    estimates: dict[str, np.ndarray],
    columns: dict[str, np.ndarray],
    binned: dict[str, dict[str, Resolution]],
    config: EvaluateConfig,
) -> dict[str, tuple[Figure, str]]:
    ratios = {name: energy / columns["e_true"] for name, energy in estimates.items()}
    figures = {
        "response": (draw_residuals(ratios, label=config.label), "Estimated over true energy, test candidates."),
    }
    for axis, one in binned.items():
        pair = [one[REFERENCE], one[NETWORK]]
        figures[f"iqr_{axis}"] = (
            draw_resolution(pair, metric="iqr", label=config.label),
            "Interquartile range of E/E_true − 1 and relative improvement; bootstrap errors over events.",
        )
        figures[f"bias_{axis}"] = (
            draw_resolution(pair, metric="bias", panel=None, label=config.label),
            "Median of E/E_true − 1.",
        )
    return figures
