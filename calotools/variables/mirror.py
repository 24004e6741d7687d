"""Which variables change their sign when a candidate is seen in a mirror."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from calotools.errors import ConfigError, nearest
from calotools.ntuple import canonical_fields
from calotools.variables.derived import DERIVED
from calotools.variables.tracks import TRACK_VARIABLES

__all__ = ["CHANGES_SIGN", "MirrorAxis", "sign_changes"]

MirrorAxis = Literal["eta", "phi"]

CHANGES_SIGN: dict[MirrorAxis, frozenset[str]] = {
    "eta": frozenset({"eta", "eta_cluster", "eta_s1", "eta_s2", "delta_eta1", "delta_eta_sc", "z0", "z_vertex"}),
    "phi": frozenset({"phi", "phi_cluster", "dphi_tile_gap3", "charge", "q_over_p", "d0", "d0_significance"}),
}
"""By axis, of candidates and of tracks: the detector is its own image under eta -> -eta, and, with the charges changed
(in the mirror the solenoid's field is reversed), under phi -> -phi.

The other native, derived and track variables stay: energies, widths, counts and places within a cell by definition,
``delta_phi2`` because it is the distance times -charge. So does ``phi_mod``, though the place between two absorbers is
mirrored: that the response is the same on both sides of its middle is our assumption, and true of our simulation.
"""


def sign_changes(names: Sequence[str], axis: MirrorAxis, *, keeps: Collection[str] = ()) -> list[bool]:
    """Whether each of some candidate or track variables changes its sign.

    Parameters
    ----------
    names : sequence of str
    axis : {"eta", "phi"}
    keeps : collection of str
        Variables of the user's own that do not.

    Returns
    -------
    list of bool

    Raises
    ------
    ConfigError
        It is not known of one of them.

    Examples
    --------
    >>> sign_changes(["reta", "delta_eta1"], "eta")
    [False, True]
    """
    known = {name.rpartition(".")[2] for name in canonical_fields()} | {*DERIVED, *TRACK_VARIABLES}
    known |= {*keeps, *CHANGES_SIGN["eta"], *CHANGES_SIGN["phi"]}
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(
            f"trainer.mirror: whether '{unknown[0]}' changes its sign in a mirror along {axis} is not known. If it "
            "does not (a width, a count), name it in trainer.mirror_keeps; if it does, take it or the mirror out; if "
            f"its name is misspelt, {nearest(unknown[0], known)}"
        )
    return [name in CHANGES_SIGN[axis] for name in names]
