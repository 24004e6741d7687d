"""Energy resolution of a network against the calibrated layer sum, on the same candidates."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.analysis import event_bootstrap, measure_resolution, significance
from calotools.containers import Resolution
from calotools.detector import Sampling
from calotools.errors import EmptyInputError
from calotools.plots import draw_residuals, draw_resolution
from calotools.stages.evaluation.bias_part import tell_bias_part
from calotools.stages.evaluation.energy_terms import measure_terms
from calotools.stages.evaluation.other_scores import names_of_others
from calotools.stages.evaluation.pulls import measure_uncertainty
from calotools.stages.publish import Headline, Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.recipe import EvaluateConfig
    from calotools.stages.scored import Scored

__all__ = ["measure_energy"]

NETWORK = "network"
_CLASSES = (-0.5, 0.5, 1.5, 2.5)  # of conversions and gains: 0, 1, 2
_PARTS = {"test": "test", "validation": "validation", "train": "training", "all": "all"}
_MIDDLE = (int(Sampling.EMB2), int(Sampling.EME2))


def measure_energy(sample: Scored, config: EvaluateConfig) -> Outcome:
    """Measure bias, widths, tails, both rIQR, resolution terms and linearity of the network and of the reference.

    Parameters
    ----------
    sample : Scored
        With ``e_true``, ``eta``, ``weight``, the reference energy and the index; ``class_true``, ``mu`` and
        ``conversion_type`` where known; energies of other networks, the network's sigma, and cells where asked for.
    config : EvaluateConfig

    Returns
    -------
    Outcome
    """
    # where the ntuple does not say, every candidate is taken for what e_true belongs to
    prompt = sample.column("class_true") == 0 if "class_true" in sample else np.ones(len(sample.candidates), bool)
    if not prompt.any():
        raise EmptyInputError(f"no prompt candidate (class_true = 0) among {len(prompt)}; energies need true ones")
    columns = _columns(sample, prompt, config)
    scores = {name: values[prompt].astype(float) for name, values in sample.scores.items()}
    others = {name: scores[key] for key, name in names_of_others(scores).items()}
    reference = "layer sum" if config.reference == "e" else config.reference
    estimates = {reference: columns[config.reference], **others, NETWORK: scores["e_network"]}
    bootstrap = event_bootstrap(
        sample.index.take(prompt), rng=np.random.default_rng(config.seed), replicas=config.replicas
    )
    measure = partial(measure_resolution, energy_true=columns["e_true"], bootstrap=bootstrap, weight=columns["weight"])
    axes = _axes(columns, config)
    inclusive = measure(estimates, reference=reference)
    binned = {
        axis: measure(estimates, axes={axis: values}, edges={axis: np.asarray(edges)}, reference=reference)
        for axis, (values, edges) in axes.items()
    }
    against = {name: measure({name: one, NETWORK: scores["e_network"]}, reference=name) for name, one in others.items()}
    results: dict[str, Any] = {
        "inclusive": inclusive,
        "binned": binned,
        "significance": {axis: significance(one[NETWORK]) for axis, one in binned.items()},
        "against": {name: one[NETWORK] for name, one in against.items()},
        "cutflow": [*sample.cutflow, {"step": "prompt", "candidates": int(prompt.sum())}],
    }
    headline, figures = _headline(inclusive, against, reference), _figures(estimates, columns, binned, config)
    lines, results["regions"], more = measure_terms(
        estimates, columns, config, bootstrap=bootstrap, reference=reference
    )
    headline, figures = (*headline, *lines), figures | more
    if "e_network_sigma" in scores:
        lines, results["uncertainty"], more = measure_uncertainty(
            scores["e_network"],
            scores["e_network_sigma"],
            columns,
            axes={axis: axes[axis] for axis in ("abs_eta", "et_true", "mu") if axis in axes},
            bootstrap=bootstrap,
            label=config.label,
        )
        headline, figures = (*headline, *lines), figures | more
    before = tell_bias_part(sample, prompt)
    return Outcome(
        stage="evaluate",
        title=f"Energy: {sample.record.get('model', 'network')} ({sample.record.get('tree', 'candidates')})",
        headline=(*headline, *before.headline),
        results=results | dict(before.results),
        figures=figures,
    )


def _columns(sample: Scored, prompt: np.ndarray, config: EvaluateConfig) -> dict[str, np.ndarray]:
    names = {"e_true", "eta", config.reference, *(one for one in ("mu", "conversion_type") if one in sample)}
    columns = {name: sample.column(name)[prompt] for name in names}
    columns["weight"] = sample.weight(unweighted=config.unweighted)[prompt]
    return columns | ({"gain": _hottest_gain(sample.candidates[prompt])} if config.gain else {})


def _hottest_gain(candidates: ak.Array) -> np.ndarray:
    """Readout gain of the cell of the middle layer with the most energy; NaN where there is none."""
    cells = candidates["cells"]
    middle = cells[(cells["sampling"] == _MIDDLE[0]) | (cells["sampling"] == _MIDDLE[1])]
    hottest = ak.firsts(middle[ak.argmax(middle["e"], axis=1, keepdims=True)])
    return ak.to_numpy(ak.fill_none(hottest["gain"], np.nan)).astype(float)


def _axes(columns: dict[str, np.ndarray], config: EvaluateConfig) -> dict[str, tuple[np.ndarray, Any]]:
    # true E_T: a bin in a measured energy would bias its own resolution
    axes = {
        "abs_eta": (np.abs(columns["eta"]), config.eta_bins),
        "et_true": (columns["e_true"] / np.cosh(columns["eta"]), config.et_bins),
    }
    axes |= {"mu": (columns["mu"], config.mu_bins)} if "mu" in columns else {}
    if np.any(columns.get("conversion_type", np.zeros(1)) > 0):
        axes["conversion_type"] = (columns["conversion_type"], _CLASSES)
    return axes | ({"gain": (columns["gain"], _CLASSES)} if "gain" in columns else {})


def _headline(
    inclusive: dict[str, Resolution], against: dict[str, dict[str, Resolution]], name: str
) -> tuple[Headline, ...]:
    network, reference = inclusive[NETWORK], inclusive[name]

    def line(name: str, one: Resolution, metric: str, unit: str = "%", comment: str = "") -> Headline:
        scale = 100.0 if unit == "%" else 1.0
        return Headline(name, scale * one.metrics[metric][0], scale * one.errors[metric][0], unit, comment)

    def sure(one: Resolution) -> str:
        return f"{significance(one)[0]:.1f} standard deviations, same candidates"

    return (
        line("relative improvement of the IQR", network, "rel_improvement", comment=sure(network)),
        line("the same, bias corrected", network, "rel_improvement_corr"),
        line(f"ratio of IQR, {name} over network", network, "ratio", ""),
        *(
            line(f"relative improvement over {other}", one[NETWORK], "rel_improvement", comment=sure(one[NETWORK]))
            for other, one in against.items()
        ),
        line(f"IQR, {name}", reference, "iqr"),
        *(line(f"IQR, {other}", inclusive[other], "iqr") for other in against),
        line("IQR, network", network, "iqr"),
        line("IQR/1.349, network", network, "width"),
        line(f"σ68, {name}", reference, "sigma68"),
        line("σ68, network", network, "sigma68"),
        line(f"more than three widths low, {name}", reference, "tail_low", comment="0.13 % of a Gaussian"),
        line("more than three widths low, network", network, "tail_low", comment="0.13 % of a Gaussian"),
        line(f"more than three widths high, {name}", reference, "tail_high", comment="0.13 % of a Gaussian"),
        line("more than three widths high, network", network, "tail_high", comment="0.13 % of a Gaussian"),
        line(f"mean absolute error, {name}", reference, "mae", "GeV"),
        line("mean absolute error, network", network, "mae", "GeV"),
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
        "response": (
            draw_residuals(ratios, label=config.label),
            f"Estimated over true energy, {_PARTS[config.split]} candidates.",
        ),
    }
    for axis, one in binned.items():
        shown = [one[name] for name in estimates]
        figures[f"iqr_{axis}"] = (
            draw_resolution(shown, metric="iqr", label=config.label),
            "Interquartile range of E/E_true − 1 and relative improvement; bootstrap errors over events.",
        )
        figures[f"bias_{axis}"] = (
            draw_resolution(shown, metric="bias", panel=None, label=config.label),
            "Median of E/E_true − 1.",
        )
    return figures
