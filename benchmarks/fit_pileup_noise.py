"""Derive the pile-up noise of cells from the minimum-bias interactions that the simulation overlays, and write it.

    python benchmarks/fit_pileup_noise.py --events 20000 --libraries 60

Campbell's theorem: a cell in which one interaction leaves the energy E has, with mu interactions per crossing and the
filter's response h_k to crossing k, the variance mu <E^2> sum_k h_k^2. It replaces the group `pileup` of
`detector/tables/noise.toml`. Rerun it when the showers of soft particles, the table `minimum_bias` or the pulse change;
then rerun `tune_reconstruction.py`, whose clusters have thresholds in units of this noise.

The library that is overlaid is a few thousand of these interactions, and its few hard hadrons are few indeed in a
sampling of the Tile calorimeter. With --libraries that many are compared with the table, and the seeds of those whose
spread is nearest to it are printed, the best first: the first is `_LIBRARY_SEED` of `simulate/setup.py`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from calotools.detector import Sampling, cell_noise, load_table
from calotools.simulate import Effects
from calotools.simulate.deposit import Grid
from calotools.simulate.kernel import Detector
from calotools.simulate.minimum_bias import interactions, library_hits
from calotools.simulate.setup import prepare
from calotools.simulate.stamp import source_stamp

TABLE = Path(__file__).parents[1] / "calotools" / "detector" / "tables" / "noise.toml"
STEP = 0.1  # at most so wide in |eta| is what one number is an average of; a row of Tile cells
ETA_MAX = 2.5  # cells that start beyond it are not simulated; there the noise stays what it is before
BATCH = 400
SEED = 20000002
FIRST_LIBRARY = 20081101
MU = 40.0  # of the comparison; the table's spread includes the electronic noise
EDGE = 0.001  # between the points on the two sides of a change of granularity


def second_moment(detector: Detector, n: int, rng: np.random.Generator) -> np.ndarray:
    """<E^2> [GeV^2] that one of `n` interactions leaves in a cell: (row of cells of all regions,)."""
    grid = detector.grid
    sources, kinds, event = interactions(n, rng=rng)
    place, e = library_hits(sources, kinds, detector, stamp=source_stamp(), rng=rng)
    particle, region, i, j = place[:, [0, 3, 4, 5]].astype(np.int64).T
    n_row, widest = int(grid.n_eta.sum()), int(grid.n_phi.max())
    cells = (event[particle] * n_row + grid.row[region] + i) * widest + j
    cells, which = np.unique(cells, return_inverse=True)
    energy = np.bincount(which, e.astype(np.float64))
    trials = n * np.repeat(grid.n_phi, grid.n_eta)
    row = cells // widest % n_row
    return np.bincount(row, energy**2, n_row) / trials


def variances(detector: Detector, n: int, rng: np.random.Generator) -> np.ndarray:
    """Variance [GeV^2] of each row's cells at one interaction per crossing."""
    batches = max(n // BATCH, 1)
    second = sum(second_moment(detector, BATCH, rng) for _ in range(batches)) / batches
    weight = detector.library.weight
    return second * (weight**2).sum()


def points(sampling: int, grid: Grid, variance: np.ndarray, mu: float) -> tuple[list[float], list[float]]:
    """|eta| and noise [MeV] of a sampling, constant up to where its granularity changes."""
    eta, value = [], []
    inside = (grid.eta_lo >= -1e-6) & (grid.eta_lo < ETA_MAX - 1e-6)
    regions = np.flatnonzero(inside & (grid.sampling == sampling)).tolist()
    for r in sorted(regions, key=lambda one: grid.eta_lo[one]):
        low, width, n = grid.eta_lo[r], grid.d_eta[r], int(grid.n_eta[r])
        ours, other = (variance[grid.row[k] : grid.row[k] + n] for k in (r, grid.mirror[r]))
        folded = 0.5 * (ours + other[::-1])
        pieces = np.array_split(np.arange(n), min(n, max(1, int(np.ceil(n * width / STEP - 1e-9)))))
        sigma = [1e3 * float(np.sqrt(mu * folded[piece].mean())) for piece in pieces]
        centres = [float(low + (piece.mean() + 0.5) * width) for piece in pieces]
        eta += [float(low + EDGE), *centres, float(low + n * width - EDGE)]
        value += [sigma[0], *sigma, sigma[-1]]
    return [round(one, 4) for one in eta], [float(f"{one:.3g}") if one > 0.01 else 0.0 for one in value]


def worst_ratio(detector: Detector, seed: int) -> tuple[float, str]:
    """Largest |ln| of the library's spread over that of the table, of all samplings, and which it is."""
    grid, library = detector.grid, detector.library
    sampling = np.repeat(grid.sampling, grid.n_eta)
    column = np.arange(len(sampling)) - np.repeat(grid.row, grid.n_eta)
    eta = np.repeat(grid.eta_lo, grid.n_eta) + (column + 0.5) * np.repeat(grid.d_eta, grid.n_eta)
    pileup = MU * second_moment(detector, len(library.starts), np.random.default_rng(seed)) * (library.weight**2).sum()
    electronic, expected = cell_noise(sampling, eta, MU)
    worst = (0.0, "")
    for one in np.unique(sampling):
        rows = (sampling == one) & (np.abs(eta) < ETA_MAX - 0.05)
        noise = np.mean(electronic[rows] ** 2)
        ratio = np.sqrt((noise + np.mean(pileup[rows])) / (noise + np.mean(expected[rows] ** 2)))
        worst = max(worst, (float(abs(np.log(ratio))), f"{Sampling(int(one)).name} {ratio:.2f}"))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=20000, help="interactions, in batches of 400; 0 keeps the table")
    parser.add_argument("--libraries", type=int, default=0, help="libraries to compare with the table")
    given = parser.parse_args()
    if given.events:
        write_table(given.events)
    detector = prepare(Effects(), pileup=True)
    seeds = range(FIRST_LIBRARY, FIRST_LIBRARY + given.libraries)
    ranked = sorted((*worst_ratio(detector, seed), seed) for seed in seeds)
    for _, where, seed in ranked[:5]:
        print(f"library {seed}: furthest from the table is {where}")


def write_table(n: int) -> None:
    """Replace the group `pileup` by what `n` interactions leave."""
    detector = prepare(Effects(), pileup=True)
    mu = load_table("noise")["reference_mu"]
    variance = variances(detector, n, np.random.default_rng(SEED))
    made = (
        f"# standard deviation of what calotools' own minimum-bias interactions leave: benchmarks/{Path(__file__).name}"
    )
    lines = [f"{made} --events {n}", "[pileup]"]
    for sampling in np.unique(detector.grid.sampling):
        eta, value = points(int(sampling), detector.grid, variance, mu)
        lines.append(f"{Sampling(int(sampling)).name} = {{ eta = {eta}, value = {value} }}")
    kept, _, _ = TABLE.read_text(encoding="utf-8").partition("# standard deviation of what")
    TABLE.write_text(kept + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
