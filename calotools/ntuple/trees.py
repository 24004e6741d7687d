"""Which trees of candidates a sample holds, and which fields they have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calotools.ntuple.detect import choose_flavour, choose_tree, match_trees
from calotools.ntuple.headers import open_trees
from calotools.ntuple.paths import expand_files
from calotools.ntuple.plan import make_plan
from calotools.ntuple.source import branch_names

__all__ = ["sample_branches", "sample_fields", "sample_trees", "tree_entries"]


def sample_trees(files: str | Path | Sequence[str | Path], *, flavour: str | Path | None = None) -> tuple[str, ...]:
    """Trees of candidates in the first of some files, as `tree` of `read_candidates` takes them.

    Parameters
    ----------
    files : str, path or sequence of them
    flavour : str or path, optional
        Shipped name or TOML file; by default detected.

    Returns
    -------
    tuple of str
        Such as ``("electrons", "photons")``.

    Raises
    ------
    InputFileError, ConfigError, EmptyInputError
        The file cannot be read, or no flavour matches it.

    Examples
    --------
    >>> sample_trees("absent.root")
    Traceback (most recent call last):
    calotools.errors.InputFileError: file 'absent.root' does not exist...
    """
    path = expand_files(files)[0]
    with open_trees(path) as trees:
        known = choose_flavour(trees, flavour=flavour, path=path)
        return tuple(one.label for one in match_trees(trees, known))


def sample_branches(
    files: str | Path | Sequence[str | Path], *, tree: str | None = None, flavour: str | Path | None = None
) -> dict[str, str]:
    """Fields that candidates of the first of some files can have, and the branch that each is read from.

    Parameters
    ----------
    files : str, path or sequence of them
    tree, flavour : str, optional
        As in `read_candidates`.

    Returns
    -------
    dict of str to str
        As `sample_fields`; the branch is empty for what follows from other fields.

    Raises
    ------
    InputFileError, ConfigError, TreeError
        As `sample_fields`.

    Examples
    --------
    >>> sample_branches("absent.root")
    Traceback (most recent call last):
    calotools.errors.InputFileError: file 'absent.root' does not exist...
    """
    path = expand_files(files)[0]
    with open_trees(path) as trees:
        known = choose_flavour(trees, flavour=flavour, path=path)
        match = choose_tree(trees, known, tree=tree, path=path)
        plan = make_plan(known, match, available=branch_names(trees[match.name]), fields=None, path=path)
    return {name: plan.branch_of.get(name, "") for name in plan.outputs}


def sample_fields(
    files: str | Path | Sequence[str | Path], *, tree: str | None = None, flavour: str | Path | None = None
) -> frozenset[str]:
    """Fields that candidates of the first of some files can have, without reading any.

    Parameters
    ----------
    files : str, path or sequence of them
    tree, flavour : str, optional
        As in `read_candidates`.

    Returns
    -------
    frozenset of str
        Such as ``et``, ``cells.e``; branches that a flavour keeps under their own names are not among them.

    Raises
    ------
    InputFileError, ConfigError, TreeError
        The file cannot be read, no flavour matches it, or it does not hold the tree.

    Examples
    --------
    >>> sample_fields("absent.root")
    Traceback (most recent call last):
    calotools.errors.InputFileError: file 'absent.root' does not exist...
    """
    return frozenset(sample_branches(files, tree=tree, flavour=flavour))


def tree_entries(path: str | Path) -> dict[str, int]:
    """Entries of every tree of a file, of whatever flavour, from their headers.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    dict of str to int

    Raises
    ------
    InputFileError
        The file cannot be read.

    Examples
    --------
    >>> tree_entries("absent.root")
    Traceback (most recent call last):
    calotools.errors.InputFileError: file 'absent.root' cannot be read: No such file or directory
    """
    with open_trees(str(path)) as trees:
        return {name: tree.num_entries for name, tree in trees.items()}
