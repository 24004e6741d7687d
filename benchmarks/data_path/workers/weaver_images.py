"""Functions that weaver's data configuration may call, as its option --custom-functions offers."""

from __future__ import annotations

import awkward as ak
import numpy as np
import user_kernels


def cell_images(e: ak.Array, eta: ak.Array, phi: ak.Array, sampling: ak.Array) -> np.ndarray:
    """(n, layer, eta, phi) float32 from the ragged columns of a table."""
    layouts = [ak.to_packed(one).layout for one in (e, eta, phi, sampling)]
    return user_kernels.images(np.asarray(layouts[0].offsets), [np.asarray(one.content.data) for one in layouts])
