"""Working points: cuts on a discriminant in bins of |eta| and E_T, as a JSON file that is applied to scores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calotools.errors import ConfigError, InputFileError, ShapeError
from calotools.outputs import new_file
from calotools.variables.discriminant import Discriminant
from calotools.variables.score_origin import ScoreOrigin

__all__ = ["CutTable", "read_cut_table", "write_cut_table"]

_KIND = "calotools working points"
_VERSION = 1
_ARRAYS = ("target", "cut", "cut_error", "slope", "slope_error", "n", "n_effective")


@dataclass(frozen=True)
class CutTable:
    """Cuts: a candidate passes where its discriminant is at least ``cut + slope * (mu - mu_reference)``.

    Attributes
    ----------
    names : tuple of str
        Of the working points, such as ``loose``.
    discriminant : Discriminant
    eta_edges, et_edges : tuple of float
        |eta| and E_T [GeV].
    target : (point, eta, et) float
        Signal efficiency that was asked for.
    cut, cut_error : (point, eta, et) float
        NaN where there were too few candidates.
    slope, slope_error : (point, eta, et) float
        Per unit of mu; 0 for cuts that do not depend on pile-up.
    n, n_effective : (eta, et) float
        Signal candidates, and (sum w)^2 / sum w^2.
    mu_reference : float
    origin : ScoreOrigin, optional
        Of the scores that the cuts were made from; None where that is not known.
    """

    names: tuple[str, ...]
    discriminant: Discriminant
    eta_edges: tuple[float, ...]
    et_edges: tuple[float, ...]
    target: np.ndarray
    cut: np.ndarray
    cut_error: np.ndarray
    slope: np.ndarray
    slope_error: np.ndarray
    n: np.ndarray
    n_effective: np.ndarray
    mu_reference: float = 0.0
    origin: ScoreOrigin | None = None

    def __post_init__(self) -> None:
        shape = len(self.eta_edges) - 1, len(self.et_edges) - 1
        for name in _ARRAYS:
            wanted = shape if name.startswith("n") else (len(self.names), *shape)
            if getattr(self, name).shape != wanted:
                raise ShapeError(f"'{name}' of working points has shape {getattr(self, name).shape}, not {wanted}")

    @property
    def needs_mu(self) -> bool:
        """Whether a cut depends on pile-up."""
        return bool(np.any(self.slope != 0))

    @property
    def digest(self) -> str:
        """SHA-256 of everything: the same cuts, the same digest."""
        return hashlib.sha256(json.dumps(_content(self)).encode()).hexdigest()

    def bins(self, eta: np.ndarray, et: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Bin along |eta| and along E_T of each candidate, and whether it is in one at all."""
        places, inside = [], np.ones(len(eta), bool)
        for values, edges in ((np.abs(eta), self.eta_edges), (et, self.et_edges)):
            found = np.searchsorted(edges, np.asarray(values, np.float64), side="right") - 1
            inside &= np.isfinite(values) & (found >= 0) & (found < len(edges) - 1)
            places.append(np.clip(found, 0, len(edges) - 2))
        return places[0], places[1], inside

    def passes(
        self, value: np.ndarray, *, eta: np.ndarray, et: np.ndarray, mu: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Which candidates pass.

        Parameters
        ----------
        value : (n,) float
            Discriminant.
        eta, et : (n,) float
            E_T in GeV.
        mu : (n,) float, optional
            Needed where a cut depends on pile-up.

        Returns
        -------
        dict of str to (n,) int8
            By working point: 1 passes, 0 does not, -1 not known: outside the bins, in a bin without a cut, or without
            a discriminant.

        Raises
        ------
        ConfigError
            The cuts depend on pile-up, and `mu` is not given.
        """
        if self.needs_mu and mu is None:
            raise ConfigError("these working points depend on pile-up: the field 'mu' is needed")
        shift = np.zeros(len(value)) if mu is None else np.asarray(mu, np.float64) - self.mu_reference
        row, column, inside = self.bins(eta, et)
        result = {}
        for number, name in enumerate(self.names):
            slope = self.slope[number, row, column]
            cut = self.cut[number, row, column] + np.where(slope != 0, slope * shift, 0.0)
            known = inside & np.isfinite(cut) & np.isfinite(value)
            result[name] = np.where(known, np.asarray(value) >= cut, -1).astype(np.int8)
        return result


def write_cut_table(path: Path | str, table: CutTable, *, overwrite: bool = False) -> Path:
    """Write working points as JSON.

    Parameters
    ----------
    path : path
    table : CutTable
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    Path

    Raises
    ------
    OutputExistsError
        It exists and `overwrite` is false.
    """
    with new_file(path, overwrite=overwrite) as temporary:
        temporary.write_text(json.dumps(_content(table), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return Path(path)


def read_cut_table(path: Path | str) -> CutTable:
    """Read working points.

    Parameters
    ----------
    path : path
        A JSON file, or the folder of ``calotools working-points``.

    Returns
    -------
    CutTable

    Raises
    ------
    InputFileError
        The file is absent, is not JSON, or does not hold working points.
    """
    file = Path(path) / "working_points.json" if Path(path).is_dir() else Path(path)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputFileError(f"working points '{file}' do not exist; calotools working-points makes them") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputFileError(f"'{file}' is not JSON: {error}") from None
    return _from_json(content, file)


def _from_json(content: Any, file: Path) -> CutTable:
    if not isinstance(content, Mapping) or content.get("kind") != _KIND:
        raise InputFileError(f"'{file}' does not hold working points; calotools working-points writes such a file")
    if content["version"] > _VERSION:
        raise InputFileError(f"'{file}' has format {content['version']}; this calotools reads up to {_VERSION}")
    try:
        return CutTable(
            names=tuple(content["names"]),
            discriminant=Discriminant.from_dict(content["discriminant"]),
            eta_edges=tuple(content["eta_edges"]),
            et_edges=tuple(content["et_edges"]),
            mu_reference=content["mu_reference"],
            origin=ScoreOrigin.from_record(content.get("scores") or {}),
            **{name: np.array(content[name], np.float64) for name in _ARRAYS},
        )
    except (AttributeError, KeyError, TypeError, ValueError, ShapeError) as error:
        raise InputFileError(f"the working points in '{file}' cannot be understood: {error}") from None


def _content(table: CutTable) -> dict[str, Any]:
    content: dict[str, Any] = {
        "kind": _KIND,
        "version": _VERSION,
        "names": list(table.names),
        "discriminant": table.discriminant.to_dict(),
        "eta_edges": list(table.eta_edges),
        "et_edges": list(table.et_edges),
        "mu_reference": table.mu_reference,
        "scores": table.origin and table.origin.to_dict(),
    }
    return content | {name: _to_json(getattr(table, name)) for name in _ARRAYS}


def _to_json(array: np.ndarray) -> Any:
    """Nested lists; NaN is null."""
    if array.ndim > 1:
        return [_to_json(one) for one in array]
    return [None if np.isnan(one) else float(one) for one in array]
