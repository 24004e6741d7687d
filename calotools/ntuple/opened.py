"""A tree of which ranges of entries are read, in any order."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import awkward as ak

from calotools.ntuple.assemble import assemble_candidates
from calotools.ntuple.baskets import Baskets
from calotools.ntuple.columns import Place
from calotools.ntuple.detect import choose_flavour, choose_tree
from calotools.ntuple.headers import Tree, open_trees
from calotools.ntuple.numbering import Numbering
from calotools.ntuple.plan import Plan, make_plan
from calotools.ntuple.source import branch_names, read_baskets, read_steps

__all__ = ["OpenedTree", "plan_of"]

# Rows before a range that are looked at to go on counting the candidates of an event that straddles its edge.
_LOOK_BACK = 1000
_LIGHT = 0.25  # cost of a file of which only a few numbers are kept


def plan_of(
    trees: Mapping[str, Tree], *, tree: str | None, flavour: str | None, fields: Sequence[str] | None, path: str
) -> tuple[Tree, Plan]:
    """The tree of a file, and how some fields are read from it.

    Parameters
    ----------
    trees : mapping of str to Tree
        Of `open_trees`.
    tree, flavour, fields
        As in `iterate_candidates`.
    path : str

    Returns
    -------
    Tree
    Plan
    """
    known = choose_flavour(trees, flavour=flavour, path=path)
    match = choose_tree(trees, known, tree=tree, path=path)
    source = trees[match.name]
    return source, make_plan(known, match, available=branch_names(source), fields=fields, path=path)


class OpenedTree:
    """What is needed to read some fields of a file's tree.

    Parameters
    ----------
    path : str
    tree, flavour, fields
        As in `iterate_candidates`.
    """

    def __init__(self, path: str, *, tree: str | None, flavour: str | None, fields: Sequence[str] | None) -> None:
        self.path, self.checked = path, False
        with ExitStack() as stack:
            trees = stack.enter_context(open_trees(path))
            source, self.plan = plan_of(trees, tree=tree, flavour=flavour, fields=fields, path=path)
            self._index = self._index_plan(source)
            plans = [self.plan] if self._index is None else [self.plan, self._index]
            self._baskets = {id(plan): source.baskets(plan.branches) for plan in plans}
            # the file stays open only where there is no faster way
            slow = None in self._baskets.values()
            self._source = source.opened() if slow else None
            self._stack = stack.pop_all() if slow else ExitStack()
        self._next = 0
        self._numbering = self._number_from(0)

    def twin(self) -> OpenedTree | None:
        """Another one of the same, for another thread, without opening the file; None where that has to be open."""
        if self._source is not None:
            return None
        other = copy.copy(self)
        other._baskets = {key: one and one.twin() for key, one in self._baskets.items()}
        other._stack, other._next, other.checked = ExitStack(), 0, False
        other._numbering = other._number_from(0)
        return other

    @property
    def place(self) -> str:
        """File and tree, for messages."""
        return f"file '{self.path}', tree '{self.plan.tree.label}'"

    @property
    def cost(self) -> float:
        """Of keeping it: 1 for an open file."""
        return _LIGHT if self._source is None else 1.0

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def read(self, start: int, stop: int) -> ak.Array:
        """Candidates of some entries, with their numbers.

        Parameters
        ----------
        start, stop : int
            Entries, `stop` excluded.

        Returns
        -------
        (n,) awkward record array
        """
        if start != self._next:
            self._numbering = self._number_from(start)
        self._next = stop
        return self._numbering.complete(self._assemble(self.plan, start, stop))

    def _index_plan(self, source: Tree) -> Plan | None:
        """How the index is read, where candidates have to be counted."""
        if self.plan.flavour.layout == "events" or "candidate" in self.plan.names:
            return None
        names = branch_names(source)
        return make_plan(self.plan.flavour, self.plan.tree, available=names, fields=(), path=self.path)

    def _assemble(self, plan: Plan, start: int, stop: int) -> ak.Array:
        baskets: Baskets | None = self._baskets[id(plan)]
        if baskets is None:
            step = stop - start
            steps = read_steps(self._source, plan.branches, path=self.path, step=step, start=start, stop=stop)
        else:
            steps = read_baskets(baskets, step=stop - start, start=start, stop=stop)
        place = self.path, plan.tree.label
        parts = [assemble_candidates(arrays, plan, place=Place(*place, entry)) for entry, arrays in steps]
        return parts[0] if len(parts) == 1 else ak.concatenate(parts)

    def _number_from(self, start: int) -> Numbering:
        """Numbers that go on from the rows before, where the tree does not hold them."""
        run = zlib.crc32(Path(self.path).name.encode())
        first = max(0, start - _LOOK_BACK)
        if start > first and self._index is not None:
            numbering = Numbering(run=run, rows=first)
            numbering.complete(self._assemble(self._index, first, start))
            return numbering
        return Numbering(run=run, rows=start)
