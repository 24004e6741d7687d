"""Which variables change their sign when a candidate is seen in a mirror."""

from __future__ import annotations

from typing import Literal

__all__ = ["CHANGES_SIGN", "Axis"]

Axis = Literal["eta", "phi"]

CHANGES_SIGN: dict[Axis, frozenset[str]] = {
    "eta": frozenset({"eta", "eta_cluster", "eta_s1", "eta_s2", "delta_eta1", "z0", "z_vertex"}),
    "phi": frozenset({"phi", "phi_cluster", "dphi_tile_gap3", "charge", "d0", "d0_significance"}),
}
"""By axis, of candidates and of tracks: the detector is its own image under eta -> -eta, and, with the charges changed
(in the mirror the solenoid's field is reversed), under phi -> -phi.

Everything else stays as it is: energies, widths and distances by definition, ``delta_phi2`` because it is the distance
times -charge. So does ``phi_mod``, though the place between two absorbers is mirrored: what it stands for, the response
along the accordion's period, is the same on both sides of its middle.
"""
