"""A row that was filled with several seeds, as one: the mean, with their spread in its errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from calotools.containers import Resolution

Rows = Mapping[str, Mapping[str, Any]]


def each_seed(rows: Rows, name: str) -> list[Mapping[str, Any]]:
    """The row as it was filled with each seed, the smallest first."""
    found = ((key.rpartition("/"), row) for key, row in rows.items())
    return [row for _, row in sorted((int(seed), row) for (one, _, seed), row in found if one == name)]


def numbers_of(rows: Rows, name: str) -> Any:
    """What was measured of a row, over its seeds; None where it is not filled."""
    seeds = each_seed(rows, name)
    return _over([row["numbers"] for row in seeds]) if seeds else None


def honesty_of(rows: Rows) -> Any:
    """Coverage and pull of sigma, over the seeds of the row that has one; the pulls themselves are of the first."""
    found = {key.rpartition("/")[0]: row for key, row in rows.items() if "honesty" in row}
    return _over([row["honesty"] for row in each_seed(rows, next(iter(found)))]) if found else None


def over_seeds(values: Sequence[Any], errors: Sequence[Any]) -> tuple[Any, Any]:
    """Mean; the test candidates are the same, so that their error stays, and that of the mean over seeds is added."""
    spread = np.std(values, axis=0, ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return np.mean(values, axis=0), np.hypot(np.mean(errors, axis=0), spread)


def _over(found: Sequence[Any]) -> Any:
    """Of nested dicts with results at their ends."""
    first = found[0]
    if isinstance(first, Mapping):
        return {key: _over([one[key] for one in found]) for key in first}
    if not isinstance(first, Resolution):
        return first
    both = {
        metric: over_seeds([one.metrics[metric] for one in found], [one.errors[metric] for one in found])
        for metric in first.metrics
    }
    return replace(
        first,
        metrics={metric: value for metric, (value, _) in both.items()},
        errors={metric: error for metric, (_, error) in both.items()},
    )
