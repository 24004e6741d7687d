"""PDG codes that have a detector response: how they behave, their charge, and whom they stand for."""

from __future__ import annotations

import numpy as np

__all__ = ["KINDS", "charge_of", "detector_code", "kinds_of"]

KINDS = {11: 0, 22: 1, 211: 2, 321: 2, 2212: 2, 130: 3, 310: 3, 2112: 3, 13: 4}
"""|code| to what the compiled loop knows: electron, photon, charged hadron, neutral hadron, muon."""

# what flies far enough to be seen, and has no response of its own: hyperons, as nucleons of the same charge
_CHARGED_HYPERONS = {3112: -2212, 3222: 2212, 3312: -2212, 3334: -2212}
_CHARGES = {11: -1, 13: -1, 211: 1, 321: 1, 2212: 1}


def kinds_of(pdg: np.ndarray) -> np.ndarray:
    """How particles behave in the detector.

    Parameters
    ----------
    pdg : (n,) int
        Codes of `KINDS` and their negatives.

    Returns
    -------
    (n,) int64

    Examples
    --------
    >>> kinds_of(np.array([-11, 22, 211, 13])).tolist()
    [0, 1, 2, 4]
    """
    return np.array([KINDS[abs(code)] for code in np.asarray(pdg).tolist()], np.int64)


def detector_code(pdg: np.ndarray) -> np.ndarray:
    """Code of the particle whose detector response stands for another's.

    Parameters
    ----------
    pdg : (n,) int

    Returns
    -------
    (n,) int32

    Examples
    --------
    >>> detector_code(np.array([11, -211, 3122, 3112, -3112])).tolist()
    [11, -211, 2112, -2212, 2212]
    """
    pdg = np.asarray(pdg, dtype=np.int64)
    code = np.where(np.isin(np.abs(pdg), list(KINDS)), pdg, 2112)
    for hyperon, nucleon in _CHARGED_HYPERONS.items():
        code = np.where(np.abs(pdg) == hyperon, np.sign(pdg) * nucleon, code)
    return code.astype(np.int32)


def charge_of(code: np.ndarray) -> np.ndarray:
    """Charge of particles with a detector response.

    Examples
    --------
    >>> charge_of(np.array([11, -11, 22, 211, 2112])).tolist()
    [-1, 1, 0, 1, 0]
    """
    code = np.asarray(code)
    charge = np.zeros(len(code), np.int32)
    for one, value in _CHARGES.items():
        charge[np.abs(code) == one] = value
    return charge * np.sign(code).astype(np.int32)
