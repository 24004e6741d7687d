"""Four-momenta of candidates, as arrays of the Vector library."""

from __future__ import annotations

import awkward as ak
import numpy as np

from calotools.errors import BranchError, ShapeError, nearest

__all__ = ["momenta_of"]


def momenta_of(candidates: ak.Array, *, energy: str | np.ndarray = "e") -> ak.Array:
    """Massless four-momenta of candidates, with the behaviours of Vector.

    The momenta are records of their own: on a record with Vector's behaviours ``candidates.e2`` would be the square of
    the energy, not the energy in the middle layer.

    Parameters
    ----------
    candidates : (n,) awkward record array
        With `eta` and `phi`.
    energy : str or (n,) array [GeV]
        Name of the field with the energy, or energies such as a network's.

    Returns
    -------
    (n,) awkward array of ``Momentum4D``
        Fields pt, eta, phi, e [GeV, rad].

    Raises
    ------
    BranchError
        A field is absent.
    ShapeError
        `energy` and the candidates differ in length.

    Examples
    --------
    >>> pair = ak.Array({"e": [45.0, 45.0], "eta": [0.0, 0.0], "phi": [0.0, np.pi]})
    >>> both = momenta_of(pair)
    >>> round(float((both[0] + both[1]).mass), 3)
    90.0
    """
    import vector  # 0.7 s, which only those who need momenta should pay

    vector.register_awkward()
    names = ("eta", "phi", energy) if isinstance(energy, str) else ("eta", "phi")
    for name in names:
        if name not in candidates.fields:
            raise BranchError(
                f"momenta need field '{name}', which the candidates lack; {nearest(name, candidates.fields)}"
            )
    values = ak.to_numpy(candidates[energy]) if isinstance(energy, str) else np.asarray(energy)
    if len(values) != len(candidates):
        raise ShapeError(f"{len(values)} energies were given for {len(candidates)} candidates")
    eta = ak.to_numpy(candidates["eta"])
    return ak.zip(
        {"pt": values / np.cosh(eta), "eta": eta, "phi": ak.to_numpy(candidates["phi"]), "e": values},
        with_name="Momentum4D",
    )
