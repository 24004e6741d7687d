"""Building an image store in one streaming pass, and merging stores."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import awkward as ak
import numpy as np

from calotools.containers import ImageSpec, column_of
from calotools.errors import BranchError, ConfigError, EmptyInputError, nearest
from calotools.images.build import build_bands, cells_of, check_status
from calotools.images.columns import ArrayWriter, to_half
from calotools.images.drafts import as_arrays
from calotools.images.paint import judge
from calotools.images.rows import with_spans
from calotools.images.spec import image_spec, plan_of, spec_to_dict
from calotools.images.store import BAND_ARRAYS, FORMAT_VERSION, INDEX_COLUMNS, META, ImageStore
from calotools.images.tracks import stack_tracks
from calotools.outputs import new_folder

__all__ = ["StoreWriter", "build_store", "merge_stores", "piece_arrays", "piece_draft"]


class _Chunk(Protocol):
    """A batch of candidates that knows where it came from; what the ntuple reader yields."""

    @property
    def candidates(self) -> ak.Array: ...
    @property
    def file(self) -> Any: ...
    @property
    def tree(self) -> str: ...
    @property
    def start(self) -> int: ...


def build_store(
    chunks: Iterable[_Chunk | ak.Array],
    path: Path | str,
    spec: ImageSpec | str,
    *,
    columns: Sequence[str] = (),
    tracks: Sequence[str] = (),
    max_tracks: int = 15,
    digest: str = "",
    half: Sequence[str] = (),
    on_bad: Literal["error", "skip"] = "error",
    overwrite: bool = False,
) -> ImageStore:
    """Build a store from batches of candidates; memory is that of one batch.

    Parameters
    ----------
    chunks : iterable of Chunk, or of (n,) awkward record arrays
        With run, event, candidate, the cells that the spec needs, and the columns and tracks asked for.
    path : path
        Directory to make.
    spec : ImageSpec or str
    columns : sequence of str
        Candidate variables to keep.
    tracks : sequence of str
        Fields of ``tracks`` to keep.
    max_tracks : int
        Tracks kept per candidate, the first ones.
    digest : str
        Identifies recipe and inputs; compare it with `ImageStore.digest` before using a store again.
    half : sequence of str
        Quantities of the spec whose values are kept with 16 bits: the nearest of them is at most 5e-4 of the value away
        (3e-8 for values below 6e-5). By default nothing is lost.
    on_bad : {"error", "skip"}
        See `build_images`; a skipped candidate keeps its row, with empty images.
    overwrite : bool
        Replace an existing store.

    Returns
    -------
    ImageStore

    Raises
    ------
    OutputExistsError
        `path` exists and `overwrite` is false.
    EmptyInputError
        There is no candidate.
    CellError, BranchError
        See `build_images`.
    """
    with StoreWriter(
        path, spec, columns=columns, tracks=tracks, max_tracks=max_tracks, digest=digest, overwrite=overwrite
    ) as writer:
        for chunk in chunks:
            arrays = piece_arrays(
                chunk, writer.spec, columns=columns, tracks=(tracks, max_tracks), half=half, on_bad=on_bad
            )
            writer.append(arrays)
    return ImageStore.open(path)


class StoreWriter:
    """A store that grows piece by piece and appears when the block ends without an error.

    Parameters
    ----------
    path, spec, columns, tracks, max_tracks, digest, overwrite
        As in `build_store`.
    record : mapping, optional
        Plain values for `ImageStore.record`.

    Raises
    ------
    OutputExistsError
        `path` exists and `overwrite` is false.
    EmptyInputError
        On leaving the block: no candidate was appended.
    """

    def __init__(
        self,
        path: Path | str,
        spec: ImageSpec | str,
        *,
        columns: Sequence[str] = (),
        tracks: Sequence[str] = (),
        max_tracks: int = 15,
        digest: str = "",
        record: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path, self.spec = Path(path), image_spec(spec)
        self._meta = {"format_version": FORMAT_VERSION, "spec": spec_to_dict(self.spec), "columns": list(columns)}
        self._meta |= {"track_fields": list(tracks), "max_tracks": max_tracks, "digest": digest}
        self._meta |= {"record": dict(record or {})}
        self._counts = {"candidates": 0, "unusable": 0, "dropped_cells": 0}
        self._overwrite = overwrite
        self._stack = ExitStack()

    def append(self, arrays: dict[str, np.ndarray]) -> None:
        """Add the candidates of `piece_arrays`."""
        self._writers.append(with_spans(arrays))
        self._counts["candidates"] += len(arrays["status"])
        self._counts["unusable"] += int(np.count_nonzero(arrays["status"]))
        self._counts["dropped_cells"] += int(arrays["dropped"].sum())

    def abandon(self) -> None:
        """Leave the block early: nothing stays."""
        self._stack.__exit__(GeneratorExit, GeneratorExit(), None)

    def __enter__(self) -> Self:
        self._folder = self._stack.enter_context(new_folder(self.path, overwrite=self._overwrite))
        self._writers = self._stack.enter_context(_Writers(self._folder))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if kind is not None:
            return self._stack.__exit__(kind, error, trace)
        with self._stack:  # removes the folder if completing it fails
            if self._counts["candidates"] == 0:
                raise EmptyInputError(
                    f"no candidate to build the image store '{self.path}' from; does the selection keep any?"
                )
            self._writers.close()
            _write_meta(self._folder, self._meta | {"counts": self._counts, "arrays": list(self._writers.writers)})
        return None


def merge_stores(
    paths: Sequence[Path | str],
    path: Path | str,
    *,
    digest: str = "",
    record: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> ImageStore:
    """Join stores that were built alike, such as shards; the result equals the store of all their candidates.

    Parameters
    ----------
    paths : sequence of path
        Stores, in the order of the result.
    path : path
        Directory to make.
    digest : str
    record : mapping, optional
        As of `StoreWriter`; those of the parts are not kept.
    overwrite : bool

    Returns
    -------
    ImageStore

    Raises
    ------
    ConfigError
        Stores differ in image spec, columns or tracks; there are none.
    OutputExistsError, InputFileError
        See `build_store` and `ImageStore.open`.
    """
    stores = [ImageStore.open(one) for one in paths]
    if not stores:
        raise ConfigError("no image stores to merge")
    metas = [json.loads((store.path / META).read_text(encoding="utf-8")) for store in stores]
    for store, meta in zip(stores, metas, strict=True):
        for key in ("spec", "columns", "track_fields", "max_tracks", "arrays"):
            if meta[key] != metas[0][key]:
                raise ConfigError(
                    f"image stores '{stores[0].path}' and '{store.path}' differ in {key}: {metas[0][key]}, {meta[key]}"
                )
        for name, array in store._arrays.items():
            if array.dtype != (kind := stores[0]._arrays[name].dtype):
                raise ConfigError(
                    f"image stores '{stores[0].path}' and '{store.path}' differ in {name}: {kind}, {array.dtype}"
                )
    with new_folder(path, overwrite=overwrite) as folder:
        with _Writers(folder) as writers:
            for store in stores:
                writers.append(dict(store._arrays))
        counts = {key: sum(meta["counts"][key] for meta in metas) for key in metas[0]["counts"]}
        _write_meta(folder, metas[0] | {"digest": digest, "counts": counts, "record": dict(record or {})})
    return ImageStore.open(path)


def _write_meta(folder: Path, meta: dict[str, Any]) -> None:
    (folder / META).write_text(json.dumps(meta, indent=1), encoding="utf-8")


class _Writers:
    """One growing file per array of a store; spans are continued from batch to batch."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stack = folder, ExitStack()
        self.writers: dict[str, ArrayWriter] = {}

    def __enter__(self) -> _Writers:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        self.stack.close()

    def append(self, arrays: dict[str, np.ndarray]) -> None:
        before = self._before()
        for name, array in arrays.items():
            if name not in self.writers:
                writer = ArrayWriter(self.folder / f"{name}.npy", array.dtype, array.shape[1:])
                self.writers[name] = self.stack.enter_context(writer)
            self.writers[name].append(array + before[name] if name in before else array)

    def _before(self) -> dict[str, np.ndarray]:
        """What is there already of that of which spans say where it is."""
        n = {name: writer.n for name, writer in self.writers.items()}
        counted = {"spans": ("bands", "value_energy"), "track_spans": ("track_values",)}
        return {spans: np.array([n.get(one, 0) for one in names]) for spans, names in counted.items()}


