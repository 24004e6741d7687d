"""The energy of electrons and photons: trees, the published networks and ours, on the same simulated candidates.

    python benchmarks/energy/run.py                                    # every row that is not filled, 45 minutes each
    python benchmarks/energy/run.py --rows tree compact --minutes 10   # some rows
    python benchmarks/energy/run.py --rows compact --seeds 1 2 3
    python benchmarks/energy/run.py --quick                            # thousands of candidates: shows that it runs
    python benchmarks/energy/run.py --page                             # the page again, from RESULTS.json

Simulates its samples once (``benchmarks/.work/energy``), fills the rows in the order of their value, and writes
RESULTS.json, RESULTS.md and figures/ beside this file after each. A row that was filled with the same simulation,
sizes and seed is skipped unless ``--again`` is given; one that was interrupted goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import page
import simulated
from claims import CLAIMS, LEARNING, against_trees_of_all, learnt
from filling import Limits, fill
from measuring import Test, compare, energy_of, honesty, measure, read_test, smeared
from seeds import over_seeds
from table_rows import REFERENCE, ROWS, Row

from calotools.analysis import read_numbers, to_dict
from calotools.ntuple import read_friend
from calotools.outputs import new_file

HOME = Path(__file__).parent
FULL = simulated.Size("full", train=600_000, test=104_000)
QUICK = simulated.Size("quick", train=3000, test=1500)


class Table:
    """RESULTS.json in memory, and the folders of the rows that made it."""

    def __init__(self, home: Path, size: simulated.Size, *, replicas: int) -> None:
        self.home, self.size, self.replicas = home, size, replicas
        self.numbers: dict[str, Any] = {}
        self.read()
        self._tests: dict[tuple[str, str], Test] = {}

    def read(self) -> None:
        """What is written by now, also by another run that fills other rows."""
        path = self.home / "RESULTS.json"
        self.numbers = read_numbers(path) if path.exists() else {"rows": {}, "comparisons": {}}

    def key(self) -> dict[str, Any]:
        """What a row's numbers belong to."""
        return {"simulation": simulated.digest()[:16], "train": self.size.train, "test": self.size.test}

    def filled(self, name: str, seed: int) -> bool:
        """Whether the row is there, with this simulation and these sizes."""
        found = self.numbers["rows"].get(f"{name}/{seed}")
        return found is not None and found["key"] == self.key()

    def folder(self, name: str, seed: int) -> Path:
        """Where the row's trainings are."""
        size = f"{self.size.name}-{self.size.train}-{self.size.test}-{simulated.digest()[:12]}"
        return simulated.WORK / size / f"{name}-{seed}"

    def test(self, row: Row) -> Test:
        """The test candidates of a row's particle and detector."""
        which = row.particle, row.kind
        if which not in self._tests:
            self._tests[which] = read_test(simulated.make(*which, self.size), replicas=self.replicas)
        return self._tests[which]

    def energy(self, name: str, seed: int = 1) -> np.ndarray | None:
        """Energies of a row that was filled here, if they are still there."""
        row = ROWS[name]
        files = [self.folder(name, seed) / str(number) / "test.root" for number in range(len(row.parts))]
        if not all(file.exists() for file in files):
            return None
        return energy_of(row, [read_friend(file).values["e_network"] for file in files], self.test(row))

    def trees(self, row: Row, seed: int) -> np.ndarray | None:
        """Energies of the trees that a row is compared with: those of its seed, or else the first."""
        reference = REFERENCE[row.particle]
        own = self.energy(reference, seed) if self.filled(reference, seed) else None
        return self.energy(reference) if own is None else own

    def put(self, name: str, seed: int, found: dict[str, Any]) -> None:
        """Keep a row; what it was compared with is compared again."""
        others = self.numbers["comparisons"].items()
        self.numbers["comparisons"] = {
            key: one for key, one in others if name not in key.split(" where ")[0].split(" over ")
        }
        if seed == 1 and name in LEARNING:
            self._keep(name)
        self.numbers["rows"][f"{name}/{seed}"] = found | {"key": self.key(), "seed": seed}

    def _keep(self, name: str) -> None:
        """What the row that is replaced had reached from a sample of another size."""
        self.numbers.get("other_sizes", {}).pop(f"{name}/{self.size.train}", None)  # the new row is of that size
        before = self.numbers["rows"].get(f"{name}/1")
        n_train = before["key"]["train"] if before else self.size.train
        if before and n_train != self.size.train and before["key"] == self.key() | {"train": n_train}:
            self.numbers.setdefault("other_sizes", {})[f"{name}/{n_train}"] = learnt(before)

    def tell_simulation(self, told: dict[str, str]) -> None:
        """What made the candidates; what was kept of the candidates of another simulation is not beside them."""
        before = self.numbers.get("simulation", told)
        if before["digest of its candidates"] != told["digest of its candidates"]:
            self.numbers.pop("other_sizes", None)
        self.numbers["simulation"] = told

    def write(self) -> None:
        """JSON, page, figures."""
        self._compare()
        with new_file(self.home / "RESULTS.json", overwrite=True) as path:
            path.write_text(_as_json(self.numbers), encoding="utf-8")
        page.write(self.numbers, self.home)

    def _compare(self) -> None:
        pairs = {one.key: (one.better, one.worse, one.where) for one in CLAIMS}
        for name in ROWS:
            key = against_trees_of_all(name)
            pairs[key] = (*key.split(" over "), "")  # type: ignore[assignment]
        for key, (better, worse, where) in pairs.items():
            if better == worse or ROWS[better].kind != ROWS[worse].kind:
                continue
            done = self.numbers["comparisons"].get(key)
            if done is not None and done["key"] == self.key():
                continue
            each = [self._compared(better, worse, where, seed) for seed in self._seeds(better, worse)]
            found = [one for one in each if one]
            if found:
                value, error = over_seeds([one["value"] for one in found], [one["error"] for one in found])
                both = {"value": value, "error": error, "seeds": len(found)}
                self.numbers["comparisons"][key] = both | {"key": self.key()}

    def _seeds(self, *names: str) -> list[int]:
        """Those that one of the rows is filled with."""
        found = (key.rpartition("/") for key in self.numbers["rows"])
        return sorted({int(seed) for name, _, seed in found if name in names and self.filled(name, int(seed))})

    def _compared(self, better: str, worse: str, where: str, seed: int) -> dict[str, float] | None:
        """One row over the other; of a row without this seed the first."""
        runs = [(name, seed if self.filled(name, seed) else 1) for name in (better, worse)]
        energy, other = (self.energy(*run) if self.filled(*run) else None for run in runs)
        if energy is None or other is None:
            return None
        return compare(energy, other, self.test(ROWS[better]), where)


