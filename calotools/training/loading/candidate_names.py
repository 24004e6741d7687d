"""Which candidates a message is about: run, event and candidate, and where they are in the files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import torch

from calotools.containers import Batch, Index
from calotools.errors import CalotoolsError
from calotools.ntuple import ABSURD_ENERGY, expand_files, index_of, iterate_candidates

if TYPE_CHECKING:
    from calotools.recipe import SampleConfig

__all__ = ["absurd_inputs", "bad_inputs", "name_rows"]

_SHOWN = 3

Key = tuple[int, int, int]


def name_rows(index: Index, rows: np.ndarray, *, sample: SampleConfig | None = None) -> str:
    """Run, event and candidate of the first three of some rows, and where in the files they are.

    Parameters
    ----------
    index : Index
    rows : (m,) int
    sample : SampleConfig, optional
        Its files are searched; one that cannot be read is passed over.

    Returns
    -------
    str
        Files can have the same numbers: then it says in one of which places a candidate is.

    Examples
    --------
    >>> index = Index(np.array([1, 1]), np.array([7, 8]), np.array([0, 0]))
    >>> name_rows(index, np.array([1]))
    '(run 1, event 8, candidate 0)'
    """
    shown = index.take(rows[:_SHOWN])
    keys = list(zip(shown.run.tolist(), shown.event.tolist(), shown.candidate.tolist(), strict=True))
    places = _find(keys, sample) if sample is not None else {}
    names = [
        f"(run {run}, event {event}, candidate {number}){_say(places.get((run, event, number), []))}"
        for run, event, number in keys
    ]
    return ", ".join(names) + (", ..." if len(rows) > len(names) else "")


def _find(keys: list[Key], sample: SampleConfig) -> dict[Key, list[str]]:
    """``'FILE', tree 'T', row N`` of all that have these numbers, by key."""
    found: dict[Key, list[str]] = {key: [] for key in keys}
    for path in expand_files(sample.files, absent=True):
        with suppress(CalotoolsError):
            for chunk in iterate_candidates(
                path, tree=sample.tree, flavour=sample.flavour, fields=(), allow_empty=True
            ):
                index = index_of(chunk.candidates)
                for key, places in found.items():
                    here = (index.run == key[0]) & (index.event == key[1]) & (index.candidate == key[2])
                    rows = chunk.start + np.flatnonzero(here)
                    places.extend(f"'{path}', tree '{chunk.tree}', row {row}" for row in rows.tolist())
    return found


def _say(places: list[str]) -> str:
    if len(places) < 2:
        return "".join(f" in {place}" for place in places)
    more = f"; and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return f" in one of: {'; '.join(places[:_SHOWN])}{more}"


def bad_inputs(batch: Batch) -> dict[str, np.ndarray]:
    """Inputs of a batch that are not finite.

    Parameters
    ----------
    batch : Batch

    Returns
    -------
    dict of str to (m,) int
        Numbers of the candidates in the batch, by what is not finite: ``image 'energy_em'``, ``scalars``, ...

    Examples
    --------
    >>> ones = torch.ones(2)
    >>> batch = Batch({}, torch.tensor([[1.0], [torch.nan]]), ones[:, None, None], ones[:, None], *[ones] * 4)
    >>> bad_inputs(batch)
    {'scalars': array([1])}
    """
    values = {f"image '{name}'": image for name, image in batch.images.items()}
    values |= {name: getattr(batch, name) for name in ("scalars", "tracks", "base_energy", "target", "weight")}
    return _any_of(values, lambda one: ~torch.isfinite(one))


def absurd_inputs(batch: Batch) -> dict[str, np.ndarray]:
    """Energies among the inputs of a batch that no particle has: beyond 1e6 GeV.

    Parameters
    ----------
    batch : Batch

    Returns
    -------
    dict of str to (m,) int
        As of `bad_inputs`.

    Examples
    --------
    >>> ones = torch.ones(2)
    >>> base = torch.tensor([50.0, 3e7])
    >>> absurd_inputs(Batch({}, ones[:, None], ones[:, None, None], ones[:, None], base, *[ones] * 3))
    {'base_energy': array([1])}
    """
    values = {f"image '{name}'": image for name, image in batch.images.items() if name.startswith("energy")}
    return _any_of(values | {"base_energy": batch.base_energy}, lambda one: one.abs() > ABSURD_ENERGY)


def _any_of(values: Mapping[str, torch.Tensor], test: Callable[[torch.Tensor], torch.Tensor]) -> dict[str, np.ndarray]:
    """Numbers of the candidates of which any value passes a test, by the name of the values, if there are any."""
    passing = {name: test(one).flatten(1).any(dim=1) if one.ndim > 1 else test(one) for name, one in values.items()}
    return {name: torch.nonzero(one)[:, 0].cpu().numpy() for name, one in passing.items() if one.any()}
