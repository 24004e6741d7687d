"""ROC, working points, efficiency and rejection per eta, E_T and mu, against the cut-based identification."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.analysis import bin_numbers, cuts_in_bins, efficiency_in_bins, measure_roc, working_points
from calotools.containers import Efficiency, Roc, WorkingPoints
from calotools.errors import EmptyInputError
from calotools.plots import draw_efficiency, draw_rejection, draw_roc, draw_scores
from calotools.plots.numbers import format_range
from calotools.stages.cuts import efficiency_along_axes, inclusive_efficiency
from calotools.stages.dependence import measure_dependence
from calotools.stages.labels import Labelled, Rows, class_masks, discriminant_of, rows_of
from calotools.stages.probabilities import measure_probabilities
from calotools.stages.publish import Headline, Outcome
from calotools.stages.rivals import measure_rivals
from calotools.variables import match_weights, read_cut_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.recipe import EvaluateConfig
    from calotools.stages.scored import Scored

__all__ = ["measure_identification"]

CLASS_NAMES = {
    0: "prompt",
    1: "charge flip",
    2: "conversion",
    3: "heavy flavour",
    4: "light-flavour e/gamma",
    5: "light-flavour hadron",
}
CUT_BASED = ("pass_loose", "pass_medium", "pass_tight")
# fewer candidates than this make no curve worth drawing; the class is still counted
FEW = 50


def measure_identification(sample: Scored, config: EvaluateConfig) -> Outcome:
    """Measure how well a score tells signal from background.

    Parameters
    ----------
    sample : Scored
        With ``class_true``, the index, ``et``, ``eta`` and ``weight``; ``mu`` and the cut-based flags where known.
    config : EvaluateConfig

    Returns
    -------
    Outcome
    """
    which = discriminant_of(sample.record["classes"], config.discriminant)
    rows = rows_of(sample, which, unweighted=config.unweighted)
    score, (is_signal, is_background) = rows.value, _labels(sample)
    weight = _weights(sample, is_signal, is_background, config)
    labelled = Labelled(sample, config, rows, is_signal, is_background, weight)
    parts = (score[is_signal], score[is_background])
    weights = {"signal_weight": weight[is_signal], "background_weight": weight[is_background]}
    curve = measure_roc(*parts, **weights, name="network")
    points = working_points(*parts, efficiencies=config.efficiencies, **weights, name="network")
    curves = _roc_by_class(sample, score, is_signal, is_background, weight)
    cuts = _cut_based(sample, score, is_signal, is_background, weight)
    binned = _binned(sample, config, score >= points.cut[len(points.cut) // 2], is_signal, is_background, weight)
    applied = _applied(rows, (is_signal, is_background), weight, config)
    middle = len(config.efficiencies) // 2
    flat = _flat_rejection(labelled, config.efficiencies[middle])
    truth = ak.to_numpy(sample.candidates["class_true"])
    of_class = {name: is_background & (truth == value) for value, name in CLASS_NAMES.items() if name in curves}
    more = (
        measure_rivals(labelled, curve, {name: (of_class[name], curves[name]) for name in curves}),
        measure_probabilities(labelled),
        measure_dependence(labelled, cut=float(points.cut[middle])),
    )
    results: dict[str, Any] = {
        "roc": curve,
        "working_points": points,
        "roc_by_class": curves,
        "cut_based": cuts,
        "binned": binned,
        "applied": applied,
        "flat": flat,
        **{key: value for one in more for key, value in one.results.items()},
        "cutflow": sample.cutflow,
        "n": {"signal": int(is_signal.sum()), "background": int(is_background.sum())},
    }
    figures = _figures(labelled, curve, curves, binned, flat, config.efficiencies[middle])
    return Outcome(
        stage="evaluate",
        title=f"Identification: {sample.record.get('model', 'network')}",
        headline=(
            *_headline(curve, points),
            *_headline_cuts(cuts),
            *_headline_applied(applied),
            *(line for one in more for line in one.headline),
        ),
        results=results,
        figures=figures | {name: figure for one in more for name, figure in one.figures.items()},
    )


def _labels(sample: Scored) -> tuple[np.ndarray, np.ndarray]:
    is_signal, is_background = class_masks(sample)
    for name, mask in (("signal", is_signal), ("background", is_background)):
        if not mask.any():
            raise EmptyInputError(f"no {name} candidate among {len(mask)}; evaluate needs files with both")
    return is_signal, is_background


def _applied(
    rows: Rows, masks: tuple[np.ndarray, np.ndarray], weight: np.ndarray, config: EvaluateConfig
) -> dict[str, Any]:
    """Efficiencies of the cuts in a file of working points, over all and along |eta|, E_T and mu."""
    if config.working_points is None:
        return {}
    table = read_cut_table(config.working_points)
    edges = {"abs_eta": config.eta_bins, "et": config.et_bins, "mu": config.mu_bins}
    found = {}
    for name, mask in zip(("signal", "background"), masks, strict=True):
        own = replace(rows, weight=weight).take(mask)
        found[name] = {
            "all": inclusive_efficiency(table, own),
            "along": efficiency_along_axes(table, own, edges=edges),
        }
    return found


def _weights(sample: Scored, is_signal: np.ndarray, is_background: np.ndarray, config: EvaluateConfig) -> np.ndarray:
    """Event weights; with `match`, the background's are scaled to the signal's E_T and |eta|.

    Otherwise a score that only knew the candidate's E_T would tell signal from background.
    """
    weight = sample.weight(unweighted=config.unweighted)
    if not config.match:
        return weight
    et, eta = sample.column("et"), sample.column("eta")
    matched = match_weights(
        et[is_background],
        eta[is_background],
        like=(et[is_signal], eta[is_signal]),
        like_weight=weight[is_signal],
        weight=weight[is_background],
    )
    weight = weight.copy()
    weight[is_background] = matched
    return weight


def _roc_by_class(
    sample: Scored, score: np.ndarray, is_signal: np.ndarray, is_background: np.ndarray, weight: np.ndarray
) -> dict[str, Roc]:
    truth = ak.to_numpy(sample.candidates["class_true"])
    curves = {}
    for value, name in CLASS_NAMES.items():
        one = is_background & (truth == value)
        if one.sum() >= FEW:
            curves[name] = measure_roc(
                score[is_signal],
                score[one],
                signal_weight=weight[is_signal],
                background_weight=weight[one],
                name=f"against {name}",
            )
    return curves


def _cut_based(
    sample: Scored, score: np.ndarray, is_signal: np.ndarray, is_background: np.ndarray, weight: np.ndarray
) -> dict[str, dict[str, Any]]:
    """Each cut-based flag, and the network at the same signal efficiency on the same candidates."""
    compared = {}
    for flag in filter(sample.__contains__, CUT_BASED):
        passing = ak.to_numpy(sample.candidates[flag]) == 1
        signal = _inclusive(passing[is_signal], weight[is_signal], f"{flag} signal")
        if not 0 < signal.value[0] < 1:
            continue
        network = working_points(
            score[is_signal],
            score[is_background],
            efficiencies=(float(signal.value[0]),),
            signal_weight=weight[is_signal],
            background_weight=weight[is_background],
            name="network",
        )
        background = _inclusive(passing[is_background], weight[is_background], f"{flag} background")
        compared[flag] = {"signal": signal, "background": background, "network": network}
    return compared


def _inclusive(passing: np.ndarray, weight: np.ndarray, name: str) -> Efficiency:
    everything = {"all": np.array([0.0, 1.0])}
    return efficiency_in_bins(
        passing, axes={"all": np.full(len(passing), 0.5)}, edges=everything, weight=weight, name=name
    )


def _binned(
    sample: Scored,
    config: EvaluateConfig,
    passing: np.ndarray,
    is_signal: np.ndarray,
    is_background: np.ndarray,
    weight: np.ndarray,
) -> dict[str, dict[str, Efficiency]]:
    """Signal and background efficiency of the middle working point, one global cut, per axis."""
    axes = {
        "abs_eta": (np.abs(sample.column("eta")), config.eta_bins),
        "et": (sample.column("et"), config.et_bins),
    }
    if "mu" in sample:
        axes["mu"] = (sample.column("mu"), config.mu_bins)
    return {
        axis: {
            name: efficiency_in_bins(
                passing[mask],
                axes={axis: values[mask]},
                edges={axis: np.asarray(edges)},
                weight=weight[mask],
                name=name,
            )
            for name, mask in (("signal", is_signal), ("background", is_background))
        }
        for axis, (values, edges) in axes.items()
    }


def _flat_rejection(labelled: Labelled, target: float) -> dict[str, Efficiency]:
    """Background efficiency per axis with a cut in each bin that keeps the same part of the signal."""
    rows, config = labelled.rows, labelled.config
    axes = {"abs_eta": (np.abs(rows.eta), config.eta_bins), "et": (rows.et, config.et_bins)}
    if rows.mu is not None:
        axes["mu"] = (rows.mu, config.mu_bins)
    found = {}
    for axis, (values, given) in axes.items():
        edges = {axis: np.asarray(given, float)}
        own, other = labelled.signal, labelled.background
        weights = labelled.weight[own], labelled.weight[other]
        cut = cuts_in_bins(rows.value[own], target=target, axes={axis: values[own]}, edges=edges, weight=weights[0])
        number = bin_numbers({axis: values[other]}, edges)
        passing = rows.value[other] >= np.where(number >= 0, cut[number], np.nan)
        one = efficiency_in_bins(
            passing, axes={axis: values[other]}, edges=edges, weight=weights[1], name="cut in each bin"
        )
        known = np.isfinite(cut)
        nan = np.where(known, 0.0, np.nan)  # without signal there is no cut
        found[axis] = replace(
            one, value=one.value + nan, low=one.low + nan, high=one.high + nan, valid=one.valid & known
        )
    return found


def _headline(curve: Roc, points: WorkingPoints) -> tuple[Headline, ...]:
    lines = [Headline("AUC", curve.auc, curve.auc_error)]
    for target, value, low, high in zip(
        points.target, points.background, points.background_low, points.background_high, strict=True
    ):
        comment = f"68.3 % interval {format_range(100 * low, 100 * high)} %"
        name = f"background efficiency at {100 * target:.0f} % signal"
        lines.append(Headline(name, 100 * value, 50 * (high - low), "%", comment))
    return tuple(lines)


def _headline_cuts(cuts: dict[str, dict[str, Any]]) -> tuple[Headline, ...]:
    lines = []
    for flag, one in cuts.items():
        ours, theirs = one["network"].background[0], one["background"].value[0]
        if ours > 0 and theirs > 0:
            spread = np.hypot(_relative(one["background"]), _relative_points(one["network"]))
            comment = f"at its signal efficiency of {100 * one['signal'].value[0]:.1f} %"
            lines.append(
                Headline(f"rejection over cut-based {flag}", theirs / ours, theirs / ours * spread, "", comment)
            )
    return tuple(lines)


def _headline_applied(applied: dict[str, Any]) -> tuple[Headline, ...]:
    return tuple(
        Headline(
            f"{side} efficiency of {name}",
            100 * float(one.value[0]),
            50 * float((one.high - one.low)[0]),
            "%",
            "of the working points given",
        )
        for side, found in applied.items()
        for name, one in found["all"].items()
    )


def _relative(efficiency: Efficiency) -> float:
    return float((efficiency.high - efficiency.low)[0] / 2 / efficiency.value[0])


def _relative_points(points: WorkingPoints) -> float:
    return float((points.background_high - points.background_low)[0] / 2 / points.background[0])


def _figures(
    labelled: Labelled,
    curve: Roc,
    curves: dict[str, Roc],
    binned: dict[str, dict[str, Efficiency]],
    flat: dict[str, Efficiency],
    target: float,
) -> dict[str, tuple[Figure, str]]:
    config, sample = labelled.config, labelled.sample
    truth = ak.to_numpy(sample.candidates["class_true"])
    probability = 1 / (1 + np.exp(-labelled.rows.value))  # for two classes, the score of the signal
    scores = {"prompt": probability[labelled.signal]}
    scores |= {
        name: probability[labelled.background & (truth == v)] for v, name in CLASS_NAMES.items() if name in curves
    }
    note = f"{100 * target:.0f} % signal"
    figures = {
        "roc": (
            draw_roc([curve], working_points=config.efficiencies, label=config.label),
            "Background rejection against signal efficiency; the band is 68.3 %.",
        ),
        "scores": (draw_scores(scores, name="Network score", label=config.label), "Score by true class."),
    }
    if curves:
        figures["roc_by_class"] = (
            draw_roc([replace(curve, name="all"), *curves.values()], ratio=False, label=config.label),
            "The same against each class of background.",
        )
    for axis, one in binned.items():
        figures[f"efficiency_{axis}"] = (
            draw_efficiency([one["signal"]], ylabel="Signal efficiency", label=config.label, note=f"one cut, {note}"),
            f"Signal efficiency of the cut that keeps {100 * target:.0f} % of the signal overall.",
        )
        rejections = [replace(one["background"], name="one cut"), flat[axis]]
        figures[f"rejection_{axis}"] = (
            draw_rejection(rejections, label=config.label, note=note),
            "Background rejection of the same cut, and of a cut in each bin that keeps this part of the signal there.",
        )
    return figures
