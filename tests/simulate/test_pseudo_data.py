"""Injected differences are what they say, and the sidecar tells them."""

import tomllib

import numpy as np
import pytest

from calotools.errors import ConfigError
from calotools.simulate.effects import Effects
from calotools.simulate.pseudo_data import Injected, energy_factor, fail_randomly, sidecar_path, write_sidecar


def columns(n, seed=1):
    rng = np.random.default_rng(seed)
    passes = {f"pass_{level}": (rng.random(n) < p).astype(np.int32) for level, p in (("loose", 0.95), ("tight", 0.8))}
    return passes | {
        "pass_medium": passes["pass_loose"],
        "et": rng.uniform(16, 100, n),
        "eta": rng.uniform(-2.4, 2.4, n),
    }


def test_scale_and_smearing_are_recovered():
    injected = Injected()
    eta = np.random.default_rng(1).uniform(-2.4, 2.4, 200_000)
    factor = energy_factor(eta, injected=injected, rng=np.random.default_rng(2))
    edges = np.array(injected.energy_eta_edges)
    for low, high, alpha, smearing in zip(
        edges[:-1], edges[1:], injected.energy_scale, injected.energy_smearing, strict=True
    ):
        rows = (np.abs(eta) >= low) & (np.abs(eta) < high)
        assert np.mean(factor[rows]) == pytest.approx(1 + alpha, abs=5 * smearing / np.sqrt(rows.sum()))
        assert np.std(factor[rows]) == pytest.approx(smearing, rel=0.03)


def test_scale_factors_are_recovered_and_counted():
    injected = Injected()
    data = columns(200_000)
    flags, counts = fail_randomly(data, signal=np.ones(200_000, bool), injected=injected, rng=np.random.default_rng(3))
    ratio = counts.passed["tight"] / counts.passed_before["tight"]
    error = np.sqrt(0.05 / counts.passed_before["tight"])
    pull = (ratio - np.array(injected.scale_factor)) / error
    assert np.all(np.abs(pull) < 4.5)
    assert np.all(flags["pass_tight"] <= data["pass_tight"])
    assert counts.total.sum() == 200_000
    assert counts.background == 0


def test_failing_keeps_the_order_of_levels():
    data = columns(1000)
    data["pass_tight"] &= data["pass_loose"]
    flags, _ = fail_randomly(data, signal=np.ones(1000, bool), injected=Injected(), rng=np.random.default_rng(3))
    assert np.all(flags["pass_tight"] <= flags["pass_loose"])


def test_counts_add():
    parts = [
        fail_randomly(columns(n), signal=np.zeros(n, bool), injected=Injected(), rng=np.random.default_rng(1))[1]
        for n in (10, 20)
    ]
    assert (parts[0] + parts[1]).background == 30


def test_effects_are_changed():
    changed = Injected(material=1.1, lateral=1.2).change(Effects(material=2.0))
    assert changed.material == pytest.approx(2.2)
    assert changed.rt_factor == pytest.approx(Effects().rt_factor * 1.2)


def test_sidecar_round_trip(tmp_path):
    injected = Injected()
    counts = fail_randomly(columns(500), signal=np.ones(500, bool), injected=injected, rng=np.random.default_rng(1))[1]
    path = sidecar_path(tmp_path / "data.root")
    assert path.name == "data.injected.toml"
    write_sidecar(path, injected, counts, overwrite=False)
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    assert np.array_equal(written["realised"]["total"], counts.total)
    assert np.array_equal(written["realised"]["pass_tight"], counts.passed["tight"])
    assert written["scale_factor"] == [list(row) for row in injected.scale_factor]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scale_factor": ((1.0,),)}, "must have 5 rows"),
        ({"eta_edges": (1.0, 0.5)}, "must increase"),
        ({"energy_scale": (0.1,)}, r"has 1 values for 5 \|eta\| bins"),
        ({"et_edges": (10.0, 50.0), "eta_edges": (0.0, 2.5), "scale_factor": ((1.2,),)}, r"must be in \[0, 1\]"),
        ({"backgroundfraction": 0.1}, "background_fraction"),
    ],
)
def test_bad_tables(values, message):
    with pytest.raises(ConfigError, match=message):
        Injected(**values)
