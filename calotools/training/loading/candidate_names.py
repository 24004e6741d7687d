"""Which candidates a message is about: run, event and candidate, and where they are in the files."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import torch

from calotools.containers import Batch, Index
from calotools.errors import CalotoolsError
from calotools.ntuple import expand_files, index_of, iterate_candidates

if TYPE_CHECKING:
    from calotools.recipe import SampleConfig

__all__ = ["bad_inputs", "name_rows"]

_SHOWN = 3


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
        f"(run {run}, event {event}, candidate {number}){places.get((run, event, number), '')}"
        for run, event, number in keys
    ]
    return ", ".join(names) + (", ..." if len(rows) > len(names) else "")


def _find(keys: list[tuple[int, int, int]], sample: SampleConfig) -> dict[tuple[int, int, int], str]:
    """`` in 'FILE', candidate N of tree T``, by key."""
    found: dict[tuple[int, int, int], str] = {}
    for path in expand_files(sample.files, absent=True):
        with suppress(CalotoolsError):
            for chunk in iterate_candidates(
                path, tree=sample.tree, flavour=sample.flavour, fields=(), allow_empty=True
            ):
                index = index_of(chunk.candidates)
                for key in keys:
                    here = (index.run == key[0]) & (index.event == key[1]) & (index.candidate == key[2])
                    if key not in found and here.any():
                        row = chunk.start + int(np.argmax(here))
                        found[key] = f" in '{path}', tree '{chunk.tree}', row {row}"
        if len(found) == len(keys):
            break
    return found


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
    found = {}
    for name, one in values.items():
        bad = ~torch.isfinite(one.flatten(1) if one.ndim > 1 else one[:, None]).all(dim=1)
        if bad.any():
            found[name] = torch.nonzero(bad)[:, 0].cpu().numpy()
    return found
