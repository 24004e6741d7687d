"""The truth that pseudo-data were made with, for closure tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from calotools.errors import ConfigError
from calotools.ntuple import expand_files
from calotools.recipe import read_toml

__all__ = ["InjectedTruth", "read_injected"]


@dataclass(frozen=True)
class InjectedTruth:
    """Truth of pseudo-data per bin.

    Attributes
    ----------
    efficiency : (n_bin,) float
        Passing over all real electrons of the pseudo-data, after the injection; NaN in an empty bin. It fluctuates with
        the sample, so that a measurement on the same sample closes better than its statistical error.
    before : (n_bin,) float
        The same before candidates were failed at random: what wider showers and more material leave.
    scale_factor : (n_bin,) float
        As injected by failing candidates at random.
    n : (n_bin,) int
        Real electrons.
    """

    efficiency: np.ndarray
    before: np.ndarray
    scale_factor: np.ndarray
    n: np.ndarray

    def scale_factors_over(self, simulation: np.ndarray) -> np.ndarray:
        """What tag-and-probe should find: the injected factor, times what the other differences do to the efficiency.

        The latter is one number, averaged over the bins, so that it brings no fluctuation of its own into each of them.

        Parameters
        ----------
        simulation : (n_bin,) float
            Efficiency in simulation.

        Returns
        -------
        (n_bin,) float
        """
        used = np.isfinite(self.before) & np.isfinite(simulation)
        natural = np.sum((self.before * self.n)[used]) / np.sum((simulation * self.n)[used]) if used.any() else np.nan
        return self.scale_factor * natural


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
    if isinstance(source, Path):
        paths = [source]
    else:
        paths = [Path(name).with_suffix(".injected.toml") for name in expand_files(source)]
        if not all(path.exists() for path in paths):
            return None
    truths = [read_toml(path) for path in paths]
    flag = _flag(passing)
    if any(flag not in truth["realised"] for truth in truths):
        if isinstance(source, Path):
            raise ConfigError(f"'{source}' has no truth for the cut '{passing}'; it knows {_flags(truths[0])}")
        return None
    total, passed, expected, before = np.sum(
        [_counts(truth, flag, edges, path) for truth, path in zip(truths, paths, strict=True)], axis=0
    )
    return InjectedTruth(_ratio(passed, total), _ratio(before, total), _ratio(expected, before), total.astype(int))


def _flag(passing: str) -> str:
    """The cut-based flag that a cut asks for; empty when it asks for anything else."""
    match = re.fullmatch(r"\s*(pass_\w+)\s*==\s*1\s*", passing)
    return match[1] if match else ""


def _counts(truth: dict[str, Any], flag: str, edges: dict[str, np.ndarray], path: Path) -> np.ndarray:
    """(4, n_bin): real electrons, those passing, those expected to pass after the injection, and passing before it."""
    realised = truth["realised"]
    before = np.asarray(realised[f"{flag}_before"], float)
    counts = (realised["total"], realised[flag], before * np.asarray(truth["scale_factor"]), before)
    return np.array([_rebinned(np.asarray(one, float), truth, edges, path).ravel() for one in counts])


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def _flags(truth: dict[str, Any]) -> list[str]:
    return [name for name in truth["realised"] if name.startswith("pass_") and not name.endswith("_before")]


def _rebinned(counts: np.ndarray, truth: dict[str, Any], edges: dict[str, np.ndarray], path: Path) -> np.ndarray:
    for axis, key in enumerate(("et_edges", "eta_edges")):
        fine, coarse = np.asarray(truth[key]), edges[("et", "abs_eta")[axis]]
        if not np.isin(coarse, fine).all():
            raise ConfigError(f"bins {coarse.tolist()} are not among the {key} {fine.tolist()} of '{path}'")
        starts = np.searchsorted(fine, coarse)
        summed = [counts.take(range(low, high), axis).sum(axis) for low, high in pairwise(starts)]
        counts = np.stack(summed, axis)
    return counts
