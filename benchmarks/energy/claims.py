"""What was published, as statements that the numbers here can be held against; and our own goals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from table_rows import REGIONS, ROWS

Rows = Mapping[str, Mapping[str, Any]]
_SURE = 2.0  # standard deviations from which a difference is one


@dataclass(frozen=True)
class Claim:
    """One row has a smaller IQR than another, on the same candidates."""

    text: str
    better: str
    worse: str
    published: str
    where: str = ""

    @property
    def key(self) -> str:
        """In RESULTS.json."""
        return f"{self.better} over {self.worse}" + (f" where {self.where}" if self.where else "")


_BARREL = REGIONS["barrel"]
CLAIMS = (
    Claim("LGBM(9) is better than the calibration: barrel", "lgbm_9", "tree", "ratio 1.014", _BARREL),
    Claim("LGBM(12) is better than LGBM(9): barrel", "lgbm_12", "lgbm_9", "1.047 against 1.014", _BARREL),
    Claim("cnn(i) is better than LGBM(12): barrel", "cnn_i", "lgbm_12", "1.100 against 1.047", _BARREL),
    Claim("scalars help: cnn(i, s) is better than cnn(i)", "cnn_is", "cnn_i", "20.5 % against 11.9 %"),
    Claim(
        "times help: cnn(i, s, t) is better than cnn(i, s): barrel", "cnn_ist", "cnn_is", "1.138 against 1.124", _BARREL
    ),
    Claim(
        "noise and tracks help: cnn(i, n, s, r) is better than cnn(i, s)", "cnn_insr", "cnn_is", "21.7 % against 20.5 %"
    ),
    *(
        Claim(f"one model for all η is as good as three: {name}", "compact", "compact_regions", "at least as good", cut)
        for name, cut in REGIONS.items()
    ),
    Claim("one model for all η is as good as three: all", "compact", "compact_regions", "at least as good"),
    Claim("the compact network is better than cnn(i, s)", "compact", "cnn_is", "ours"),
    Claim("the compact network is better than cnn(i, n, s, r)", "compact", "cnn_insr", "ours"),
    Claim("the mean of three compact networks is better than one", "ensemble", "compact", "ours"),
    Claim(
        "the mean of three compact networks is better than one (photons)", "ensemble_photons", "compact_photons", "ours"
    ),
    Claim("cells as points are better than the compact network", "cloud", "compact", "claimed elsewhere"),
    Claim("the compact network is better than trees with all its scalars", "compact", "tree_all", "ours"),
    Claim(
        "the compact network is better than trees with all its scalars (photons)",
        "compact_photons",
        "tree_all_photons",
        "ours",
    ),
)

LEARNING = ("compact", "compact_photons")
"""Rows of which other sizes of the training sample are kept."""


def against_trees_of_all(name: str) -> str:
    """Key of the comparison of a row with the trees that see every scalar."""
    other = "tree_all" if ROWS[name].particle == "electrons" else "tree_all_photons"
    return f"{name} over {other}"


def verdict(comparison: Mapping[str, float] | None, *, as_good: bool = False) -> str:
    """In words, from a difference and its error."""
    if comparison is None:
        return "not measured yet"
    sure = comparison["value"] / comparison["error"]
    if sure >= _SURE:
        return "holds"
    if sure <= -_SURE:
        return "**does not hold**"
    return "holds (no difference seen)" if as_good else "no difference seen"


def gain(numbers: Any) -> tuple[float, float] | None:
    """Improvement over the trees, and its error, of an inclusive result."""
    if numbers is None or "rel_improvement" not in numbers.metrics:
        return None
    return float(numbers.metrics["rel_improvement"][0]), float(numbers.errors["rel_improvement"][0])


def learnt(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row reached, of all its candidates and by conversion, and from what."""
    parts = {"all": row["numbers"]} | row["numbers"].get("conversion", {})
    names = ("n_train", "parameters", "epochs", "seconds", "cpu_seconds")
    return {
        "gains": {kind: gain(one["inclusive"]) for kind, one in parts.items()},
        "cost": {name: row["cost"][name] for name in names if name in row["cost"]},
    }


def slope(binned: Any, axis: str) -> tuple[float, float]:
    """Straight line through the gain in bins: its slope and error, per unit of the axis."""
    edges = np.asarray(binned.edges[axis], float)
    x, y = 0.5 * (edges[1:] + edges[:-1]), np.asarray(binned.metrics["rel_improvement"], float)
    error = np.asarray(binned.errors["rel_improvement"], float)
    used = np.isfinite(y) & (error > 0)
    if used.sum() < 2:
        return float("nan"), float("nan")
    weight = 1 / error[used] ** 2
    mean = np.average(x[used], weights=weight)
    spread = float(np.sum(weight * (x[used] - mean) ** 2))
    return float(np.sum(weight * (x[used] - mean) * y[used]) / spread), spread**-0.5


def worst_bin(binned: Any, axis: str) -> tuple[str, float, float]:
    """The bin with the smallest gain."""
    values = np.asarray(binned.metrics["rel_improvement"], float)
    number = int(np.nanargmin(values))
    low, high = np.asarray(binned.edges[axis], float)[number : number + 2]
    return f"{low:g} to {high:g}", float(values[number]), float(binned.errors["rel_improvement"][number])


def somewhere_worse(binned: Any) -> bool:
    """Whether the gain is below zero in any bin, by more than its error explains."""
    values, errors = (np.asarray(part["rel_improvement"], float) for part in (binned.metrics, binned.errors))
    return bool(np.any(values < -_SURE * errors))


def end_bin(binned: Any, number: int) -> tuple[float, float]:
    """Gain, and its error, in the first (0) or last (-1) bin."""
    return tuple(float(part["rel_improvement"][number]) for part in (binned.metrics, binned.errors))  # type: ignore[return-value]
