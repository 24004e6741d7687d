"""What each particle of an event is truly: type, origin, and the class of an electron candidate that it makes.

Types and origins are the numbers of the MCTruthClassifier, the classes those of the electron studies; the order of the
decisions follows the public IFF classification (a hadron is light flavour wherever it comes from; a photon or electron
belongs to the nearest hadron above it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.simulate.generated import CONVERSION, HEAVY_FLAVOUR, LIGHT_EGAMMA, LIGHT_HADRON, PROMPT
from calotools.simulate.pythia.events import Events

__all__ = ["Ancestry", "Labels", "classify_particles", "climb", "origin_of_hadron"]

UNCLASSIFIED = -1
_BOSONS = {23: 13, 24: 12, 25: 14}
_TOP, _TAU = 10, 9
_DALITZ, _CONVERSION, _PROMPT_PHOTON, _INITIAL, _FINAL, _PI_ZERO = 6, 5, 37, 39, 40, 42
_MESONS = {5: 26, 4: 25, 3: 24}
_BARYONS = {5: 33, 4: 32, 3: 31}
_B_ORIGINS, _C_ORIGINS = (26, 29, 33), (25, 27, 28, 32)
_IFF_PROMPT, _IFF_MUON, _IFF_CONVERSION, _IFF_FROM_MUON, _IFF_TAU, _IFF_B, _IFF_C, _IFF_LIGHT = 2, 4, 5, 6, 7, 8, 9, 10
_HARD_STATUS = (22, 23, 24, 33)
_INITIAL_STATUS = (41, 42, 43, 44)
_MAX_STEPS = 500


@dataclass(frozen=True)
class Ancestry:
    """What is above each of some particles.

    Attributes
    ----------
    hadron : (n,) int64
        |code| of the nearest hadron above, 0 where there is none before the partons.
    source : (n,) int64
        |code| of the nearest ancestor that is not the particle itself before it radiated.
    boson : (n,) int64
        23, 24 or 25 where the particle comes from one; else 0.
    tau, top : (n,) bool
        There is one above, nearer than any hadron.
    status : (n,) int64
        |status| of the particle when it was made.
    """

    hadron: np.ndarray
    source: np.ndarray
    boson: np.ndarray
    tau: np.ndarray
    top: np.ndarray
    status: np.ndarray


@dataclass(frozen=True)
class Labels:
    """Truth of each of some particles; for a photon, unconverted.

    Attributes
    ----------
    kind, origin : (n,) int32
        Type and origin of the MCTruthClassifier.
    category : (n,) int32
        One of the six classes, -1 for none; a prompt photon has 0.
    iff : (n,) int32
        IFF class of the electron that it is taken for.
    """

    kind: np.ndarray
    origin: np.ndarray
    category: np.ndarray
    iff: np.ndarray


def _is_hadron(code: np.ndarray) -> np.ndarray:
    # a diquark has no tens digit
    return (code > 100) & (code // 10 % 10 != 0) & (code < 9_900_000)


def climb(events: Events, rows: np.ndarray) -> Ancestry:
    """Follow particles up to the hadron or partons that they come from.

    Parameters
    ----------
    events : Events
    rows : (n,) int

    Returns
    -------
    Ancestry
    """
    code = np.abs(events.pdg)
    own = code[rows]
    n = len(rows)
    found = {name: np.zeros(n, np.int64) for name in ("hadron", "source", "boson")}
    tau, top = np.zeros(n, bool), np.zeros(n, bool)
    status = np.abs(events.status[rows]).astype(np.int64)
    at = events.mother[rows].copy()
    going = np.flatnonzero(at >= 0)
    for _ in range(_MAX_STEPS):
        if len(going) == 0:
            break
        here = code[at[going]]
        same = (here == own[going]) & (found["source"][going] == 0)
        status[going[same]] = np.abs(events.status[at[going[same]]])
        fresh = going[~same & (found["source"][going] == 0)]
        found["source"][fresh] = code[at[fresh]]
        hadron = _is_hadron(here)
        found["hadron"][going[hadron]] = here[hadron]
        boson = np.isin(here, list(_BOSONS)) & (found["boson"][going] == 0)
        found["boson"][going[boson]] = here[boson]
        tau[going[here == 15]] = True
        top[going[here == 6]] = True
        parton = (here < 6) | (here == 21) | ((here > 1000) & ~hadron)
        at[going] = events.mother[at[going]]
        going = going[~(hadron | parton | (at[going] < 0))]
    return Ancestry(tau=tau, top=top, status=status, **found)


def origin_of_hadron(code: np.ndarray) -> np.ndarray:
    """Origin of what decays from a hadron, by its heaviest quark.

    Parameters
    ----------
    code : (n,) int
        |PDG code|.

    Returns
    -------
    (n,) int32
        0 where the code is 0.

    Examples
    --------
    >>> origin_of_hadron(np.array([511, 5122, 421, 443, 321, 211, 111, 2212, 0])).tolist()
    [26, 33, 25, 28, 24, 23, 42, 30, 0]
    """
    code = np.asarray(code, dtype=np.int64)
    first, second, third = code // 1000 % 10, code // 100 % 10, code // 10 % 10
    heaviest = np.maximum(np.maximum(first, second), third)
    meson = np.select([heaviest == quark for quark in _MESONS], list(_MESONS.values()), default=23)
    baryon = np.select([heaviest == quark for quark in _BARYONS], list(_BARYONS.values()), default=30)
    origin = np.where(first > 0, baryon, meson)
    onium = (first == 0) & (second == third)
    origin = np.where(onium & (second == 4), np.where(code == 443, 28, 27), origin)
    origin = np.where(onium & (second == 5), 29, origin)
    origin = np.where(onium & (second == 3), 23, origin)
    return np.where(code == 111, _PI_ZERO, np.where(code == 0, 0, origin)).astype(np.int32)


def classify_particles(events: Events, rows: np.ndarray) -> Labels:
    """Type, origin and class of some final particles.

    Parameters
    ----------
    events : Events
    rows : (n,) int
        Electrons, muons, photons and hadrons.

    Returns
    -------
    Labels
    """
    code = np.abs(events.pdg[rows])
    above = climb(events, rows)
    boson_origin = np.select([above.boson == boson for boson in _BOSONS], list(_BOSONS.values()), default=0)
    boson_origin = np.where(above.top & (above.boson == 24), _TOP, boson_origin)
    prompt_origin = np.where(above.tau & (above.boson > 0), _TAU, boson_origin)
    from_hadron = origin_of_hadron(above.hadron)
    heavy = np.isin(from_hadron, _B_ORIGINS + _C_ORIGINS)
    iff_heavy = np.where(np.isin(from_hadron, _B_ORIGINS), _IFF_B, _IFF_C)
    makers = {11: _electrons, 22: _photons, 13: _muons}
    labels = np.stack(_hadrons(code, above.hadron))
    for which, maker in makers.items():
        made = np.stack(np.broadcast_arrays(*maker(above, prompt_origin, from_hadron, heavy, iff_heavy)))
        labels = np.where(code == which, made, labels)
    return Labels(*labels.astype(np.int32))


def _hadrons(code: np.ndarray, hadron: np.ndarray) -> tuple[np.ndarray, ...]:
    origin = origin_of_hadron(np.where(hadron > 0, hadron, code))
    return tuple(np.broadcast_arrays(17, origin, LIGHT_HADRON, _IFF_LIGHT))


def _electrons(
    above: Ancestry, prompt_origin: np.ndarray, from_hadron: np.ndarray, heavy: np.ndarray, iff_heavy: np.ndarray
) -> tuple[np.ndarray, ...]:
    inside = above.hadron > 0
    split = above.source == 22
    dalitz = inside & ~heavy & np.isin(from_hadron, (23, _PI_ZERO))
    conditions = [
        inside & heavy & above.tau,
        inside & heavy & ~split,
        inside,
        split,
        prompt_origin > 0,
    ]
    inner = np.where(split, _CONVERSION, np.where(dalitz, _DALITZ, from_hadron))
    return (
        np.select(conditions, [3, 3, 4, 4, 2], default=1),
        np.select(conditions, [_TAU, from_hadron, inner, _CONVERSION, prompt_origin], default=0),
        np.select(
            conditions,
            [UNCLASSIFIED, HEAVY_FLAVOUR, np.where(heavy, HEAVY_FLAVOUR, LIGHT_EGAMMA), CONVERSION, PROMPT],
            default=UNCLASSIFIED,
        ),
        np.select(
            conditions, [_IFF_TAU, iff_heavy, np.where(heavy, iff_heavy, _IFF_LIGHT), _IFF_CONVERSION, _IFF_PROMPT], 0
        ),
    )


def _photons(
    above: Ancestry, prompt_origin: np.ndarray, from_hadron: np.ndarray, heavy: np.ndarray, iff_heavy: np.ndarray
) -> tuple[np.ndarray, ...]:
    inside = above.hadron > 0
    electron, lepton = above.source == 11, np.isin(above.source, (13, 15))
    hard = np.isin(above.status, _HARD_STATUS)
    shower = np.where(np.isin(above.status, _INITIAL_STATUS), _INITIAL, _FINAL)
    conditions = [inside, electron, lepton, above.boson == 25, hard]
    light_or_heavy = np.where(heavy, HEAVY_FLAVOUR, LIGHT_EGAMMA)
    return (
        np.select(conditions, [16, 15, 15, 14, 14], default=15),
        np.select(conditions, [from_hadron, _FINAL, _FINAL, prompt_origin, _PROMPT_PHOTON], default=shower),
        np.select(conditions, [light_or_heavy, PROMPT, UNCLASSIFIED, PROMPT, PROMPT], default=PROMPT),
        np.select(
            conditions,
            [
                np.where(heavy, iff_heavy, _IFF_LIGHT),
                _IFF_PROMPT,
                np.where(above.source == 13, _IFF_FROM_MUON, _IFF_TAU),
                _IFF_CONVERSION,
                _IFF_CONVERSION,
            ],
            default=_IFF_CONVERSION,
        ),
    )


def _muons(
    above: Ancestry, prompt_origin: np.ndarray, from_hadron: np.ndarray, heavy: np.ndarray, iff_heavy: np.ndarray
) -> tuple[np.ndarray, ...]:
    conditions = [(above.hadron > 0) & heavy, above.hadron > 0, prompt_origin > 0]
    return (
        np.select(conditions, [7, 8, 6], default=5),
        np.select(conditions, [from_hadron, from_hadron, prompt_origin], default=0),
        np.full(len(heavy), UNCLASSIFIED),
        np.select(conditions, [np.where(above.tau, _IFF_TAU, iff_heavy), _IFF_LIGHT, _IFF_MUON], default=0),
    )
