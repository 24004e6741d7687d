"""The image store: what training reads.

A directory of memory-mapped ``.npy`` files and ``meta.json``: sparse pixels of all candidates (see `Bands`), flat
columns, stacked tracks and the index. It is built in one streaming pass, appears whole or not at all, and carries a
format version and the digest of the recipe and inputs that made it. Dense images are drawn for whichever rows are
asked for, in any order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from calotools.containers import Images, ImageSpec, Index
from calotools.errors import BranchError, InputFileError, ShapeError, nearest
from calotools.images.columns import read_array
from calotools.images.dense import draw
from calotools.images.paint import OK
from calotools.images.rows import take_rows, with_spans
from calotools.images.spec import spec_from_dict
from calotools.images.tracks import pad_rows

__all__ = ["BAND_ARRAYS", "FORMAT_VERSION", "INDEX_COLUMNS", "META", "ImageStore"]

FORMAT_VERSION = 3
META = "meta.json"
BAND_ARRAYS = ("offsets", "bands", "outside", "centre", "dropped", "status")
INDEX_COLUMNS = {"run": np.uint32, "event": np.uint64, "candidate": np.int32}


@dataclass(frozen=True)
class ImageStore:
    """An opened store; open one with `ImageStore.open`, make one with `build_store`.

    Attributes
    ----------
    path : Path
    spec : ImageSpec
        What the images are.
    columns : tuple of str
        Names for `column`.
    track_fields : tuple of str
        Order of the last axis of `tracks`.
    max_tracks : int
    digest : str
        Of the recipe and inputs that made it.
    counts : dict of str to int
        ``candidates``, ``unusable`` (without usable cells), ``dropped_cells`` (not finite).
    record : dict
        What its maker says of it, such as the cut flow; empty where nothing is known.
    """

    path: Path
    spec: ImageSpec
    columns: tuple[str, ...]
    track_fields: tuple[str, ...]
    max_tracks: int
    digest: str
    counts: dict[str, int]
    _arrays: dict[str, np.ndarray] = field(repr=False)
    record: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path | str) -> ImageStore:
        """Open a store without reading it.

        Parameters
        ----------
        path : path

        Returns
        -------
        ImageStore

        Raises
        ------
        InputFileError
            It is not there, incomplete, or of another format version.
        """
        path = Path(path)
        meta = _read_meta(path)
        arrays = {name: read_array(path / f"{name}.npy") for name in meta["arrays"]}
        return cls(
            path=path,
            spec=spec_from_dict(meta["spec"]),
            columns=tuple(meta["columns"]),
            track_fields=tuple(meta["track_fields"]),
            max_tracks=meta["max_tracks"],
            digest=meta["digest"],
            counts=meta["counts"],
            _arrays=arrays,
            record=meta.get("record", {}),
        )

    @classmethod
    def in_memory(
        cls,
        arrays: dict[str, np.ndarray],
        spec: ImageSpec,
        *,
        columns: Sequence[str],
        tracks: Sequence[str],
        max_tracks: int,
    ) -> ImageStore:
        """A store that is on no disk, of what `piece_arrays` or `join_pieces` gave.

        Parameters
        ----------
        arrays : dict of str to array
        spec : ImageSpec
        columns, tracks : sequence of str
        max_tracks : int

        Returns
        -------
        ImageStore
        """
        status = arrays["status"]
        counts = {"candidates": len(status), "unusable": int(np.count_nonzero(status))}
        counts["dropped_cells"] = int(arrays["dropped"].sum())
        return cls(Path("memory"), spec, tuple(columns), tuple(tracks), max_tracks, "", counts, with_spans(arrays))

    def __len__(self) -> int:
        return len(self._arrays["index_run"])

    @property
    def index(self) -> Index:
        """Run, event and candidate number of every row."""
        return Index(*(np.asarray(self._arrays[f"index_{name}"]) for name in INDEX_COLUMNS))

    @property
    def usable(self) -> np.ndarray:
        """(n,) bool: the candidate has images; False where it was skipped for want of usable cells."""
        return np.asarray(self._arrays["status"]) == OK

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Everything that is kept of some rows, to be put into another store.

        Parameters
        ----------
        rows : (m,) int

        Returns
        -------
        dict of str to array
            As `piece_arrays` gives them; for consecutive rows that stand in their order, views.
        """
        return take_rows(self._arrays, self._rows(rows))

    def column(self, name: str) -> np.ndarray:
        """A candidate variable, all rows, memory-mapped.

        Parameters
        ----------
        name : str

        Returns
        -------
        (n,) array
            In the unit of the candidates.

        Raises
        ------
        BranchError
            The store was built without it.
        """
        if name not in self.columns:
            raise BranchError(f"image store '{self.path}' has no column '{name}'; {nearest(name, self.columns)}")
        return self._arrays[f"column_{name}"]

    def dense(
        self,
        rows: np.ndarray,
        *,
        quantities: Sequence[str] | None = None,
        out: Mapping[str, np.ndarray] | None = None,
        threads: int | None = 1,
    ) -> dict[str, np.ndarray]:
        """Draw the images of some rows.

        Parameters
        ----------
        rows : (m,) int
            In any order, repeats allowed.
        quantities : sequence of str, optional
            Of the spec's quantities, and ``mask``; default: the spec's.
        out : dict of str to (>= m, layer, eta, phi) array, optional
            Where to draw, every pixel of m rows; views of them are given back. Arrays that are used again and again (of
            pinned memory, say) are several times faster than new ones. What they held does not matter.
        threads : int, optional
            None: as `build_images`. More than one pay off for thousands of rows.

        Returns
        -------
        dict of str to (m, layer, eta, phi) array
            ``{quantity}_{grid}`` float32, ``mask_{grid}`` bool; see `Images`.

        Raises
        ------
        ShapeError
            A row is not in the store; an array of `out` does not fit.
        BranchError
            A quantity is not in the store.
        """
        rows = self._rows(rows)
        wanted = tuple(self.spec.quantities if quantities is None else quantities)
        allowed = (*self.spec.quantities, "mask")
        for name in wanted:
            if name not in allowed:
                raise BranchError(f"image store '{self.path}' has no '{name}' images; {nearest(name, allowed)}")
        return draw(
            rows,
            spans=self._arrays["spans"],
            bands=self._arrays["bands"],
            values={name: self._arrays[f"value_{name}"] for name in {"energy", *self.spec.quantities}},
            spec=self.spec,
            quantities=wanted,
            out=out,
            threads=threads,
        )

    def images(self, rows: np.ndarray) -> Images:
        """The same with masks, energy outside and centre, as `build_images` gives them.

        Parameters
        ----------
        rows : (m,) int

        Returns
        -------
        Images
        """
        rows = self._rows(rows)
        drawn = self.dense(rows, quantities=(*self.spec.quantities, "mask"))
        return Images(
            values={name: image for name, image in drawn.items() if not name.startswith("mask_")},
            mask={name: drawn[f"mask_{name}"] for name in self.spec.grids},
            outside={name: self._arrays["outside"][rows, k] for k, name in enumerate(self.spec.grids)},
            centre=self._arrays["centre"][rows],
            dropped=self._arrays["dropped"][rows],
        )

    def tracks(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Padded tracks of some rows.

        Parameters
        ----------
        rows : (m,) int

        Returns
        -------
        values : (m, max_tracks, feature) float32
        mask : (m, max_tracks) bool
            True for a track; from the number of tracks, never from values.
        """
        rows = self._rows(rows)
        return pad_rows(
            rows,
            spans=self._arrays["track_spans"],
            flat=self._arrays["track_values"],
            max_tracks=self.max_tracks if self.track_fields else 0,
        )

    def _rows(self, rows: np.ndarray) -> np.ndarray:
        rows = np.asarray(rows)
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise ShapeError(f"rows must be a list of row numbers, not {rows.dtype} of shape {rows.shape}")
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self)):
            raise ShapeError(
                f"rows {rows.min()} to {rows.max()} are asked of a store that has rows 0 to {len(self) - 1}"
            )
        return rows.astype(np.int64)


def _read_meta(path: Path) -> dict[str, Any]:
    try:
        meta = json.loads((path / META).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputFileError(f"'{path}' is not an image store: it has no {META}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputFileError(f"'{path / META}' is damaged: {error}; build the store again") from None
    if meta.get("format_version") != FORMAT_VERSION:
        raise InputFileError(
            f"image store '{path}' has format {meta.get('format_version')}, this version reads {FORMAT_VERSION}; "
            f"build the store again"
        )
    return meta
