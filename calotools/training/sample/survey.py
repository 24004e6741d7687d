"""One pass over the plain variables of a sample: how many candidates are where, before any cell is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np

from calotools.errors import BranchError, EmptyInputError
from calotools.ntuple import Range, index_of, list_ranges
from calotools.progress import Progress
from calotools.training.sample.labels import label
from calotools.training.sample.pieces import Piece, PieceReader
from calotools.training.sample.weighing import Tally
from calotools.variables import CutStep, add_cutflows
from calotools.variables.derived import near_derived

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig

__all__ = ["Cutflow", "FileSurvey", "Survey", "join_surveys", "survey_file", "take_survey"]

Cutflow = tuple[dict[str, str | int], ...]


@dataclass(frozen=True)
class Survey:
    """What a sample holds.

    Attributes
    ----------
    pieces : tuple of Piece
        Those with at least one used candidate.
    tally : Tally
    cutflow : tuple of dict
        ``step`` and ``candidates`` that are left after it: all, each cut, `WEIGHT_STEP`, ``max_candidates``.
    """

    pieces: tuple[Piece, ...]
    tally: Tally
    cutflow: Cutflow = ()

    def __len__(self) -> int:
        """Used candidates."""
        return sum(piece.n for piece in self.pieces)


def take_survey(config: TrainConfig, *, progress: Progress | None = None) -> Survey:
    """Read the plain variables of a sample once; memory does not grow with the sample.

    Parameters
    ----------
    config : TrainConfig
    progress : callable, optional
        ``progress(task, done, total)`` in entries.

    Returns
    -------
    Survey
        With ``sample.max_candidates``, every file gives the first of its candidates, in proportion to how many it has.

    Raises
    ------
    EmptyInputError
        Nothing is left after the selection; the message has the cut flow.
    CalotoolsError
        Of the files, trees and branches.
    """
    ranges = _list_ranges(config)
    found, flows, tally = [], [], Tally(config)
    done, total = 0, sum(map(len, ranges))
    with PieceReader(config, cells=False, tracks=False) as reader:
        for number, where in enumerate(ranges):
            piece, flow = _look(reader, Piece(number, where), tally)
            found.append(piece)
            flows.append(flow)
            done += len(where)
            if progress is not None:
                progress("survey", done, total)
        _check_flow(config, found, flows)
        limit = config.sample.max_candidates
        if limit is not None and limit < sum(piece.n for piece in found):
            tally = Tally(config)
            found = [_look(reader, piece, tally)[0] for piece in _share(found, limit) if piece.n]
    return Survey(_place(found), tally, _cutflow(flows, found))


def _cutflow(flows: list[tuple[CutStep, ...]], used: list[Piece]) -> Cutflow:
    total, n = add_cutflows(flows), sum(piece.n for piece in used)
    steps: list[dict[str, str | int]] = [{"step": one.cut, "candidates": one.n_passed} for one in total]
    if n < total[-1].n_passed:
        steps.append({"step": "max_candidates", "candidates": n})
    return tuple(steps)


def _place(found: list[Piece]) -> tuple[Piece, ...]:
    """Pieces that have candidates, with what comes before each of them."""
    first = np.cumsum([0, *(piece.n for piece in found)])
    placed = [replace(piece, first=int(start)) for piece, start in zip(found, first[:-1], strict=True)]
    return tuple(piece for piece in placed if piece.n)


@dataclass(frozen=True)
class FileSurvey:
    """What a file holds, for those that survey files apart from each other.

    Attributes
    ----------
    pieces : tuple of Piece
        Numbered from 0; also those without a candidate.
    flows : tuple of tuple of CutStep
        Of each of them.
    """

    pieces: tuple[Piece, ...]
    flows: tuple[tuple[CutStep, ...], ...]


def survey_file(path: str, *, config: TrainConfig, known: frozenset[str]) -> FileSurvey:
    """Read the plain variables of one file.

    Parameters
    ----------
    path : str
    config : TrainConfig
        With the sample's tree and flavour.
    known : set of str
        Fields that the sample has.

    Returns
    -------
    FileSurvey
    """
    own = config.model_copy(update={"sample": config.sample.model_copy(update={"files": (path,)})})
    tally = Tally(config)
    with PieceReader(own, cells=False, tracks=False, known=known) as reader:
        ranges = _list_ranges(own, known=known, allow_empty=True)
        looks = [_look(reader, Piece(number, where), tally) for number, where in enumerate(ranges)]
    return FileSurvey(tuple(piece for piece, _ in looks), tuple(flow for _, flow in looks))


def join_surveys(config: TrainConfig, parts: Iterable[FileSurvey]) -> tuple[tuple[Piece, ...], Cutflow]:
    """Pieces and cut flow of a whole sample, as `take_survey` finds them, without training candidates by class.

    Parameters
    ----------
    config : TrainConfig
    parts : iterable of FileSurvey
        Of its files, in order.

    Returns
    -------
    tuple of Piece, cut flow
        As of `Survey`.

    Raises
    ------
    EmptyInputError
        Nothing is left after the selection; the message has the cut flow.
    """
    found: list[Piece] = []
    flows: list[tuple[CutStep, ...]] = []
    for part in parts:
        found += [replace(piece, number=len(found) + k, n_train=()) for k, piece in enumerate(part.pieces)]
        flows += part.flows
    _check_flow(config, found, flows)
    limit = config.sample.max_candidates
    if limit is not None and limit < sum(piece.n for piece in found):
        found = _share(found, limit)
    return _place(found), _cutflow(flows, found)


def _list_ranges(config: TrainConfig, *, known: frozenset[str] | None = None, allow_empty: bool = False) -> list[Range]:
    sample = config.sample
    try:
        with PieceReader(config, known=known) as full:  # a missing cell branch is an error now, not after hours
            return list_ranges(
                sample.files, tree=sample.tree, flavour=sample.flavour, fields=full.fields, allow_empty=allow_empty
            )
    except BranchError as error:
        raise BranchError(f"{error}{near_derived(config.scalars)}") from None


def _look(reader: PieceReader, piece: Piece, tally: Tally) -> tuple[Piece, tuple[CutStep, ...]]:
    """Count the candidates of a piece; one whose number is known is cut to it."""
    chunk, flow = reader.select(piece)
    candidates = chunk.candidates[: piece.n] if piece.n else chunk.candidates

    def column(name: str) -> np.ndarray:
        return ak.to_numpy(ak.fill_none(candidates[name], np.nan))

    index = index_of(candidates)
    n_train = tally.add(label(reader.config, column, index), column, index.run)
    return replace(piece, n=len(candidates), n_train=tuple(n_train.tolist())), flow


def _check_flow(config: TrainConfig, found: list[Piece], flows: list[tuple[CutStep, ...]]) -> None:
    if not any(piece.n for piece in found):
        flow = ", ".join(f"'{step.cut}' leaves {step.n_passed}" for step in add_cutflows(flows))
        raise EmptyInputError(f"no candidate of {list(config.sample.files)} passes the selection: {flow}; loosen it")


def _share(pieces: list[Piece], limit: int) -> list[Piece]:
    """The first candidates of every file, `limit` in all, in proportion to what the files have."""
    files = list(dict.fromkeys(piece.where.file for piece in pieces))
    n = np.array([sum(piece.n for piece in pieces if piece.where.file == name) for name in files])
    exact = limit * n / n.sum()
    share = np.floor(exact).astype(int)
    share[np.argsort(share - exact, kind="stable")[: limit - share.sum()]] += 1  # largest remainders first
    left = dict(zip(files, share.tolist(), strict=True))
    cut = []
    for piece in pieces:
        used = min(piece.n, left[piece.where.file])
        left[piece.where.file] -= used
        cut.append(replace(piece, n=used))
    return cut
