"""The simulate stage: complete files, the same whatever way they are made."""

import awkward as ak
import numpy as np
import pytest

from calotools.errors import ConfigError, EmptyInputError, EmptyShardWarning, OutputExistsError
from calotools.ntuple import canonical_fields, inspect_files, read_candidates, read_metadata
from calotools.recipe import SimulateConfig
from calotools.simulate import simulate

TREES = {"zee": "electrons", "hyy": "photons", "jpsi": "electrons", "electrons": "electrons", "photons": "photons"}
N = 410  # three blocks, the last one short


def make(folder, name="a.root", **values):
    return simulate(SimulateConfig(**{"process": "electrons", "n": N, "mu": 0, "output": folder / name, **values}))


def _fields(path):
    candidates = read_candidates(path)
    flat = {name: candidates[name] for name in candidates.fields if name not in ("cells", "tracks")}
    for collection in ("cells", "tracks"):
        flat |= {f"{collection}.{name}": candidates[collection][name] for name in candidates[collection].fields}
    return list(flat), list(flat.values())


def same(first, second):
    names, values = _fields(first)
    others = dict(zip(*_fields(second), strict=True))
    assert set(names) == set(others)
    for name, value in zip(names, values, strict=True):
        assert ak.array_equal(value, others[name], equal_nan=True), name


@pytest.fixture(scope="module")
def electrons(tmp_path_factory):
    return make(tmp_path_factory.mktemp("simulate"))


@pytest.mark.parametrize("process", [*TREES, "fakes"])
def test_every_process_writes_a_complete_ntuple(process, tmp_path):
    path = make(tmp_path, process=process, n=30, mu=20)
    candidates = read_candidates(path)
    pairs = process in ("zee", "hyy", "jpsi")
    assert len(candidates) == 30 * (1 + pairs)
    assert set(canonical_fields()) <= {*_fields(path)[0]}
    (report,) = inspect_files([path])
    assert [tree.name for tree in report.trees] == [TREES.get(process, "electrons")]
    assert not ak.any(ak.num(candidates.cells) < 100)
    assert ak.all(np.isfinite(ak.flatten(candidates.cells.e)))
    if pairs:
        assert candidates.candidate.tolist() == [0, 1] * 30
        assert ak.all(candidates.et[::2] >= candidates.et[1::2])


def test_same_seed_same_file_and_another_seed_another(electrons, tmp_path):
    same(electrons, make(tmp_path))
    other = read_candidates(make(tmp_path, "b.root", seed=2, n=50), fields=["e", "run"])
    first = read_candidates(electrons, fields=["e", "run"])
    assert not np.any(np.isin(ak.to_numpy(other.e), ak.to_numpy(first.e)))
    assert other.run[0] != first.run[0]


def test_chunk_and_format_do_not_matter(electrons, tmp_path):
    same(electrons, make(tmp_path, chunk=1))
    same(electrons, make(tmp_path, "b.root", format="rntuple"))


def test_jobs_do_not_matter(electrons, tmp_path):
    same(electrons, make(tmp_path, jobs=2))


def test_shards_are_the_whole(electrons, tmp_path):
    shards = [read_candidates(make(tmp_path, f"{i}.root", shard=(i, 2)), fields=["event", "e"]) for i in range(2)]
    whole = read_candidates(electrons, fields=["event", "e"])
    assert ak.array_equal(ak.concatenate([one.e for one in shards]), whole.e)
    assert whole.event.tolist() == list(range(1, N + 1))


def test_a_shard_without_blocks_is_a_file_without_candidates(tmp_path):
    with pytest.warns(EmptyShardWarning, match=r"shard 0/2 has no candidates: .* 20 events is made of 1 block of 200"):
        parts = [make(tmp_path, f"{i}.root", n=20, shard=(i, 2)) for i in range(2)]
    assert [tree.entries for report in inspect_files(parts) for tree in report.trees] == [0, 20]
    assert len(read_candidates(parts)) == 20
    with pytest.raises(EmptyInputError, match="zero entries"):
        read_candidates(parts[0])
    with pytest.warns(EmptyShardWarning):
        make(tmp_path, "b.root", process="zee", n=20, shard=(0, 2), pseudo_data=True)
    assert "total" in (tmp_path / "b.injected.toml").read_text()


def test_energy_and_direction_close(electrons):
    candidates = read_candidates(electrons)
    outside_crack = np.abs(np.abs(ak.to_numpy(candidates.eta_cluster)) - 1.45) > 0.1
    ratio = ak.to_numpy(candidates.e / candidates.e_true)[outside_crack]
    assert np.median(ratio) == pytest.approx(1, abs=0.02)
    assert np.median(np.abs(candidates.eta - candidates.eta_true)) < 0.001
    cells = ak.sum(candidates.cells.e[candidates.cells.sampling < 8], axis=1)
    assert ak.all(cells > 0.8 * candidates.e_cluster)


def test_identification_is_as_tuned(electrons):
    candidates = read_candidates(electrons, fields=["pass_loose", "pass_tight"])
    assert 0.88 < ak.mean(candidates.pass_loose) < 0.99
    assert 0.72 < ak.mean(candidates.pass_tight) < 0.92


def test_provenance(electrons):
    record = read_metadata(electrons)
    assert record["config"]["seed"] == 1
    assert record["effects"]["rt_factor"] > 0
    assert len(record["tables"]) == 64


def test_pseudo_data_have_no_truth_and_a_sidecar(tmp_path):
    path = make(tmp_path, process="zee", n=40, pseudo_data=True)
    candidates = read_candidates(path)
    assert not [name for name in candidates.fields if name.endswith("_true")]
    assert ak.all(candidates.channel == 0)
    assert (tmp_path / "a.injected.toml").exists()
    simulated = read_candidates(make(tmp_path, "b.root", process="zee", n=40), fields=["run", "e"])
    assert simulated.run[0] != candidates.run[0]


def test_progress_counts_events(tmp_path):
    calls = []
    simulate(
        SimulateConfig(process="electrons", n=250, mu=0, output=tmp_path / "a.root", chunk=100),
        progress=lambda *call: calls.append(call),
    )
    assert calls == [("simulate", done, 250) for done in (0, 200, 250)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shard": (3, 3)}, "shard 3/3 does not exist"),
        ({"seed": 10**9}, "does not fit into the run number"),
        ({"injected": "x.toml"}, "is for pseudo-data"),
        ({"mu": -1}, "greater than or equal to 0"),
        ({"process": "zmm"}, "is not allowed"),
    ],
)
def test_bad_requests(values, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        make(tmp_path, **values)
    assert list(tmp_path.iterdir()) == []


def test_existing_output_is_kept(electrons):
    before = electrons.read_bytes()
    with pytest.raises(OutputExistsError, match="exists"):
        make(electrons.parent, n=5)
    assert electrons.read_bytes() == before


def test_pileup_turned_off_is_off_everywhere(tmp_path):
    """Cells, noise, tracks, vertices, isolation and the branches that say how much there was."""
    (tmp_path / "off.toml").write_text("pileup = 0\n")
    (tmp_path / "half.toml").write_text("pileup = 0.5\n")
    same(
        make(tmp_path, n=60, mu=40, effects=tmp_path / "off.toml"),
        make(tmp_path, "b.root", n=60, mu=0),
    )
    same(
        make(tmp_path, "c.root", n=60, mu=40, effects=tmp_path / "half.toml"),
        make(tmp_path, "d.root", n=60, mu=20),
    )
