"""One number from the probabilities of several classes: how much more likely a candidate is signal than background."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from calotools.errors import ConfigError, NumericalError, nearest

__all__ = ["Discriminant", "make_discriminant"]

_TINY = 1e-45  # the smallest float32: probabilities are written as such


@dataclass(frozen=True)
class Discriminant:
    """D = ln( sum_s g_s p_s / sum_b f_b p_b ).

    Attributes
    ----------
    numerator : dict of str to float
        g_s by class.
    fractions : dict of str to tuple of float
        f_b by class, in each bin of |eta|; they sum to 1 in each.
    eta_edges : tuple of float
        A candidate outside takes the nearest bin.

    References
    ----------
    ATLAS Athena, AsgElectronSelectorTool::combineOutputs.
    """

    numerator: dict[str, float]
    fractions: dict[str, tuple[float, ...]]
    eta_edges: tuple[float, ...] = (0.0, 10.0)

    def __call__(self, scores: Mapping[str, np.ndarray], *, eta: np.ndarray) -> np.ndarray:
        """D of each candidate.

        Parameters
        ----------
        scores : dict of str to (n,) float
            Probability by class.
        eta : (n,) float

        Returns
        -------
        (n,) float64
            NaN where a probability is missing.

        Raises
        ------
        ConfigError
            A class is not among the scores.
        """
        for name in (*self.numerator, *self.fractions):
            if name not in scores:
                raise ConfigError(f"the discriminant needs the score of class '{name}'; {nearest(name, scores)}")
        place = np.searchsorted(self.eta_edges, np.abs(np.asarray(eta, np.float64)), side="right") - 1
        place = np.clip(place, 0, len(self.eta_edges) - 2)
        above, below = np.zeros(len(place)), np.zeros(len(place))
        for name, factor in self.numerator.items():
            above += factor * np.asarray(scores[name], np.float64)
        for name, shares in self.fractions.items():
            below += np.asarray(shares)[place] * np.asarray(scores[name], np.float64)
        return np.log(np.maximum(above, _TINY)) - np.log(np.maximum(below, _TINY))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, for JSON."""
        fractions = {name: list(shares) for name, shares in self.fractions.items()}
        return {"numerator": dict(self.numerator), "fractions": fractions, "eta_edges": list(self.eta_edges)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Discriminant:
        """The inverse of `to_dict`."""
        fractions = {name: tuple(shares) for name, shares in stored["fractions"].items()}
        return cls(dict(stored["numerator"]), fractions, tuple(stored["eta_edges"]))


def make_discriminant(
    classes: Iterable[str],
    *,
    numerator: Mapping[str, float] | None = None,
    fractions: Mapping[str, float | Sequence[float]] | None = None,
    eta_edges: Sequence[float] = (),
) -> Discriminant:
    """A discriminant of a model's classes.

    Parameters
    ----------
    classes : iterable of str
        Of the model.
    numerator : dict of str to float, optional
        Default: ``{"signal": 1}``. A charge flip that shall count as signal gets a factor here.
    fractions : dict of str to float or sequence of float, optional
        Of the other classes, one number or one for each bin of |eta|; scaled to a sum of 1. Default: equal.
    eta_edges : sequence of float, optional
        Bins of fractions that differ.

    Returns
    -------
    Discriminant

    Raises
    ------
    ConfigError
        A class that does not exist, or that is above and below at once; a fraction for a wrong number of bins.
    NumericalError
        Factors or fractions are negative, or sum to nothing.

    Examples
    --------
    >>> which = make_discriminant(["signal", "hadron", "flip"], fractions={"hadron": 3, "flip": 1})
    >>> scores = {"signal": np.array([0.5]), "hadron": np.array([0.4]), "flip": np.array([0.1])}
    >>> which(scores, eta=np.zeros(1)).round(3)  # ln(0.5 / (0.75 * 0.4 + 0.25 * 0.1))
    array([0.431])
    """
    classes = list(classes)
    above = dict(numerator or {"signal": 1.0})
    below = dict(fractions or {name: 1.0 for name in classes if name not in above})
    for name in (*above, *below):
        if name not in classes:
            raise ConfigError(f"the model has no class '{name}'; {nearest(name, classes)}")
    both = sorted(set(above) & set(fractions or {}))
    if both:
        raise ConfigError(f"class '{both[0]}' is in the numerator and among the fractions; keep it in one")
    edges = tuple(float(edge) for edge in eta_edges) or (0.0, 10.0)
    if len(edges) < 2 or np.any(np.diff(edges) <= 0):
        raise ConfigError(f"the |eta| edges of fractions must be at least two and rise, not {list(edges)}")
    shares = {name: _shares(name, value, len(edges) - 1) for name, value in below.items()}
    total = np.sum(list(shares.values()), axis=0) if shares else np.zeros(1)
    if min(above.values()) < 0 or sum(above.values()) <= 0 or np.any(total <= 0):
        raise NumericalError(f"the factors {above} or fractions {below} sum to nothing or are negative")
    scaled = {name: tuple((value / total).tolist()) for name, value in shares.items()}
    return Discriminant({name: float(factor) for name, factor in above.items()}, scaled, edges)


def _shares(name: str, value: float | Sequence[float], n: int) -> np.ndarray:
    shares = np.atleast_1d(np.asarray(value, np.float64))
    if len(shares) not in (1, n):
        raise ConfigError(
            f"class '{name}' has {len(shares)} fractions for {n} bins of |eta|; give one, or one for each"
        )
    if np.any(~np.isfinite(shares)) or np.any(shares < 0):
        raise NumericalError(f"the fractions {shares.tolist()} of class '{name}' must be finite and not negative")
    return np.broadcast_to(shares, (n,)).copy()
