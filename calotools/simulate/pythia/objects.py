"""The objects of an event: prompt electrons and muons, taus that decay to hadrons, and jets."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from calotools.simulate.generated import Generated, Truth, particles_of
from calotools.simulate.kinematics import wrap_phi
from calotools.simulate.pythia.ancestry import classify_particles, climb, origin_of_hadron
from calotools.simulate.pythia.antikt import cluster
from calotools.simulate.pythia.events import Events
from calotools.simulate.pythia.near import (
    impact_parameter,
    particles_near,
    select_events,
    truth_of_rows,
)
from calotools.simulate.species import detector_code

__all__ = ["ELECTRON", "JET", "MUON", "TAU", "Objects", "find_objects", "generate_objects"]

ELECTRON, JET, MUON, TAU = range(10, 14)
"""The four objects (`class_true` of the tree ``objects``), in the order of the study of 2017."""

OBJECT_ET = 15.0
"""Least visible transverse energy [GeV]."""
OBJECT_ETA = 2.1
"""The image of 0.8 x 0.8 is then inside |eta| < 2.5."""
JET_RADIUS = 0.4
_REACH = 0.6
_FLAVOUR_PT, _FLAVOUR_CONE = 5.0, 0.3
_SOFTEST = 0.2  # GeV of p_T
_TYPES = {ELECTRON: 2, MUON: 6, TAU: 10}
_B_JET, _C_JET, _LIGHT_JET = 33, 34, 35
_IFF = {ELECTRON: 2, MUON: 4, TAU: 7}


@dataclass(frozen=True)
class Objects:
    """Objects, sorted by event.

    Attributes
    ----------
    leading : (n,) int64
        Row of the visible particle with the highest p_T.
    label : (n,) int32
    momentum : (n, 4) float64 [GeV]
        Visible px, py, pz, E.
    charge, origin : (n,) int32
    """

    leading: np.ndarray
    label: np.ndarray
    momentum: np.ndarray
    charge: np.ndarray
    origin: np.ndarray

    def __len__(self) -> int:
        return len(self.label)

    @property
    def et(self) -> np.ndarray:
        """(n,) transverse energy [GeV]: E sin(theta)."""
        return self.momentum[:, 3] / np.cosh(self.eta)

    @property
    def eta(self) -> np.ndarray:
        """(n,) pseudorapidity."""
        return np.arcsinh(self.momentum[:, 2] / np.hypot(self.momentum[:, 0], self.momentum[:, 1]))

    @property
    def phi(self) -> np.ndarray:
        """(n,) azimuth [rad]."""
        return np.arctan2(self.momentum[:, 1], self.momentum[:, 0])

    def take(self, rows: np.ndarray) -> Objects:
        """Some objects (an integer or boolean array)."""
        return Objects(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    @staticmethod
    def join(*parts: Objects) -> Objects:
        """All of several sets."""
        names = Objects.__dataclass_fields__
        return Objects(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _momentum(events: Events, rows: np.ndarray) -> np.ndarray:
    pt, eta, phi = events.pt[rows], events.eta[rows], events.phi[rows]
    return np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), events.e[rows]], axis=1)


def _groups(events: Events, rows: np.ndarray, group: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) sums of momenta and (n,) leading rows of groups of particles."""
    total = np.zeros((n, 4))
    np.add.at(total, group, _momentum(events, rows))
    order = np.lexsort((-events.pt[rows], group))
    first = np.searchsorted(group[order], np.arange(n))
    return total, rows[order][first]


def _leptons(events: Events, visible: np.ndarray) -> tuple[Objects, np.ndarray]:
    """Prompt electrons and muons, and rows of what belongs to no jet: they, what they radiated, prompt photons."""
    rows = visible[np.isin(np.abs(events.pdg[visible]), (11, 13, 22)) & (events.pt[visible] > _SOFTEST)]
    labels = classify_particles(events, rows)
    code = np.abs(events.pdg[rows])
    prompt = ((code == 11) & (labels.kind == 2)) | ((code == 13) & (labels.kind == 6))
    photon = (labels.kind == 14) | ((labels.kind == 15) & np.isin(labels.iff, (2, 6)))
    chosen = rows[prompt]
    truth = truth_of_rows(events, rows, labels).take(prompt)
    momentum = _momentum(events, chosen)
    objects = Objects(
        leading=chosen,
        label=np.where(code[prompt] == 11, ELECTRON, MUON).astype(np.int32),
        momentum=momentum * (truth.e / momentum[:, 3])[:, np.newaxis],
        charge=truth.charge,
        origin=labels.origin[prompt],
    )
    return objects, rows[prompt | photon]


