"""Pairs of candidates of one event, and their masses with any energy."""

from __future__ import annotations

from dataclasses import dataclass

import awkward as ak
import numpy as np
import vector

from calotools.containers import Index
from calotools.errors import BranchError, ConfigError, InputFileError, ShapeError, nearest

__all__ = ["RULES", "PairRule", "Pairs", "all_pairs", "find_pairs", "leg_mass", "pair_mass"]


@dataclass(frozen=True)
class PairRule:
    """What makes a pair of candidates a Z or Higgs candidate.

    Attributes
    ----------
    opposite_charge : bool
    eta_max : float
        Both legs have |eta| below it.
    eta_veto : (float, float)
        Both legs are outside this |eta| range (the transition between barrel and endcap).
    pt_over_mass : (float, float)
        Least E_T / mass of the leading and of the other leg.
    window : (float, float) [GeV]
        Mass range of the fits.
    """

    opposite_charge: bool
    eta_max: float
    eta_veto: tuple[float, float]
    pt_over_mass: tuple[float, float]
    window: tuple[float, float]


# Z: acceptance and window of the run-2 electron efficiency measurement; H: the run-2 H -> gamma gamma selection.
RULES = {
    "zee": PairRule(True, 2.47, (1.37, 1.52), (0.0, 0.0), (75.0, 105.0)),
    "hyy": PairRule(False, 2.37, (1.37, 1.52), (0.35, 0.25), (115.0, 135.0)),
}


@dataclass(frozen=True)
class Pairs:
    """Two candidates of one event each.

    Attributes
    ----------
    first, second : (n,) int
        Rows of the legs in the candidates; `first` has the higher E_T.
    run, event : (n,) int
    """

    first: np.ndarray
    second: np.ndarray
    run: np.ndarray
    event: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    @property
    def index(self) -> Index:
        """For a bootstrap over events; the pairs of an event share its run and event number."""
        return Index(self.run, self.event, np.zeros(len(self), dtype=np.int32))

    def take(self, rows: np.ndarray) -> Pairs:
        """Some of the pairs (an integer or boolean array)."""
        return Pairs(self.first[rows], self.second[rows], self.run[rows], self.event[rows])


def all_pairs(candidates: ak.Array, *, mask: np.ndarray | None = None) -> Pairs:
    """Every pair of candidates with the same run and event, wherever they are in the sample.

    Parameters
    ----------
    candidates : (n,) awkward record array
        Fields run, event, candidate, et [GeV].
    mask : (n,) bool, optional
        Candidates that may be a leg.

    Returns
    -------
    Pairs
        Ordered by run, event, then by decreasing E_T of the legs.

    Raises
    ------
    BranchError
        A field is not there.
    InputFileError
        The same (run, event, candidate) appears twice, so that pairs across different events would be made.
    ShapeError
        The mask has another length.

    Examples
    --------
    >>> one = {"run": 1, "candidate": 0, "et": 40.0}
    >>> events = ak.Array([one | {"event": 5}, one | {"event": 6}, one | {"event": 5, "candidate": 1, "et": 50.0}])
    >>> pairs = all_pairs(events)
    >>> pairs.first.tolist(), pairs.second.tolist()
    ([2], [0])
    """
    run, event, et = (_column(candidates, name) for name in ("run", "event", "et"))
    _check_unique(run, event, _column(candidates, "candidate"))
    rows = np.arange(len(run)) if mask is None else np.flatnonzero(_checked(mask, len(run)))
    rows = rows[np.lexsort((-et[rows], event[rows], run[rows]))]
    new = np.flatnonzero(np.diff(run[rows], prepend=-1) | np.diff(event[rows], prepend=-1)) if len(rows) else rows
    counts = np.diff(np.append(new, len(rows)))
    legs = ak.combinations(ak.unflatten(rows, counts), 2)
    first, second = (ak.to_numpy(ak.flatten(leg)).astype(np.int64) for leg in ak.unzip(legs))
    return Pairs(first, second, run[first], event[first])


def _checked(mask: np.ndarray, n: int) -> np.ndarray:
    if len(mask) != n:
        raise ShapeError(f"a mask of {len(mask)} entries is given for {n} candidates")
    return np.asarray(mask, bool)


def _column(candidates: ak.Array, name: str) -> np.ndarray:
    if name not in candidates.fields:
        raise BranchError(f"candidates have no field '{name}', which pairs need; {nearest(name, candidates.fields)}")
    values = ak.to_numpy(candidates[name])
    # Unsigned numbers would wrap when they are subtracted.
    return values.astype(np.int64) if values.dtype.kind in "iu" else values.astype(float)


def _check_unique(run: np.ndarray, event: np.ndarray, candidate: np.ndarray) -> None:
    order = np.lexsort((candidate, event, run))
    same = np.ones(max(len(run) - 1, 0), dtype=bool)
    for column in (run, event, candidate):
        same &= np.diff(column[order]) == 0
    if same.any():
        row = order[np.argmax(same)]
        raise InputFileError(
            f"run {run[row]}, event {event[row]}, candidate {candidate[row]} appears more than once "
            f"({np.count_nonzero(same)} repetitions): a file is read twice, or samples number their events alike; "
            "pairs would mix events, so pair each sample by itself"
        )


