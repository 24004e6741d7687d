"""Scalars and tracks as a network sees them: scaled, finite, padded with zeros."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from calotools.variables import Scaler, fit_scaler

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig

__all__ = ["InputScalers"]

# Tracks of this many candidates are enough for medians and quartiles.
_TRACK_ROWS = 50_000


class _Store(Protocol):
    def column(self, name: str) -> np.ndarray: ...
    def tracks(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass(frozen=True)
class InputScalers:
    """Scalers of the scalars and tracks of one recipe, fitted on the training part.

    Attributes
    ----------
    scalars, tracks : Scaler, optional
        None when the recipe has no such input.
    missing : dict of str to float
        Part of the candidates that they were fitted on which lack a scalar, where any does; a bundle does not keep it.
    """

    scalars: Scaler | None = None
    tracks: Scaler | None = None
    missing: dict[str, float] = field(default_factory=dict, compare=False)

    @classmethod
    def fit(cls, config: TrainConfig, store: _Store, *, rows: np.ndarray) -> InputScalers:
        """Fit on some rows of a store (those of the training part).

        Parameters
        ----------
        config : TrainConfig
        store : ImageStore
        rows : (n,) int array

        Returns
        -------
        InputScalers
        """
        scalars, tracks, missing = None, None, {}
        if config.scalars:
            columns = [np.asarray(store.column(name))[rows] for name in config.scalars]
            shares = {name: _share_missing(one) for name, one in zip(config.scalars, columns, strict=True)}
            missing = {name: share for name, share in shares.items() if share > 0}
            scalars = fit_scaler(np.stack(columns, axis=1), names=config.scalars)
        if config.tracks and config.max_tracks:
            values, mask = store.tracks(rows[:: -(-len(rows) // _TRACK_ROWS)])  # files come one after the other
            tracks = fit_scaler(values, names=config.tracks, mask=mask)
        return cls(scalars=scalars, tracks=tracks, missing=missing)

    def scale_scalars(self, columns: dict[str, np.ndarray], *, n: int) -> np.ndarray:
        """Scale candidate variables.

        Parameters
        ----------
        columns : dict of str to (n,) array
        n : int

        Returns
        -------
        (n, scalar) float32
            Finite everywhere; (n, 0) when the recipe has no scalars.
        """
        if self.scalars is None:
            return np.zeros((n, 0), dtype=np.float32)
        return self.scalars.apply(np.stack([columns[name] for name in self.scalars.names], axis=1))  # (n, scalar)

    def scale_tracks(self, values: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scale padded tracks; padding stays zero.

        Parameters
        ----------
        values : (n, track, feature) float32
        mask : (n, track) bool

        Returns
        -------
        values, mask : as the arguments
        """
        if self.tracks is None:
            return values, mask
        return self.tracks.apply(values, mask=mask), mask

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary, for a bundle."""
        return {name: one and one.to_dict() for name, one in (("scalars", self.scalars), ("tracks", self.tracks))}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> InputScalers:
        """The inverse of `to_dict`."""
        scalars, tracks = (values.get(name) for name in ("scalars", "tracks"))
        return cls(scalars and Scaler.from_dict(scalars), tracks and Scaler.from_dict(tracks))


def _share_missing(values: np.ndarray) -> float:
    return float(np.mean(~np.isfinite(values))) if len(values) else 0.0
