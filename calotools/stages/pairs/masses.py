"""The Z or Higgs peak before and after a network, on the same pairs; or with the ntuple's own energy alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.analysis import Bootstrap, compare_widths, event_bootstrap, find_pairs, fit_peak, mass_sigma, pair_mass
from calotools.analysis.categories import LEAST, usable_pairs
from calotools.analysis.pairs import RULES
from calotools.containers import PeakFit, WidthComparison
from calotools.errors import EmptyInputError
from calotools.ntuple import index_of, read_friend, read_resolved, resolve_sample, sample_fields
from calotools.outputs import check_output
from calotools.plots import draw_peak, draw_peak_comparison
from calotools.stages.pairs.categories import SIGMA, categorise
from calotools.stages.pairs.legs import TRUE_ENERGY, compare_legs, lines_of_legs
from calotools.stages.pairs.probes import PAIR_MASS
from calotools.stages.publish import Headline, Outcome, publish, with_bad_files
from calotools.stages.scored import read_scored_of
from calotools.variables import fields_in, select

if TYPE_CHECKING:
    from calotools.progress import Progress
    from calotools.recipe import PeaksConfig

__all__ = ["peaks"]

NETWORK = "e_network"
_FIELDS = ("et", "eta", "phi", "charge", "weight")
_TITLES = {"zee": "Z → ee peak", "hyy": "H → γγ peak"}
_AXES = {"zee": "$m_{ee}$ [GeV]", "hyy": r"$m_{\gamma\gamma}$ [GeV]"}
_NOMINAL = {"zee": "m_Z = 91.19 GeV", "hyy": "m_H = 125 GeV"}


@dataclass(frozen=True)
class _Masses:
    """Masses of the same pairs, by energy: before, and after where there is a network."""

    masses: dict[str, np.ndarray]
    names: dict[str, str]
    weight: np.ndarray
    bootstrap: Bootstrap
    cutflow: list[dict[str, Any]] = field(default_factory=list)
    bad_files: list[dict[str, str]] = field(default_factory=list)
    legs: dict[str, WidthComparison] = field(default_factory=dict)
    relative_sigma: np.ndarray | None = None


def peaks(config: PeaksConfig, *, progress: Progress | None = None) -> Outcome:
    """Fit the mass peak with the reference energy and, given scores, with the network's; compare their widths.

    Parameters
    ----------
    config : PeaksConfig
        A tree with one pair per row (field ``pair_mass``) needs no scores and brings its own masses.
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
    kind = config.pair or ("hyy" if _tree(config) == "photons" else "zee")
    measured = _scored_pairs(config, kind) if config.scores else _own_pairs(config, kind)
    if progress:
        progress("pairs", len(measured.weight), len(measured.weight))
    outcome = with_bad_files(_outcome(measured, config, kind), measured.bad_files)
    return publish(outcome, config, output=config.output, overwrite=config.overwrite)


def _tree(config: PeaksConfig) -> str | None:
    return config.tree or (read_friend(config.scores).record["tree"] if config.scores else None)


def _scored_pairs(config: PeaksConfig, kind: str) -> _Masses:
    friend = read_friend(config.scores)
    sample = read_scored_of(
        config,
        friend,
        fields=(*_FIELDS, config.reference),
        optional=("eta_s2", TRUE_ENERGY),
    )
    measured = _paired(config, kind, sample.candidates, {"after": NETWORK}, sample.cutflow)
    return replace(measured, bad_files=sample.bad_files)


def _own_pairs(config: PeaksConfig, kind: str) -> _Masses:
    skip = config.skip_bad_files
    sound = resolve_sample(config.files, tree=config.tree, flavour=config.flavour, skip_bad_files=skip)
    known = sample_fields(sound.files[:1], tree=sound.tree, flavour=sound.flavour)
    wanted = {PAIR_MASS, "weight"} if PAIR_MASS in known else {*_FIELDS, config.reference} | ({"eta_s2"} & known)
    wanted |= fields_in(config.selection)
    sample = read_resolved(sound, fields=tuple(sorted(wanted)), skip_bad_files=skip)
    candidates = sample.candidates[select(sample.candidates, config.selection).mask]
    if PAIR_MASS not in known:
        return replace(_paired(config, kind, candidates, {}, []), bad_files=sample.bad)
    index = index_of(candidates)
    return _Masses(
        masses={"before": ak.to_numpy(candidates[PAIR_MASS]).astype(float)},
        names={"before": PAIR_MASS},
        weight=_weight(config, candidates),
        bootstrap=event_bootstrap(index, rng=np.random.default_rng(config.seed), replicas=config.replicas),
        bad_files=sample.bad,
    )


def _weight(config: PeaksConfig, candidates: ak.Array) -> np.ndarray:
    return np.ones(len(candidates)) if config.unweighted else ak.to_numpy(candidates["weight"]).astype(float)