def _as_json(numbers: dict[str, Any]) -> str:
    """A line for each row and comparison, six digits: what `read_numbers` reads, and what a diff shows."""
    parts = []
    for name, one in _rounded(to_dict(numbers)).items():
        if name in ("rows", "comparisons"):
            lines = (f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in one.items())
            parts.append(f" {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n }")
        else:
            parts.append(f" {json.dumps(name)}: {json.dumps(one, ensure_ascii=False)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def fill_row(table: Table, row: Row, seed: int, limits: Limits) -> None:
    """Train, apply, measure; the layer sum and smeared trees follow from the trees at once."""
    sample = simulated.make(row.particle, row.kind, table.size)
    filled = fill(row, sample, limits, seed=seed, folder=table.folder(row.name, seed))
    test = table.test(row)
    energy = energy_of(row, filled.energy, test)
    reference = row.name == REFERENCE[row.particle]
    trees = energy if reference else table.trees(row, seed) if row.kind == "full" else None
    if row.kind == "full" and trees is None:
        raise SystemExit(
            f"row '{row.name}' is compared with '{REFERENCE[row.particle]}', which is not there; fill it first"
        )
    found = {"numbers": measure(energy, test, trees), "cost": filled.cost, "n_test": int(test.kept.sum())}
    if row.sigma:
        found["honesty"] = honesty(energy, energy_of(row, filled.sigma, test), test)
    with _alone(table.home):
        table.read()
        table.tell_simulation(simulated.described(sample))
        table.put(row.name, seed, found | {"minutes": limits.minutes, "threads": limits.threads})
        if reference:
            _put_derived(table, row, seed, energy)
            _compare_again(table, row, seed, energy)
        table.write()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Another run that fills other rows of the table waits until this one has written its own."""
    simulated.WORK.mkdir(parents=True, exist_ok=True)
    with (simulated.WORK / f"{home.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _put_derived(table: Table, row: Row, seed: int, trees: np.ndarray) -> None:
    suffix, test = "" if row.particle == "electrons" else "_photons", table.test(row)
    for name, energy in (
        (f"layer_sum{suffix}", test.column("e")),
        (f"tree_smeared{suffix}", smeared(trees, np.abs(test.column("eta")))),
    ):
        table.put(name, seed, {"numbers": measure(energy, test, trees), "cost": {}, "n_test": int(test.kept.sum())})


def _compare_again(table: Table, reference: Row, seed: int, trees: np.ndarray) -> None:
    """Rows of this seed that were filled before these trees."""
    for name, row in ROWS.items():
        compared = row.particle == reference.particle and row.kind == "full" and row is not reference
        energy = table.energy(name, seed) if compared and table.filled(name, seed) else None
        if energy is not None:
            table.numbers["rows"][f"{name}/{seed}"]["numbers"] = measure(energy, table.test(row), trees)


def main() -> None:
    """Fill what is asked for."""
    given = _arguments()
    size = QUICK if given.quick else FULL
    size = simulated.Size(size.name, train=given.train or size.train, test=given.test or size.test)
    home = simulated.WORK / "quick" if given.quick else HOME
    home.mkdir(parents=True, exist_ok=True)
    table = Table(home, size, replicas=20 if given.quick else given.replicas)
    limits = Limits(given.minutes, given.threads, given.trials, given.searched, given.epochs)
    if given.quick:
        limits = Limits(0.05, given.threads, 2, 2000, 2)
    if given.page:
        table.write()
        return
    for seed in given.seeds:
        for name in given.rows:
            if given.again:
                shutil.rmtree(table.folder(name, seed), ignore_errors=True)
            elif table.filled(name, seed):
                print(f"{name}, seed {seed}: filled already", flush=True)
                continue
            start = time.perf_counter()
            fill_row(table, ROWS[name], seed, limits)
            print(f"{name}, seed {seed}: filled in {(time.perf_counter() - start) / 60:.1f} minutes", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS), metavar="ROW")
    parser.add_argument("--train", type=int, help=f"candidates of each particle to learn from; default: {FULL.train}")
    parser.add_argument("--test", type=int, help=f"candidates of each particle to test on; default: {FULL.test}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of initialisation, order and split")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=45.0, help="of training, for each row of a network")
    parser.add_argument("--epochs", type=int, default=60, help="at most, for a network that is fast")
    parser.add_argument("--trials", type=int, default=30, help="settings that the search of each forest tries")
    parser.add_argument("--searched", type=int, default=60_000, help="candidates of a search")
    parser.add_argument("--replicas", type=int, default=50, help="of the bootstrap over events")
    parser.add_argument("--again", action="store_true", help="fill rows that are filled")
    parser.add_argument("--page", action="store_true", help="only write the page again")
    parser.add_argument("--quick", action="store_true", help="a few thousand candidates, seconds for each row")
    return parser.parse_args()


if __name__ == "__main__":
    main()
