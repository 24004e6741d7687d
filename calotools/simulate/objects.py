"""What is stored of an object (electron, muon, tau, jet): the cells of a wide window that stand out of the noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calotools.simulate.response import Response

__all__ = ["SIGNIFICANCE", "image_centre", "significant_cells"]

SIGNIFICANCE = 2.0
"""Cells of objects are stored when |E| is above this many times their expected noise; calotools' choice."""

_MIDDLE = (0.025, 2 * np.pi / 256)


def significant_cells(response: Response) -> Response:
    """The response with only those cells whose |E| is above twice their expected noise.

    Parameters
    ----------
    response : Response

    Returns
    -------
    Response
    """
    keep = np.abs(response.e) > SIGNIFICANCE * response.noise
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    names = ("e", "eta", "phi", "sampling", "time", "gain", "noise")
    cells = {name: getattr(response, name)[keep] for name in names}
    return replace(response, offsets=kept_before[response.offsets], **cells)


def image_centre(response: Response) -> dict[str, np.ndarray]:
    """The corner of middle-layer cells next to the object's axis: an even number of pixels about it covers whole cells.

    Parameters
    ----------
    response : Response

    Returns
    -------
    dict of str to (n_candidate,) float32
        `eta_cluster`, `phi_cluster` [rad].
    """
    return {
        "eta_cluster": (response.seed_eta - 0.5 * _MIDDLE[0]).astype(np.float32),
        "phi_cluster": (response.seed_phi - 0.5 * _MIDDLE[1]).astype(np.float32),
    }
