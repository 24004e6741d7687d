"""Weights that make some candidates look like others, with the diagnosis of what they are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.analysis import Bootstrap, closeness, event_bootstrap
from calotools.containers import Closeness, Index, Scores
from calotools.errors import ConfigError, EmptyInputError
from calotools.ntuple import Sample, index_of, read_resolved, resolve_sample, sample_fields, write_friend
from calotools.outputs import check_output, new_folder
from calotools.plots import draw_reweighting
from calotools.stages.publish import Headline, Outcome, with_bad_files, write_outcome
from calotools.variables import WeightedSample, compute, event_hash, fields_in, fold_factors, select

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.progress import Progress
    from calotools.recipe import ReweightConfig

__all__ = ["reweight"]

FILE, TREE, COLUMN = "weights.root", "weights", "weight_matched"
_BINS = 25
_GROUPS_PER_FOLD = 20  # luminosity blocks; with fewer, folds and errors are of events


def reweight(config: ReweightConfig, *, progress: Progress | None = None) -> Outcome:
    """Find the weights, each without the candidate's own fold, and test them.

    Parameters
    ----------
    config : ReweightConfig
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    Outcome
        Also written to ``config.output``, beside ``weights.root``: a friend tree of all entries with ``weight_matched``
        (NaN for what is neither source nor target, the own weight for the target) and a branch for each replica.

    Raises
    ------
    OutputExistsError, InputFileError, BranchError
    EmptyInputError
        There is no source, or no target.
    ConfigError
        A candidate is source and target at once; hep_ml is not installed.
    """
    check_output(config.output, overwrite=config.overwrite)
    sample = _read(config)
    parts = _parts(sample, config)
    factors = _all_factors(parts, config, progress)
    columns = {
        name: _column(parts, factor, normalise=config.normalise, n=len(sample.candidates))
        for name, factor in factors.items()
    }
    outcome = with_bad_files(_outcome(parts, columns, config), sample.bad)
    with new_folder(config.output, overwrite=config.overwrite) as folder:
        index = index_of(sample.candidates)
        record = {"task": "weights", "files": list(config.files), "recipe": config.model_dump(mode="json")}
        values = {name: one.astype(np.float32) for name, one in columns.items()}
        write_friend(folder / FILE, Scores(index, values, np.zeros(len(index), np.int8), record), tree=TREE)
        write_outcome(outcome, config, folder=folder)
    return outcome


@dataclass(frozen=True)
class _Parts:
    """Source and target, the rows where they are, their groups (and of what these are), and a bootstrap over them."""

    source: WeightedSample
    target: WeightedSample
    rows: tuple[np.ndarray, np.ndarray]
    bootstrap: Bootstrap
    groups: tuple[np.ndarray, np.ndarray]
    group_name: str


def _read(config: ReweightConfig) -> Sample:
    resolved = resolve_sample(
        config.files, tree=config.tree, flavour=config.flavour, skip_bad_files=config.skip_bad_files
    )
    known = sample_fields(resolved.files[:1], tree=resolved.tree, flavour=resolved.flavour)
    weight = {"weight"} & set(known) if not config.unweighted else set()
    shared = {"lumi_block", "mu"} & set(known)
    needed = fields_in((*config.variables, *config.selection, *config.source, *config.target)) | weight | shared
    return read_resolved(resolved, fields=sorted(needed), skip_bad_files=config.skip_bad_files)


def _parts(sample: Sample, config: ReweightConfig) -> _Parts:
    candidates = sample.candidates
    values = np.column_stack([compute(candidates, name) for name in config.variables])
    usable = np.isfinite(values).all(axis=1) & select(candidates, config.selection).mask
    masks = [usable & select(candidates, cuts).mask for cuts in (config.source, config.target)]
    if (masks[0] & masks[1]).any():
        raise ConfigError(
            f"{(masks[0] & masks[1]).sum()} candidates pass the cuts of source {list(config.source)} and of target "
            f"{list(config.target)}; make them exclude each other"
        )
    index = index_of(candidates)
    has_weight = "weight" in candidates.fields and not config.unweighted
    weight = compute(candidates, "weight") if has_weight else np.ones(len(candidates))
    rows = np.flatnonzero(masks[0]), np.flatnonzero(masks[1])
    for name, found in zip(("source", "target"), rows, strict=True):
        if not len(found):
            cuts = config.source if name == "source" else config.target
            raise EmptyInputError(
                f"none of {len(candidates)} candidates is {name}: {[*config.selection, *cuts]}; say with --{name} "
                "which are, if your ntuple has other values"
            )
    group_name, key = _group_key(candidates, index, rows, folds=config.folds)
    # a group in two folds would tell one about the other
    fold = (event_hash(index.run, key, seed=config.seed) % np.uint64(config.folds)).astype(np.int64)
    both = [WeightedSample(values[found], weight[found], fold[found]) for found in rows]
    rng = np.random.default_rng(config.seed)
    drawn = event_bootstrap(Index(index.run, key, index.candidate), rng=rng, replicas=max(config.replicas, 2))
    return _Parts(both[0], both[1], rows, drawn, (drawn.group[rows[0]], drawn.group[rows[1]]), group_name)


def _group_key(
    candidates: ak.Array, index: Index, rows: tuple[np.ndarray, np.ndarray], *, folds: int
) -> tuple[str, np.ndarray]:
    """What candidates share their mu by, and its number: the first of block, (run, mu) and event that can be split."""
    used = np.concatenate(rows)
    for name in ("lumi_block", "mu"):
        if name not in candidates.fields:
            continue
        values = compute(candidates, name)
        if not np.isfinite(values[used]).all():
            continue
        key = _key_of(name, values, index.run)
        if all(len(np.unique(key[one])) >= _GROUPS_PER_FOLD * max(folds, 5) for one in rows):
            return name, key
    return "event", index.event


def _key_of(name: str, values: np.ndarray, run: np.ndarray) -> np.ndarray:
    """(n,) uint64 that does not depend on which other candidates there are."""
    if name == "lumi_block":
        own = values.astype(np.int64).astype(np.uint64) & np.uint64(0xFFFFFFFF)
        return (run.astype(np.uint64) << np.uint64(32)) | own
    return (values.astype(np.float64) + 0.0).view(np.uint64) ^ (run.astype(np.uint64) << np.uint64(32))


def _all_factors(parts: _Parts, config: ReweightConfig, progress: Progress | None) -> dict[str, np.ndarray]:
    """Factors of the sample, and of each replica, whose weights are those of the sample times the multiplicity."""
    options: dict[str, Any] = {"method": config.method, "bins": config.bins, "settings": config.settings}
    factors = {COLUMN: fold_factors(parts.source, parts.target, seed=config.seed, **options)}
    for replica in range(config.replicas):
        counts = parts.bootstrap.weights(replica)
        drawn = [
            WeightedSample(one.values, one.weight * counts[rows], one.fold)
            for one, rows in zip((parts.source, parts.target), parts.rows, strict=True)
        ]
        factors[f"{COLUMN}_{replica}"] = fold_factors(*drawn, seed=config.seed + replica + 1, **options)
        if progress:
            progress("replicas", replica + 1, config.replicas)
    return factors


def _column(parts: _Parts, factor: np.ndarray, *, normalise: str, n: int) -> np.ndarray:
    weight = parts.source.weight * factor
    wanted = {
        "source": parts.source.weight.sum(),
        "target": parts.target.weight.sum(),
        "mean": float(len(weight)),
    }[normalise]
    column = np.full(n, np.nan)
    column[parts.rows[0]] = weight * wanted / weight.sum()
    column[parts.rows[1]] = parts.target.weight
    return column


def _outcome(parts: _Parts, columns: dict[str, np.ndarray], config: ReweightConfig) -> Outcome:
    weight = columns[COLUMN][parts.rows[0]]
    found = {
        name: closeness(
            parts.source,
            parts.target,
            weight=own,
            names=config.variables,
            rng=np.random.default_rng(config.seed),
            kind=config.classifier,
            groups=parts.groups,
        )
        for name, own in (("before", parts.source.weight), ("after", weight))
    }
    replicas = np.array([one[parts.rows[0]] for name, one in columns.items() if name != COLUMN])
    return Outcome(
        stage="reweight",
        title=f"Reweighting ({config.method}) in {', '.join(config.variables)}",
        headline=_headline(found["before"], found["after"], parts.group_name),
        results={
            "closeness": found,
            "folds": config.folds,
            "replicas": config.replicas,
            "groups": {"of": parts.group_name, "number": [len(np.unique(one)) for one in parts.groups]},
        },
        figures=_figures(parts, weight, replicas, config),
    )


def _headline(before: Closeness, after: Closeness, group_name: str) -> tuple[Headline, ...]:
    unit = {"lumi_block": "luminosity blocks", "mu": "distinct mu", "event": "events"}[group_name]
    return (
        Headline("AUC of a classifier, before", before.auc, before.auc_error, "", "0.5: cannot be told apart"),
        Headline("AUC of a classifier, reweighted", after.auc, after.auc_error, "", f"on {unit} it did not see"),
        Headline("source candidates", after.n_source),
        Headline("effective source candidates", round(after.effective_source), None, "", "after reweighting"),
        Headline("largest weight", after.largest_weight, None, "", "over the mean"),
        Headline("target covered by the source", 100 * after.target_covered, None, "%"),
        Headline("source where there is a target", 100 * after.source_used, None, "%"),
        *((Headline("negative weights", 100 * after.negative, None, "%"),) if after.negative > 0 else ()),
    )


def _figures(
    parts: _Parts, weight: np.ndarray, replicas: np.ndarray, config: ReweightConfig
) -> dict[str, tuple[Figure, str]]:
    figures = {}
    for axis, name in enumerate(config.variables):
        columns = parts.source.values[:, axis], parts.target.values[:, axis]
        low, high = np.quantile(columns[1], [0.001, 0.999])
        if low == high:  # such as the pile-up of a sample that was simulated at one
            low, high = low - 0.5, high + 0.5
        figures[f"reweighted_{_file_name(name)}"] = (
            draw_reweighting(
                {
                    "target": (columns[1], parts.target.weight),
                    "source": (columns[0], parts.source.weight),
                    "source, reweighted": (columns[0], weight),
                },
                edges=np.linspace(low, high, _BINS + 1),
                axis=name,
                groups={"target": parts.groups[1], "source": parts.groups[0], "source, reweighted": parts.groups[0]},
                replicas={"source, reweighted": replicas} if len(replicas) > 1 else None,
                label=config.label,
            ),
            f"{name} of the target, and of the source before and after reweighting; ratio to the target.",
        )
    return figures


def _file_name(expression: str) -> str:
    return "".join(one if one.isalnum() else "_" for one in expression).strip("_")
