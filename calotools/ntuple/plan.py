"""What to read for the fields that were asked for: branches, and how other fields follow from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from calotools.errors import BranchError, nearest
from calotools.ntuple.detect import TreeMatch
from calotools.ntuple.expression import names_in
from calotools.ntuple.flavour import Field, Flavour
from calotools.ntuple.schema import COLLECTIONS, INDEX_FIELDS, canonical_fields

__all__ = ["Plan", "make_plan"]

# Fields that follow from others when a flavour does not state them; the first that can be computed is used. Candidates
# are massless for the calorimeter, so pt and et are the same unless the flavour says otherwise.
_DERIVED: dict[str, tuple[str, ...]] = {
    "e": ("et * cosh(eta)", "pt * cosh(eta)"),
    "et": ("e / cosh(eta)", "pt"),
    "pt": ("et",),
    "e_acc": ("e1 + e2 + e3",),
    "e_cluster": ("e0 + e1 + e2 + e3",),
    "weight": ("1.0",),
}
_ALWAYS_DERIVED = ("e", "et", "pt")


@dataclass(frozen=True)
class Plan:
    """How to make candidates from a tree.

    Attributes
    ----------
    flavour : Flavour
    tree : TreeMatch
    steps : tuple of Field
        In the order in which they can be computed; `branches` holds the one branch that exists.
    outputs : tuple of str
        Fields that were asked for; the other steps only help.
    """

    flavour: Flavour
    tree: TreeMatch
    steps: tuple[Field, ...]
    outputs: tuple[str, ...]

    @property
    def branches(self) -> tuple[str, ...]:
        """Branches to read."""
        links = (step.link for step in self.steps if step.link)
        return tuple(dict.fromkeys((*(branch for step in self.steps for branch in step.branches), *links)))

    @property
    def branch_of(self) -> dict[str, str]:
        """The branch that each field is read from, where it is read from one."""
        return {step.name: step.branches[0] for step in self.steps if step.branches}

    @property
    def names(self) -> frozenset[str]:
        """Fields that the steps make."""
        return frozenset(step.name for step in self.steps)


def make_plan(
    flavour: Flavour, tree: TreeMatch, *, available: Sequence[str], fields: Sequence[str] | None, path: str
) -> Plan:
    """Find the branches and derivations for some fields.

    Parameters
    ----------
    flavour : Flavour
    tree : TreeMatch
    available : sequence of str
        Branches of the tree.
    fields : sequence of str, optional
        Names such as ``et`` or ``cells.e``; ``cells`` stands for all of its fields; None takes all that are there.
    path : str
        For messages.

    Raises
    ------
    BranchError
        A field cannot be made; the message names the nearest branch or field and the flavour file.
    """
    fields = (fields,) if isinstance(fields, str) else fields
    resolver = _Resolver(flavour, tree, frozenset(available))
    if fields is None:
        wanted = [name for name in (*flavour.fields, *_ALWAYS_DERIVED) if resolver.add(name)]
    else:
        wanted = [one for name in fields for one in _expand(name, flavour, resolver, path)]
        for name in wanted:
            if not resolver.add(name):
                raise BranchError(_explain(name, flavour, tree, available, path))
    index = [name for name in INDEX_FIELDS if resolver.add(name)]
    if not any(map(_is_counter(flavour), resolver.steps)):
        _add_counter(resolver, flavour, tree, path)
    outputs = dict.fromkeys([*index, *wanted])
    return Plan(flavour=flavour, tree=tree, steps=tuple(resolver.steps), outputs=tuple(outputs))


class _Resolver:
    """Collects the steps for field after field; every step comes after those it depends on."""

    def __init__(self, flavour: Flavour, tree: TreeMatch, available: frozenset[str]) -> None:
        self.flavour = flavour
        self.tree = tree
        self.available = available
        self.steps: list[Field] = []
        self._open: list[str] = []

    def add(self, name: str) -> bool:
        """Add the steps that make a field; false, and no step, when it cannot be made."""
        if any(step.name == name for step in self.steps):
            return True
        if name in self._open:
            return False
        self._open.append(name)
        kept = len(self.steps)
        step = next((one for one in self._ways(name) if self._can_follow(one)), None)
        self._open.pop()
        if step is None:
            del self.steps[kept:]
            return False
        self.steps.append(step)
        return True

    def _ways(self, name: str) -> list[Field]:
        """Ways to make a field, best first."""
        field = self.flavour.fields.get(name)
        ways = [self._expand(field)] if field else []
        if not field and name in self.available and any(fnmatchcase(name, one) for one in self.flavour.keep):
            ways = [Field(name=name, group="candidate", branches=(name,))]
        derived = _DERIVED.get(name, ())
        return [*ways, *(Field(name=name, group="candidate", type="float32", expression=one) for one in derived)]

    def _expand(self, field: Field) -> Field:
        """The field with the one branch that exists, or none of them."""
        role = self.tree.role
        present = [one for one in map(role.expand, field.branches) if one in self.available]
        link = role.expand(field.link) if field.link else ""
        return replace(field, branches=tuple(present[:1]) if not link or link in self.available else (), link=link)

    def _can_follow(self, field: Field) -> bool:
        if field.branches or field.value is not None:
            return True
        if not field.expression:
            return False
        prefix = f"{field.group}." if field.group in COLLECTIONS else ""
        kept = len(self.steps)
        if all(self.add(prefix + name) for name in names_in(field.expression)):
            return True
        del self.steps[kept:]
        return False


def _expand(name: str, flavour: Flavour, resolver: _Resolver, path: str) -> list[str]:
    if name not in COLLECTIONS:
        return [name]
    members = [one for one in flavour.fields if one.startswith(f"{name}.") and resolver.add(one)]
    if members:
        return members
    declared = [one for one in flavour.fields if one.startswith(f"{name}.")]
    tree = resolver.tree
    if declared:
        raise BranchError(_explain(declared[0], flavour, tree, sorted(resolver.available), path))
    raise BranchError(
        f"'{name}' was asked for; flavour '{flavour.name}' has no [{name}] for file '{path}', tree '{tree.label}'; add "
        f"them to '{flavour.source}'"
    )


def _is_counter(flavour: Flavour) -> Callable[[Field], bool]:
    """Whether a field's branch tells the number of candidates: with lists of candidates, those of the event do not."""
    groups = ("event",) if flavour.layout == "events" else ()
    return lambda field: bool(field.branches) and not field.link and field.group not in groups