def _taus(events: Events, visible: np.ndarray) -> tuple[Objects, np.ndarray]:
    """Taus from bosons that decay to hadrons, and the rows of their visible products."""
    code = np.abs(events.pdg)
    decayed = np.flatnonzero((code == 15) & (events.status < 0))
    tau_of = _nearest_tau(events, np.arange(len(code)))
    child = tau_of[(events.mother >= 0) & (tau_of >= 0)]
    kind = code[(events.mother >= 0) & (tau_of >= 0)]
    not_hadronic = np.unique(child[np.isin(kind, (11, 13, 15))])
    decayed = decayed[~np.isin(decayed, not_hadronic)]
    decayed = decayed[climb(events, decayed).hadron == 0]
    rows = visible[np.isin(tau_of[visible], decayed)]
    group = np.searchsorted(decayed, tau_of[rows])
    present = np.unique(group)
    momentum, leading = _groups(events, rows, np.searchsorted(present, group), len(present))
    taus = decayed[present]
    boson = np.select([climb(events, taus).boson == one for one in (23, 24, 25)], [13, 12, 14], default=0)
    return (
        Objects(
            leading=leading,
            label=np.full(len(taus), TAU, dtype=np.int32),
            momentum=momentum,
            charge=(-np.sign(events.pdg[taus])).astype(np.int32),
            origin=boson.astype(np.int32),
        ),
        rows,
    )


def _nearest_tau(events: Events, rows: np.ndarray) -> np.ndarray:
    """Row of the nearest tau above each particle; -1 for none. What a tau radiates counts, its copies do not."""
    code = np.abs(events.pdg)
    found = np.full(len(rows), -1, np.int64)
    at = events.mother[rows].copy()
    going = np.flatnonzero(at >= 0)
    # a decay chain has fewer steps than this; a parton shower has more, and no tau
    for _ in range(12):
        tau = code[at[going]] == 15
        found[going[tau]] = at[going[tau]]
        going = going[~tau]
        at[going] = events.mother[at[going]]
        going = going[at[going] >= 0]
    return found


def _jets(events: Events, rows: np.ndarray) -> Objects:
    """Anti-k_t jets of some visible particles, event by event."""
    bounds = np.searchsorted(rows, events.offsets)
    parts, group, n = [], np.zeros(len(rows), np.int64), 0
    for low, high in itertools.pairwise(bounds):
        jets, owner = cluster(_momentum(events, rows[low:high]), radius=JET_RADIUS)
        group[low:high] = owner + n
        n += len(jets)
        parts.append(jets)
    momentum, leading = _groups(events, rows, group, n)
    zero = np.zeros(n, dtype=np.int32)
    return Objects(leading, np.full(n, JET, dtype=np.int32), momentum, zero, zero)


def find_objects(events: Events) -> Objects:
    """Electrons, muons, hadronic taus and jets with E_T > 15 GeV and |eta| < 2.1, apart by 0.4.

    Where two are nearer, the lepton stays and the jet goes. Jets are anti-k_t, R = 0.4, of all visible particles but
    muons, prompt photons and what belongs to prompt leptons and taus.

    Parameters
    ----------
    events : Events

    Returns
    -------
    Objects
    """
    visible = np.flatnonzero(events.visible)
    leptons, used = _leptons(events, visible)
    taus, products = _taus(events, visible)
    free = np.ones(len(events.pdg), dtype=bool)
    free[used] = free[products] = False
    free &= (np.abs(events.pdg) != 13) & (events.pt > _SOFTEST) & (np.abs(events.eta) < 2 * OBJECT_ETA)
    everything = Objects.join(leptons, taus, _jets(events, visible[free[visible]]))
    everything = everything.take((everything.et > OBJECT_ET) & (np.abs(everything.eta) < OBJECT_ETA))
    return everything.take(_apart(events.event_of(everything.leading), everything))


