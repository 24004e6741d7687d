"""Which flavour a file is, and which of its trees to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from calotools.errors import ConfigError, EmptyInputError, TreeError, nearest
from calotools.ntuple.flavour import Flavour, TreeRole, load_flavour, shipped_flavours
from calotools.ntuple.source import branch_names

__all__ = ["TreeMatch", "choose_flavour", "choose_tree", "match_trees"]


@dataclass(frozen=True)
class TreeMatch:
    """A tree of a file that a flavour knows.

    Attributes
    ----------
    role : TreeRole
        What the flavour says of it.
    name : str
        Its name in the file.
    """

    role: TreeRole
    name: str

    @property
    def label(self) -> str:
        """What the user calls it: the role, or the tree's own name where the role is a pattern."""
        return self.name if "*" in self.role.role else self.role.role


def match_trees(trees: Mapping[str, Any], flavour: Flavour) -> list[TreeMatch]:
    """Trees of a file that have the name and the branches by which a flavour is recognised.

    Parameters
    ----------
    trees : mapping of str to tree
        As `list_trees` gives them.
    flavour : Flavour
    """
    return [
        TreeMatch(role=role, name=name)
        for role in flavour.trees
        for name, tree in trees.items()
        if fnmatchcase(name, role.name) and set(map(role.expand, role.detect)) <= set(branch_names(tree))
    ]


def choose_flavour(trees: Mapping[str, Any], *, flavour: str | Path | None, path: str) -> Flavour:
    """The named flavour, or the only shipped one that recognises a tree of the file.

    Raises
    ------
    ConfigError
        No flavour, or more than one, recognises the file; or the named one does not exist.
    EmptyInputError
        The file holds no tree.
    """
    if flavour is not None:
        return load_flavour(flavour)
    if not trees:
        raise EmptyInputError(f"file '{path}' holds no TTree and no RNTuple")
    found = [one for one in map(load_flavour, shipped_flavours()) if match_trees(trees, one)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(
            f"file '{path}' looks like more than one flavour: {[one.name for one in found]}; name one (--flavour)"
        )
    raise ConfigError(
        f"no flavour matches file '{path}' with trees {sorted(trees)}{_nearest_flavour(trees)}; shipped: "
        f"{list(shipped_flavours())}; name one (--flavour), or write a flavour file for it"
    )


def _nearest_flavour(trees: Mapping[str, Any]) -> str:
    """The flavour of which at least half of the detection branches are there, and what it lacks."""
    ranked = []
    for name in shipped_flavours():
        for role in load_flavour(name).trees:
            for tree_name, tree in trees.items():
                wanted = set(map(role.expand, role.detect))
                absent = sorted(wanted - set(branch_names(tree)))
                renamed = "" if fnmatchcase(tree_name, role.name) else f" is not called '{role.name}'"
                why = f" lacks {absent[:3]}" if absent else renamed
                ranked.append((len(absent) / max(len(wanted), 1), name, f"tree '{tree_name}'{why}"))
    part, name, why = min(ranked)
    return f"; nearest is '{name}' ({why})" if part <= 0.5 else ""


def choose_tree(trees: Mapping[str, Any], flavour: Flavour, *, tree: str | None, path: str) -> TreeMatch:
    """The tree to read: the one named, or the only one that the flavour knows.

    Parameters
    ----------
    trees : mapping of str to tree
    flavour : Flavour
    tree : str, optional
        A role of the flavour (``electrons``) or the tree's name in the file.
    path : str
        For messages.

    Raises
    ------
    TreeError
        The tree is not there (with the nearest), or more than one could be meant.
    EmptyInputError
        The file holds no tree.
    """
    if not trees:
        raise EmptyInputError(f"file '{path}' holds no TTree and no RNTuple")
    matches = match_trees(trees, flavour)
    if tree is not None:
        return _named_tree(trees, flavour, matches, tree, path)
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise TreeError(
            f"file '{path}' (flavour '{flavour.name}') holds {sorted(one.label for one in matches)}; say which (--tree)"
        )
    raise TreeError(
        f"file '{path}' holds {sorted(trees)}; flavour '{flavour.name}' needs "
        f"{' or '.join(_requirement(role) for role in flavour.trees)}; name the tree (--tree) or another flavour"
    )


def _requirement(role: TreeRole) -> str:
    branches = [role.expand(branch) for branch in role.detect]
    return f"a tree '{role.name}'" + (f" with branches {branches}" if branches else "")


def _named_tree(
    trees: Mapping[str, Any], flavour: Flavour, matches: list[TreeMatch], tree: str, path: str
) -> TreeMatch:
    meant = [one for one in matches if tree in (one.label, one.name)]
    if len(meant) > 1:
        raise TreeError(
            f"tree '{tree}' of file '{path}' holds {sorted(one.label for one in meant)} (flavour '{flavour.name}'); "
            "say which (--tree)"
        )
    if meant:
        return meant[0]
    by_role = [role for role in flavour.trees if role.role == tree and role.name in trees]
    if by_role:
        return TreeMatch(role=by_role[0], name=by_role[0].name)
    if tree in trees:
        return TreeMatch(role=replace(flavour.trees[0], role=tree), name=tree)
    known = sorted({*trees, *(one.label for one in matches)})
    raise TreeError(f"file '{path}' holds no tree '{tree}'; {nearest(tree, known)}")
