"""From ntuples to the store that a fit reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from calotools._version import version
from calotools.containers import ImageSpec
from calotools.errors import EmptyInputError
from calotools.images import ImageStore, build_store, cell_fields, image_spec, spec_to_dict
from calotools.ntuple import Chunk, expand_files, iterate_candidates, sample_fields
from calotools.training.sample import columns_of
from calotools.variables import add_cutflows, fields_in, select
from calotools.variables.tracks import add_track_variables, track_fields

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig

__all__ = ["cluster_fields", "input_fields", "prepare"]

Progress = Callable[[str, int, int], None]
_CLUSTER = ("eta_cluster", "phi_cluster")


def cluster_fields(files: Sequence[str], *, tree: str | None, flavour: str | None) -> tuple[str, ...]:
    """The cluster's position, where the ntuple has it: images are then centred near it.

    Parameters
    ----------
    files : sequence of str
        The first one is asked.
    tree, flavour : str, optional

    Returns
    -------
    tuple of str
        ``("eta_cluster", "phi_cluster")`` or nothing.
    """
    known = sample_fields(files, tree=tree, flavour=flavour)
    return _CLUSTER if known.issuperset(_CLUSTER) else ()


def input_fields(config: TrainConfig, spec: ImageSpec) -> tuple[str, ...]:
    """Canonical fields that images, scalars and tracks of a recipe are made from; no truth.

    Parameters
    ----------
    config : TrainConfig
    spec : ImageSpec

    Returns
    -------
    tuple of str
        Each once.
    """
    # eta is what the bias correction is binned in.
    return tuple(
        dict.fromkeys((*cell_fields(spec), *track_fields(config.tracks), *config.scalars, config.base_energy, "eta"))
    )


def prepare(config: TrainConfig, *, progress: Progress | None = None) -> ImageStore:
    """Read, select and draw the candidates of a recipe, once.

    The store is ``config.output / "store"``. One that was made by the same recipe from the same files is reused.

    Parameters
    ----------
    config : TrainConfig
    progress : callable, optional
        ``progress(task, done, total)`` in candidates kept; the total is not known and equals what is done.

    Returns
    -------
    ImageStore

    Raises
    ------
    ConfigError
        A truth variable as input, or a cut on a field that does not exist.
    EmptyInputError
        Nothing is left after the selection; the message has the cut flow.
    """
    columns = columns_of(config)
    spec = image_spec(config.images)
    path = config.output / "store"
    digest = _digest(config, spec, columns)
    if path.exists() and (store := ImageStore.open(path)).digest == digest:
        return store
    return build_store(
        _selected(config, spec, columns, progress=progress),
        path,
        spec,
        columns=columns,
        tracks=config.tracks,
        max_tracks=config.max_tracks,
        digest=digest,
        on_bad=config.on_bad,
        overwrite=True,
    )


def _selected(
    config: TrainConfig, spec: ImageSpec, columns: tuple[str, ...], *, progress: Progress | None
) -> Iterator[Chunk]:
    sample = config.sample
    cluster = cluster_fields(sample.files, tree=sample.tree, flavour=sample.flavour)
    fields = dict.fromkeys((*cluster, *input_fields(config, spec), *columns, *sorted(fields_in(sample.selection))))
    left = sample.max_candidates
    done = 0
    flows = []
    for chunk in iterate_candidates(sample.files, tree=sample.tree, flavour=sample.flavour, fields=tuple(fields)):
        selection = select(chunk.candidates, sample.selection)
        flows.append(selection.cutflow)
        kept = chunk.candidates[selection.mask][:left]
        left = None if left is None else left - len(kept)
        done += len(kept)
        if len(kept):
            yield replace(chunk, candidates=add_track_variables(kept, config.tracks))
        if progress is not None:
            progress("images", done, done)
        if left == 0:
            return
    if not done:
        flow = ", ".join(f"'{step.cut}' leaves {step.n_passed}" for step in add_cutflows(flows))
        raise EmptyInputError(f"no candidate of {list(sample.files)} passes the selection: {flow}; loosen it")


def _digest(config: TrainConfig, spec: ImageSpec, columns: tuple[str, ...]) -> str:
    """Of everything that the store's content depends on."""
    sample = config.sample.model_dump(mode="json")
    flavour = config.sample.flavour
    asked = {
        "version": version,
        "flavour": Path(flavour).read_text(encoding="utf-8") if flavour and Path(flavour).is_file() else flavour,
        "sample": sample,
        "files": [_fingerprint(name) for name in expand_files(config.sample.files)],
        "spec": spec_to_dict(spec),
        "columns": columns,
        "tracks": config.tracks,
        "max_tracks": config.max_tracks,
        "on_bad": config.on_bad,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _fingerprint(name: str) -> list[str | int]:
    if "://" in name:
        return [name]
    stat = Path(name).stat()
    return [str(Path(name).resolve()), stat.st_size, stat.st_mtime_ns]
