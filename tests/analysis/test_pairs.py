"""Pairs: who is paired with whom, and the mass."""

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.analysis import Pairs, all_pairs, find_pairs, leg_mass, pair_mass
from calotools.errors import BranchError, ConfigError, InputFileError, ShapeError


def sample(**columns):
    n = len(columns["event"])
    base = {"run": np.ones(n, np.uint32), "eta": np.zeros(n), "phi": np.zeros(n), "charge": np.ones(n)}
    base |= {"et": np.full(n, 40.0), "candidate": np.zeros(n, np.int32)}
    base |= {name: np.asarray(values) for name, values in columns.items()}
    base["event"] = base["event"].astype(np.uint64)
    base.setdefault("e", base["et"] * np.cosh(base["eta"]))
    return ak.zip(base)


ANGLE = st.floats(-3.1, 3.1)
ETA = st.floats(-2.4, 2.4)


@given(ANGLE, ANGLE, ETA, ETA, st.sampled_from([-2 * np.pi, 0.0, 2 * np.pi]), st.sampled_from([-2 * np.pi, 2 * np.pi]))
def test_mass_is_the_textbook_one_and_does_not_see_the_phi_wrap(phi1, phi2, eta1, eta2, turn1, turn2):
    pair = Pairs(np.array([0]), np.array([1]), np.array([1]), np.array([1]))
    energies = np.array([70.0, 50.0])

    def mass(one, two):
        legs = sample(event=[1, 1], eta=[eta1, eta2], phi=[one, two], candidate=[0, 1])
        return pair_mass(legs, pair, energy=energies)[0]

    direction = [np.array([np.cos(p), np.sin(p), np.sinh(e)]) / np.cosh(e) for p, e in ((phi1, eta1), (phi2, eta2))]
    square = 2 * 70 * 50 * (1 - direction[0] @ direction[1])
    assert mass(phi1, phi2) ** 2 == pytest.approx(square, abs=1e-6)
    assert mass(phi1 + turn1, phi2 + turn2) == pytest.approx(mass(phi1, phi2), abs=1e-4)


def test_events_are_paired_wherever_their_candidates_are():
    legs = sample(event=[5, 7, 5, 6, 7, 7], candidate=[0, 0, 1, 0, 1, 2], et=[40, 50, 45, 60, 30, 55])
    pairs = all_pairs(legs)
    assert [set(one) for one in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)] == [
        {0, 2}, {5, 1}, {5, 4}, {1, 4},
    ]  # fmt: skip
    assert pairs.event.tolist() == [5, 7, 7, 7]
    assert np.all(np.asarray(legs.et)[pairs.first] >= np.asarray(legs.et)[pairs.second])


@given(st.permutations(range(6)))
def test_order_of_candidates_does_not_matter(order):
    legs = sample(event=[5, 7, 5, 6, 7, 7], candidate=[0, 0, 1, 0, 1, 2], et=[40, 50, 45, 60, 30, 55])
    shuffled = legs[list(order)]

    def described(candidates):
        pairs = all_pairs(candidates)
        et = np.asarray(candidates.et)
        return list(zip(pairs.event.tolist(), et[pairs.first].tolist(), et[pairs.second].tolist(), strict=True))

    assert described(shuffled) == described(legs)


def test_same_event_number_of_another_run_is_another_event():
    assert len(all_pairs(sample(event=[5, 5], run=np.array([1, 2], np.uint32)))) == 0


def test_z_takes_the_hardest_opposite_charge_pair_in_acceptance():
    legs = sample(
        event=[1, 1, 1, 2, 2, 3, 3],
        candidate=[0, 1, 2, 0, 1, 0, 1],
        et=[60, 50, 40, 40, 40, 40, 40],
        charge=[1, 1, -1, 1, -1, 1, -1],
        eta=[0, 0, 0, 1.45, 0, 2.48, 0],
        phi=[0, 3, 3, 0, 3, 0, 3],
    )
    pairs = find_pairs(legs, kind="zee")
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([0], [2])


def test_acceptance_is_in_the_detector_frame_where_it_is_known():
    legs = sample(event=[1, 1], candidate=[0, 1], charge=[1, -1], eta=[1.4, 0.0], eta_s2=[1.3, 0.0], phi=[0, 3])
    assert len(find_pairs(legs, kind="zee")) == 1


def test_higgs_cuts_on_et_over_mass():
    # Back to back at eta 0: m = 2 sqrt(E1 E2); 80 and 40 GeV: 0.71 and 0.35 of m; 200 and 20: 1.58 and 0.158.
    for et, n in (([80.0, 40.0], 1), ([200.0, 20.0], 0)):
        legs = sample(event=[1, 1], candidate=[0, 1], et=et, phi=[0, np.pi])
        assert len(find_pairs(legs, kind="hyy")) == n


def test_the_same_pairs_get_another_energy():
    legs = sample(event=[1, 1], candidate=[0, 1], charge=[1, -1], phi=[0, np.pi])
    pairs = find_pairs(legs, kind="zee")
    assert pair_mass(legs, pairs, energy=np.array([44.0, 44.0])) == pytest.approx(88.0)
    assert np.isnan(pair_mass(legs, pairs, energy=np.array([44.0, np.nan]))).all()


def test_no_candidates_no_pairs():
    legs = sample(event=[1, 1], candidate=[0, 1], charge=[1, -1])
    pairs = find_pairs(legs, kind="zee", mask=np.zeros(2, bool))
    assert len(pairs) == 0
    assert pair_mass(legs, pairs).shape == (0,)


def test_wrong_input_is_refused():
    legs = sample(event=[1, 1], candidate=[0, 0])
    with pytest.raises(InputFileError, match="run 1, event 1, candidate 0 appears more than once"):
        all_pairs(legs)
    legs = sample(event=[1, 1], candidate=[0, 1])
    with pytest.raises(ConfigError, match="no pair 'zmm'"):
        find_pairs(legs, kind="zmm")
    with pytest.raises(ShapeError, match="mask of 3 entries is given for 2"):
        all_pairs(legs, mask=np.ones(3, bool))
    with pytest.raises(ShapeError, match="3 energies are given for 2"):
        pair_mass(legs, all_pairs(legs), energy=np.ones(3))
    with pytest.raises(BranchError, match="no field 'e_netwrk'"):
        pair_mass(legs, all_pairs(legs), energy="e_netwrk")


def test_one_leg_has_the_probes_energy_in_every_pair_it_is_in():
    legs = sample(event=[1, 1, 1], candidate=[0, 1, 2], et=[50, 40, 30], phi=[0.0, 2.0, 4.0])
    legs = ak.with_field(legs, np.array([52.0, 38.0, 33.0]), "e_new")
    pairs = all_pairs(legs)
    expected = []
    for rows in (pairs.first, pairs.second):
        for number, row in enumerate(rows):
            energy = np.asarray(legs.e).copy()
            energy[row] = legs.e_new[row]
            expected.append(pair_mass(legs, pairs.take(np.array([number])), energy=energy)[0])
    assert leg_mass(legs, pairs, probe="e_new", other="e") == pytest.approx(expected)


def test_a_leg_without_an_energy_has_no_mass():
    legs = sample(event=[1, 1], candidate=[0, 1], et=[50, 40], phi=[0.0, 2.0])
    legs = ak.with_field(legs, np.array([np.nan, 38.0]), "e_new")
    pairs = all_pairs(legs)
    assert np.isnan(leg_mass(legs, pairs, probe="e_new", other="e")).tolist() == [True, False]
