"""Images that are drawn from cells when they are asked for: what candidates are that no store keeps.

A batch needs each of its images once. Where nothing is to be kept, painting it then costs less than painting it before,
keeping it as bands, and drawing these.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from calotools.containers import Index
from calotools.errors import ShapeError
from calotools.images.bands import join_offsets
from calotools.images.brush import unveil_rows
from calotools.images.build import bands_of, new_canvas, new_found, painted
from calotools.images.dense import output_arrays
from calotools.images.paint import Canvas, Cells, cell_kinds, paint, paint_images
from calotools.images.rows import join, take_ranges
from calotools.images.spec import plan_of
from calotools.images.store import BAND_ARRAYS, ImageStore

__all__ = ["DraftStore", "as_arrays", "is_draft", "without_cells"]

_SMALL = 2000  # candidates: smaller pieces are joined, for each costs every batch some microseconds
_AT_A_TIME = 8  # candidates: their images stay in the processor's nearest caches until they are copied

_PREFIX = "cell_"


def as_arrays(cells: Cells) -> dict[str, np.ndarray]:
    """Cells, as a draft names them."""
    return {f"{_PREFIX}{name}": column for name, column in cells._asdict().items()}


def is_draft(arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether arrays are those of `piece_draft`, not of `piece_arrays`."""
    return f"{_PREFIX}offsets" in arrays


