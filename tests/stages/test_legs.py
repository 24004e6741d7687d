"""Widths of one leg and of the detector's part, against what was put in."""

import awkward as ak
import numpy as np
import pytest

from calotools.analysis import event_bootstrap, find_pairs, pair_mass
from calotools.stages.pairs.legs import compare_legs, lines_of_legs

N = 4000
WINDOW = (75.0, 105.0)


def pairs_of(spread, *, natural=0.0, seed=1):
    """Back-to-back pairs of mass 90 GeV whose energies have relative Gaussian errors `spread` (by name)."""
    rng = np.random.default_rng(seed)
    true = np.repeat(45.0 * (1 + natural * rng.normal(size=N)), 2)
    noise = rng.normal(size=2 * N)
    columns = {
        "run": np.ones(2 * N, np.uint32),
        "event": np.repeat(np.arange(N), 2).astype(np.uint64),
        "candidate": np.tile([0, 1], N),
        "charge": np.tile([1, -1], N),
        "eta": np.zeros(2 * N),
        "phi": np.tile([0.0, 3.14159], N),
        "et": true,
        "e_true": true,
    }
    return ak.zip(columns | {name: true * (1 + size * noise) for name, size in spread.items()})


def compare(candidates):
    pairs = find_pairs(candidates, kind="zee", energy="before")
    return compare_legs(
        candidates,
        pairs,
        energies={"before": "before", "after": "after"},
        window=WINDOW,
        weight=np.ones(len(pairs)),
        bootstrap=event_bootstrap(pairs.index, rng=np.random.default_rng(2), replicas=30),
    )


def test_a_gain_in_the_energy_is_the_gain_in_the_detectors_part_whatever_the_natural_width():
    widths = compare(pairs_of({"before": 0.04, "after": 0.02}, natural=0.02))
    assert widths["detector"].ratio["sigma68_rel"] == pytest.approx(0.5, abs=0.01)
    # half of the energy's relative error, and the natural width that the ratio still has in it
    one_leg = np.hypot(0.02, [0.02, 0.01])
    assert widths["probe_and_truth"].ratio["sigma68_rel"] == pytest.approx(one_leg[1] / one_leg[0], abs=0.02)
    both = np.sqrt(0.02**2 + 2 * 0.02**2), np.sqrt(0.02**2 + 0.02**2 + 0.01**2)
    assert widths["probe"].ratio["sigma68_rel"] == pytest.approx(both[1] / both[0], abs=0.02)


def test_each_leg_is_the_probe_once_and_pairs_keep_their_events_in_the_bootstrap():
    candidates = pairs_of({"before": 0.04, "after": 0.02})
    widths = compare(candidates)
    assert widths["probe_and_truth"].n == 2 * N
    assert widths["detector"].n == N
    assert widths["probe_and_truth"].ratio["sigma68"] == pytest.approx(0.5, abs=0.01)


def test_without_truth_only_the_probe_is_measured():
    candidates = pairs_of({"before": 0.04, "after": 0.04})
    widths = compare(candidates[[name for name in candidates.fields if name != "e_true"]])
    assert list(widths) == ["probe"]
    assert widths["probe"].ratio["sigma68_rel"] == 1
    assert [line.name for line in lines_of_legs(widths)] == ["width ratio, one leg with the network"]


def test_true_energies_that_no_pair_has_are_as_none():
    candidates = pairs_of({"before": 0.04, "after": 0.04})
    for unknown in (np.nan, 0.0):
        widths = compare(ak.with_field(candidates, np.full(2 * N, unknown), "e_true"))
        assert list(widths) == ["probe"]


def test_both_legs_without_an_error_are_as_wide_as_the_pair():
    candidates = pairs_of({"before": 1e-9, "after": 1e-9}, natural=0.02)
    pairs = find_pairs(candidates, kind="zee", energy="before")
    widths = compare(candidates)
    low, high = np.quantile(pair_mass(candidates, pairs, energy="e_true"), [0.25, 0.75])
    assert widths["probe_and_truth"].before["iqr"] == pytest.approx(high - low, rel=1e-3)
    assert widths["detector"].before["sigma68_rel"] < 1e-6
