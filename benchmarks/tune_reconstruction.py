"""Fit the layer calibration and the identification cuts on our own simulation, and write them as tables.

    python benchmarks/tune_reconstruction.py --n 60000 --seed 20000001 --jobs 2

Two passes: the cuts are tuned on candidates reconstructed with the new calibration. Rerun it when the detector
simulation changes; the tables' headers say how they were made.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from calotools.ntuple import read_candidates
from calotools.recipe import SimulateConfig
from calotools.simulate import simulate
from calotools.simulate.calibration import LAYERS, LayerCalibration, calibrate, fit_calibration
from calotools.simulate.identification import CUTS, LEVELS, tune_cuts

TABLES = Path(__file__).parents[1] / "calotools" / "simulate" / "tables"
_BARREL = (0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.35)
_CRACK = (1.375, 1.4, 1.425, 1.45, 1.475, 1.5, 1.525)
_ENDCAP = (1.55, 1.6, 1.65, 1.7, 1.75, 1.8, 1.9, 2.0, 2.1, 2.2, 2.3, 2.4, 2.5)
ETA_EDGES = np.array([*_BARREL, *_CRACK, *_ENDCAP])
ET_EDGES = np.array([4.0, 15, 22, 35, 60, 110, 400])
ID_ETA_EDGES = np.array([0, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.37, 2.5])
ID_ET_EDGES = np.array([0.0, 15, 20, 30, 45, 80, 10_000])
FIELDS = ["e_true", "eta", "eta_cluster", "eta_s2", "conversion_type", "n_pixel", "n_sct", "n_innermost", "et", *LAYERS]


def sample(process: str, *, n: int, seed: int, jobs: int, folder: Path) -> ak.Array:
    """Candidates of one process; the calibration comes from single particles, the cuts from these and Z -> ee."""
    n = {"zee": n // 2, "photons": 2 * n}.get(process, n)  # candidates come in pairs; photons of two kinds
    path = simulate(SimulateConfig(process=process, n=n, seed=seed, jobs=jobs, output=folder / f"{process}.root"))
    kind = "photon" if process == "photons" else "electron"
    return read_candidates(path, fields=[*dict.fromkeys([*FIELDS, "e", *CUTS[kind]])])


def columns(candidates: ak.Array) -> dict[str, np.ndarray]:
    return {name: ak.to_numpy(candidates[name]) for name in candidates.fields}


def layer_table(values: Mapping[str, np.ndarray], rows: np.ndarray) -> LayerCalibration:
    return fit_calibration(
        {name: values[name][rows] for name in LAYERS},
        eta=values["eta_cluster"][rows],
        e_true=values["e_true"][rows],
        eta_edges=ETA_EDGES,
        et_edges=ET_EDGES,
    )


def recalibrate(values: dict[str, np.ndarray], rows: np.ndarray, table: LayerCalibration) -> None:
    """The cuts see E_T and E/p as the new calibration makes them."""
    layers = {name: values[name][rows] for name in LAYERS}
    ratio = calibrate(layers, eta=values["eta_cluster"][rows], table=table) / values["e"][rows]
    for key in ("e", "et", "e_over_p"):
        if key in values:
            values[key][rows] = values[key][rows] * ratio


def write(path: Path, header: str, tables: Mapping[str, Mapping[str, Any]]) -> None:
    lines = [f"# {line}" for line in header.splitlines()]
    for name, table in tables.items():
        lines += ["", f"[{name}]"]
        for key, value in table.items():
            if not isinstance(value, dict):
                lines.append(f"{key} = {np.asarray(value).tolist()}")
        for key, value in table.items():
            if isinstance(value, dict):
                lines += ["", f"[{name}.{key}]", *(f"{k} = {v}" for k, v in value.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=20_000_001)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = {
            process: columns(sample(process, n=options.n, seed=options.seed, jobs=options.jobs, folder=Path(folder)))
            for process in ("electrons", "zee", "photons")
        }
    electrons, photons = made["electrons"], made["photons"]
    both = {name: np.concatenate([electrons[name], made["zee"][name]]) for name in electrons}
    single = np.arange(len(both["e"])) < len(electrons["e"])
    converted = photons["conversion_type"] > 0
    tables = {}
    for name, values, fitted, applied in (
        ("electron", both, single, single | ~single),
        ("unconverted", photons, ~converted, ~converted),
        ("converted", photons, converted, converted),
    ):
        table = layer_table(values, fitted)
        tables[name] = {key: np.round(getattr(table, key), 5) for key in table.__dataclass_fields__}
        recalibrate(values, applied, table)
        bias = np.median(values["e"][fitted] / values["e_true"][fitted]) - 1
        print(f"{name}: {fitted.sum()} candidates, median E/E_true - 1 = {bias:+.4f}")
    command = f"python benchmarks/tune_reconstruction.py --n {options.n} --seed {options.seed}"
    write(TABLES / "calibration.toml", f"Layer calibration, fitted on our own simulation.\nMade by: {command}", tables)
    cuts = {
        kind: tune_cuts(
            values,
            kind=kind,
            et=values["et"],
            eta=values["eta_s2"],
            et_edges=ID_ET_EDGES,
            eta_edges=ID_ETA_EDGES,
        )
        for kind, values in (("electron", both), ("photon", photons))
    }
    targets = ", ".join(f"{level} {target:.0%}" for level, target in LEVELS.items())
    header = f"Cut-based identification, calotools' own, tuned on its simulation to {targets}.\n"
    header += f"Rows are E_T bins, columns |eta| bins.\nMade by: {command}"
    write(TABLES / "identification.toml", header, cuts)


if __name__ == "__main__":
    main()
