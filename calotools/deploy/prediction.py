"""Apply a model bundle to ntuples and write a friend tree: the same entries in the same order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from calotools._version import version
from calotools.containers import Index, Scores
from calotools.deploy.bundle import ModelBundle, load_bundle
from calotools.deploy.score import Scorer
from calotools.errors import ConfigError
from calotools.models import use_threads
from calotools.ntuple import index_of, iterate_candidates, write_friend
from calotools.outputs import check_output
from calotools.training.pieces import cluster_fields, input_fields
from calotools.training.sample import parts_of

if TYPE_CHECKING:
    from calotools.recipe import PredictConfig

__all__ = ["predict"]

Progress = Callable[[str, int, int], None]


def predict(config: PredictConfig, *, progress: Progress | None = None) -> Path:
    """Score every candidate of some files, and write the scores as one friend tree.

    The friend has the entries of the files, one after the other, in their order: nothing is selected. With
    ``on_bad = "skip"`` a candidate without usable cells gets NaN. The column ``split`` says which candidates the
    network was trained on (0), watched on (1) and never shown (2), when these are the files it was trained on.

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
        Of the ntuples.
    """
    check_output(config.output, overwrite=config.overwrite)
    device = _device(config.accelerator)
    bundle = load_bundle(config.model)
    scorer = Scorer(bundle, device=device, batch_size=config.batch_size, on_bad=config.on_bad)
    with use_threads(config.threads):
        scores, tree = _score_files(config, bundle, scorer, progress=progress)
    write_friend(config.output, scores, tree=tree, overwrite=config.overwrite)
    return config.output


def _device(accelerator: str) -> str:
    found = torch.cuda.is_available()
    if accelerator == "gpu" and not found:
        raise ConfigError("accelerator = 'gpu': torch finds no GPU on this machine; set accelerator = 'cpu'")
    return "cuda" if found and accelerator != "cpu" else "cpu"


def _score_files(
    config: PredictConfig, bundle: ModelBundle, scorer: Scorer, *, progress: Progress | None
) -> tuple[Scores, str]:
    indices: list[Index] = []
    values: list[dict[str, np.ndarray]] = []
    tree, done = "", 0
    where = config.tree or bundle.config.sample.tree
    cluster = cluster_fields(config.files, tree=where, flavour=_flavour(bundle, config))
    fields = (*cluster, *input_fields(bundle.config, bundle.image_spec))
    for chunk in iterate_candidates(config.files, tree=where, flavour=_flavour(bundle, config), fields=fields):
        tree = tree or chunk.tree
        indices.append(index_of(chunk.candidates))
        values.append(scorer(chunk.candidates, source=chunk.source))
        done += len(chunk.candidates)
        if progress is not None:
            progress("predict", done, done)
    index = Index(*(np.concatenate([getattr(one, name) for one in indices]) for name in ("run", "event", "candidate")))
    whole = {name: np.concatenate([one[name] for one in values]) for name in values[0]}
    return Scores(
        index=index,
        values=whole,
        split=parts_of(bundle.config, index.run, index.event),
        record=_record(bundle, config, tree),
    ), tree


def _flavour(bundle: ModelBundle, config: PredictConfig) -> str | None:
    """As asked for, or what the network was trained with."""
    return config.flavour or bundle.config.sample.flavour


def _record(bundle: ModelBundle, config: PredictConfig, tree: str) -> dict[str, object]:
    return {
        "task": bundle.task,
        "model": bundle.config.model.name,
        "classes": {name: list(bundle.config.classes[name]) for name in bundle.classes},
        "tree": tree,
        "flavour": _flavour(bundle, config),
        "trained_runs": bundle.record["runs"],
        "digest": bundle.digest,
        "files": list(config.files),
        "calotools": version,
        "torch": str(torch.__version__),
    }
