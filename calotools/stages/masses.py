"""The Z or Higgs peak before and after a network, on the same pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.analysis import compare_widths, event_bootstrap, find_pairs, fit_peak, pair_mass
from calotools.analysis.pairs import RULES
from calotools.containers import PeakFit, WidthComparison
from calotools.errors import EmptyInputError
from calotools.ntuple import read_friend
from calotools.outputs import check_output
from calotools.plots import draw_peak, draw_peak_comparison
from calotools.stages.publish import Headline, Outcome, publish
from calotools.stages.scored import Scored, read_scored

if TYPE_CHECKING:
    from calotools.recipe import PeaksConfig
    from calotools.stages import Progress

__all__ = ["peaks"]

NETWORK = "e_network"
_FIELDS = ("et", "eta", "phi", "charge", "weight")
_TITLES = {"zee": "Z → ee peak", "hyy": "H → γγ peak"}
_AXES = {"zee": "$m_{ee}$ [GeV]", "hyy": r"$m_{\gamma\gamma}$ [GeV]"}


def peaks(config: PeaksConfig, *, progress: Progress | None = None) -> Outcome:
    """Fit the mass peak with the reference energy and with the network's, and compare their widths.

    Parameters
    ----------
    config : PeaksConfig
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    Outcome
        Also written to ``config.output``. A fit that did not converge is reported as such, never quoted.

    Raises
    ------
    OutputExistsError, InputFileError, BranchError, EmptyInputError
    """
    check_output(config.output, overwrite=config.overwrite)
    sample = read_scored(
        config.files,
        read_friend(config.scores),
        fields=(*_FIELDS, config.reference),
        optional=("eta_s2",),
        cuts=config.selection,
        split=config.split,
        tree=config.tree,
        flavour=config.flavour,
    )
    kind = config.pair or ("hyy" if sample.record.get("tree") == "photons" else "zee")
    fits, widths = _measure(sample, config, kind)
    if progress:
        progress("pairs", widths.n, widths.n)
    outcome = _outcome(sample, config, kind, fits, widths)
    return publish(outcome, config, output=config.output, overwrite=config.overwrite)


def _measure(sample: Scored, config: PeaksConfig, kind: str) -> tuple[dict[str, PeakFit], WidthComparison]:
    rng = np.random.default_rng(config.seed)
    window = config.window or RULES[kind].window
    pairs = find_pairs(sample.candidates, kind=kind, energy=config.reference)
    if not len(pairs):
        raise EmptyInputError(
            f"{len(sample.candidates)} candidates make no '{kind}' pair; pairs need two candidates with the same "
            "(run, event): use --pair to choose the other kind, or another sample"
        )
    weight = ak.to_numpy(sample.candidates["weight"])[pairs.first].astype(float)
    bootstrap = event_bootstrap(pairs.index, rng=rng, replicas=config.replicas)
    masses = {
        "before": pair_mass(sample.candidates, pairs, energy=config.reference),
        "after": pair_mass(sample.candidates, pairs, energy=NETWORK),
    }
    names = {"before": f"layer sum ({config.reference})", "after": "network"}
    fits = {
        when: fit_peak(
            mass,
            kind=kind,
            rng=rng,
            weight=weight,
            window=window,
            background=None if config.background == "none" else config.background,
            bootstrap=bootstrap,
            name=names[when],
        )
        for when, mass in masses.items()
    }
    widths = compare_widths(masses["before"], masses["after"], bootstrap=bootstrap, window=window, weight=weight)
    return fits, widths


def _outcome(
    sample: Scored, config: PeaksConfig, kind: str, fits: dict[str, PeakFit], widths: WidthComparison
) -> Outcome:
    results: dict[str, Any] = {"fits": fits, "widths": widths, "cutflow": sample.cutflow}
    axis = _AXES[kind]
    ratio = (widths.ratio["sigma68_rel"], widths.ratio_error["sigma68_rel"])
    figures = {
        f"peak_{when}": (
            draw_peak(fit, xlabel=axis, label=config.label, note=fit.name),
            f"Mass with the {fit.name} energy and its fit.",
        )
        for when, fit in fits.items()
    }
    figures["comparison"] = (
        draw_peak_comparison(fits["before"], fits["after"], ratio=ratio, xlabel=axis, label=config.label),
        "Both energies on the same pairs; the ratio of widths has the error of their correlated bootstrap.",
    )
    return Outcome("peaks", _TITLES[kind], _headline(fits, widths), results, figures)


def _headline(fits: dict[str, PeakFit], widths: WidthComparison) -> tuple[Headline, ...]:
    lines = [
        Headline(
            "width ratio, network over layer sum",
            widths.ratio["sigma68_rel"],
            widths.ratio_error["sigma68_rel"],
            "",
            f"σ68 over median mass, {widths.n} pairs, correlated bootstrap",
        )
    ]
    for fit in fits.values():
        nan = float("nan")
        mean = (fit.values["mean"], fit.errors["mean"]) if fit.valid else (nan, nan)
        width = (fit.width["sigma68"], fit.width["sigma68_error"]) if fit.valid else (nan, nan)
        comment = "" if fit.valid else f"the fit is not valid: {fit.message}"
        lines += [
            Headline(f"peak position, {fit.name}", *mean, "GeV", comment),
            Headline(f"σ68 of the fit, {fit.name}", *width, "GeV", comment),
        ]
    return tuple(lines)
