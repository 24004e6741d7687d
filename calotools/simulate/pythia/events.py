"""Pythia's event record as flat arrays, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import awkward as ak
import numpy as np

from calotools.errors import ConfigError, NumericalError

__all__ = ["MAX_SEED", "Events", "load_pythia", "run_pythia", "take_events"]

MAX_SEED = 900_000_000
"""Pythia's largest seed."""

_NEUTRINOS = (12, 14, 16)


@dataclass(frozen=True)
class Events:
    """All particles of some events.

    Attributes
    ----------
    offsets : (n_event + 1,) int64
        Particles of event i are offsets[i] to offsets[i + 1].
    pdg, status : (n,) int32
        Pythia's codes; a positive status is a particle that reaches the detector.
    mother : (n,) int64
        Row of the (first) mother, -1 where there is none.
    e, pt : (n,) float64 [GeV]
    eta, phi : (n,) float64
    x, y : (n,) float64 [mm]
        Where the particle was made, from the collision point.
    weight : (n_event,) float64
        1 unless the process is biased.
    """

    offsets: np.ndarray
    pdg: np.ndarray
    status: np.ndarray
    mother: np.ndarray
    e: np.ndarray
    pt: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def visible(self) -> np.ndarray:
        """(n,) bool: reaches the detector, and is no neutrino."""
        return (self.status > 0) & ~np.isin(np.abs(self.pdg), _NEUTRINOS)

    def event_of(self, rows: np.ndarray) -> np.ndarray:
        """(n,) int64: number of the event that each row belongs to."""
        return np.searchsorted(self.offsets, rows, side="right").astype(np.int64) - 1


@lru_cache(maxsize=4)
def load_pythia(settings: tuple[str, ...]) -> Any:
    """An initialised Pythia; kept, because that takes longer than many events.

    Its state is set by the seed of each batch, so that keeping it changes nothing.

    Parameters
    ----------
    settings : tuple of str

    Returns
    -------
    pythia8mc.Pythia

    Raises
    ------
    ConfigError
        Pythia is not installed, or does not know a setting or cannot start with it.
    """
    try:
        import pythia8mc
    except ImportError:
        raise ConfigError(
            "generator 'pythia' needs Pythia 8, which is not installed: pip install 'calotools[pythia]'"
        ) from None
    pythia = pythia8mc.Pythia("", False)
    for line in ("Print:quiet = on", "Print:errors = off", "Random:setSeed = on", "Random:seed = 1", *settings):
        if not pythia.readString(line):
            raise ConfigError(
                f"Pythia does not know the setting '{line}'; write NAME = VALUE with a name of its manual"
            )
    if not pythia.init():
        raise ConfigError(f"Pythia cannot start with the settings {list(settings)}; see its message above")
    return pythia


def run_pythia(n: int, *, seed: int, settings: tuple[str, ...]) -> Events:
    """Generate events.

    Parameters
    ----------
    n : int
    seed : int
        From 1 to 900,000,000.
    settings : tuple of str
        Everything that differs from Pythia's defaults.

    Returns
    -------
    Events
        The same for the same seed and settings, whatever was generated before. An event in which Pythia fails is
        left out.

    Raises
    ------
    ConfigError
        Pythia is not installed, or a setting is wrong.
    NumericalError
        No event could be generated.

    Examples
    --------
    >>> from calotools.simulate.pythia.settings import process_settings
    >>> events = run_pythia(2, seed=1, settings=process_settings("wenu"))  # doctest: +SKIP
    >>> len(events)  # doctest: +SKIP
    2
    """
    pythia = load_pythia(settings)
    pythia.rndm.init(seed)
    batch = pythia.nextBatch(n)
    if len(batch) == 0:
        raise NumericalError(f"Pythia could not generate one of {n} events with the settings {list(settings)}")
    return _flatten(batch)


def _flatten(batch: Any) -> Events:
    particles = batch.prt
    counts = ak.to_numpy(ak.num(particles))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    flat = ak.flatten(particles)
    columns = {name: ak.to_numpy(flat[name]) for name in ("id", "status", "mother1")}
    px, py, pz, e = (ak.to_numpy(flat.p[name]) for name in ("px", "py", "pz", "e"))
    pt = np.hypot(px, py)
    # the system and the beams have no transverse momentum
    eta = np.arcsinh(np.divide(pz, pt, out=np.zeros_like(pt), where=pt > 0))
    x, y = (ak.to_numpy(ak.fill_none(flat.vProd[name], 0.0)) for name in ("px", "py"))
    first = np.repeat(offsets[:-1], counts)
    mother = np.where(columns["mother1"] > 0, columns["mother1"] + first, -1)
    weight = ak.to_numpy(ak.firsts(batch.info.weights)).astype(np.float64)
    return Events(
        offsets, columns["id"], columns["status"], mother, e, pt, eta, np.arctan2(py, px), x, y, np.asarray(weight)
    )


def take_events(events: Events, keep: np.ndarray) -> Events:
    """Some events.

    Parameters
    ----------
    events : Events
    keep : (n_event,) bool

    Returns
    -------
    Events
    """
    counts = np.diff(events.offsets)
    rows = np.repeat(keep, counts)
    shift = np.repeat(np.cumsum(np.where(keep, 0, counts)), counts)
    columns = {name: getattr(events, name)[rows] for name in ("pdg", "status", "e", "pt", "eta", "phi", "x", "y")}
    mother = events.mother[rows]
    columns["mother"] = np.where(mother >= 0, mother - shift[rows], -1)
    return Events(offsets=np.concatenate([[0], np.cumsum(counts[keep])]), weight=events.weight[keep], **columns)


def join_events(parts: list[Events]) -> Events:
    """Events one after the other."""
    sizes = np.cumsum([0] + [len(part.pdg) for part in parts])
    names = [name for name in Events.__dataclass_fields__ if name not in ("offsets", "mother")]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    mother = [np.where(part.mother >= 0, part.mother + start, -1) for part, start in zip(parts, sizes, strict=False)]
    offsets = [part.offsets[1:] + start for part, start in zip(parts, sizes, strict=False)]
    return Events(offsets=np.concatenate([[0], *offsets]), mother=np.concatenate(mother), **columns)