def piece_arrays(
    chunk: _Chunk | ak.Array,
    spec: ImageSpec,
    *,
    columns: Sequence[str],
    tracks: tuple[Sequence[str], int],
    half: Sequence[str] = (),
    on_bad: Literal["error", "skip"],
    threads: int | None = None,
) -> dict[str, np.ndarray]:
    """Everything that a store keeps of some candidates.

    Parameters
    ----------
    chunk : Chunk, or (n,) awkward record array
    spec : ImageSpec
    columns : sequence of str
    tracks : (sequence of str, int)
        Fields, and how many tracks are kept.
    half : sequence of str
        As in `build_store`.
    on_bad : {"error", "skip"}
        As in `build_store`.
    threads : int, optional
        As in `build_images`.

    Returns
    -------
    dict of str to array
        By the name of its file in the store.

    Raises
    ------
    CellError, BranchError
        As in `build_images`.
    """
    candidates, source = _from(chunk)
    bands = build_bands(candidates, spec, on_bad=on_bad, source=source, threads=threads)
    arrays = _columns(candidates, columns) | {name: getattr(bands, name) for name in BAND_ARRAYS}
    for name in half:
        if name not in spec.quantities:
            raise ConfigError(f"half = '{name}' is no quantity of the images; {nearest(name, spec.quantities)}")
    arrays |= {
        f"value_{name}": to_half(values, name=name) if name in half else values for name, values in bands.values.items()
    }
    return arrays | _tracks(candidates, tracks)


