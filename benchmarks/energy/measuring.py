"""What the energies of a row are worth: widths, improvement over the trees, in bins, and how honest a sigma is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import awkward as ak
import numpy as np
from simulated import Sample
from table_rows import CONVERTED, REGIONS, SELECTION, UNCONVERTED, Row

from calotools.analysis import Bootstrap, event_bootstrap, measure_pulls, measure_resolution
from calotools.containers import Resolution
from calotools.ntuple import index_of, read_candidates
from calotools.simulate.pseudo_data import default_injected
from calotools.variables import select

_FIELDS = ("run", "event", "candidate", "e", "et", "eta", "mu", "e_true", "class_true", "conversion_type")
_AXES = {
    "abs_eta": (0.0, 0.4, 0.8, 1.15, 1.37, 1.52, 1.81, 2.1, 2.47),
    "et_true": (10, 15, 20, 30, 40, 60, 80, 120, 200, 300),
    "mu": (0, 20, 28, 34, 40, 48, 80),
}
CLASSES = {"unconverted": UNCONVERTED, "converted": CONVERTED}
ROW, TREES = "row", "trees"


@dataclass(frozen=True)
class Test:
    """Test candidates of one sample that pass the selection.

    Attributes
    ----------
    candidates : ak.Array
        Before the selection: as the friend trees have them.
    kept : (n,) bool
    bootstrap : Bootstrap
        Of those kept.
    """

    candidates: ak.Array
    kept: np.ndarray
    bootstrap: Bootstrap

    def column(self, name: str) -> np.ndarray:
        """Of the candidates that are kept."""
        return ak.to_numpy(self.candidates[name]).astype(float)[self.kept]

    def where(self, cut: str) -> np.ndarray:
        """Which of those kept pass a cut."""
        return np.asarray(select(self.candidates, [cut] if cut else []).mask)[self.kept]

    def axes(self) -> dict[str, np.ndarray]:
        """What results are binned in."""
        et_true = self.column("e_true") / np.cosh(self.column("eta"))
        return {"abs_eta": np.abs(self.column("eta")), "et_true": et_true, "mu": self.column("mu")}


def read_test(sample: Sample, *, replicas: int) -> Test:
    """Truth and variables of the test candidates."""
    candidates = read_candidates(sample.test, fields=_FIELDS)
    kept = np.asarray(select(candidates, SELECTION).mask)
    index = index_of(candidates[kept])
    return Test(candidates, kept, event_bootstrap(index, rng=np.random.default_rng(1), replicas=replicas))


def energy_of(row: Row, parts: list[np.ndarray], test: Test) -> np.ndarray:
    """Of each candidate kept, what the training says that it belongs to."""
    energy = np.full(int(test.kept.sum()), np.nan)
    for part, said in zip(row.parts, parts, strict=True):
        here = test.where(part.where)
        energy[here] = said[test.kept][here]
    return energy


def smeared(energy: np.ndarray, abs_eta: np.ndarray) -> np.ndarray:
    """Energies with the further spread that our pseudo-data have against the simulation."""
    injected = default_injected()
    where = np.clip(np.digitize(abs_eta, injected.energy_eta_edges) - 1, 0, len(injected.energy_smearing) - 1)
    spread = np.asarray(injected.energy_smearing)[where]
    return energy * (1 + spread * np.random.default_rng(1).normal(size=len(energy)))


def measure(energy: np.ndarray, test: Test, trees: np.ndarray | None) -> dict[str, Any]:
    """Inclusive, in bins, and by region and conversion.

    Without the trees' energies of the same candidates there is nothing to compare with.
    """
    estimates = {ROW: energy} | ({TREES: trees} if trees is not None else {})
    reference = TREES if trees is not None else None
    true = test.column("e_true")
    found: dict[str, Any] = {
        "inclusive": _measure(estimates, true, test, np.ones(len(true), bool), reference),
        "binned": {
            axis: _measure(estimates, true, test, np.ones(len(true), bool), reference, axis=(axis, values))
            for axis, values in test.axes().items()
        },
        "regions": {name: _measure(estimates, true, test, test.where(cut), reference) for name, cut in REGIONS.items()},
    }
    if np.any(test.column("conversion_type") > 0):
        found["conversion"] = {name: _of_class(estimates, true, test, cut, reference) for name, cut in CLASSES.items()}
    return found


def _of_class(
    estimates: dict[str, np.ndarray], true: np.ndarray, test: Test, cut: str, reference: str | None
) -> dict[str, Any]:
    of_class = test.where(cut)
    one = partial(_measure, estimates, true, test)
    return {
        "inclusive": one(of_class, reference),
        "regions": {name: one(of_class & test.where(region), reference) for name, region in REGIONS.items()},
        "binned": {axis: one(of_class, reference, axis=(axis, values)) for axis, values in test.axes().items()},
    }


def _measure(
    estimates: dict[str, np.ndarray],
    true: np.ndarray,
    test: Test,
    rows: np.ndarray,
    reference: str | None,
    axis: tuple[str, np.ndarray] | None = None,
) -> Resolution | None:
    if rows.sum() < 10:
        return None
    return measure_resolution(
        {name: energy[rows] for name, energy in estimates.items()},
        true[rows],
        bootstrap=test.bootstrap.take(np.flatnonzero(rows)),
        axes=None if axis is None else {axis[0]: axis[1][rows]},
        edges=None if axis is None else {axis[0]: np.asarray(_AXES[axis[0]], float)},
        reference=reference,
    )[ROW]


def compare(energy: np.ndarray, other: np.ndarray, test: Test, cut: str = "") -> dict[str, float]:
    """Improvement of the IQR of one row over another on the same candidates, with its error."""
    rows = test.where(cut)
    both = {ROW: energy[rows], "other": other[rows]}
    boot = test.bootstrap.take(np.flatnonzero(rows))
    one = measure_resolution(both, test.column("e_true")[rows], bootstrap=boot, reference="other")[ROW]
    value, error = (float(part["rel_improvement"][0]) for part in (one.metrics, one.errors))
    return {"value": value, "error": error}


def honesty(energy: np.ndarray, sigma: np.ndarray, test: Test) -> dict[str, Any]:
    """Coverage and pull of a sigma, inclusive and in bins."""
    measure_one = partial(measure_pulls, energy, sigma, test.column("e_true"), bootstrap=test.bootstrap)
    binned = {
        axis: measure_one(axes={axis: values}, edges={axis: np.asarray(_AXES[axis], float)})
        for axis, values in test.axes().items()
    }
    pull = (energy - test.column("e_true")) / sigma
    counts, edges = np.histogram(pull[np.isfinite(pull)], bins=80, range=(-5, 5))
    return {"inclusive": measure_one(), "binned": binned, "pulls": {"counts": counts, "edges": edges}}
