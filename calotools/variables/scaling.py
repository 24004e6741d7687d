"""Scaling of scalars and tracks to numbers of order one, fitted on the training part and stored with the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numba import njit

from calotools.errors import ConfigError, EmptyInputError, ShapeError, nearest

__all__ = ["IQR_OF_GAUSSIAN", "Scaler", "fit_scaler"]

IQR_OF_GAUSSIAN = 1.349  # in standard deviations; rounded as where widths are quoted as IQR / 1.349
_MIN_WIDTH = 1e-12  # narrower is constant but for rounding


@dataclass(frozen=True)
class Scaler:
    """A shift and a factor per variable: ``(value - centre) / width``, clipped; a missing value becomes 0.

    Attributes
    ----------
    names : tuple of str
        Variables, in the order of the last axis of the values.
    centre, width : tuple of float
        In the unit of the variable; width > 0.
    clip : float
        Scaled values are limited to +-clip, so that one wild value cannot rule a network.
    method : str

    Examples
    --------
    >>> scaler = Scaler(("et",), (40.0,), (20.0,))
    >>> scaler.apply(np.array([[60.0], [np.nan]])).tolist()
    [[1.0], [0.0]]
    """

    names: tuple[str, ...]
    centre: tuple[float, ...]
    width: tuple[float, ...]
    clip: float = 10.0
    method: str = "robust"

    def apply(self, values: np.ndarray, *, mask: np.ndarray | None = None) -> np.ndarray:
        """Scale values; entries outside `mask`, and missing ones, become 0.

        Parameters
        ----------
        values : (..., n_variable) float
        mask : (...) bool, optional
            False for padding.

        Returns
        -------
        (..., n_variable) float32

        Raises
        ------
        ShapeError
            The last axis is not as long as `names`.
        """
        values = np.asarray(values)
        if values.shape[-1:] != (len(self.names),):
            raise ShapeError(
                f"values of shape {values.shape} cannot be scaled as {len(self.names)} variables {self.names}"
            )
        scaled = np.zeros(values.shape, np.float32)
        if not scaled.size:
            return scaled
        plain = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
        rows = np.ascontiguousarray(plain).reshape(-1, len(self.names))
        known = np.ones(len(rows), bool) if mask is None else np.ascontiguousarray(mask, dtype=bool).reshape(-1)
        centre, width = (np.asarray(one, dtype=np.float64) for one in (self.centre, self.width))
        _apply(rows, known, centre, width, float(self.clip), scaled.reshape(rows.shape))
        return scaled

    def invert(self, scaled: np.ndarray) -> np.ndarray:
        """Undo `apply`, for values that were neither missing nor clipped.

        Parameters
        ----------
        scaled : (..., n_variable) float

        Returns
        -------
        (..., n_variable) float64
        """
        return np.asarray(scaled, dtype=np.float64) * np.asarray(self.width) + np.asarray(self.centre)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, for a model bundle or JSON."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Scaler:
        """The scaler that `to_dict` wrote.

        Raises
        ------
        ConfigError
            A key is absent or unknown.
        """
        try:
            plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}
            return cls(**plain)
        except TypeError:
            raise ConfigError(
                f"a stored scaler has keys {sorted(stored)}; names, centre and width are needed"
            ) from None


def fit_scaler(
    values: np.ndarray,
    *,
    names: Sequence[str],
    method: Literal["robust", "standard"] = "robust",
    mask: np.ndarray | None = None,
    clip: float = 10.0,
) -> Scaler:
    """Find centre and width of each variable. Give it the training part only.

    Parameters
    ----------
    values : (..., n_variable) float
        Scalars (n, n_variable), or padded tracks (n, n_track, n_variable) with their `mask`.
    names : sequence of str
    method : {"robust", "standard"}
        Median and IQR / 1.349 (untouched by tails; where the IQR is 0, as for hit counts, the standard deviation), or
        mean and standard deviation. A constant variable gets width 1, one that is always missing centre 0.
    mask : (...) bool, optional
        True for values to use; False for padding.
    clip : float
        Limit of scaled values.

    Returns
    -------
    Scaler

    Raises
    ------
    ConfigError
        Unknown method.
    EmptyInputError
        There is not one row.
    ShapeError
        The last axis is not as long as `names`.

    Examples
    --------
    >>> scaler = fit_scaler(np.array([[1.0], [2.0], [3.0], [np.nan]]), names=["f1"], method="standard")
    >>> scaler.centre, round(scaler.width[0], 3)
    ((2.0,), 0.816)
    """
    values = np.asarray(values, dtype=np.float64)
    if values.shape[-1:] != (len(names),):
        raise ShapeError(f"values of shape {values.shape} cannot be scaled as {len(names)} variables {tuple(names)}")
    if method not in _METHODS:
        raise ConfigError(f"unknown scaling '{method}'; {nearest(method, _METHODS)}")
    rows = values.reshape(-1, len(names)) if mask is None else values[mask]
    if len(rows) == 0 and len(names):
        raise EmptyInputError(f"no value to fit the scaling of {tuple(names)} on; is the training part empty?")
    fits = [_METHODS[method](column[np.isfinite(column)]) for column in rows.T]
    return Scaler(tuple(names), tuple(c for c, _ in fits), tuple(w for _, w in fits), clip=clip, method=method)


def _fit_standard(column: np.ndarray) -> tuple[float, float]:
    if len(column) == 0:
        return 0.0, 1.0
    width = float(np.std(column))
    return float(np.mean(column)), width if width > _MIN_WIDTH else 1.0


def _fit_robust(column: np.ndarray) -> tuple[float, float]:
    if len(column) == 0:
        return 0.0, 1.0
    low, median, high = np.percentile(column, [25, 50, 75])
    width = float((high - low) / IQR_OF_GAUSSIAN)
    return float(median), width if width > _MIN_WIDTH else _fit_standard(column)[1]


_METHODS = {"robust": _fit_robust, "standard": _fit_standard}


@njit(cache=True, nogil=True, error_model="numpy")
def _apply(values, mask, centre, width, clip, scaled):  # type: ignore[no-untyped-def]
    """In one pass, for every batch has its tracks scaled; where `mask` is false, `scaled` stays as it is."""
    for i in range(len(values)):
        for k in range(len(centre) if mask[i] else 0):
            one = (np.float64(values[i, k]) - centre[k]) / width[k]
            scaled[i, k] = 0.0 if np.isnan(one) else min(max(one, -clip), clip)