def without_cells(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a draft and a piece of a store have both."""
    return {name: column for name, column in arrays.items() if not name.startswith(_PREFIX)}


class DraftStore:
    """Drafts together, asked as an `ImageStore` is.

    Parameters
    ----------
    pieces : sequence of dict of str to array
        Of `piece_draft`; at least one.
    columns : ImageStore
        In memory, of everything but their cells.
    """

    def __init__(self, pieces: Sequence[Mapping[str, np.ndarray]], columns: ImageStore) -> None:
        self.spec, self._columns = columns.spec, columns
        self._sheets = _join_small([Cells._make(one[f"{_PREFIX}{name}"] for name in Cells._fields) for one in pieces])
        self._edges = np.cumsum([0, *(len(cells.offsets) - 1 for cells in self._sheets)])
        plan = plan_of(self.spec)
        self._plan = tuple(plan), *cell_kinds(plan)  # plain tuples for the compiled loop, see `paint_all`
        self._given = [(tuple(one), tuple(new_found(len(one.offsets) - 1, self.spec))) for one in self._sheets]
        self._firsts = np.cumsum([0, *(np.prod(shape, dtype=int) for shape in self.spec.shapes().values())]).tolist()
        self._painted = [(k, name) for k, name in enumerate(painted(self.spec)) if name in self.spec.quantities]
        self._plain = painted(self.spec) == ("energy",)
        self._canvases: deque[Canvas] = deque()  # threads take them, and put them back

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def index(self) -> Index:
        """Run, event and candidate number of every row."""
        return self._columns.index

    @property
    def usable(self) -> np.ndarray:
        """(n,) bool: the candidate has images."""
        return self._columns.usable

    def column(self, name: str) -> np.ndarray:
        """A candidate variable, all rows."""
        return self._columns.column(name)

    def tracks(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Padded tracks of some rows, as `ImageStore.tracks`."""
        return self._columns.tracks(rows)

    def take(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Everything that a store keeps of some rows, which are painted for it.

        Parameters
        ----------
        rows : (m,) int
            Rising.

        Returns
        -------
        dict of str to array
            As `piece_arrays` gives them.
        """
        rows = np.asarray(rows, dtype=np.int64)
        ends = np.searchsorted(rows, self._edges)
        parts = [
            _take_cells(cells, rows[first:last] - start)
            for cells, start, (first, last) in zip(self._sheets, self._edges, pairwise(ends), strict=False)
        ]
        bands = bands_of(_join(parts), self.spec, threads=1)
        rest = self._columns.take(rows)
        arrays = {name: column for name, column in rest.items() if name.startswith(("index_", "column_"))}
        arrays |= {name: getattr(bands, name) for name in BAND_ARRAYS}
        arrays |= {f"value_{name}": column for name, column in bands.values.items()}
        return arrays | {name: column for name, column in rest.items() if name.startswith("track_")}

    def dense(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Images of some rows, as `ImageStore.dense`.

        Parameters
        ----------
        rows : (m,) int

        Returns
        -------
        dict of str to (m, layer, eta, phi) float32

        Raises
        ------
        ShapeError
            A row is not there.
        """
        rows = np.asarray(rows, dtype=np.int64)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise ShapeError(f"rows {rows.min()} to {rows.max()} are asked of {len(self)} candidates")
        sheet_of = np.searchsorted(self._edges, rows, side="right") - 1
        order = np.argsort(sheet_of, kind="stable")
        ends = np.searchsorted(sheet_of[order], np.arange(len(self._sheets) + 1))
        parts = [order[first:last] for first, last in pairwise(ends)]
        images = output_arrays(self.spec, tuple(self.spec.quantities), n=len(rows), out=None)
        canvas = self._canvas()
        if self._plain:
            self._paint_energies(rows, parts, canvas, images)
        else:
            self._paint_several(rows, parts, canvas, images)
        self._canvases.append(canvas)
        return images

    def _paint_energies(
        self, rows: np.ndarray, parts: Sequence[np.ndarray], canvas: Canvas, images: dict[str, np.ndarray]
    ) -> None:
        """Energies alone, all that is to be done of each sheet in one call: `parts` are the places of its rows."""
        words = tuple(
            images[f"energy_{name}"].reshape(len(rows), end - first).view(np.int32)
            for name, first, end in zip(self.spec.grids, self._firsts[:-1], self._firsts[1:], strict=True)
        )
        firsts = np.array(self._firsts[:-1])
        for number, places in enumerate(parts):
            if len(places):
                own, (cells, found) = rows[places] - self._edges[number], self._given[number]
                paint_images(own, places, cells, *self._plan, tuple(canvas), found, firsts, words)

    def _paint_several(
        self, rows: np.ndarray, parts: Sequence[np.ndarray], canvas: Canvas, images: dict[str, np.ndarray]
    ) -> None:
        """The same for several quantities."""
        for number, part in enumerate(parts):
            cells, found = self._given[number]
            for start in range(0, len(part), len(canvas.values)):
                places = part[start : start + len(canvas.values)]
                paint(rows[places] - self._edges[number], cells, *self._plan, tuple(canvas), found)
                self._keep(canvas, places, images)

    def _canvas(self) -> Canvas:
        try:
            return self._canvases.pop()
        except IndexError:
            return new_canvas(self.spec, rows=_AT_A_TIME if self._plain else None)

    def _keep(self, canvas: Canvas, places: np.ndarray, images: dict[str, np.ndarray]) -> None:
        """Copy what was painted to places in the images."""
        words = canvas.values.view(np.int32)
        for name, first, end in zip(self.spec.grids, self._firsts[:-1], self._firsts[1:], strict=True):
            for k, quantity in self._painted:
                image = images[f"{quantity}_{name}"].reshape(-1, end - first)
                if k == 0:
                    unveil_rows(words, first, places, image.view(np.int32))
                else:
                    image[places] = canvas.values[: len(places), k, first:end]


def _join_small(pieces: Sequence[Cells]) -> list[Cells]:
    """The same candidates in fewer pieces."""
    groups: list[list[Cells]] = []
    size = _SMALL
    for piece in pieces:
        if size >= _SMALL:
            groups.append([])
            size = 0
        groups[-1].append(piece)
        size += len(piece.offsets) - 1
    return [_join(group) for group in groups]


def _join(pieces: Sequence[Cells]) -> Cells:
    if len(pieces) == 1:
        return pieces[0]
    offsets, *columns = zip(*pieces, strict=True)
    return Cells._make([join_offsets(list(offsets)), *map(join, columns)])


def _take_cells(cells: Cells, rows: np.ndarray) -> Cells:
    first, last = cells.offsets[rows], cells.offsets[rows + 1]
    columns = [take_ranges(column, first, last) if len(column) else column for column in cells[1:-2]]
    offsets = np.concatenate([[0], np.cumsum(last - first)])
    return Cells._make([offsets, *columns, cells.eta_0[rows], cells.phi_0[rows]])
