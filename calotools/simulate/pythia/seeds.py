"""Where an event has something that may be reconstructed as an electron or a photon."""

from __future__ import annotations

import itertools

import numpy as np

from calotools.simulate.kinematics import wrap_phi
from calotools.simulate.pythia.ancestry import climb
from calotools.simulate.pythia.events import Events

__all__ = ["CORE", "SEED_ET", "find_seeds", "has_prompt"]

CORE = 0.1
SEED_ET = 12.0
"""Transverse energy [GeV] of all visible particles within `CORE` that makes a seed; calotools' choice."""

_ETA_MAX = 2.47
_LEAST_PT = 3.0  # GeV, of the particle that a seed is named after
_SOFTEST = 0.3  # GeV
_APART = 0.3  # two candidates any nearer would share their cells
_HADRON_SHARE = 0.4  # a hadron leaves about so much of its energy in the electromagnetic layers


def find_seeds(events: Events, visible: np.ndarray) -> np.ndarray:
    """Particles about which candidates are simulated.

    Electrons, photons and hadrons (whose p_T counts 0.4), the highest first, with 12 GeV within Delta R < 0.1, apart
    from one another by 0.3.

    Parameters
    ----------
    events : Events
    visible : (m,) int64
        Rows of the visible particles.

    Returns
    -------
    (n,) int64
        Rows, by event and then falling importance.
    """
    useful = visible[(events.pt[visible] > _SOFTEST) & (np.abs(events.pdg[visible]) != 13)]
    bounds = np.searchsorted(useful, events.offsets)
    parts = [_seeds_of(events, useful[low:high]) for low, high in itertools.pairwise(bounds)]
    return np.concatenate([*parts, np.zeros(0, np.int64)])


def _seeds_of(events: Events, rows: np.ndarray) -> np.ndarray:
    """Seeds of one event."""
    pt, eta, phi = events.pt[rows], events.eta[rows], events.phi[rows]
    leads = np.flatnonzero((pt > _LEAST_PT) & (np.abs(eta) < _ETA_MAX))
    code = np.abs(events.pdg[rows[leads]])
    weight = pt[leads] * np.where((code == 11) | (code == 22), 1.0, _HADRON_SHARE)
    distance = np.hypot(eta[leads][:, None] - eta, wrap_phi(phi[leads][:, None] - phi))
    core = (pt * (distance < CORE)).sum(axis=1)
    chosen: list[int] = []
    for i in np.argsort(-weight, kind="stable"):
        if core[i] > SEED_ET and np.all(distance[i, leads[chosen]] > _APART):
            chosen.append(int(i))
    return rows[leads[chosen]]


def has_prompt(events: Events, *, pdg: int, n: int, et: float) -> np.ndarray:
    """Events with at least `n` particles of a kind that come from no hadron, inside |eta| < 2.47.

    Parameters
    ----------
    events : Events
    pdg : int
        |code|.
    n : int
    et : float [GeV]

    Returns
    -------
    (n_event,) bool
    """
    rows = np.flatnonzero(
        (np.abs(events.pdg) == pdg) & (events.status > 0) & (events.pt > et) & (np.abs(events.eta) < _ETA_MAX)
    )
    rows = rows[climb(events, rows).hadron == 0]
    return np.bincount(events.event_of(rows), minlength=len(events)) >= n
