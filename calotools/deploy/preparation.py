"""The image store of a recipe, drawn by several workers; and a recipe without the bad files of its sample."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from calotools import training
from calotools.deploy.distributed import Executor, workers
from calotools.errors import InputFileError
from calotools.images import ImageStore, merge_stores
from calotools.ntuple import bad_files, each_file, iterate_candidates, resolve_sample, sample_fields
from calotools.outputs import beside
from calotools.progress import Progress
from calotools.training.sample import (
    Cutflow,
    Piece,
    PieceReader,
    find_store,
    join_surveys,
    prepare_shard,
    store_digest,
    store_path,
    survey_file,
)

if TYPE_CHECKING:
    from calotools.recipe import PrepareConfig, TrainConfig

__all__ = ["prepare", "without_bad_files"]

Recipe = TypeVar("Recipe", bound="TrainConfig")


def without_bad_files(config: Recipe, *, execute: Executor | None = None) -> tuple[Recipe, list[dict[str, str]]]:
    """A recipe whose sample is made of the files that can be read to their end; nothing is done unless it asks for it.

    Parameters
    ----------
    config : TrainConfig
        With ``skip_bad_files``, everything that it needs of every file is read once, to find out.
    execute : Executor, optional
        See `each_file`.

    Returns
    -------
    TrainConfig, list of dict
        The recipe, and ``file`` and ``reason`` of the bad files.

    Raises
    ------
    CalotoolsError
        All files are bad, or there is trouble that is not one file's.
    """
    if not config.skip_bad_files:
        return config, []
    sample = config.sample
    known = resolve_sample(sample.files, tree=sample.tree, flavour=sample.flavour, skip_bad_files=True, execute=execute)
    opened = config.model_copy(update={"sample": sample.model_copy(update={"files": known.files})})
    with PieceReader(opened) as reader:
        read = partial(_read_through, tree=known.tree, flavour=known.flavour, fields=reader.fields)
    results = list(each_file(read, known.files, skip_bad_files=True, execute=execute))
    good = tuple(one.file for one in results if one.error is None)
    sound = config.model_copy(update={"sample": sample.model_copy(update={"files": good})})
    return sound, [*known.bad, *bad_files(results)]


def _read_through(path: str, *, tree: str, flavour: str, fields: tuple[str, ...]) -> int:
    chunks = iterate_candidates(path, tree=tree, flavour=flavour, fields=fields, allow_empty=True)
    return sum(len(chunk.candidates) for chunk in chunks)


def prepare(config: PrepareConfig, *, progress: Progress | None = None) -> tuple[ImageStore, list[dict[str, str]]]:
    """Make the image store of a recipe, here or by workers, each of which draws one file at a time.

    Parameters
    ----------
    config : PrepareConfig
        Workers write beside the store: on other machines, they need its folder and the files under the same path.
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    ImageStore, list of dict
        The same store, byte for byte, for any number of workers; and the bad files that were skipped.

    Raises
    ------
    OutputExistsError
        Another store is there, and overwriting was not asked for.
    InputFileError
        A worker's part of the store cannot be read here.
    CalotoolsError
        Of files, trees, branches and cells.
    """
    with workers(config) as execute:
        sound, bad = without_bad_files(config, execute=execute)
        if execute is None:
            return training.prepare(sound, progress=progress), bad
        return find_store(sound) or _draw(sound, execute, progress=progress), bad


def _draw(config: PrepareConfig, execute: Executor, *, progress: Progress | None) -> ImageStore:
    target = store_path(config)
    pieces, cutflow = _survey(config, execute, progress=progress)
    parts = beside(target, "parts")
    draw = partial(_draw_file, config=config, pieces=pieces, folder=parts)
    keep = None if progress is None else partial(progress, "files")
    try:
        drawn = list(each_file(draw, list(pieces), execute=execute, progress=keep))
        for one in drawn:
            if one.value is None or not one.value.is_dir():
                raise InputFileError(
                    f"the part of the store that a worker made of '{one.file}' is not here; workers need '{parts}' "
                    "under the same path (a shared file system)"
                )
        made = [one.value for one in drawn if one.value is not None]
        return merge_stores(
            made, target, digest=store_digest(config), record={"cutflow": list(cutflow)}, overwrite=True
        )
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def _survey(
    config: PrepareConfig, execute: Executor, *, progress: Progress | None
) -> tuple[dict[str, list[Piece]], Cutflow]:
    """Pieces by file, which workers counted, and the cut flow of all."""
    given = config.sample
    sample = resolve_sample(given.files, tree=given.tree, flavour=given.flavour)
    known = given.model_copy(update={"tree": sample.tree, "flavour": sample.flavour})
    fields = frozenset(sample_fields(sample.files[:1], tree=sample.tree, flavour=sample.flavour))
    look = partial(survey_file, config=config.model_copy(update={"sample": known}), known=fields)
    keep = None if progress is None else partial(progress, "survey")
    looks = list(each_file(look, sample.files, execute=execute, progress=keep))
    pieces: dict[str, list[Piece]] = {}
    found, cutflow = join_surveys(config, [one.value for one in looks if one.value is not None])
    for piece in found:
        pieces.setdefault(piece.where.file, []).append(piece)
    return pieces, cutflow


def _draw_file(path: str, *, config: PrepareConfig, pieces: dict[str, list[Piece]], folder: Path) -> Path:
    part = folder / f"{pieces[path][0].number:06d}"
    return prepare_shard(config, pieces[path], part, threads=1).path  # workers share the cores
