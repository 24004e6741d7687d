"""Parts of many files that can be read on their own, in any order: for shuffling, for shards and for progress."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import awkward as ak

from calotools.errors import ConfigError, EmptyInputError, InputFileError, TreeError
from calotools.ntuple.assemble import assemble_candidates
from calotools.ntuple.checks import check_units, count_problems
from calotools.ntuple.columns import Place
from calotools.ntuple.detect import choose_flavour, choose_tree
from calotools.ntuple.numbering import Numbering
from calotools.ntuple.paths import expand_files
from calotools.ntuple.plan import Plan, make_plan
from calotools.ntuple.reader import Chunk
from calotools.ntuple.source import branch_names, list_trees, open_file, read_steps

__all__ = ["Range", "RangeReader", "count_entries", "list_ranges"]

# Rows before a range that are looked at to go on counting the candidates of an event that straddles its edge.
_LOOK_BACK = 1000


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
        with ExitStack() as stack:
            opened = _Opened(path, tree=tree, flavour=chosen, fields=fields, stack=stack)
            chosen = chosen or opened.flavour
            edges = _edges(opened.source, opened.plan.branches, step)
            label = opened.plan.tree.label
            ranges += [Range(path, label, chosen, first, last) for first, last in pairwise(edges)]
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
        with suppress(InputFileError, TreeError), open_file(path) as file:
            trees = list_trees(file)
            match = choose_tree(trees, choose_flavour(trees, flavour=flavour, path=path), tree=tree, path=path)
            counts[path] = int(trees[match.name].num_entries)
    return counts


def _edges(source: Any, branches: Sequence[str], step: int) -> list[int]:
    """Where ranges begin and end: at common boundaries, `step` entries or a little less apart."""
    edges = [0]
    n, wanted = int(source.num_entries), frozenset(branches)
    if hasattr(source, "common_entry_offsets"):
        steps = source.common_entry_offsets(filter_name=lambda name: name.rpartition("/")[2] in wanted)
    else:
        steps = [cluster.num_first_entry for cluster in source.cluster_summaries]
    bounds = sorted({int(one) for one in steps if 0 < one < n} | ({n} if n else set()))
    for bound, following in pairwise([*bounds, n]):
        while bound - edges[-1] > 2 * step:  # a basket of many entries
            edges.append(edges[-1] + step)
        if following - edges[-1] > step or bound == n:
            edges.append(bound)
    return edges


class _Opened:
    """A file that stays open between ranges, and what is needed to read its tree."""

    def __init__(
        self, path: str, *, tree: str | None, flavour: str | None, fields: Sequence[str] | None, stack: ExitStack
    ) -> None:
        self.path = path
        self.stack = stack
        trees = list_trees(stack.enter_context(open_file(path)))
        known = choose_flavour(trees, flavour=flavour, path=path)
        self.flavour = known.name
        self.match = choose_tree(trees, known, tree=tree, path=path)
        self.source = trees[self.match.name]
        self._names = branch_names(self.source)
        self.plan = make_plan(known, self.match, available=self._names, fields=fields, path=path)
        self.checked = False
        self._next = 0
        self._numbering = self._number_from(0)

    @property
    def place(self) -> str:
        return f"file '{self.path}', tree '{self.match.label}'"

    def read(self, start: int, stop: int) -> ak.Array:
        """Candidates of some entries, with their numbers."""
        if start != self._next:
            self._numbering = self._number_from(start)
        self._next = stop
        return self._numbering.complete(self._assemble(self.plan, start, stop))

    def _assemble(self, plan: Plan, start: int, stop: int) -> ak.Array:
        steps = read_steps(self.source, plan.branches, path=self.path, step=stop - start, start=start, stop=stop)
        parts = [
            assemble_candidates(arrays, plan, place=Place(self.path, self.match.label, entry))
            for entry, arrays in steps
        ]
        return parts[0] if len(parts) == 1 else ak.concatenate(parts)

    def _number_from(self, start: int) -> Numbering:
        """Numbers that go on from the rows before, where the tree does not hold them."""
        run = zlib.crc32(Path(self.path).name.encode())
        first = max(0, start - _LOOK_BACK)
        numbering = Numbering(run=run, rows=first)
        if start > first and self.plan.flavour.layout != "events" and "candidate" not in self.plan.names:
            index = make_plan(self.plan.flavour, self.match, available=self._names, fields=(), path=self.path)
            numbering.complete(self._assemble(index, first, start))
            return numbering
        return Numbering(run=run, rows=start)


class RangeReader:
    """Reads ranges; the last few files stay open.

    Parameters
    ----------
    fields : sequence of str, optional
        As in `iterate_candidates`.
    keep_open : int
        Files that are open at a time.

    Raises
    ------
    CalotoolsError
        When called: as `iterate_candidates`. Units are checked on the first range of each opened file.
    """

    def __init__(self, *, fields: Sequence[str] | None = None, keep_open: int = 64) -> None:
        self._fields = fields
        self._keep_open = keep_open
        self._files: OrderedDict[tuple[str, str], _Opened] = OrderedDict()

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
            flavour = opened.plan.flavour
            check_units(candidates, place=opened.place, declared=f"flavour '{flavour.name}', '{flavour.source}'")
            opened.checked = True
        return Chunk(candidates, where.file, where.tree, where.start, count_problems(candidates))

    def _open(self, where: Range) -> _Opened:
        key = where.file, where.tree
        if key not in self._files:
            while len(self._files) >= self._keep_open:
                self._files.popitem(last=False)[1].stack.close()
            self._files[key] = _Opened(
                where.file, tree=where.tree, flavour=where.flavour, fields=self._fields, stack=ExitStack()
            )
        self._files.move_to_end(key)
        return self._files[key]

    def each(self, ranges: Sequence[Range]) -> Iterator[Chunk]:
        """Candidates of several ranges, one after the other."""
        return map(self, ranges)

    def close(self) -> None:
        """Close the files."""
        while self._files:
            self._files.popitem()[1].stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
