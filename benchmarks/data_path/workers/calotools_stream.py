"""calotools: ROOT files to shuffled batches, without anything written on the way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from protocol import answer, cut, read_epochs
from workload import BATCH, MAX_TRACKS, POSITION, SCALARS, TRACKS, TREE, image_table

from calotools.images import build_images, cell_fields, pad_tracks, spec_from_dict
from calotools.ntuple import iterate_candidates
from calotools.training import make_batch

_TRACK_FIELDS = [name.removeprefix("track_") for name in TRACKS]


def work(*, files: list[str], share: str) -> dict[str, float]:
    """Rate of the second epoch."""
    spec = spec_from_dict(image_table(share))
    fields = (*cell_fields(spec), *(f"tracks.{name}" for name in _TRACK_FIELDS), *SCALARS)
    rng = np.random.default_rng(1)

    def epoch() -> Iterator[tuple[np.ndarray, int]]:
        for chunk in iterate_candidates(files, tree=TREE, fields=fields):
            candidates = chunk.candidates
            images = build_images(candidates, spec, on_bad="skip").values
            values, mask = pad_tracks(candidates, _TRACK_FIELDS, max_tracks=MAX_TRACKS)
            scalars = np.stack([np.asarray(candidates[name], dtype=np.float32) for name in SCALARS], axis=1)
            position = np.asarray(candidates[POSITION])
            order = rng.permutation(len(candidates))
            for rows in (order[one] for one in cut(len(order), BATCH)):
                batch = make_batch(
                    {name: image[rows] for name, image in images.items()},
                    scalars=scalars[rows],
                    tracks=(values[rows], mask[rows]),
                    base_energy=scalars[rows, 0],
                )
                yield position[rows], len(batch.row)

    next(epoch())
    torch.set_num_threads(1)
    return read_epochs(epoch)


if __name__ == "__main__":
    answer(work)
