"""Bins of |eta| and E_T in which likelihood and trees are fitted, each by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotools.errors import ConfigError

__all__ = ["ENERGY_BINS", "LIKELIHOOD_BINS", "ONE_BIN", "KinematicBins"]


@dataclass(frozen=True)
class KinematicBins:
    """Bins of |eta| and E_T; what is outside belongs to the nearest one.

    Attributes
    ----------
    eta : tuple of float
        Edges in |eta|.
    et : tuple of float
        Edges in E_T [GeV].

    Raises
    ------
    ConfigError
        Edges are fewer than two, or do not rise.

    Examples
    --------
    >>> bins = KinematicBins(eta=(0.0, 1.2, 2.5), et=(10.0, 30.0, 50.0))
    >>> bins.numbers(np.array([0.3, -2.0, 9.0]), np.array([20.0, 20.0, 40.0])).tolist(), bins.place(2)
    ([0, 2, 3], '|eta| 1.2 to 2.5, E_T 10 to 30 GeV')
    """

    eta: tuple[float, ...] = (0.0, 2.5)
    et: tuple[float, ...] = (0.0, 500.0)

    def __post_init__(self) -> None:
        for name, edges in (("|eta|", self.eta), ("E_T", self.et)):
            if len(edges) < 2 or np.any(np.diff(edges) <= 0):
                raise ConfigError(f"the {name} edges of bins must be at least two and rise, not {list(edges)}")

    @property
    def shape(self) -> tuple[int, int]:
        """Bins along |eta| and E_T."""
        return len(self.eta) - 1, len(self.et) - 1

    def __len__(self) -> int:
        """All of them."""
        return self.shape[0] * self.shape[1]

    def numbers(self, eta: np.ndarray, et: np.ndarray) -> np.ndarray:
        """Bin of each candidate, E_T running fastest.

        Parameters
        ----------
        eta, et : (n,) float
            E_T in GeV.

        Returns
        -------
        (n,) int64
        """
        return self.eta_numbers(eta) * self.shape[1] + _nearest(np.asarray(et, np.float64), self.et)

    def eta_numbers(self, eta: np.ndarray) -> np.ndarray:
        """Bin of each candidate along |eta| alone: (n,) int64."""
        return _nearest(np.abs(np.asarray(eta, np.float64)), self.eta)

    def place(self, number: int) -> str:
        """A bin in words, for messages."""
        row, column = divmod(number, self.shape[1])
        return (
            f"|eta| {self.eta[row]:g} to {self.eta[row + 1]:g}, E_T {self.et[column]:g} to {self.et[column + 1]:g} GeV"
        )


def _nearest(values: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)


ONE_BIN = KinematicBins()
"""Everything together."""

ENERGY_BINS = KinematicBins(
    eta=(0.0, 0.8, 1.37, 1.52, 1.8, 2.2, 2.5), et=(0.0, 10.0, 20.0, 40.0, 60.0, 80.0, 120.0, 500.0)
)
"""Bins like those of the experiment's energy calibration (their exact edges are calotools' choice)."""

LIKELIHOOD_BINS = KinematicBins(
    eta=(0.0, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.37, 2.47), et=(4.0, 7.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0)
)
"""Bins of the experiment's electron likelihood."""
