"""Tag-and-probe: efficiencies in data, scale factors against simulation, closure against injected truth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.analysis import (
    TagProbeModel,
    TagProbeSample,
    check_closure,
    count_efficiencies,
    efficiency_of_fits,
    fit_efficiencies,
    measure_scale_factors,
)
from calotools.analysis.scalefactors import variations_of
from calotools.containers import Closure, Efficiency, ScaleFactors, TagProbeFit
from calotools.errors import EmptyInputError
from calotools.ntuple import check_one_model, expand_files
from calotools.outputs import check_output
from calotools.plots import draw_efficiency_map, draw_scale_factors, draw_tagprobe
from calotools.stages.pairs.injected import InjectedTruth, read_injected
from calotools.stages.pairs.probes import read_probes
from calotools.stages.publish import Headline, Outcome, publish, with_bad_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from calotools.progress import Progress
    from calotools.recipe import TagProbeConfig

__all__ = ["tagprobe"]


def tagprobe(config: TagProbeConfig, *, progress: Progress | None = None) -> Outcome:
    """Measure the efficiency of a cut per (E_T, |eta|) of the probe.

    Parameters
    ----------
    config : TagProbeConfig
        With simulation, its efficiency is counted on truth-matched probes and scale factors are made; with the
        sidecar of pseudo-data, both are compared with the truth that was injected.
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    Outcome
        Also written to ``config.output``. A bin whose fit failed is shown as failed.

    Raises
    ------
    OutputExistsError, InputFileError, BranchError, EmptyInputError, ConfigError
    """
    check_output(config.output, overwrite=config.overwrite)
    if config.data_scores and config.simulation_scores:
        check_one_model((*config.data_scores, *config.simulation_scores))
    data, without, bad = read_probes(config, config.data, config.data_scores, matched=False)
    n_without_cut = {"data": without}
    if progress:
        progress("probes", len(data), len(data))
    simulation = None
    if config.simulation:
        simulation, without, missed = read_probes(config, config.simulation, config.simulation_scores, matched=True)
        n_without_cut["simulation"], bad = without, [*bad, *missed]
    truth = read_injected(config.injected or _read_files(config, bad), passing=config.passing, edges=_edges(config))
    label = config.label or ("calotools pseudo-data" if truth else "data")
    outcome = _measure(config.model_copy(update={"label": label}), data, simulation, truth)
    if any(n_without_cut.values()):
        comment = "no probes: the working point has no cut in their bin; " + ", ".join(
            f"{n} of the {name}" for name, n in n_without_cut.items()
        )
        line = Headline("candidates without a cut", sum(n_without_cut.values()), None, "", comment)
        results = dict(outcome.results) | {"n_without_cut": n_without_cut}
        outcome = replace(outcome, headline=(*outcome.headline, line), results=results)
    return publish(with_bad_files(outcome, bad), config, output=config.output, overwrite=config.overwrite)


def _read_files(config: TagProbeConfig, bad: Sequence[Mapping[str, str]]) -> list[str]:
    """Files of the data, without those that were skipped."""
    names = {one["file"] for one in bad}
    return [name for name in expand_files(config.data, absent=config.skip_bad_files) if name not in names]


def _edges(config: TagProbeConfig) -> dict[str, np.ndarray]:
    return {"et": np.asarray(config.et_bins, float), "abs_eta": np.asarray(config.eta_bins, float)}


def _measure(
    config: TagProbeConfig, data: TagProbeSample, simulation: TagProbeSample | None, truth: InjectedTruth | None
) -> Outcome:
    rng, edges = np.random.default_rng(config.seed), _edges(config)
    model = replace(TagProbeModel(), window=config.window)
    results: dict[str, Any] = {"n_probes": {"data": len(data)}}
    if simulation is None:
        fits = fit_efficiencies(data, edges=edges, rng=rng, model=model)
        efficiency = efficiency_of_fits(fits, edges=edges, name="data")
        efficiencies, factors = [efficiency], None
    else:
        counted = count_efficiencies(simulation, edges=edges, window=config.window, name="simulation")
        measured = measure_scale_factors(
            data,
            simulation,
            edges=edges,
            rng=rng,
            models=(model, *variations_of(model)),
            injected=truth.scale_factors_over(counted.value) if truth else None,
        )
        fits, factors = measured.fits, measured.factors
        efficiencies = [factors.data, factors.simulation]
        results |= {"scale_factors": factors}
        results["n_probes"]["simulation"] = len(simulation)
    if not efficiencies[0].valid.any():
        raise EmptyInputError(
            f"none of {len(fits)} bins could be measured with {len(data)} probes ({fits[0].message or 'empty'}); "
            "use wider bins (--et-bins, --eta-bins), a looser tag or more data"
        )
    results |= {"efficiency": efficiencies[0], "fits": fits}
    closures = _closures(efficiencies[0], factors, truth)
    results |= {"closure": closures, "injected": truth}
    return Outcome(
        "tagprobe",
        f"Tag-and-probe: {config.passing}",
        _headline(efficiencies[0], factors, fits, closures),
        results,
        _figures(config, efficiencies, factors, fits, truth),
    )


def _closures(efficiency: Efficiency, factors: ScaleFactors | None, truth: InjectedTruth | None) -> dict[str, Closure]:
    if truth is None:
        return {}
    error = (efficiency.high - efficiency.low) / 2
    closures = {"efficiency": check_closure(efficiency.value, error, truth.efficiency, valid=efficiency.valid)}
    if factors is not None and factors.injected is not None:
        closures["scale factor"] = check_closure(factors.value, factors.stat, factors.injected, valid=factors.valid)
    return closures


def _headline(
    efficiency: Efficiency,
    factors: ScaleFactors | None,
    fits: Sequence[TagProbeFit],
    closures: dict[str, Closure],
) -> tuple[Headline, ...]:
    valid = efficiency.valid & np.isfinite(efficiency.value)
    error = (efficiency.high - efficiency.low) / 2
    lines = [Headline("valid bins", int(valid.sum()), None, "", f"of {len(fits)}")]
    probes = np.where(valid, efficiency.n_total, 0.0)
    lines.append(Headline("efficiency in data, mean of probes", *_mean_of_probes(efficiency.value, error, probes)))
    if factors is not None:
        lines.append(Headline("scale factor, mean of bins", *_mean(factors.value, factors.stat, factors.valid)))
    for name, one in closures.items():
        if one.ndf:
            same = "; the truth is of the same electrons, so below 1" if name == "efficiency" else ""
            comment = f"χ² = {one.chi2:.1f} over {one.ndf} bins, p = {one.p_value:.2f}{same}"
            lines.append(
                Headline(f"closure of the {name}, χ²/ndf", one.chi2 / one.ndf, np.sqrt(2 / one.ndf), "", comment)
            )
    return tuple(lines)


def _mean_of_probes(value: np.ndarray, error: np.ndarray, probes: np.ndarray) -> tuple[float, float]:
    """Mean weighted by the probes: weights from binomial errors would favour bins near 0 and 1."""
    used, total = probes > 0, probes.sum()
    if total <= 0:
        return float("nan"), float("nan")
    mean = np.sum(probes[used] * value[used]) / total
    return float(mean), float(np.sqrt(np.sum((probes[used] * error[used]) ** 2)) / total)


def _mean(value: np.ndarray, error: np.ndarray, valid: np.ndarray) -> tuple[float, float]:
    """Mean weighted by 1 / error^2 of the valid bins."""
    used = valid & np.isfinite(value) & (error > 0)
    if not used.any():
        return float("nan"), float("nan")
    weight = error[used] ** -2
    return float(np.average(value[used], weights=weight)), float(weight.sum() ** -0.5)


def _figures(
    config: TagProbeConfig,
    efficiencies: list[Efficiency],
    factors: ScaleFactors | None,
    fits: Sequence[TagProbeFit],
    truth: InjectedTruth | None,
) -> dict[str, Any]:
    injected = truth.efficiency if truth else None
    figures: dict[str, Any] = {
        "efficiency": (
            draw_efficiency_map(efficiencies, truth=injected, label=str(config.label), note=config.passing),
            "Efficiency per probe E_T and |eta|; simulation is counted on matched probes.",
        )
    }
    if factors is not None:
        figures["scale_factors"] = (
            draw_scale_factors(factors, label=str(config.label), note=config.passing),
            "Efficiency in data over simulation. The truth is the factor injected into the pseudo-data, times the "
            "mean effect of their other differences (material, shower width).",
        )
    for number, fit in enumerate(fits):
        figures[f"fit_{number:02d}"] = (
            draw_tagprobe(fit, label=str(config.label)),
            "Passing and failing probes of one bin with the common fit.",
        )
    return figures
