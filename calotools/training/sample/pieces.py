"""Pieces of a sample: what is read from its files in one go, selected, and drawn."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import awkward as ak
import numpy as np

from calotools.images import cell_fields, image_spec, piece_arrays, piece_draft
from calotools.models import is_variable_model
from calotools.ntuple import Chunk, Range, RangeReader, index_of, lookup_friend, sample_fields
from calotools.training.sample.labels import columns_of
from calotools.variables import CutStep, add_derived, derived_inputs, fields_in, select
from calotools.variables.selection import WEIGHT_STEP
from calotools.variables.tracks import add_track_variables, track_fields

if TYPE_CHECKING:
    from calotools.containers import ImageSpec
    from calotools.recipe import TrainConfig

__all__ = ["PIECE", "Piece", "PieceReader", "input_fields", "read_fields", "store_columns"]

# The store's column that says of which piece a row is.
PIECE = "piece"
_MOST = 2**28  # bytes of a pool of candidates that are not painted
_CLUSTER = ("eta_cluster", "phi_cluster")


@dataclass(frozen=True)
class Piece:
    """Some consecutive candidates of a file.

    Attributes
    ----------
    number : int
        Among the pieces of the sample, in the order of files and entries.
    where : Range
    n : int
        Candidates that are used: the first ones that pass the selection.
    first : int
        Used candidates of all pieces before.
    n_train : tuple of int
        Training candidates among them, by class.
    """

    number: int
    where: Range
    n: int = 0
    first: int = 0
    n_train: tuple[int, ...] = ()


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
    cells = () if is_variable_model(config.model.name) else cell_fields(spec)
    # eta and E_T are what the bias correction, the likelihood and trees are binned in.
    binned = ("eta", "et") if is_variable_model(config.model.name) else ("eta",)
    return tuple(dict.fromkeys((*cells, *track_fields(config.tracks), *config.scalars, config.base_energy, *binned)))


def read_fields(
    config: TrainConfig, spec: ImageSpec, *, known: Container[str], more: Iterable[str] = ()
) -> tuple[str, ...]:
    """What is read of an ntuple for a recipe's inputs: derived variables are made from it.

    Parameters
    ----------
    config : TrainConfig
    spec : ImageSpec
    known : container of str
        Fields that the ntuple has (`sample_fields`).
    more : iterable of str
        Variables beside the inputs.

    Returns
    -------
    tuple of str
        Each once; the cluster's position first, if it is there.
    """
    cluster = _CLUSTER if all(name in known for name in _CLUSTER) else ()
    return derived_inputs((*cluster, *input_fields(config, spec), *more), known=known)


def store_columns(config: TrainConfig) -> tuple[str, ...]:
    """Columns of a recipe's store: its variables, and the number of the piece."""
    return (*columns_of(config), PIECE)


class PieceReader:
    """Reads pieces: selected candidates, or the arrays that a store keeps of them.

    Parameters
    ----------
    config : TrainConfig
    cells, tracks : bool
        Read them too, not only variables.
    known : set of str, optional
        Fields that the files have, where that was found out before: it takes opening one.
    like : PieceReader, optional
        The same of another thread, from which this one learns what it knows of files.
    """

    def __init__(
        self,
        config: TrainConfig,
        *,
        cells: bool = True,
        tracks: bool = True,
        known: frozenset[str] | None = None,
        like: PieceReader | None = None,
    ) -> None:
        self.config, self.spec = config, image_spec(config.images)
        sample = config.sample
        known = known if like is None else like.known
        if known is None:
            known = frozenset(sample_fields(sample.files, tree=sample.tree, flavour=sample.flavour))
        self.known: frozenset[str] = known
        self._variables = (*columns_of(config), *sorted(fields_in(sample.selection)))
        derived = derived_inputs(self._variables, known=known)
        left_out = (*(() if cells else ("cells.", *_CLUSTER)), *(() if tracks else ("tracks.",)))
        fields = read_fields(config, self.spec, known=known, more=self._variables)
        self._weights = lookup_friend(sample.weights, sample.weight_branch) if sample.weights else None
        if self._weights is not None:  # theirs are not read
            fields = tuple(one for one in fields if one != "weight")
        self.fields = tuple(one for one in fields if one in derived or not one.startswith(left_out))
        self._read: RangeReader = RangeReader(fields=self.fields, like=None if like is None else like._read)

    def select(self, piece: Piece) -> tuple[Chunk, tuple[CutStep, ...]]:
        """Every candidate of a piece that passes the selection, and the cut flow.

        With `sample.weights`, its last step is `WEIGHT_STEP`: candidates that have no weight there are left out.

        Parameters
        ----------
        piece : Piece

        Returns
        -------
        Chunk
        tuple of CutStep
        """
        chunk = self._read(piece.where)
        candidates, known = self._weighted(chunk)
        candidates = add_derived(candidates, self._variables)
        selection = select(candidates, self.config.sample.selection)
        mask, flow = selection.mask, selection.cutflow
        if known is not None:
            mask = mask & known
            flow = (*flow, CutStep(WEIGHT_STEP, int(mask.sum()), int(known.sum()), flow[-1].sum_weight))
        if not mask.all():  # slicing spoils the flat buffers that files give
            candidates = candidates[mask]
        return replace(chunk, candidates=candidates), flow

    def _weighted(self, chunk: Chunk) -> tuple[ak.Array, np.ndarray | None]:
        """Candidates with the weights of the friend tree, if the recipe has one, and which of them have one there."""
        if self._weights is None:
            return chunk.candidates, None
        weight = self._weights(index_of(chunk.candidates), source=chunk.source)
        known = np.isfinite(weight)
        return ak.with_field(chunk.candidates, np.where(known, weight, weight.dtype.type(0)), "weight"), known

    def candidates(self, piece: Piece) -> Chunk:
        """The used candidates of a piece, with their track variables and the number of the piece.

        Parameters
        ----------
        piece : Piece

        Returns
        -------
        Chunk
        """
        chunk = self.select(piece)[0]
        used = chunk.candidates if piece.n == len(chunk.candidates) else chunk.candidates[: piece.n]
        used = add_track_variables(used, self.config.tracks)
        return replace(chunk, candidates=ak.with_field(used, np.full(len(used), piece.number, np.int32), PIECE))

    def arrays(self, piece: Piece, *, threads: int | None = None, paint: bool = True) -> dict[str, np.ndarray]:
        """What a store keeps of the used candidates.

        Parameters
        ----------
        piece : Piece
        threads : int, optional
            As in `build_images`.
        paint : bool
            Without, their cells in place of the images, unless these need far less memory.

        Returns
        -------
        dict of str to array
            As `piece_arrays`, or as `piece_draft`.

        Raises
        ------
        CellError
            A candidate without usable cells, unless the recipe skips them.
        """
        config, candidates = self.config, self.candidates(piece)
        wanted: Any = {"columns": store_columns(config), "on_bad": config.on_bad}
        wanted["tracks"] = config.tracks, config.max_tracks
        if not paint and not config.half:  # what is kept with 16 bits is the same in every epoch
            draft = piece_draft(candidates, self.spec, **wanted)
            if sum(column.nbytes for column in draft.values()) * config.shuffle_buffer <= _MOST * piece.n:
                return draft
        return piece_arrays(candidates, self.spec, half=config.half, threads=threads, **wanted)

    def close(self) -> None:
        """Close the files."""
        self._read.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._read.close()
