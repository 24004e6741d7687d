"""Which trees of candidates a sample holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calotools.ntuple.detect import choose_flavour, match_trees
from calotools.ntuple.source import expand_files, list_trees, open_file

__all__ = ["sample_trees"]


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
    with open_file(path) as file:
        trees = list_trees(file)
        known = choose_flavour(trees, flavour=flavour, path=path)
        return tuple(one.label for one in match_trees(trees, known))
