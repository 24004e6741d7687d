"""Rates of the compiled loops between cells and pixels, in turn in one process: python benchmarks/kernels.py FILE.root

Times are of the thread, and the medians of many turns, so that a busy machine matters little; quote ratios, above all
to ``plain`` (a serial loop that gives each cell to one pixel) and ``fill`` (writing zeros to the same memory).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import awkward as ak
import numpy as np
from numba import njit

from calotools.containers import ImageSpec, Layer
from calotools.images import ImageStore, build_images, image_spec, join_pieces, pad_tracks, piece_arrays
from calotools.ntuple import iterate_candidates
from calotools.variables import candidate_shapes
from calotools.variables.jagged import flat_collection

CELLS = ("e", "eta", "phi", "sampling", "time", "gain", "noise")
TRACKS = ("pt", "eta", "phi", "d0")
FIELDS = ("run", "event", "candidate", "eta_cluster", "phi_cluster", *(f"cells.{name}" for name in CELLS))
N, BATCH, REPEATS, SECONDS = 2048, 512, 50, 30.0


def five_layers() -> ImageSpec:
    """5 x 56 x 11 pixels of energy."""
    names = {"presampler": (0, 4), "strips": (1, 5), "middle": (2, 6), "back": (3, 7), "had1": (8, 12, 15, 16, 18)}
    return ImageSpec(image_spec("energy").grids, tuple(Layer(name, numbers) for name, numbers in names.items()))


@njit(nogil=True)
def plain(offsets, e, eta, phi, layer, eta_0, phi_0, out):
    """Each cell to the pixel of its centre."""
    out[:] = 0
    for i in range(len(offsets) - 1):
        for j in range(offsets[i], offsets[i + 1]):
            away = phi[j] - phi_0[i]
            away -= 2 * np.pi * np.floor(away / (2 * np.pi) + 0.5)
            x, y = int(np.floor((eta[j] - eta_0[i]) / 0.003125 + 28)), int(np.floor(away / 0.0245437 + 5.5))
            if layer[j] >= 0 and 0 <= x < 56 and 0 <= y < 11:
                out[i, layer[j], x, y] += e[j]


def contestants(candidates: ak.Array) -> dict[str, tuple[int, Callable[[], object]]]:
    """Name: (candidates in one turn, work)."""
    spec, n = five_layers(), len(candidates)
    offsets, cells = flat_collection(candidates, "cells", fields=CELLS[:4])
    layer = np.full(256, -1)
    for number, one in enumerate(spec.layers):
        layer[list(one.samplings)] = number
    place = [np.asarray(candidates[name], np.float64) for name in ("eta_cluster", "phi_cluster")]
    piece = piece_arrays(candidates, spec, columns=(), tracks=((), 0), on_bad="skip")
    half = piece_arrays(candidates, spec, columns=(), tracks=((), 0), half=["energy"], on_bad="skip")
    stores = [
        ImageStore.in_memory(join_pieces([one] * REPEATS), spec, columns=(), tracks=(), max_tracks=0)
        for one in (piece, half)
    ]
    for store in stores:
        arrays = [store._arrays[name] for name in ("spans", "bands", "value_energy")]
        print(f"{sum(array.nbytes for array in arrays) / len(store):.0f} bytes per candidate, {arrays[2].dtype}")
    images = build_images(candidates, spec, on_bad="skip")
    out = images.values | {f"mask_{name}": mask for name, mask in images.mask.items()}
    batch = {"energy_em": np.zeros((BATCH, 5, 56, 11), np.float32)}
    rng, turn = np.random.default_rng(1), iter(range(10**9))
    ordered, shuffled = np.arange(n * REPEATS), rng.permutation(n * REPEATS)

    def rows(order: np.ndarray) -> np.ndarray:
        start = next(turn) * BATCH % (len(order) - BATCH)
        return order[start : start + BATCH]

    arguments = offsets, cells["e"], cells["eta"], cells["phi"], layer[cells["sampling"]], *place
    canvas = np.zeros((n, 5, 56, 11), np.float32)
    return {
        "plain: one pixel per cell": (n, lambda: plain(*arguments, canvas)),
        "build_images, energy": (n, lambda: build_images(candidates, spec, on_bad="skip", threads=1)),
        "build_images, energy, out=": (n, lambda: build_images(candidates, spec, on_bad="skip", threads=1, out=out)),
        "build_images, 4 quantities": (n, lambda: build_images(candidates, "energy_full", on_bad="skip", threads=1)),
        "arrays of a store": (n, lambda: piece_arrays(candidates, spec, columns=(), tracks=((), 0), on_bad="skip")),
        "shower shapes": (n, lambda: candidate_shapes(candidates)),
        "pad_tracks, 15 x 4": (n, lambda: pad_tracks(candidates, TRACKS, max_tracks=15)),
        "fill": (BATCH, lambda: batch["energy_em"].fill(0)),
        "store, sequential": (BATCH, lambda: stores[0].dense(rows(ordered), out=batch)),
        "store, shuffled": (BATCH, lambda: stores[0].dense(rows(shuffled), out=batch)),
        "store of halves, shuffled": (BATCH, lambda: stores[1].dense(rows(shuffled), out=batch)),
        "store, shuffled, new arrays": (BATCH, lambda: stores[0].dense(rows(shuffled))),
    }


def main() -> None:
    """Measure until the time is up; print medians and tenth percentiles."""
    fields = (*FIELDS, *(f"tracks.{name}" for name in TRACKS))
    parts = [chunk.candidates for chunk in iterate_candidates(sys.argv[1:], fields=fields)]
    works = contestants(ak.concatenate(parts)[:N])
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _, work in works.values():
        work()  # compiles
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for name, (_, work) in works.items():
            start = time.thread_time()
            work()
            seconds[name].append(time.thread_time() - start)
    for name, (n, _) in works.items():
        typical, best = np.median(seconds[name]), np.quantile(seconds[name], 0.1)
        print(f"{name:30s} {n / typical / 1e3:9.1f} k/s   (best tenth {n / best / 1e3:9.1f})")


if __name__ == "__main__":
    main()
