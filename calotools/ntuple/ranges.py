"""Parts of many files that can be read on their own, in any order: for shuffling, for shards and for progress."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from calotools.errors import ConfigError, EmptyInputError, InputFileError, TreeError
from calotools.ntuple.checks import check_units
from calotools.ntuple.detect import choose_flavour, choose_tree
from calotools.ntuple.headers import Tree, open_trees
from calotools.ntuple.opened import OpenedTree, plan_of
from calotools.ntuple.paths import expand_files
from calotools.ntuple.reader import Chunk

__all__ = ["Range", "RangeReader", "count_entries", "list_ranges"]

_CHECKED = 500  # candidates of a file whose units are looked at


@dataclass(frozen=True)
class Range:
    """Consecutive entries of a tree.

    Attributes
    ----------
    file, tree, flavour : str
    start, stop : int
        Entries, `stop` excluded.
    """

    file: str
    tree: str
    flavour: str
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def list_ranges(
    files: str | Path | Sequence[str | Path],
    *,
    tree: str | None = None,
    flavour: str | Path | None = None,
    fields: Sequence[str] | None = None,
    step: int = 5000,
    allow_empty: bool = False,
) -> list[Range]:
    """Cut the trees of some files into ranges; only the files' headers are read.

    A range starts and ends where baskets or clusters of the needed branches do, if it can, so that nothing is
    decompressed twice.

    Parameters
    ----------
    files, tree, flavour, fields
        As in `iterate_candidates`.
    step : int
        Entries of a range, about: at most twice as many.
    allow_empty : bool
        Files without any entry are no error.

    Returns
    -------
    list of Range
        In the order of files and entries; together all of them.

    Raises
    ------
    InputFileError, TreeError, BranchError, ConfigError
        As the names say.
    EmptyInputError
        There is no entry, and that is not allowed.

    Examples
    --------
    >>> list_ranges("absent.root")
    Traceback (most recent call last):
    calotools.errors.InputFileError: file 'absent.root' does not exist...
    """
    if step < 1:
        raise ConfigError(f"step = {step}; at least 1 entry per range is needed")
    names, chosen = expand_files(files), None if flavour is None else str(flavour)
    ranges: list[Range] = []
    for path in names:
        with open_trees(path) as trees:
            source, plan = plan_of(trees, tree=tree, flavour=chosen, fields=fields, path=path)
            chosen = chosen or plan.flavour.name
            edges = _edges(source, plan.branches, step)
            ranges += [Range(path, plan.tree.label, chosen, first, last) for first, last in pairwise(edges)]
    if not ranges and not allow_empty:
        raise EmptyInputError(f"no candidate in {names[:5]}{' ...' if len(names) > 5 else ''}: zero entries")
    return ranges


def count_entries(files: Sequence[str], *, tree: str, flavour: str) -> dict[str, int]:
    """Entries of the tree in each of some files, from their headers.

    Parameters
    ----------
    files : sequence of str
    tree, flavour : str

    Returns
    -------
    dict of str to int
        By file; 0 for one that cannot be read.
    """
    counts = dict.fromkeys(files, 0)
    for path in files:
        with suppress(InputFileError, TreeError), open_trees(path) as trees:
            match = choose_tree(trees, choose_flavour(trees, flavour=flavour, path=path), tree=tree, path=path)
            counts[path] = trees[match.name].num_entries
    return counts


def _edges(tree: Tree, branches: Sequence[str], step: int) -> list[int]:
    """Where ranges begin and end: at common boundaries, `step` entries or a little less apart."""
    edges = [0]
    n = tree.num_entries
    bounds = sorted({one for one in tree.boundaries(branches) if 0 < one < n} | ({n} if n else set()))
    for bound, following in pairwise([*bounds, n]):
        while bound - edges[-1] > 2 * step:  # a basket of many entries
            edges.append(edges[-1] + step)
        if following - edges[-1] > step or bound == n:
            edges.append(bound)
    return edges


class RangeReader:
    """Reads ranges; what is known of the last few files is kept, and they stay open where they have to.

    Parameters
    ----------
    fields : sequence of str, optional
        As in `iterate_candidates`.
    keep_open : int
        Files that are open at a time; four times as many are remembered.
    like : RangeReader, optional
        Of another thread, for the same fields: what it knows of files need not be found out again.

    Raises
    ------
    CalotoolsError
        When called: as `iterate_candidates`. Units are checked on the first range of each opened file.
    """

    def __init__(
        self, *, fields: Sequence[str] | None = None, keep_open: int = 64, like: RangeReader | None = None
    ) -> None:
        self._fields = fields
        self._keep_open = keep_open
        self._files: OrderedDict[tuple[str, str], OpenedTree] = OrderedDict()
        self._others: list[OrderedDict[tuple[str, str], OpenedTree]] = (
            [] if like is None or like._fields != fields else like._others
        )
        self._others.append(self._files)

    def __call__(self, where: Range) -> Chunk:
        """The candidates of a range.

        Parameters
        ----------
        where : Range

        Returns
        -------
        Chunk
            Its `start` is the range's first entry. Empty where the range holds no candidate.
        """
        opened = self._open(where)
        candidates = opened.read(where.start, where.stop)
        if not opened.checked and len(candidates):
            plan = opened.plan
            declared = f"flavour '{plan.flavour.name}', '{plan.flavour.source}'"
            check_units(candidates[:_CHECKED], place=opened.place, declared=declared, branches=plan.branch_of)
            opened.checked = True
        return Chunk(candidates, where.file, where.tree, where.start)

    def _open(self, where: Range) -> OpenedTree:
        key = where.file, where.tree
        if key not in self._files:
            while sum(one.cost for one in self._files.values()) >= self._keep_open:
                self._files.popitem(last=False)[1].close()
            self._files[key] = self._twin(key) or OpenedTree(
                where.file, tree=where.tree, flavour=where.flavour, fields=self._fields
            )
        self._files.move_to_end(key)
        return self._files[key]

    def _twin(self, key: tuple[str, str]) -> OpenedTree | None:
        known = next((one for files in list(self._others) if (one := files.get(key))), None)
        return known and known.twin()

    def each(self, ranges: Sequence[Range]) -> Iterator[Chunk]:
        """Candidates of several ranges, one after the other."""
        return map(self, ranges)

    def close(self) -> None:
        """Close the files."""
        while self._files:
            self._files.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
