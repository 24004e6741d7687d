"""ROOT's RDataLoader, as its tutorials use it, and RDataFrame's own event loop."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import ROOT
import torch
from protocol import answer, read_epochs, timed
from workload import (
    BATCH,
    CELLS,
    D_ETA,
    D_PHI,
    LAYER_OF_SAMPLING,
    MAX_CELLS,
    MAX_TRACKS,
    MIDDLE,
    N_ETA,
    N_LAYER,
    N_PHI,
    POSITION,
    SCALARS,
    TRACKS,
    TREE,
)

_IMAGE = f"""
#include <cmath>
#include <ROOT/RVec.hxx>
const int layer_of[] = {{{", ".join(map(str, LAYER_OF_SAMPLING))}}};
ROOT::RVecF draw_cells(const ROOT::RVecF& e, const ROOT::RVecF& eta, const ROOT::RVecF& phi,
                       const ROOT::RVec<unsigned char>& sampling) {{
  ROOT::RVecF image({N_LAYER * N_ETA * N_PHI}, 0.f);
  int hottest = -1;
  const int n = e.size();
  for (int c = 0; c < n; ++c)
    if (layer_of[sampling[c]] == {MIDDLE} && (hottest < 0 || e[c] > e[hottest])) hottest = c;
  if (hottest < 0) return image;
  for (int c = 0; c < n; ++c) {{
    const int layer = layer_of[sampling[c]];
    if (layer < 0) continue;
    const double d_phi = std::remainder(phi[c] - phi[hottest], 2 * M_PI);
    const int column = std::floor((eta[c] - eta[hottest]) / {D_ETA} + {N_ETA} / 2.);
    const int row = std::floor(d_phi / {D_PHI} + {N_PHI} / 2.);
    if (column >= 0 && column < {N_ETA} && row >= 0 && row < {N_PHI})
      image[(layer * {N_ETA} + column) * {N_PHI} + row] += e[c];
  }}
  return image;
}}
"""


def work(*, files: list[str], how: str, batches_in_memory: int = 40, threads: int = 1) -> dict[str, float]:
    """``padded``, ``images`` or ``eager`` by RDataLoader; ``event loop``: images by RDataFrame, then dropped."""
    if how == "event loop":
        return _event_loop(files, threads)

    # ROOT compiles its loader when it is made, for the columns it is given: part of the time to the first batch
    made: list[tuple[object, int]] = []

    def epoch() -> Iterator[tuple[np.ndarray, int]]:
        if not made:
            made.append(_loader(files, how, batches_in_memory))
        loader, column = made[0]
        for batch in loader.as_torch():
            yield _positions(batch, column), len(batch)

    return read_epochs(epoch)


def _positions(batch: torch.Tensor, column: int) -> np.ndarray:
    return batch[:, column].numpy().astype(np.int64)


def _loader(files: list[str], how: str, batches_in_memory: int) -> tuple[object, int]:
    frame = ROOT.RDataFrame(TREE, files)
    sizes = dict.fromkeys(TRACKS, MAX_TRACKS)
    if how == "images":
        frame, cells = _with_images(frame), ("image",)
        sizes["image"] = N_LAYER * N_ETA * N_PHI
    else:
        cells = CELLS
        sizes |= dict.fromkeys(CELLS, MAX_CELLS)
    loader = ROOT.Experimental.ML.RDataLoader(
        frame,
        batch_size=BATCH,
        batches_in_memory=batches_in_memory,
        columns=[*SCALARS, POSITION, *cells, *TRACKS],
        max_vec_sizes=sizes,
        shuffle=True,
        drop_remainder=False,
        load_eager=how == "eager",
    )
    loader.as_torch()
    return loader, list(loader.columns).index(POSITION)


def _with_images(frame: ROOT.RDataFrame) -> ROOT.RDF.RNode:
    ROOT.gInterpreter.Declare(_IMAGE)
    return frame.Define("image", f"draw_cells({', '.join(CELLS)})")


def _event_loop(files: list[str], threads: int) -> dict[str, float]:
    if threads > 1:
        ROOT.EnableImplicitMT(threads)
    ROOT.gInterpreter.Declare(_IMAGE)

    def epoch() -> int:
        frame = ROOT.RDataFrame(TREE, files).Define("image", f"draw_cells({', '.join(CELLS)})")
        frame = frame.Define("total", "Sum(image)").Define("of_tracks", " + ".join(f"Sum({name})" for name in TRACKS))
        frame = frame.Define("of_scalars", " + ".join(SCALARS))
        sums = [frame.Sum(name) for name in ("total", "of_tracks", "of_scalars")]
        n = frame.Count()
        [one.GetValue() for one in sums]
        return n.GetValue()

    return timed(epoch)


if __name__ == "__main__":
    answer(work)