def find_pairs(candidates: ak.Array, *, kind: str, mask: np.ndarray | None = None, energy: str = "e") -> Pairs:
    """One Z or Higgs candidate per event: the two legs of highest E_T that fulfil the rule.

    Parameters
    ----------
    candidates : (n,) awkward record array
        Fields run, event, candidate, et, eta, phi, the energy, charge (for ``zee``); eta_s2 is used for the
        acceptance where it is there.
    kind : {"zee", "hyy"}
        See `RULES`.
    mask : (n,) bool, optional
        Candidates that may be a leg.
    energy : str
        Energy that the cuts on E_T / mass use; the same pairs can then be given other energies.

    Returns
    -------
    Pairs

    Raises
    ------
    ConfigError
        Unknown kind.
    BranchError, InputFileError, ShapeError
        As `all_pairs`.

    Examples
    --------
    >>> leg = {"run": 1, "event": 5, "et": 45.6, "e": 45.6, "eta": 0.0}
    >>> legs = [{"candidate": 0, "phi": 0.0, "charge": 1}, {"candidate": 1, "phi": 3.1416, "charge": -1}]
    >>> len(find_pairs(ak.Array([leg | other for other in legs]), kind="zee"))
    1
    """
    if kind not in RULES:
        raise ConfigError(f"there is no pair '{kind}'; {nearest(kind, RULES)}")
    rule = RULES[kind]
    eta = np.abs(_column(candidates, "eta_s2" if "eta_s2" in candidates.fields else "eta"))
    accepted = (eta < rule.eta_max) & ~((eta > rule.eta_veto[0]) & (eta < rule.eta_veto[1]))
    pairs = all_pairs(candidates, mask=accepted if mask is None else accepted & _checked(mask, len(eta)))
    if rule.opposite_charge:
        charge = _column(candidates, "charge")
        pairs = pairs.take(charge[pairs.first] * charge[pairs.second] < 0)
    if max(rule.pt_over_mass) > 0:
        mass, et = pair_mass(candidates, pairs, energy=energy), _et(candidates, energy)
        leading = np.maximum(et[pairs.first], et[pairs.second])
        other = np.minimum(et[pairs.first], et[pairs.second])
        pairs = pairs.take((leading > rule.pt_over_mass[0] * mass) & (other > rule.pt_over_mass[1] * mass))
    # Within an event the pairs come with decreasing E_T, so the first one of each is the hardest.
    _, first = np.unique(np.stack([pairs.run, pairs.event]), axis=1, return_index=True)
    return pairs.take(np.sort(first))


def _et(candidates: ak.Array, energy: str | np.ndarray) -> np.ndarray:
    values = _column(candidates, energy) if isinstance(energy, str) else np.asarray(energy, float)
    if len(values) != len(candidates):
        raise ShapeError(f"{len(values)} energies are given for {len(candidates)} candidates")
    return values / np.cosh(_column(candidates, "eta"))


def pair_mass(candidates: ak.Array, pairs: Pairs, *, energy: str | np.ndarray = "e") -> np.ndarray:
    """Invariant mass of each pair from an energy and the directions of the legs.

    Parameters
    ----------
    candidates : (n,) awkward record array
        Fields eta, phi and the energy.
    pairs : Pairs
        Of these candidates.
    energy : str or (n,) float [GeV]
        Name of a field, or one value per candidate; NaN gives a NaN mass.

    Returns
    -------
    (n_pair,) float [GeV]
        The legs are taken as massless (the electron's mass changes m_Z by less than 1e-8).

    Raises
    ------
    BranchError
        A field is not there.
    ShapeError
        One energy per candidate is not what was given.

    Examples
    --------
    >>> legs = ak.Array([{"e": 45.6, "eta": 0.0, "phi": -0.1}, {"e": 45.6, "eta": 0.0, "phi": 3.0416}])
    >>> pairs = Pairs(np.array([0]), np.array([1]), np.array([1]), np.array([5]))
    >>> pair_mass(legs, pairs).round(2)
    array([91.2])
    """
    pt, eta, phi = _et(candidates, energy), _column(candidates, "eta"), _column(candidates, "phi")

    def leg(rows: np.ndarray) -> vector.VectorNumpy4D:
        return vector.array({"pt": pt[rows], "eta": eta[rows], "phi": phi[rows], "mass": np.zeros(len(rows))})

    return np.asarray((leg(pairs.first) + leg(pairs.second)).mass, float)


def leg_mass(candidates: ak.Array, pairs: Pairs, *, probe: str, other: str) -> np.ndarray:
    """Mass of each pair with one energy for one leg and another for the other one; each leg is the probe once.

    Parameters
    ----------
    candidates : (n,) awkward record array
        Fields eta, phi and both energies.
    pairs : Pairs
        Of these candidates.
    probe, other : str
        Names of the energies.

    Returns
    -------
    (2 n_pair,) float [GeV]
        First with `Pairs.first` as the probe, then with `Pairs.second`. With the true energy as the other one, the
        width is that of one measured leg.

    Raises
    ------
    BranchError
        A field is not there.

    Examples
    --------
    >>> one = {"eta": 0.0, "e_true": 45.6}
    >>> legs = ak.Array([one | {"e": 45.6, "phi": -0.1}, one | {"e": 49.0, "phi": 3.0416}])
    >>> pairs = Pairs(np.array([0]), np.array([1]), np.array([1]), np.array([5]))
    >>> leg_mass(legs, pairs, probe="e", other="e_true").round(1)
    array([91.2, 94.5])
    """
    mass = pair_mass(candidates, pairs, energy=other)
    with np.errstate(divide="ignore", invalid="ignore"):
        # of massless legs: m^2 = 2 E1 E2 (1 - cos(angle))
        factor = np.sqrt(_column(candidates, probe) / _column(candidates, other))
        return np.concatenate([mass * factor[rows] for rows in (pairs.first, pairs.second)])
