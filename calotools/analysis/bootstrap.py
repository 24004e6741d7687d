"""Bootstrap over events: every candidate of an event is kept, dropped or repeated together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.containers import Index
from calotools.errors import ConfigError

__all__ = ["Bootstrap", "event_bootstrap"]


@dataclass(frozen=True)
class Bootstrap:
    """Poisson replicas of a sample, drawn anew (and identically) each time they are asked for, never stored.

    Because replica `r` gives an event the same multiplicity wherever it is asked for, differences and ratios of two
    quantities of the same events have the errors that their correlation leaves.

    Attributes
    ----------
    group : (n,) int
        Number of each row's event, from 0.
    n_groups : int
        Events in the sample that was first given.
    seeds : (replica,) int
        One seed per replica.

    References
    ----------
    Oza & Russell, AISTATS 2001; N. Chamandy et al., "Estimating uncertainty for massive data streams" (2012).
    """

    group: np.ndarray
    n_groups: int
    seeds: np.ndarray

    def __len__(self) -> int:
        """Number of replicas."""
        return len(self.seeds)

    def weights(self, replica: int) -> np.ndarray:
        """Multiplicity of each row in one replica: (n,) int64, Poisson with mean 1 per event."""
        counts = np.random.default_rng(int(self.seeds[replica])).poisson(1.0, self.n_groups)
        return counts[self.group]

    def take(self, rows: np.ndarray) -> Bootstrap:
        """The bootstrap of some rows (an integer or boolean array); events keep their multiplicities."""
        return Bootstrap(self.group[rows], self.n_groups, self.seeds)


def event_bootstrap(index: Index, *, rng: np.random.Generator, replicas: int = 200) -> Bootstrap:
    """Prepare a bootstrap over the events of a sample.

    Parameters
    ----------
    index : Index
        Of n rows; rows with the same run and event belong together.
    rng : numpy.random.Generator
        Used once, to draw the seeds.
    replicas : int
        Number of replicas, at least 2; the relative error of an error is about 1 / sqrt(2 replicas).

    Returns
    -------
    Bootstrap

    Raises
    ------
    ConfigError
        Fewer than two replicas.

    Examples
    --------
    >>> index = Index(np.array([1, 1, 1]), np.array([7, 8, 7]), np.array([0, 0, 1]))
    >>> weights = event_bootstrap(index, rng=np.random.default_rng(1), replicas=20).weights(3)
    >>> bool(weights[0] == weights[2])
    True
    """
    if replicas < 2:
        raise ConfigError(f"a bootstrap of {replicas} replicas has no spread; ask for 20 or more")
    events = np.empty(len(index), dtype=[("run", "u8"), ("event", "u8")])
    events["run"], events["event"] = index.run, index.event
    unique, group = np.unique(events, return_inverse=True)
    return Bootstrap(group, len(unique), rng.integers(0, 2**63, size=replicas))
