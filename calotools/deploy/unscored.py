"""Candidates to which a model gave no usable number: counted by file, recorded and told."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from calotools.ntuple import ABSURD_ENERGY

__all__ = ["Unscored"]

_KINDS = {"unscored": "have no finite score", "absurd": "have energies beyond 1e6 GeV"}
_TEXT = "warning: %d of %d candidates %s, the first in '%s', row %d; all files: '%s' in the record of the friend tree"


class Unscored:
    """Counts of candidates that have no finite score, or an absurd energy.

    Examples
    --------
    >>> count = Unscored()
    >>> count.add("a.root", {"e_network": np.array([50.0, np.nan, 1e9, np.inf])})
    >>> count.record["unscored"]
    [{'file': 'a.root', 'candidates': 2, 'first': 1}]
    >>> count.record["absurd"]
    [{'file': 'a.root', 'candidates': 1, 'first': 2}]
    """

    def __init__(self) -> None:
        self._n = 0
        self._found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _KINDS}

    def add(self, file: str, values: Mapping[str, np.ndarray]) -> None:
        """Count the candidates of a file.

        Parameters
        ----------
        file : str
        values : mapping of str to (n,) float
            Energies, ``e_...``, in GeV.
        """
        self._n += len(next(iter(values.values())))
        finite = np.logical_and.reduce([np.isfinite(one) for one in values.values()])
        energies = [np.abs(one) > ABSURD_ENERGY for name, one in values.items() if name.startswith("e_")]
        absurd = np.logical_or.reduce([np.zeros_like(finite), *energies]) & finite
        for kind, rows in (("unscored", ~finite), ("absurd", absurd)):
            if rows.any():
                one = {"file": file, "candidates": int(rows.sum()), "first": int(np.argmax(rows))}
                self._found[kind].append(one)

    @property
    def record(self) -> dict[str, list[dict[str, Any]]]:
        """``unscored`` and ``absurd``: files that have any, how many, and the row of the first."""
        return self._found

    def tell(self) -> None:
        """Log a line for each kind that there is."""
        for kind, found in self._found.items():
            if found:
                n, first = sum(one["candidates"] for one in found), found[0]
                values = n, self._n, _KINDS[kind], first["file"], first["first"], kind
                logging.getLogger(__name__).warning(_TEXT, *values)