def _apart(event: np.ndarray, objects: Objects) -> np.ndarray:
    """Rows by event, leptons before jets and then by E_T, without those within 0.4 of one before."""
    order = np.lexsort((-objects.et, objects.label == JET, event))
    eta, phi = objects.eta, objects.phi
    kept: list[int] = []
    for i in order:
        mates = [k for k in reversed(kept[-40:]) if event[k] == event[i]]
        distance = np.hypot(eta[mates] - eta[i], wrap_phi(phi[mates] - phi[i]))
        if np.all(distance > JET_RADIUS):
            kept.append(int(i))
    return np.array(kept, dtype=np.int64)


def _flavour(events: Events, objects: Objects) -> np.ndarray:
    """Origin (26, 33, 25, 32) of the heavy hadron in each object's cone, the b before the c; 0 for none."""
    code = np.abs(events.pdg)
    heavy = np.flatnonzero((events.status < 0) & (events.pt > _FLAVOUR_PT) & (code > 400) & (code < 6000))
    origin = origin_of_hadron(code[heavy]) * (code[heavy] // 10 % 10 > 0)
    event, own = events.event_of(heavy), events.event_of(objects.leading)
    found = np.zeros(len(objects), dtype=np.int32)
    for wanted in ((25, 32), (26, 33)):
        rows = np.isin(origin, wanted)
        for i in range(len(objects)):
            mates = heavy[rows & (event == own[i])]
            distance = np.hypot(events.eta[mates] - objects.eta[i], wrap_phi(events.phi[mates] - objects.phi[i]))
            inside = mates[distance < _FLAVOUR_CONE]
            if len(inside):
                found[i] = origin_of_hadron(code[inside[:1]])[0]
    return found


def truth_of_objects(events: Events, objects: Objects) -> Truth:
    """Truth of objects: visible energy and direction, label, type, origin.

    Parameters
    ----------
    events : Events
    objects : Objects

    Returns
    -------
    Truth
    """
    jet = objects.label == JET
    flavour = np.where(jet, _flavour(events, objects), 0)
    bottom, charm = np.isin(flavour, (26, 33)), np.isin(flavour, (25, 32))
    lepton_type = np.select([objects.label == one for one in _TYPES], list(_TYPES.values()))
    lepton_iff = np.select([objects.label == one for one in _IFF], list(_IFF.values()))
    jet_type = np.select([bottom, charm], [_B_JET, _C_JET], default=_LIGHT_JET)
    codes = {ELECTRON: 11, MUON: 13, TAU: 15}
    code = np.select([objects.label == one for one in codes], list(codes.values()), default=0)
    jet_code = np.select([bottom, charm], [5, 4], default=0)
    return Truth(
        event=events.event_of(objects.leading),
        e=objects.momentum[:, 3],
        eta=objects.eta,
        phi=objects.phi,
        charge=objects.charge,
        pdg=np.where(jet, jet_code, -objects.charge * code).astype(np.int32),
        category=objects.label,
        kind=np.where(jet, jet_type, lepton_type).astype(np.int32),
        origin=np.where(jet, flavour, objects.origin).astype(np.int32),
        iff=np.where(jet, np.select([bottom, charm], [8, 9], default=10), lepton_iff).astype(np.int32),
    )


def generate_objects(process: str, n: int, *, further: tuple[str, ...] = (), rng: np.random.Generator) -> Generated:
    """Events of a process, with a candidate for each object.

    Parameters
    ----------
    process : str
    n : int
        Events; each has at least one object.
    further : tuple of str
        Settings that win over the process's own.
    rng : numpy.random.Generator

    Returns
    -------
    Generated
        Particles within Delta R < 0.6 of an object's leading particle.
    """
    events = select_events(
        process, n, owners=lambda some: some.event_of(find_objects(some).leading), further=further, rng=rng
    )
    objects = find_objects(events)
    near = particles_near(events, np.flatnonzero(events.visible), objects.leading, radius=_REACH)
    truth = truth_of_objects(events, objects)
    nothing = np.zeros(0)
    return Generated(
        truth=truth,
        particles=particles_of(
            near.candidate,
            detector_code(events.pdg[near.row]),
            events.e[near.row],
            events.eta[near.row],
            events.phi[near.row],
        ),
        d0=impact_parameter(events, near.row),
        around=particles_of(nothing, nothing, nothing, nothing, nothing),
        n_events=n,
        weight=events.weight[truth.event],
        underlying=False,
    )
