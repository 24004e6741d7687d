"""Inelastic collisions of Pythia, as the particles of the pile-up library."""

from __future__ import annotations

import numpy as np

from calotools.detector import load_table
from calotools.simulate.pythia.events import MAX_SEED, run_pythia
from calotools.simulate.pythia.settings import minimum_bias_settings
from calotools.simulate.species import charge_of, detector_code, kinds_of

__all__ = ["pythia_interactions"]

_SOFTEST = 0.05  # GeV of p_T


def pythia_interactions(n: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Particles of `n` inelastic collisions at the origin, as `interactions` gives them.

    Parameters
    ----------
    n : int
    rng : numpy Generator
        Gives Pythia its seed.

    Returns
    -------
    sources : (n_particle, 10) float64
        In the columns of `upstream`.
    kinds : (n_particle,) int64
    event : (n_particle,) int64
        A collision that leaves nothing in the detector has no particles.

    Raises
    ------
    ConfigError
        Pythia is not installed.
    """
    events = run_pythia(n, seed=int(rng.integers(1, MAX_SEED + 1)), settings=minimum_bias_settings())
    eta_max = load_table("minimum_bias")["eta_max"]
    rows = np.flatnonzero(events.visible & (events.pt > _SOFTEST) & (np.abs(events.eta) < eta_max))
    code = detector_code(events.pdg[rows])
    sources = np.zeros((len(rows), 10))
    sources[:, 0] = charge_of(code)
    sources[:, 1], sources[:, 4], sources[:, 6] = events.e[rows], events.phi[rows], np.sinh(events.eta[rows])
    return sources, kinds_of(code), events.event_of(rows)