def _add_counter(resolver: _Resolver, flavour: Flavour, tree: TreeMatch, path: str) -> None:
    """Read one branch more, without which the number of candidates is not known."""
    counters = filter(_is_counter(flavour), flavour.fields.values())
    if not any(resolver.add(field.name) for field in sorted(counters, key=lambda one: one.group != "candidate")):
        raise BranchError(
            f"file '{path}', tree '{tree.label}': flavour '{flavour.name}' finds none of its candidate branches; "
            f"see '{flavour.source}'"
        )


def _explain(name: str, flavour: Flavour, tree: TreeMatch, available: Sequence[str], path: str) -> str:
    """Why a field cannot be made, and what is nearest."""
    place = f"file '{path}', tree '{tree.label}'"
    field = flavour.fields.get(name)
    if field is not None and field.branches:
        branches = [tree.role.expand(branch) for branch in field.branches]
        absent = next((one for one in (*branches, tree.role.expand(field.link)) if one and one not in available), "")
        return (
            f"branch '{absent}' of field '{name}' is not in {place}; {nearest(absent, available)}; the name is stated "
            f"in flavour '{flavour.name}', '{flavour.source}'"
        )
    if field is not None:
        return f"{place}: field '{name}' needs {names_in(field.expression)} ('{field.expression}'), not all are there"
    if name in canonical_fields() or name in _DERIVED:
        return (
            f"field '{name}' was asked for; flavour '{flavour.name}' does not map it ({place}); add it to "
            f"'{flavour.source}'; branches {nearest(name, available)}"
        )
    known = {*canonical_fields(), *flavour.fields, *_DERIVED, *COLLECTIONS}
    return f"field '{name}' is not known ({place}, flavour '{flavour.name}'); {nearest(name, known)}"
