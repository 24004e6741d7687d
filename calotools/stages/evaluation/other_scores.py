"""What several networks say of the same candidates, beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from calotools.containers import Scores
from calotools.errors import ConfigError
from calotools.ntuple import check_rows, read_friend

__all__ = ["name_of_other", "names_of_others", "scores_of_other", "with_others"]

_KEY = "e_network of "
_NO_PART = -1


def with_others(friend: Scores, paths: Iterable[Path], *, option: str = "compare") -> Scores:
    """Scores that also hold what other networks say.

    Parameters
    ----------
    friend : Scores
    paths : iterable of path
        A friend tree, or a glob of several that follow each other, for each network; named by the file.
    option : str
        That they were given with, for messages.

    Returns
    -------
    Scores
        A candidate that one network was trained on and the other not is in no part: compared are those that are new to
        both. ``others`` in the record has the classes of each, by name; ``trained_runs`` are those of all of them.

    Raises
    ------
    ConfigError
        Two have one name, or one holds no energies, or no class scores, where the first does.
    ShapeError
        It is of other candidates.
    """
    values, split, others = dict(friend.values), friend.split, dict(friend.record.get("others", {}))
    energies, runs = friend.record["task"] == "energy", set(friend.record.get("trained_runs", ()))
    for path in paths:
        other = read_friend([path])
        name = name_of_other(path)
        if name in others:
            raise ConfigError(f"{option} holds two networks called '{name}'; rename a file")
        said = {key: one for key, one in other.values.items() if key.startswith("e_network" if energies else "score_")}
        if not said:
            what = "energy" if energies else "class scores"
            raise ConfigError(f"{option}: '{path}' holds {', '.join(other.values)}, no {what} of a network")
        check_rows(other, friend.index)
        values |= {f"{key} of {name}": one for key, one in said.items()}
        others[name] = other.record.get("classes", {})
        runs.update(other.record.get("trained_runs", ()))
        split = np.where(other.split == split, split, _NO_PART).astype(split.dtype)
    record = friend.record | {"others": others, "trained_runs": sorted(runs)}
    return replace(friend, values=values, split=split, record=record)


def name_of_other(path: Path) -> str:
    """What a network is called, by its friend tree.

    Examples
    --------
    >>> name_of_other(Path("scores/calo.root"))
    'calo'
    """
    return path.name.split(".")[0]


def scores_of_other(values: Mapping[str, np.ndarray], name: str, classes: Iterable[str]) -> dict[str, np.ndarray]:
    """Class scores of another network, by class.

    Examples
    --------
    >>> scores_of_other({"score_signal of lh": np.array([0.5])}, "lh", ["signal"])
    {'signal': array([0.5])}
    """
    return {one: values[f"score_{one} of {name}"] for one in classes}


def names_of_others(values: Iterable[str]) -> dict[str, str]:
    """Name of each other network, by the name of its energies.

    Examples
    --------
    >>> names_of_others(["e_network", "e_network of compact"])
    {'e_network of compact': 'compact'}
    """
    return {one: one.removeprefix(_KEY) for one in values if one.startswith(_KEY)}
