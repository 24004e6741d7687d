"""Track variables that compare a track with its candidate, and so are in no ntuple."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import awkward as ak
import numpy as np

__all__ = ["TRACK_VARIABLES", "add_track_variables", "track_fields"]


def _energy_fraction(candidates: ak.Array) -> ak.Array:
    return candidates.tracks.pt * np.cosh(candidates.tracks.eta) / candidates.e


# Name: (fields that it is made from, function of candidates).
TRACK_VARIABLES: dict[str, tuple[tuple[str, ...], Callable[[ak.Array], ak.Array]]] = {
    "e_frac": (("tracks.pt", "tracks.eta", "e"), _energy_fraction),
}


def track_fields(names: Iterable[str]) -> tuple[str, ...]:
    """Canonical fields that some track variables need.

    Parameters
    ----------
    names : iterable of str
        Track variables: ``e_frac``, or fields of ``tracks`` as they are.

    Returns
    -------
    tuple of str
        For the ntuple reader; each once.

    Examples
    --------
    >>> track_fields(["e_frac", "d0"])
    ('tracks.pt', 'tracks.eta', 'e', 'tracks.d0')
    """
    return tuple(
        dict.fromkeys(one for name in names for one in TRACK_VARIABLES.get(name, ((f"tracks.{name}",), None))[0])
    )


def add_track_variables(candidates: ak.Array, names: Iterable[str]) -> ak.Array:
    """Candidates whose tracks also have the derived variables among some names.

    Parameters
    ----------
    candidates : (n,) awkward record array
        With the fields of `track_fields`.
    names : iterable of str
        ``e_frac``: momentum of the track over the candidate's energy. Others are left to the ntuple.

    Returns
    -------
    (n,) awkward record array
        The given one is not changed.

    Examples
    --------
    >>> candidates = ak.Array([{"e": 40.0, "tracks": [{"pt": 30.0, "eta": 0.0}]}])
    >>> add_track_variables(candidates, ["e_frac"]).tracks.e_frac.to_list()
    [[0.75]]
    """
    for name in names:
        if name in TRACK_VARIABLES:
            candidates = ak.with_field(candidates, TRACK_VARIABLES[name][1](candidates), ("tracks", name))
    return candidates
