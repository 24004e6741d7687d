"""Apply a model bundle to ntuples and write a friend tree: the same entries in the same order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from calotools._version import version
from calotools.containers import Index, Scores
from calotools.deploy.bundle import ModelBundle, load_bundle
from calotools.deploy.distributed import Executor, workers
from calotools.deploy.score import Scorer
from calotools.errors import ConfigError, EmptyInputError, ModelError
from calotools.models import use_threads
from calotools.ntuple import (
    FileResult,
    ResolvedSample,
    bad_files,
    each_file,
    index_of,
    iterate_candidates,
    resolve_sample,
    write_friend,
)
from calotools.outputs import check_output
from calotools.training.pieces import cluster_fields, input_fields
from calotools.training.sample import parts_of

if TYPE_CHECKING:
    from calotools.recipe import PredictConfig

__all__ = ["predict"]

Progress = Callable[[str, int, int], None]
_NO_ROWS = Index(np.zeros(0, np.uint32), np.zeros(0, np.uint64), np.zeros(0, np.int32))


def predict(config: PredictConfig, *, progress: Progress | None = None) -> Path:
    """Score every candidate of some files, and write the scores as one friend tree.

    The friend has the entries of the files, one after the other, in their order: nothing is selected. With
    ``on_bad = "skip"`` a candidate without usable cells gets NaN. The column ``split`` says which candidates the
    network was trained on (0), watched on (1) and never shown (2), when these are the files it was trained on.
    Each file is scored on its own, so that the scores do not depend on where that is done. The record says how many
    entries are of which file, and which files were bad and skipped.

    Parameters
    ----------
    config : PredictConfig
    progress : callable, optional
        ``progress(task, done, total)``; the total is not known and equals what is done.

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
    CellError
        A candidate without usable cells, unless they are skipped.
    InputFileError, TreeError, BranchError, UnitError, EmptyInputError
        Of the ntuples; a bad file, unless they are skipped.

    Warns
    -----
    BadFileWarning
        For each file that is skipped.
    """
    check_output(config.output, overwrite=config.overwrite)
    _device(config.accelerator)
    bundle = load_bundle(config.model)
    with workers(config) as execute:
        sample = resolve_sample(
            config.files,
            tree=config.tree or bundle.config.sample.tree,
            flavour=config.flavour or bundle.config.sample.flavour,
            skip_bad_files=config.skip_bad_files,
            execute=execute,
        )
        results = list(_score_files(config, bundle, sample, execute=execute, progress=progress))
    bad = [*sample.bad, *bad_files(results)]
    parts = {one.file: one.value for one in results if one.value is not None}
    write_friend(config.output, _join(config, bundle, sample, parts, bad), tree=sample.tree, overwrite=config.overwrite)
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
    cluster = cluster_fields(sample.files[:1], tree=sample.tree, flavour=sample.flavour)
    score = partial(
        score_file,
        config=config,
        digest=bundle.digest,
        tree=sample.tree,
        flavour=sample.flavour,
        fields=(*cluster, *input_fields(bundle.config, bundle.image_spec)),
        threads=threads,
    )
    done = 0
    for result in each_file(score, sample.files, skip_bad_files=config.skip_bad_files, execute=execute):
        done += 0 if result.value is None else len(result.value.index)
        if progress is not None:
            progress("predict", done, done)
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
) -> FileScores:
    """Score the candidates of one file, in this process or a worker's.

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
    score = _scorer(config.model, digest, _device(config.accelerator), config.batch_size, config.on_bad)
    indices, values = [_NO_ROWS], [dict.fromkeys(score.names, np.zeros(0, np.float32))]
    with use_threads(threads):
        for chunk in iterate_candidates(path, tree=tree, flavour=flavour, fields=fields, allow_empty=True):
            indices.append(index_of(chunk.candidates))
            values.append(score(chunk.candidates, source=chunk.source))
    return FileScores(_join_index(indices), _join_values(values))


@lru_cache(maxsize=1)
def _scorer(model: Path, digest: str, device: str, batch_size: int, on_bad: Literal["error", "skip"]) -> Scorer:
    """The network, kept from one file to the next."""
    bundle = load_bundle(model)
    if bundle.digest != digest:
        raise ModelError(f"model '{model}' is another one on this worker, or changed since the start: {bundle.digest}")
    return Scorer(bundle, device=device, batch_size=batch_size, on_bad=on_bad)


def _join_index(parts: Sequence[Index]) -> Index:
    return Index(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("run", "event", "candidate")))


def _join_values(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}


def _join(
    config: PredictConfig,
    bundle: ModelBundle,
    sample: ResolvedSample,
    parts: dict[str, FileScores],
    bad: list[dict[str, str]],
) -> Scores:
    index = _join_index([one.index for one in parts.values()])
    if not len(index):
        raise EmptyInputError(f"no candidate in {list(parts)[:5]}: zero entries")
    record = _record(bundle, config, sample) | {
        "inputs": [{"file": file, "candidates": len(one.index)} for file, one in parts.items()],
        "bad_files": bad,
    }
    values = _join_values([one.values for one in parts.values()])
    return Scores(index, values, split=parts_of(bundle.config, index.run, index.event), record=record)


def _record(bundle: ModelBundle, config: PredictConfig, sample: ResolvedSample) -> dict[str, object]:
    return {
        "task": bundle.task,
        "model": bundle.config.model.name,
        "classes": {name: list(bundle.config.classes[name]) for name in bundle.classes},
        "tree": sample.tree,
        "flavour": sample.flavour,
        "trained_runs": bundle.record["runs"],
        "digest": bundle.digest,
        "files": list(config.files),
        "calotools": version,
        "torch": str(torch.__version__),
    }
