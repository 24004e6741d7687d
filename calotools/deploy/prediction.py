"""Apply a model bundle to ntuples and write a friend tree: the same entries in the same order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from calotools._version import version
from calotools.containers import Index, Scores, trim_heap
from calotools.deploy.bundle import ModelBundle, load_bundle
from calotools.deploy.distributed import Executor, workers
from calotools.deploy.fold_score import AnyScorer
from calotools.deploy.passing import PassingScorer, cut_fields
from calotools.deploy.score import make_scorer
from calotools.deploy.unscored import Unscored
from calotools.errors import ConfigError, EmptyInputError, ModelError
from calotools.models import use_threads
from calotools.ntuple import (
    FileResult,
    FriendWriter,
    Range,
    RangeReader,
    ResolvedSample,
    bad_files,
    count_entries,
    each_file,
    list_ranges,
    resolve_sample,
    sample_fields,
)
from calotools.outputs import check_output
from calotools.progress import Progress
from calotools.training.loading import prefetch
from calotools.training.sample import parts_of, read_fields
from calotools.variables import CutTable, ScoreOrigin, check_origin, read_cut_table

if TYPE_CHECKING:
    from calotools.recipe import PredictConfig

__all__ = ["predict"]

_AHEAD = 2  # batches that are made while the network works on one
_NO_ROWS = Index(np.zeros(0, np.uint32), np.zeros(0, np.uint64), np.zeros(0, np.int32))


def predict(config: PredictConfig, *, progress: Progress | None = None) -> Path:
    """Score every candidate of some files, and write the scores as one friend tree.

    The friend has the entries of the files, one after the other, in their order: nothing is selected. With
    ``on_bad = "skip"`` a candidate without usable cells gets NaN. The column ``split`` says which candidates the
    network was trained on (0), watched on (1) and never shown (2), when these are the files it was trained on; of
    others, none of which it has seen, in which part their run and event would have been.
    Each file is scored on its own, so that the scores do not depend on where that is done. The record says how many
    entries are of which file, which files were bad and skipped, and how many candidates of which file have no finite
    score (``unscored``) or an energy beyond 1e6 GeV (``absurd``); that is logged, too.

    Parameters
    ----------
    config : PredictConfig
    progress : callable, optional
        ``progress(task, done, total)`` in candidates; with a tree whose rows are events, in events.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    OutputExistsError
        The output exists, and overwriting was not asked for.
    ModelError
        The bundle cannot be read.
    ConfigError
        The working points are of scores of another model, or of another calibration.
    CellError
        A candidate without usable cells, unless they are skipped.
    InputFileError, TreeError, BranchError, UnitError, EmptyInputError
        Of the ntuples; a bad file, unless they are skipped.

    Warns
    -----
    BadFileWarning
        For each file that is skipped.
    UncheckedWarning
        The working points do not say of which scores they are.
    """
    check_output(config.output, overwrite=config.overwrite)
    _device(config.accelerator)
    bundle = load_bundle(config.model)
    _check_cuts(config, bundle)
    with workers(config) as execute:
        sample = resolve_sample(
            config.files,
            tree=config.tree or bundle.config.sample.tree,
            flavour=config.flavour or bundle.config.sample.flavour,
            skip_bad_files=config.skip_bad_files,
            execute=execute,
        )
        results = _score_files(config, bundle, sample, execute=execute, progress=progress)
        _write(config, bundle, sample, results)
    return config.output


def _device(accelerator: str) -> str:
    found = torch.cuda.is_available()
    if accelerator == "gpu" and not found:
        raise ConfigError("accelerator = 'gpu': torch finds no GPU on this machine; set accelerator = 'cpu'")
    return "cuda" if found and accelerator != "cpu" else "cpu"


def _score_files(
    config: PredictConfig,
    bundle: ModelBundle,
    sample: ResolvedSample,
    *,
    execute: Executor | None,
    progress: Progress | None,
) -> Iterator[FileResult[FileScores]]:
    threads = config.threads if execute is None else config.threads or 1  # several processes share the cores
    known = sample_fields(sample.files[:1], tree=sample.tree, flavour=sample.flavour)
    table = _cuts(config.working_points)
    score = partial(
        score_file,
        config=config,
        digest=bundle.digest,
        tree=sample.tree,
        flavour=sample.flavour,
        fields=read_fields(bundle.config, bundle.image_spec, known=known, more=cut_fields(table) if table else ()),
        threads=threads,
    )
    if progress is None:
        yield from each_file(score, sample.files, skip_bad_files=config.skip_bad_files, execute=execute)
        return
    counts = count_entries(sample.files, tree=sample.tree, flavour=sample.flavour)
    done, total = 0, sum(counts.values())
    if execute is None:
        score = partial(score, report=lambda n: progress("predict", done + n, total))
    for result in each_file(score, sample.files, skip_bad_files=config.skip_bad_files, execute=execute):
        done += counts[result.file]
        progress("predict", done, total)
        yield result


@dataclass(frozen=True)
class FileScores:
    """Scores of the candidates of one file.

    Attributes
    ----------
    index : Index
    values : dict of str to (n,) float32
    """

    index: Index
    values: dict[str, np.ndarray]


def score_file(
    path: str,
    *,
    config: PredictConfig,
    digest: str,
    tree: str,
    flavour: str,
    fields: tuple[str, ...],
    threads: int | None,
    report: Callable[[int], None] | None = None,
) -> FileScores:
    """Score the candidates of one file, in this process or a worker's.

    While the network works on a batch, the next ones are read and drawn in a thread.

    Parameters
    ----------
    path : str
    config : PredictConfig
        Its model is read here: a worker on another machine needs it under the same path.
    digest : str
        Of the bundle that is meant.
    tree, flavour : str
    fields : tuple of str
        Canonical fields to read.
    threads : int, optional
    report : callable, optional
        ``report(entries)`` that are done.

    Returns
    -------
    FileScores
        Of all entries, in their order.

    Raises
    ------
    ModelError
        The bundle under that path is another one here.
    CellError, InputFileError, TreeError, BranchError, UnitError
    """
    scorer = _scorer(
        config.model,
        digest,
        _device(config.accelerator),
        config.batch_size,
        config.on_bad,
        config.precision,
        config.calibrate,
    )
    table = _cuts(config.working_points)
    scorer = PassingScorer(scorer, table) if table else scorer
    indices, values = [_NO_ROWS], [dict.fromkeys(scorer.names, np.zeros(0, np.float32))]
    ranges = list_ranges(path, tree=tree, flavour=flavour, fields=fields, allow_empty=True)
    with use_threads(threads), closing(prefetch(_make_ready(scorer, ranges, fields), depth=_AHEAD)) as batches:
        for done, ready in batches:
            indices.append(ready.index)
            with np.errstate(all="ignore"):
                values.append(scorer.score(ready))
            if report is not None:
                report(done)
    trim_heap()
    return FileScores(_join_index(indices), _join_values(values))


def _make_ready(scorer: AnyScorer, ranges: list[Range], fields: tuple[str, ...]) -> Iterator[tuple[int, Any]]:
    """Batches, and how many entries were used up before or by each of them."""
    with RangeReader(fields=fields, keep_open=1) as read:
        for where in ranges:
            with np.errstate(all="ignore"):  # what comes of damaged values is told at the end, with its file
                chunk = read(where)
            n_batches = scorer.count_batches(len(chunk.candidates))
            batches = _quietly(scorer.make_ready(chunk.candidates, source=chunk.source))
            for number, ready in enumerate(batches, start=1):
                yield where.start + len(where) * number // n_batches, ready


def _quietly(batches: Iterator[Any]) -> Iterator[Any]:
    while True:
        with np.errstate(all="ignore"):
            ready = next(batches, None)
        if ready is None:
            return
        yield ready


@lru_cache(maxsize=1)
def _scorer(
    model: Path,
    digest: str,
    device: str,
    batch_size: int,
    on_bad: Literal["error", "skip"],
    precision: Literal["fp32", "bf16"],
    calibrate: bool = True,
) -> AnyScorer:
    """The model, kept from one file to the next."""
    bundle = load_bundle(model)
    if bundle.digest != digest:
        raise ModelError(f"model '{model}' is another one on this worker, or changed since the start: {bundle.digest}")
    bundle = bundle if calibrate else bundle.uncalibrated()
    return make_scorer(bundle, device=device, batch_size=batch_size, on_bad=on_bad, precision=precision)


def _cuts(path: Path | None) -> CutTable | None:
    return read_cut_table(path) if path else None


def _check_cuts(config: PredictConfig, bundle: ModelBundle) -> None:
    table = _cuts(config.working_points)
    if table and bundle.task == "identification":
        check_origin(table.origin, ScoreOrigin.from_record(_origin(config, bundle)), where=str(config.working_points))


def _join_index(parts: Sequence[Index]) -> Index:
    return Index(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("run", "event", "candidate")))


def _join_values(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}


def _write(
    config: PredictConfig, bundle: ModelBundle, sample: ResolvedSample, results: Iterator[FileResult[FileScores]]
) -> None:
    """The friend tree, file by file, so that memory holds one; the record is completed at the end."""
    inputs, bad, unscored = [], list(sample.bad), Unscored()
    record = _record(bundle, config, sample)
    with FriendWriter(config.output, tree=sample.tree, overwrite=config.overwrite) as writer:
        for result in results:
            bad += bad_files([result])
            if result.value is not None:
                index, values = result.value.index, result.value.values
                inputs.append({"file": result.file, "candidates": len(index)})
                unscored.add(result.file, values)
                writer.extend(Scores(index, values, split=parts_of(bundle.config, index.run, index.event)))
        if not any(one["candidates"] for one in inputs):
            raise EmptyInputError(f"no candidate in {[one['file'] for one in inputs[:5]]}: zero entries")
        writer.record = record | {"inputs": inputs, "bad_files": bad} | unscored.record
    unscored.tell()


def _temperatures(bundle: ModelBundle) -> list[float] | None:
    """Of each model in a bundle of classifiers."""
    return [one.temperature for one in bundle.folds or (bundle,)] if bundle.classes else None


def _origin(config: PredictConfig, bundle: ModelBundle) -> dict[str, object]:
    """Which model makes the scores, and how they are calibrated; as `ScoreOrigin` reads it."""
    return {
        "model": bundle.config.model.name,
        "digest": bundle.digest,
        "temperature": _temperatures(bundle) if config.calibrate else None,
    }


def _record(bundle: ModelBundle, config: PredictConfig, sample: ResolvedSample) -> dict[str, object]:
    table = _cuts(config.working_points)
    fitted = bundle.record.get("bias_fitted_on")
    bias: dict[str, object] = {"bias_fitted_on": fitted} if fitted else {}
    cuts: dict[str, object] = {"cuts": table.digest, "discriminant": table.discriminant.to_dict()} if table else {}
    return (
        _origin(config, bundle)
        | cuts
        | bias
        | {
            "task": bundle.task,
            "classes": {name: list(bundle.config.classes[name]) for name in bundle.classes},
            "tree": sample.tree,
            "flavour": sample.flavour,
            "trained_runs": bundle.record["runs"],
            "working_points": config.working_points and str(config.working_points),
            "files": list(config.files),
            "calotools": version,
            "torch": str(torch.__version__),
        }
    )
