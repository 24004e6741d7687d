"""Working points: cuts in bins of |eta| and E_T, their test on the other half of the events, and what they reject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.analysis import cut_closure, fit_cuts, measure_cuts, rising_targets
from calotools.containers import Efficiency
from calotools.errors import BranchError, ConfigError, EmptyInputError
from calotools.ntuple import read_friend
from calotools.outputs import check_output, new_folder
from calotools.plots import draw_efficiency, draw_rejection
from calotools.stages.evaluation.efficiencies import efficiency_along_axes, inclusive_efficiency, percent
from calotools.stages.evaluation.labels import Rows, class_masks, discriminant_of, edges_of, rows_of
from calotools.stages.evaluation.weights import measured_weight
from calotools.stages.publish import Headline, Outcome, with_bad_files, write_outcome
from calotools.stages.scored import read_scored_of
from calotools.variables import CutTable, Discriminant, ScoreOrigin, event_hash, write_cut_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.progress import Progress
    from calotools.recipe import WorkingPointsConfig
    from calotools.stages.scored import Scored

__all__ = ["working_points"]

FILE = "working_points.json"
_EMPTY = "no cut, or empty"
_HALVES = 0x5EED  # another hash than that of the split


def working_points(config: WorkingPointsConfig, *, progress: Progress | None = None) -> Outcome:
    """Find cuts on the discriminant that keep given parts of the signal in each bin.

    The cuts are made from all selected signal candidates. To test the method, cuts are also made from half of the
    events and measured on the other half.

    Parameters
    ----------
    config : WorkingPointsConfig
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    Outcome
        Also written to ``config.output``: working_points.json, which predict and evaluate apply; numbers.json,
        recipe.toml, figures.

    Raises
    ------
    OutputExistsError, InputFileError, BranchError, EmptyInputError
    ConfigError
        The scores are energies, or a class does not exist; a weight of a ``class_true`` that no class collects.
    """
    check_output(config.output, overwrite=config.overwrite)
    friend = read_friend(config.scores)
    if friend.record["task"] != "identification":
        raise ConfigError(
            f"working points need scores of an identification; these are of task '{friend.record['task']}'"
        )
    sample = read_scored_of(
        config,
        friend,
        fields=("et", "eta", "weight", "class_true"),
        optional=("mu",),
    )
    if progress:
        progress("candidates", len(sample.candidates), len(sample.candidates))
    table, outcome = _measure(sample, config)
    outcome = with_bad_files(outcome, sample.bad_files)
    with new_folder(config.output, overwrite=config.overwrite) as folder:
        write_cut_table(folder / FILE, table)
        write_outcome(outcome, config, folder=folder)
    return outcome


def _measure(sample: Scored, config: WorkingPointsConfig) -> tuple[CutTable, Outcome]:
    which = discriminant_of(sample.record["classes"], config.discriminant)
    everything = rows_of(sample, which, unweighted=config.unweighted)
    if config.pileup and everything.mu is None:
        raise BranchError("pileup = true needs the field 'mu', which the files do not have")
    is_signal, is_background = class_masks(sample)
    if not is_signal.any():
        raise EmptyInputError(f"no signal candidate among {len(is_signal)}; working points need files with signal")
    sides = {"signal": is_signal} | ({"background": is_background} if is_background.any() else {})
    everything = replace(everything, weight=measured_weight(sample, config, sides=sides, match=config.match))
    is_signal, is_background = (mask & _counted(sample, config) for mask in (is_signal, is_background))
    signal, background = everything.take(is_signal), everything.take(is_background)
    table = replace(_fit(signal, which, config), origin=ScoreOrigin.from_record(sample.record))
    half = (event_hash(sample.index.run, sample.index.event, seed=_HALVES) & np.uint64(1)).astype(bool)[is_signal]
    tested = _fit(signal.take(half), which, config)
    other = signal.take(~half)
    closure = cut_closure(tested, other.value, **other.options)
    edges = edges_of(config)
    along = {
        "signal": efficiency_along_axes(tested, other, edges=edges),
        "background": efficiency_along_axes(table, background, edges=edges) if is_background.any() else {},
    }
    bins = {"signal": measure_cuts(tested, other.value, **other.options)}
    if is_background.any():
        bins["background"] = measure_cuts(table, background.value, **background.options)
    results = {
        "bins": bins,
        "closure": closure,
        "along": along,
        "cuts": {name: getattr(table, name) for name in ("target", "cut", "cut_error", "slope", "slope_error", "n")},
        "scores": table.origin and table.origin.to_dict(),
        "cutflow": [*sample.cutflow, {"step": "signal", "candidates": int(is_signal.sum())}],
    }
    outcome = Outcome(
        stage="working-points",
        title=f"Working points: {sample.record.get('model', 'network')}",
        headline=_headline(table, tested, background, closure, config),
        results=results,
        figures=_figures(along, config),
    )
    return table, outcome


def _counted(sample: Scored, config: WorkingPointsConfig) -> np.ndarray:
    """Candidates of classes that have a weight: others are not of the sample that is asked for."""
    nowhere = [value for value, weight in config.class_weights.items() if weight == 0]
    return ~np.isin(ak.to_numpy(sample.candidates["class_true"]), nowhere)


def _fit(signal: Rows, which: Discriminant, config: WorkingPointsConfig) -> CutTable:
    n_bins = len(config.et_bins) - 1
    targets: dict[str, np.ndarray] = {}
    for name, target in config.targets.items():
        given = np.atleast_1d(np.asarray(target, float))
        if len(given) not in (1, n_bins):
            raise ConfigError(
                f"targets.{name} has {len(given)} efficiencies for {n_bins} bins of E_T; give one, or one each"
            )
        targets[name] = np.broadcast_to(given, (n_bins,))
        if config.rising:
            if len(given) > 1:
                raise ConfigError(f"targets.{name} is given in bins of E_T: rising = true takes an average, one number")
            targets[name] = rising_targets(float(given[0]), signal.et, edges=config.et_bins, weight=signal.weight)
    return fit_cuts(
        signal.value,
        discriminant=which,
        targets=targets,
        kinematics=(signal.eta, signal.et),
        edges=(config.eta_bins, config.et_bins),
        weight=signal.weight,
        mu=signal.mu if config.pileup else None,
        min_candidates=config.min_candidates,
    )


def _headline(
    table: CutTable,
    tested: CutTable,
    background: Rows,
    closure: Mapping[str, Mapping[str, Any]],
    config: WorkingPointsConfig,
) -> tuple[Headline, ...]:
    with_cut = table.cut[0].size - int(np.isnan(table.cut[0]).sum())
    lines = []
    for number, (name, test) in enumerate(closure.items()):
        if test["ndf"]:
            comment = (
                f"on the other half of the events, where {100 * test['asked']:.1f} % was asked for; error of both "
                f"halves; closure in {test['ndf']} of {with_cut} bins: chi2 / ndf {test['chi2']:.1f} / {test['ndf']}"
            )
        else:
            comment = f"{_asked(table, number)} asked for; {_untested(tested, number, config)}"
        lines.append(
            Headline(f"signal efficiency of {name}", 100 * test["efficiency"], 100 * test["error"], "%", comment)
        )
    if len(background.value):
        measured = inclusive_efficiency(table, background)
        lines += [percent(f"background efficiency of {name}", one) for name, one in measured.items()]
    if with_cut < table.cut[0].size:
        lines.append(
            Headline("bins without a cut", table.cut[0].size - with_cut, None, "", _few(table, config, with_cut))
        )
    return tuple(lines)


def _asked(table: CutTable, number: int) -> str:
    """Efficiency that a working point is made for, or the least and the greatest of the bins."""
    low, high = (f"{100 * one:.1f}" for one in (table.target[number].min(), table.target[number].max()))
    return f"{low} % is" if low == high else f"{low} to {high} % are"


def _untested(tested: CutTable, number: int, config: WorkingPointsConfig) -> str:
    """Why no bin can tell whether it is so, and what would help."""
    if (tested.target[number] == 1).all():
        return "not tested: all of it has no statistical error"
    if np.isfinite(tested.cut).any():
        return "not tested: where half of the events makes a cut, the other half has no signal candidates"
    text = (
        f"not tested: half of the events has {tested.n.sum():.0f} signal candidates, at most {tested.n.max():.0f} in a "
        f"bin; {config.min_candidates} are needed (min_candidates)"
    )
    return f"{text}; {_more(config)}"


def _more(config: WorkingPointsConfig) -> str:
    """How there are more candidates in a bin."""
    text = "wider bins have more (eta_bins, et_bins)"
    if config.split == "all":
        return text
    return f"{text}; only the {config.split} part of the events is used: for files not learnt from, split = all"


def _few(table: CutTable, config: WorkingPointsConfig, with_cut: int) -> str:
    """Why bins have no cut and, if that is most of them, what would help."""
    text = f"of {table.cut[0].size}: fewer than {config.min_candidates} signal candidates (min_candidates)"
    return text if 2 * with_cut >= table.cut[0].size else f"{text}; {_more(config)}"


def _figures(
    along: Mapping[str, Mapping[str, Mapping[str, Efficiency]]], config: WorkingPointsConfig
) -> dict[str, tuple[Figure, str]]:
    figures = {}
    for axis, points in along["signal"].items():
        figures[f"efficiency_{axis}"] = (
            draw_efficiency(list(points.values()), ylabel="Signal efficiency", label=config.label, empty=_EMPTY),
            "Signal efficiency on half of the events, of cuts that were made from the other half.",
        )
    which = " of a background with the E_T and |eta| of the signal" if config.match else ""
    for axis, points in along["background"].items():
        figures[f"rejection_{axis}"] = (
            draw_rejection(list(points.values()), label=config.label, empty=_EMPTY),
            f"Rejection{which or ' of the background'} by the working points.",
        )
    return figures
