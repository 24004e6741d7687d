"""Tag-and-probe: which pairs, and the efficiency of the probes by counting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import awkward as ak
import numpy as np

from calotools.analysis.binned import bin_numbers, efficiency_in_bins
from calotools.analysis.pairs import Pairs, all_pairs, pair_mass
from calotools.containers import Efficiency
from calotools.errors import BranchError, ShapeError

__all__ = ["TagProbeSample", "count_efficiencies", "design_effect", "tag_probe_sample"]


@dataclass(frozen=True)
class TagProbeSample:
    """Probes with the mass of their pair: what tag-and-probe needs, from any experiment.

    Attributes
    ----------
    mass : (n,) float [GeV]
    passing : (n,) bool
    axes : dict of str to (n,) float
        What to bin in: ``et`` [GeV], ``abs_eta``, ``mu`` of the probe.
    weight : (n,) float, optional
        Default: 1.
    event : (n,) int, optional
        Number of the event; probes of one event are correlated. Default: all different.
    """

    mass: np.ndarray
    passing: np.ndarray
    axes: Mapping[str, np.ndarray]
    weight: np.ndarray | None = None
    event: np.ndarray | None = None

    def __post_init__(self) -> None:
        lengths = {"mass": len(self.mass), "passing": len(self.passing)}
        lengths |= {name: len(values) for name, values in self.axes.items()}
        optional = {"weight": self.weight, "event": self.event}
        lengths |= {name: len(values) for name, values in optional.items() if values is not None}
        if len(set(lengths.values())) != 1:
            raise ShapeError(f"a tag-and-probe sample needs one entry per probe in all, but the lengths are {lengths}")

    def __len__(self) -> int:
        return len(self.mass)

    @property
    def weights(self) -> np.ndarray:
        """(n,) float: the weights, or ones."""
        return np.ones(len(self)) if self.weight is None else np.asarray(self.weight, float)

    def take(self, rows: np.ndarray) -> TagProbeSample:
        """Some of the probes (an integer or boolean array)."""
        return TagProbeSample(
            np.asarray(self.mass)[rows],
            np.asarray(self.passing)[rows],
            {name: np.asarray(values)[rows] for name, values in self.axes.items()},
            None if self.weight is None else self.weight[rows],
            None if self.event is None else self.event[rows],
        )

    def within(self, window: tuple[float, float]) -> TagProbeSample:
        """The probes whose pair has its mass in the window [GeV]."""
        return self.take(np.flatnonzero((self.mass >= window[0]) & (self.mass < window[1])))


def tag_probe_sample(
    candidates: ak.Array,
    *,
    tag: np.ndarray,
    probe: np.ndarray,
    passing: np.ndarray,
    energy: str | np.ndarray = "e",
    min_delta_r: float = 0.4,
    same_charge: bool = False,
    matched: bool = False,
) -> TagProbeSample:
    """Every (tag, probe) pair of an event: each electron can be tag and probe in turn.

    Parameters
    ----------
    candidates : (n,) awkward record array
        Fields run, event, candidate, et, eta, phi, charge; weight and mu are used where they are.
    tag, probe, passing : (n,) bool
        Which candidates may be tag, may be probe, and pass what is measured.
    energy : str or (n,) float [GeV]
        For the mass.
    min_delta_r : float
        Least distance of tag and probe.
    same_charge : bool
        Take same-sign pairs (a background sample) in place of opposite-sign ones.
    matched : bool
        Keep pairs of two prompt electrons by their truth (class_true 0) alone; for simulation.

    Returns
    -------
    TagProbeSample
        Axes et [GeV], abs_eta and, where it is known, mu.

    Raises
    ------
    BranchError
        A field is not there.
    InputFileError
        A candidate appears twice.
    ShapeError
        The masks have another length.

    References
    ----------
    ATLAS, EPJC 79 (2019) 639: tag, probe, opposite charge; both electrons are used as tags.

    Examples
    --------
    >>> leg = {"run": 1, "event": 5, "et": 45.6, "e": 45.6, "eta": 0.0}
    >>> legs = ak.Array([leg | {"candidate": i, "phi": 3.14 * i, "charge": 1 - 2 * i} for i in (0, 1)])
    >>> yes = np.array([True, True])
    >>> sample = tag_probe_sample(legs, tag=np.array([True, False]), probe=yes, passing=yes)
    >>> sample.mass.round(1), sample.axes["et"]
    (array([91.2]), array([45.6]))
    """
    masks = {"tag": tag, "probe": probe, "passing": passing}
    if wrong := {name: len(mask) for name, mask in masks.items() if len(mask) != len(candidates)}:
        raise ShapeError(f"masks need one entry for each of {len(candidates)} candidates, but have {wrong}")
    tag, probe = np.asarray(tag, bool), np.asarray(probe, bool)
    pairs = all_pairs(candidates, mask=tag | probe)
    pairs = pairs.take(_accepted(candidates, pairs, min_delta_r, same_charge, matched))
    # Both orders: the lists are (tag, probe) from here on.
    one = np.concatenate([pairs.first, pairs.second])
    other = np.concatenate([pairs.second, pairs.first])
    used = np.flatnonzero(tag[one] & probe[other])
    mass = np.tile(pair_mass(candidates, pairs, energy=energy), 2)[used]
    _, event = np.unique(np.stack([pairs.run, pairs.event]), axis=1, return_inverse=True)
    return _sample(candidates, other[used], mass, np.asarray(passing, bool), np.tile(event.ravel(), 2)[used])


def _field(candidates: ak.Array, name: str) -> np.ndarray:
    if name not in candidates.fields:
        raise BranchError(
            f"candidates have no field '{name}', which tag-and-probe needs; they have {candidates.fields}"
        )
    return ak.to_numpy(candidates[name]).astype(float)


def _sample(
    candidates: ak.Array, rows: np.ndarray, mass: np.ndarray, passing: np.ndarray, event: np.ndarray
) -> TagProbeSample:
    axes = {"et": _field(candidates, "et")[rows], "abs_eta": np.abs(_field(candidates, "eta"))[rows]}
    if "mu" in candidates.fields:
        axes["mu"] = _field(candidates, "mu")[rows]
    weight = _field(candidates, "weight")[rows] if "weight" in candidates.fields else None
    return TagProbeSample(mass, passing[rows], axes, weight, event)


def _accepted(candidates: ak.Array, pairs: Pairs, min_delta_r: float, same_charge: bool, matched: bool) -> np.ndarray:
    eta, phi, charge = (_field(candidates, name) for name in ("eta", "phi", "charge"))
    d_phi = np.angle(np.exp(1j * (phi[pairs.first] - phi[pairs.second])))
    accepted = np.hypot(eta[pairs.first] - eta[pairs.second], d_phi) > min_delta_r
    accepted &= charge[pairs.first] * charge[pairs.second] * (1 if same_charge else -1) > 0
    if matched:
        prompt = _field(candidates, "class_true") == 0
        accepted &= prompt[pairs.first] & prompt[pairs.second]
    return accepted


def design_effect(sample: TagProbeSample) -> float:
    """Variance of the passing fraction over its binomial value, because an event can give two probes.

    Parameters
    ----------
    sample : TagProbeSample

    Returns
    -------
    float
        Between 1 and 2; 1 without event numbers. An event in which both electrons pass counts twice, one in which
        the probe fails once: when all of both legs are in one bin and the tag is the passing probe, it is 2 - e.

    Examples
    --------
    >>> both = TagProbeSample(np.full(4, 91.0), np.array([1, 1, 0, 0], bool), {}, event=np.array([0, 0, 1, 1]))
    >>> design_effect(both)
    2.0
    """
    weight = sample.weights
    if sample.event is None or weight.sum() <= 0:
        return 1.0
    passing = np.asarray(sample.passing, float)
    residual = weight * (passing - np.average(passing, weights=weight))
    _, group = np.unique(sample.event, return_inverse=True)
    alone, together = np.sum(residual**2), np.sum(np.bincount(group, residual) ** 2)
    return float(np.clip(together / alone, 1.0, 2.0)) if alone > 0 else 1.0


def count_efficiencies(
    sample: TagProbeSample, *, edges: Mapping[str, np.ndarray], window: tuple[float, float], name: str = ""
) -> Efficiency:
    """Fraction of probes that pass, per bin, in a mass window, without background subtraction: for pure simulation.

    Parameters
    ----------
    sample : TagProbeSample
    edges : dict of str to (bins + 1,) float
        Bins of the sample's axes.
    window : (float, float) [GeV]
    name : str

    Returns
    -------
    Efficiency
        Clopper-Pearson intervals, widened by `design_effect` of each bin; NaN in empty bins.

    Raises
    ------
    ConfigError
        Edges for an axis that the sample lacks.

    Examples
    --------
    >>> sample = TagProbeSample(np.full(4, 91.0), np.array([1, 1, 1, 0], bool), {"et": np.full(4, 30.0)})
    >>> count_efficiencies(sample, edges={"et": np.array([20.0, 40.0])}, window=(75.0, 105.0)).value
    array([0.75])
    """
    inside = sample.within(window)
    plain = efficiency_in_bins(inside.passing, axes=inside.axes, edges=edges, weight=inside.weights, name=name)
    number = bin_numbers(inside.axes, edges)
    factor = np.sqrt([design_effect(inside.take(number == one)) for one in range(len(plain.value))])
    low = np.clip(plain.value - factor * (plain.value - plain.low), 0.0, 1.0)
    high = np.clip(plain.value + factor * (plain.high - plain.value), 0.0, 1.0)
    return Efficiency(plain.value, low, high, plain.edges, plain.n_total, plain.valid, name)
