"""The truth that pseudo-data were made with, for closure tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from calotools.errors import ConfigError
from calotools.recipe import read_toml

__all__ = ["InjectedTruth", "read_injected"]


@dataclass(frozen=True)
class InjectedTruth:
    """True efficiency of pseudo-data per bin.

    Attributes
    ----------
    efficiency : (n_bin,) float
        Passing over all real electrons of the pseudo-data, after the injection; NaN in an empty bin.
    n : (n_bin,) int
        Real electrons.
    """

    efficiency: np.ndarray
    n: np.ndarray


def read_injected(source: Path | Sequence[str], *, passing: str, edges: dict[str, np.ndarray]) -> InjectedTruth | None:
    """Read the realised efficiency of one cut from the sidecars of pseudo-data.

    Parameters
    ----------
    source : path or sequence of str
        The sidecar, or the data files that it is looked for beside.
    passing : str
        The cut, such as ``pass_tight == 1``; sidecars know the cut-based flags alone.
    edges : dict of str to (bins + 1,) float
        ``et`` and ``abs_eta``; each must be among the sidecar's edges.

    Returns
    -------
    InjectedTruth or None
        None when the data have no sidecar, or the cut is not one that it knows.

    Raises
    ------
    ConfigError
        A sidecar was named and does not hold these bins or this cut.
    """
    named = isinstance(source, Path)
    paths = [source] if isinstance(source, Path) else [Path(name).with_suffix(".injected.toml") for name in source]
    flag = passing.split("==")[0].strip()
    if not named and not all(path.exists() for path in paths):
        return None
    truths = [read_toml(path) for path in paths]
    if any(flag not in truth["realised"] for truth in truths):
        if named:
            raise ConfigError(f"'{paths[0]}' has no truth for the cut '{passing}'; it knows {_flags(truths[0])}")
        return None
    total, passed = (
        np.sum([_rebinned(truth, name, edges, path) for truth, path in zip(truths, paths, strict=True)], axis=0)
        for name in ("total", flag)
    )
    efficiency = np.divide(passed, total, out=np.full(total.shape, np.nan), where=total > 0)
    return InjectedTruth(efficiency.ravel(), total.ravel().astype(int))


def _flags(truth: dict[str, Any]) -> list[str]:
    return [name for name in truth["realised"] if name.startswith("pass_") and not name.endswith("_before")]


def _rebinned(truth: dict[str, Any], name: str, edges: dict[str, np.ndarray], path: Path) -> np.ndarray:
    counts = np.asarray(truth["realised"][name], float)
    for axis, key in enumerate(("et_edges", "eta_edges")):
        fine, coarse = np.asarray(truth[key]), edges[("et", "abs_eta")[axis]]
        if not np.isin(coarse, fine).all():
            raise ConfigError(f"bins {coarse.tolist()} are not among the {key} {fine.tolist()} of '{path}'")
        starts = np.searchsorted(fine, coarse)
        summed = [counts.take(range(low, high), axis).sum(axis) for low, high in pairwise(starts)]
        counts = np.stack(summed, axis)
    return counts
