"""Results as JSON and back: NaN is null, infinities are named, arrays are lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from calotools import containers
from calotools.errors import ConfigError, InputFileError, nearest
from calotools.outputs import new_file

__all__ = ["from_dict", "read_numbers", "to_dict", "write_numbers"]

NOUNS = (
    containers.Check,
    containers.Closeness,
    containers.Closure,
    containers.Confusion,
    containers.Efficiency,
    containers.MassCategories,
    containers.PeakFit,
    containers.RejectionRatio,
    containers.Reliability,
    containers.Resolution,
    containers.Roc,
    containers.ScaleFactors,
    containers.TagProbeFit,
    containers.WidthComparison,
    containers.WorkingPoints,
)
_BY_NAME: dict[str, Any] = {noun.__name__: noun for noun in NOUNS}


def to_dict(value: Any) -> Any:
    """A result, or any nesting of results, arrays and numbers, as plain values that JSON can hold.

    Parameters
    ----------
    value : result noun, mapping, sequence, array, number, str, path or None

    Returns
    -------
    dict, list, str, float, int, bool or None
        A noun becomes a dict whose ``noun`` names its class; NaN is None, infinities ``"inf"`` and ``"-inf"``.

    Raises
    ------
    ConfigError
        Something else is found.

    Examples
    --------
    >>> to_dict({"edges": np.array([1.0, np.nan, np.inf])})
    {'edges': [1.0, None, 'inf']}
    """
    if is_dataclass(value) and not isinstance(value, type):
        named = {one.name: to_dict(getattr(value, one.name)) for one in fields(value)}
        return {"noun": type(value).__name__} | named
    if isinstance(value, Mapping):
        return {str(key): to_dict(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return to_dict(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [to_dict(one) for one in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float):
        if np.isnan(value):
            return None
        return value if np.isfinite(value) else ("inf" if value > 0 else "-inf")
    raise ConfigError(f"a {type(value).__name__} cannot be written as JSON; give numbers, arrays, text or results")


def from_dict(value: Any) -> Any:
    """The result nouns back from `to_dict`, wherever they are nested; other values stay as they are.

    Parameters
    ----------
    value : what `to_dict` returned

    Returns
    -------
    noun, dict, list or plain value

    Raises
    ------
    ConfigError
        The dict names a noun that does not exist.

    Examples
    --------
    >>> closure = containers.Closure(np.array([0.5, np.nan]), 0.25, 1, 0.6, 1)
    >>> from_dict(to_dict(closure)).pull
    array([0.5, nan])
    """
    if isinstance(value, list):
        return [from_dict(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "noun" not in value:
        return {key: from_dict(one) for key, one in value.items()}
    if value["noun"] not in _BY_NAME:
        raise ConfigError(f"there is no result '{value['noun']}'; {nearest(str(value['noun']), _BY_NAME)}")
    noun = _BY_NAME[value["noun"]]
    hints = get_type_hints(noun)
    known = {one.name for one in fields(noun)}
    return noun(**{key: _revive(hints[key], one) for key, one in value.items() if key in known})


def _revive(hint: Any, value: Any) -> Any:
    text = str(hint)
    if isinstance(value, dict):
        inner = np.ndarray if "ndarray" in text else float
        return from_dict(value) if "noun" in value else {key: _revive(inner, one) for key, one in value.items()}
    if isinstance(value, list):
        numbers = [_number(one) for one in value]
        return np.array(numbers) if "ndarray" in text else tuple(numbers)
    return _number(value) if hint is float else value


def _number(value: Any) -> Any:
    return float("nan") if value is None else float(value) if value in ("inf", "-inf") else value


def write_numbers(path: Path | str, numbers: Mapping[str, Any], *, overwrite: bool = False) -> Path:
    """Write results as JSON, whole or not at all.

    Parameters
    ----------
    path : path
        File to write, usually ``numbers.json``.
    numbers : dict
        Anything that `to_dict` takes.
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    Path

    Raises
    ------
    OutputExistsError
        It exists and `overwrite` is false.

    Examples
    --------
    >>> import tempfile
    >>> path = write_numbers(Path(tempfile.mkdtemp()) / "numbers.json", {"auc": 0.97, "error": float("nan")})
    >>> read_numbers(path)
    {'auc': 0.97, 'error': None}
    """
    text = json.dumps(to_dict(numbers), indent=1, allow_nan=False, ensure_ascii=False)
    with new_file(path, overwrite=overwrite) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return Path(path)


def read_numbers(path: Path | str) -> dict[str, Any]:
    """Read what `write_numbers` wrote, result nouns included.

    Raises
    ------
    InputFileError
        The file is absent or is not JSON.
    """
    try:
        return from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputFileError(f"numbers '{path}' do not exist") from None
    except json.JSONDecodeError as error:
        raise InputFileError(f"'{path}' is not JSON: {error}") from None