def piece_draft(
    chunk: _Chunk | ak.Array,
    spec: ImageSpec,
    *,
    columns: Sequence[str],
    tracks: tuple[Sequence[str], int],
    on_bad: Literal["error", "skip"],
) -> dict[str, np.ndarray]:
    """The same, for candidates whose images are painted when a batch wants them.

    Parameters
    ----------
    chunk, spec, columns, tracks, on_bad
        As in `piece_arrays`.

    Returns
    -------
    dict of str to array
        For `DraftStore`: cells in place of images.

    Raises
    ------
    CellError, BranchError
        As in `piece_arrays`.
    """
    candidates, source = _from(chunk)
    cells = cells_of(candidates, spec)
    status = np.zeros(len(candidates), np.int8)
    judge(tuple(cells), tuple(plan_of(spec)), status)
    check_status(candidates, status, on_bad=on_bad, source=source, spec=spec)
    judged: dict[str, np.ndarray] = {"dropped": np.zeros(len(candidates), np.int32), "status": status}
    return _columns(candidates, columns) | judged | _tracks(candidates, tracks) | as_arrays(cells)


def _from(chunk: _Chunk | ak.Array) -> tuple[ak.Array, str]:
    """Candidates, and where they are from."""
    return (chunk, "") if isinstance(chunk, ak.Array) else (chunk.candidates, f"{chunk.file}:{chunk.tree}")


def _columns(candidates: ak.Array, columns: Sequence[str]) -> dict[str, np.ndarray]:
    arrays = {f"index_{name}": _column(candidates, name).astype(kind) for name, kind in INDEX_COLUMNS.items()}
    return arrays | {f"column_{name}": _column(candidates, name) for name in columns}


def _tracks(candidates: ak.Array, tracks: tuple[Sequence[str], int]) -> dict[str, np.ndarray]:
    offsets, values = stack_tracks(candidates, tracks[0], max_tracks=tracks[1])
    return {"track_offsets": offsets, "track_values": values}


def _column(candidates: ak.Array, name: str) -> np.ndarray:
    if name not in ak.fields(candidates):
        raise BranchError(f"candidates have no '{name}' to store; {nearest(name, ak.fields(candidates))}")
    column = column_of(candidates, name)
    if column.is_numpy:  # filling is slow
        return np.asarray(column.to_backend_array())
    return ak.to_numpy(ak.fill_none(candidates[name], np.nan))
