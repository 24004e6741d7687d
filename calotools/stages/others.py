"""Energies of several networks for the same candidates, beside each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from calotools.containers import Scores
from calotools.errors import ConfigError
from calotools.ntuple import check_rows, read_friend

__all__ = ["names_of_others", "with_others"]

_KEY = "e_network of "
_NO_PART = -1


def with_others(friend: Scores, paths: Iterable[Path]) -> Scores:
    """Scores that also hold the energies of other networks.

    Parameters
    ----------
    friend : Scores
    paths : iterable of path
        A friend tree, or a glob of several that follow each other, for each network; named by the file.

    Returns
    -------
    Scores
        A candidate that one network was trained on and the other not is in no part: compared are those that are new to
        both.

    Raises
    ------
    ConfigError
        Two have one name, or one holds no energies.
    ShapeError
        It is of other candidates.
    """
    values, split = dict(friend.values), friend.split
    for path in paths:
        other = read_friend([path])
        name = f"{_KEY}{path.name.split('.')[0]}"
        if name in values:
            raise ConfigError(f"compare holds two networks called '{name.removeprefix(_KEY)}'; rename a file")
        if "e_network" not in other.values:
            raise ConfigError(f"compare: '{path}' holds {', '.join(other.values)}, no energy of a network")
        check_rows(other, friend.index)
        values[name] = other.values["e_network"]
        split = np.where(other.split == split, split, _NO_PART).astype(split.dtype)
    return replace(friend, values=values, split=split)


def names_of_others(values: Iterable[str]) -> dict[str, str]:
    """Name of each other network, by the name of its energies.

    Examples
    --------
    >>> names_of_others(["e_network", "e_network of compact"])
    {'e_network of compact': 'compact'}
    """
    return {one: one.removeprefix(_KEY) for one in values if one.startswith(_KEY)}