def _paired(
    config: PeaksConfig, kind: str, candidates: ak.Array, after: dict[str, str], cutflow: list[dict[str, Any]]
) -> _Masses:
    pairs = find_pairs(candidates, kind=kind, energy=config.reference)
    if not len(pairs):
        raise EmptyInputError(
            f"{len(candidates)} candidates make no '{kind}' pair; pairs need two candidates with the same "
            "(run, event): use --pair to choose the other kind, or another sample"
        )
    energies = {"before": config.reference, **after}
    weight = _weight(config, candidates)[pairs.first]
    bootstrap = event_bootstrap(pairs.index, rng=np.random.default_rng(config.seed), replicas=config.replicas)
    legs = {}
    if after:
        window = config.window or RULES[kind].window
        legs = compare_legs(candidates, pairs, energies=energies, window=window, weight=weight, bootstrap=bootstrap)
    stated = after and SIGMA in candidates.fields
    return _Masses(
        masses={when: pair_mass(candidates, pairs, energy=energy) for when, energy in energies.items()},
        names={"before": f"layer sum ({config.reference})", "after": "network"},
        weight=weight,
        bootstrap=bootstrap,
        cutflow=cutflow,
        legs=legs,
        relative_sigma=mass_sigma(candidates, pairs, energy=NETWORK, sigma=SIGMA) if stated else None,
    )


def _outcome(measured: _Masses, config: PeaksConfig, kind: str) -> Outcome:
    rng = np.random.default_rng(config.seed)
    window = config.window or RULES[kind].window
    fits = {
        when: fit_peak(
            mass,
            kind=kind,
            rng=rng,
            weight=measured.weight,
            window=window,
            background=None if config.background == "none" else config.background,
            bootstrap=measured.bootstrap,
            name=measured.names[when],
        )
        for when, mass in measured.masses.items()
    }
    widths = None
    if "after" in fits:
        before, after = measured.masses["before"], measured.masses["after"]
        widths = compare_widths(before, after, bootstrap=measured.bootstrap, window=window, weight=measured.weight)
    results: dict[str, Any] = {"fits": fits, "widths": widths, "legs": measured.legs, "cutflow": measured.cutflow}
    headline = (*_headline(fits, widths, kind), *lines_of_legs(measured.legs))
    figures = _figures(fits, widths, config, kind)
    n = _categories(measured, window, config)
    if measured.relative_sigma is not None and n > 1:
        results["categories"], lines, more = categorise(
            measured.masses["after"],
            measured.relative_sigma,
            n=n,
            window=window,
            weight=measured.weight,
            bootstrap=measured.bootstrap,
            xlabel=_AXES[kind],
            label=config.label,
        )
        headline, figures = (*headline, *lines), figures | more
    return Outcome("peaks", _TITLES[kind], headline, results, figures)


def _categories(measured: _Masses, window: tuple[float, float], config: PeaksConfig) -> int:
    """As many as asked for, or as there are pairs for; 0 where the network states no sigma."""
    if measured.relative_sigma is None:
        return 0
    usable = usable_pairs(measured.masses["after"], measured.relative_sigma, window=window)
    return min(config.categories, len(usable) // LEAST)


def _figures(
    fits: dict[str, PeakFit], widths: WidthComparison | None, config: PeaksConfig, kind: str
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if widths is not None:
        ratio = (widths.ratio["sigma68_rel"], widths.ratio_error["sigma68_rel"])
        figures["comparison"] = (
            draw_peak_comparison(fits["before"], fits["after"], ratio=ratio, xlabel=_AXES[kind], label=config.label),
            "Both energies on the same pairs. The ratio is that of σ68 over the median mass of the entries, with the "
            "error of a bootstrap that keeps their correlation; the widths in the text are those of the fits.",
        )
    for when, fit in fits.items():
        figures[f"peak_{when}"] = (
            draw_peak(fit, xlabel=_AXES[kind], label=config.label, note=fit.name),
            f"Mass with the {fit.name} energy and its fit.",
        )
    return figures


def _headline(fits: dict[str, PeakFit], widths: WidthComparison | None, kind: str) -> tuple[Headline, ...]:
    lines = []
    if widths is not None:
        lines.append(
            Headline(
                "width ratio, network over layer sum",
                widths.ratio["sigma68_rel"],
                widths.ratio_error["sigma68_rel"],
                "",
                f"σ68 over median mass, the same {widths.n} pairs, correlated bootstrap",
            )
        )
    for fit in fits.values():
        nan = float("nan")
        mean = (fit.values["mean"], fit.errors["mean"]) if fit.valid else (nan, nan)
        width = (fit.width["sigma68"], fit.width["sigma68_error"]) if fit.valid else (nan, nan)
        failed = "" if fit.valid else f"the fit is not valid: {fit.message}"
        lines += [
            Headline(f"peak position, {fit.name}", *mean, "GeV", failed or _NOMINAL[kind]),
            Headline(f"σ68 of the fitted signal, {fit.name}", *width, "GeV", failed or "natural width included"),
        ]
    return tuple(lines)
