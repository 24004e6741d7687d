"""The work that every contestant is given; standard library only, because it is imported in every environment.

A candidate has about 450 cells. The network wants an energy image of 5 layers x 56 x 11 pixels around the hottest
middle cell, four values of up to 15 tracks, and ten variables. Branch names are those of the native ntuple.
"""

from __future__ import annotations

import math

TREE = "electrons"
BATCH = 256
CELLS = ("cell_e", "cell_eta", "cell_phi", "cell_sampling")
MAX_CELLS = 512
TRACKS = ("track_pt", "track_delta_eta1", "track_delta_phi2", "track_d0")
MAX_TRACKS = 15
SCALARS = ("e", "eta_cluster", "e0", "e1", "e2", "e3", "mu", "n_vtx", "pt_track", "dp_over_p")
# Here it numbers the candidates of the whole sample, so that it says where those of a batch came from.
POSITION = "candidate"
BRANCHES = (*SCALARS, POSITION, *CELLS, *TRACKS)

N_LAYER, N_ETA, N_PHI = 5, 56, 11
D_ETA, D_PHI = 0.003125, math.pi / 128
# Strips, middle, back, first hadronic layer, those behind it; -1 is in no image.
LAYER_OF_SAMPLING = (-1, 0, 1, 2, -1, 0, 1, 2, 3, 4, 4, 4, 3, 4, 4, 3, 3, -1, 3, 4, 4, -1, -1, -1)
_NAMES = ("strips", "middle", "back", "had1", "had2")
MIDDLE = 1
IMAGE_BYTES = N_LAYER * N_ETA * N_PHI * 4


def image_table(share: str) -> dict[str, object]:
    """The image as calotools is told about it; `share` is ``overlap`` (its default) or ``centre`` (what peers do)."""
    layers = [
        {
            "name": name,
            "samplings": [code for code, layer in enumerate(LAYER_OF_SAMPLING) if layer == number],
            "grid": "em",
            "share": share,
        }
        for number, name in enumerate(_NAMES)
    ]
    grid = {"n_eta": N_ETA, "n_phi": N_PHI, "d_eta": D_ETA, "d_phi": D_PHI}
    return {"grids": {"em": grid}, "layers": layers, "quantities": ["energy"], "centre_layer": "middle"}
