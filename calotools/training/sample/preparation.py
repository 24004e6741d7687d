"""From ntuples to the store that a fit reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calotools._version import version
from calotools.errors import InputFileError, OutputExistsError
from calotools.images import ImageStore, StoreWriter, image_spec, spec_to_dict
from calotools.models import is_variable_model
from calotools.ntuple import expand_files, fingerprint
from calotools.progress import Progress
from calotools.training.sample.labels import check_inputs
from calotools.training.sample.parallel_reading import PieceArrays
from calotools.training.sample.pieces import Piece, store_columns
from calotools.training.sample.survey import Cutflow, take_survey

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig

__all__ = ["find_store", "guard_store", "new_store", "prepare", "prepare_shard", "store_digest", "store_path"]

_SPELLED = ("files", "weights", "flavour")  # known by their content


def store_path(config: TrainConfig) -> Path:
    """Where the image store of a recipe is: as the recipe says, or in the folder of the training."""
    return config.store or config.output / "store"


def find_store(config: TrainConfig) -> ImageStore | None:
    """The recipe's store, if it is there and was made by the same recipe from the same files.

    Parameters
    ----------
    config : TrainConfig

    Returns
    -------
    ImageStore, optional
        None when there is none, or one in the training's own folder that is out of date or damaged.

    Raises
    ------
    OutputExistsError
        There is another one where the recipe says, and overwriting was not asked for.
    """
    path = store_path(config)
    if not path.exists():
        return None
    try:
        store, asked = ImageStore.open(path), _asked(config)
        digest = _digest_of(asked)
        if store.digest in (digest, _sha256(asked)):  # the second is how stores were known before their parts were
            return store
        differs = _difference(store, config, digest=digest)
        reason = f"was made by another recipe, from other files, or by another version ({differs})"
    except InputFileError as error:
        reason = f"cannot be used: {error}"
    if config.store is not None and not config.overwrite:
        raise OutputExistsError(
            f"store '{path}' {reason}; choose another place (store), or make it again with "
            "`calotools prepare ... --overwrite`"
        )
    return None


def guard_store(config: TrainConfig) -> None:
    """Refuse a training that would replace a store outside its folder: ``overwrite`` is about the training's own files.

    Parameters
    ----------
    config : TrainConfig
        With ``overwrite`` or without.

    Raises
    ------
    OutputExistsError
        Something else than the recipe's store is where the recipe says, outside ``config.output``.
    """
    if config.source != "store" or is_variable_model(config.model.name):
        return
    if not store_path(config).resolve().is_relative_to(config.output.resolve()):
        find_store(config.model_copy(update={"overwrite": False}))


def _difference(store: ImageStore, config: TrainConfig, *, digest: str) -> str:
    """What of the recipe differs, as far as the store says: one of an older version knows its images and columns."""
    made, asked = _parts_of(store.digest), _parts_of(digest)
    if made:
        found = [name for name in asked | made if made.get(name) != asked.get(name)]
    else:
        other = {
            "images": store.spec != image_spec(config.images),
            "tracks": store.track_fields != config.tracks,
            "max_tracks": store.max_tracks != config.max_tracks,
            "columns": store.columns != store_columns(config),
        }
        found = [name for name, differs in other.items() if differs]
    columns = sorted(set(store.columns) ^ set(store_columns(config)))
    found = [f"columns {columns}" if columns and name == "columns" else name for name in found]
    return f"other {', '.join(found)}" if found else "the same images, tracks and columns"


def _parts_of(digest: str) -> dict[str, str]:
    """What `store_digest` says of each part; nothing of a digest that is no list of parts."""
    return dict(one.split("=") for one in digest.split()) if "=" in digest else {}


def new_store(config: TrainConfig, path: Path, *, digest: str = "", cutflow: Cutflow = ()) -> StoreWriter:
    """A writer for a store, or part of one, of a recipe.

    Parameters
    ----------
    config : TrainConfig
    path : Path
    digest : str
    cutflow : cut flow
        Of the survey; the store keeps it.

    Returns
    -------
    StoreWriter
    """
    return StoreWriter(
        path,
        image_spec(config.images),
        columns=store_columns(config),
        tracks=config.tracks,
        max_tracks=config.max_tracks,
        digest=digest,
        record={"cutflow": list(cutflow)} if cutflow else None,
        overwrite=True,
    )


def prepare(config: TrainConfig, *, progress: Progress | None = None) -> ImageStore:
    """Read, select and draw the candidates of a recipe, once; memory does not grow with the sample.

    Parameters
    ----------
    config : TrainConfig
        The store is ``config.store``, or ``config.output / "store"``. One that was made by the same recipe from the
        same files is reused.
    progress : callable, optional
        ``progress(task, done, total)`` in candidates.

    Returns
    -------
    ImageStore

    Raises
    ------
    ConfigError
        A truth variable as input, or a cut on a field that does not exist.
    OutputExistsError
        Another store is where the recipe wants it.
    EmptyInputError
        Nothing is left after the selection; the message has the cut flow.
    """
    check_inputs(config)
    found = find_store(config)
    if found is not None:
        return found
    known = take_survey(config, progress=progress)
    return prepare_shard(
        config,
        known.pieces,
        store_path(config),
        digest=store_digest(config),
        cutflow=known.cutflow,
        n=len(known),
        progress=progress,
    )


def prepare_shard(
    config: TrainConfig,
    pieces: Iterable[Piece],
    path: Path,
    *,
    digest: str = "",
    cutflow: Cutflow = (),
    n: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ImageStore:
    """Make a store of some pieces of a sample. Stores of all, merged in order with its cut flow, are that of the whole.

    Parameters
    ----------
    config : TrainConfig
    pieces : iterable of Piece
        Of `take_survey`, in their order.
    path : Path
        An existing store is replaced.
    digest : str
        For the whole: `store_digest`.
    cutflow : cut flow
        For the whole: of its survey.
    n : int
        Candidates of all of them, for progress.
    threads : int, optional
        That read and draw; default: `default_threads`.
    progress : callable, optional
        ``progress(task, done, total)`` in candidates.

    Returns
    -------
    ImageStore
    """
    done, store = 0, new_store(config, path, digest=digest, cutflow=cutflow)
    with store as writer, PieceArrays(config, threads=threads) as read:
        for piece, arrays in read(pieces):
            writer.append(arrays)
            done += piece.n
            if progress is not None:
                progress("images", done, n or done)
    return ImageStore.open(path)


def store_digest(config: TrainConfig) -> str:
    """Digests of everything that the store's content depends on, part by part: ``version=... files=...``.

    Files are known by what they are (`fingerprint`) and their order, not by how the recipe spells them.

    Parameters
    ----------
    config : TrainConfig

    Returns
    -------
    str
        Of each part the first 64 bits of its SHA-256.
    """
    return _digest_of(_asked(config))


def _digest_of(asked: dict[str, Any]) -> str:
    sample = {name: value for name, value in asked["sample"].items() if name not in _SPELLED}
    others = {name: value for name, value in asked.items() if name not in ("sample", "spec", "columns")}
    parts = others | sample | {"images": asked["spec"], "columns": asked["columns"]}
    return " ".join(f"{name}={_sha256(value)[:16]}" for name, value in parts.items())


def _asked(config: TrainConfig) -> dict[str, Any]:
    flavour = config.sample.flavour
    return {
        "version": version,
        "flavour": Path(flavour).read_text(encoding="utf-8") if flavour and Path(flavour).is_file() else flavour,
        "sample": config.sample.model_dump(mode="json"),
        "files": [fingerprint(name) for name in expand_files(config.sample.files)],
        "weights": [fingerprint(name) for name in expand_files([str(one) for one in config.sample.weights])]
        if config.sample.weights
        else [],
        "spec": spec_to_dict(image_spec(config.images)),
        "columns": store_columns(config),
        "tracks": config.tracks,
        "max_tracks": config.max_tracks,
        "half": config.half,
        "on_bad": config.on_bad,
    }


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
