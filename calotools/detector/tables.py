"""Read the detector's number tables, and let a user's own file replace some of them."""

from __future__ import annotations

import copy
import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from calotools.detector.sampling import Sampling, checked_sampling
from calotools.errors import ConfigError, InputFileError, nearest

__all__ = ["Table", "interpolate", "load_table", "step", "table_names"]

Table = Mapping[str, Any]


def table_names() -> list[str]:
    """Names of the packaged tables.

    Examples
    --------
    >>> "noise" in table_names()
    True
    """
    folder = resources.files("calotools.detector") / "tables"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_table(name: str, *, path: Path | str | None = None) -> dict[str, Any]:
    """A table of detector numbers, with a user's values in place of the packaged ones.

    Parameters
    ----------
    name : str
        Topic, one of `table_names()`.
    path : path, optional
        TOML file with any of the table's keys; they win, the rest stays. A list is replaced as a whole.

    Returns
    -------
    dict
        A fresh copy; units are in the comments of the packaged file. Every group of numbers carries ``source`` and
        ``confidence``.

    Raises
    ------
    InputFileError
        The user's file does not exist.
    ConfigError
        Unknown table name, invalid TOML, or a key or kind of value that the packaged table does not have.

    Examples
    --------
    >>> load_table("tracker")["solenoid"]["field"]
    2.0
    """
    table = copy.deepcopy(_packaged(name))
    return table if path is None else _override(table, _read(Path(path)), where=f"'{path}'", prefix="")


@functools.cache
def _packaged(name: str) -> dict[str, Any]:
    if name not in table_names():
        raise ConfigError(f"detector table '{name}' does not exist; {nearest(name, table_names())}")
    text = (resources.files("calotools.detector") / "tables" / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise InputFileError(f"detector table '{path}' does not exist") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"'{path}' is not valid TOML: {error}") from None


def _override(base: dict[str, Any], top: Table, *, where: str, prefix: str) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        name = f"{prefix}{key}"
        if key not in base:
            raise ConfigError(f"{where}: unknown key '{name}' in a detector table; {nearest(key, base)}")
        if _kind(value) != _kind(base[key]):
            raise ConfigError(f"{where}: '{name}' = {value!r} must be a {_kind(base[key])}, as in the packaged table")
        nested = isinstance(value, dict)
        merged[key] = _override(base[key], value, where=where, prefix=f"{name}.") if nested else value
    return merged


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = {dict: "table", list: "list", str: "string", int: "number", float: "number"}
    return kinds.get(type(value), type(value).__name__)


def interpolate(group: Table, sampling: ArrayLike, eta: ArrayLike) -> np.ndarray:
    """Linear interpolation in abs(eta) of a number that each sampling has, constant beyond the outermost points.

    Parameters
    ----------
    group : mapping
        Sampling name to a table with ``eta`` and ``value``, lists of one length.
    sampling, eta : array_like
        Broadcast against each other.

    Returns
    -------
    ndarray of float64
        NaN for a sampling that the group leaves out.

    Raises
    ------
    CellError
        A sampling number that calotools does not know.
    ConfigError
        A list of `eta` that does not increase, or differs in length from its values.

    Examples
    --------
    >>> group = {"EMB2": {"eta": [0.0, 1.0], "value": [10.0, 20.0]}}
    >>> interpolate(group, 2, [-0.5, 3.0])
    array([15., 20.])
    """
    numbers, abs_eta = np.broadcast_arrays(checked_sampling(sampling), np.abs(np.asarray(eta, dtype=np.float64)))
    result = np.full(numbers.shape, np.nan)
    for name, points in group.items():
        if name not in Sampling.__members__:
            continue
        here = numbers == Sampling[name]
        if here.any():
            result[here] = np.interp(abs_eta[here], *_points(name, points))
    return result


def _points(name: str, points: Table) -> tuple[np.ndarray, np.ndarray]:
    eta, value = np.asarray(points["eta"], dtype=np.float64), np.asarray(points["value"], dtype=np.float64)
    if eta.shape != value.shape or (np.diff(eta) <= 0).any():
        raise ConfigError(
            f"detector table of '{name}': {eta.size} values of eta {eta.tolist()} for {value.size} values; the lists "
            "must have one length and eta must increase"
        )
    return eta, value


def step(points: Table, eta: ArrayLike) -> np.ndarray:
    """A number that changes in steps of abs(eta): ``value[i]`` from ``eta[i]`` on.

    Parameters
    ----------
    points : mapping
        ``eta`` (increasing, from 0) and ``value``, lists of one length.
    eta : array_like

    Returns
    -------
    ndarray of float64; NaN where `eta` is NaN

    Examples
    --------
    >>> step({"eta": [0.0, 0.8], "value": [1.0, 2.0]}, [-0.9, 0.1])
    array([2., 1.])
    """
    edges, value = _points("step", points)
    abs_eta = np.abs(np.asarray(eta, dtype=np.float64))
    index = np.clip(np.searchsorted(edges, abs_eta, side="right") - 1, 0, None)
    return np.where(np.isnan(abs_eta), np.nan, value[index])
