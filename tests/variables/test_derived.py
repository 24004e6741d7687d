"""Derived variables: against hand numbers, periods, and what is missing."""

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotools.errors import BranchError
from calotools.variables import DERIVED, add_derived, derived_inputs

ONE = {
    "eta_cluster": [0.512, -1.9],
    "phi_cluster": [3.1, -0.2],
    "e0": [1.0, 0.0],
    "e1": [10.0, 4.0],
    "e2": [40.0, 0.0],
    "e3": [0.5, 0.0],
    "e_acc": [50.5, 4.0],
    "e_tile_gap3": [0.0, 0.2],
    "rhad": [0.03, 0.05],
    "rhad1": [0.02, 0.04],
    "conversion_type": [2, 0],
    "conversion_radius": [120.0, np.nan],
    "tracks": [[{"pt": 20.0}, {"pt": 5.0}, {"pt": 2.0}], [{"pt": 9.0}]],
}


def value(name, **changes):
    return add_derived(ak.Array({**ONE, **changes}), [name])[name].to_numpy()


def test_ratios():
    np.testing.assert_allclose(value("f0"), [1 / 50.5, 0.0])
    np.testing.assert_allclose(value("r12"), [0.25, np.nan])
    np.testing.assert_allclose(value("f_tile_gap3"), [0.0, 0.05])


def test_all_hadronic_layers_count_where_the_tile_has_its_gap():
    np.testing.assert_allclose(value("rhad_used"), [0.02, 0.04])
    np.testing.assert_allclose(value("rhad_used", eta_cluster=[-1.0, 1.36]), [0.03, 0.05])
    np.testing.assert_allclose(value("rhad_used", eta_cluster=[-0.79, 1.38]), [0.02, 0.04])


def test_depth_of_a_shower_in_one_layer_is_the_middle_of_that_layer():
    strips_only = value("shower_depth")[1]
    assert 4.2 < strips_only < 7.0  # front of the endcap at 1.9 is at about 3.7 X0, the strips are 4.4 thick
    deeper = value("shower_depth", e1=[0.0, 0.0], e2=[0.0, 4.0])[1]
    assert deeper > strips_only + 8


@settings(max_examples=50)
@given(eta=st.floats(-2.5, 2.5), phi=st.floats(-3.2, 3.2))
def test_cell_and_place_in_it_give_eta_back(eta, phi):
    changes = {"eta_cluster": [eta], "phi_cluster": [phi]}
    one = {name: column[:1] for name, column in ONE.items()} | changes
    got = add_derived(ak.Array(one), ["cell_index", "eta_mod", "phi_mod", "dphi_tile_gap3"])
    assert got.cell_index[0] * 0.025 + got.eta_mod[0] == pytest.approx(abs(eta), abs=1e-6)
    n_absorbers = 1024 if abs(eta) < 1.425 else 768
    turns = (phi - got.phi_mod[0]) * n_absorbers / (2 * np.pi)
    assert turns == pytest.approx(round(turns), abs=1e-3)
    assert abs(got.dphi_tile_gap3[0]) <= np.pi / 64 + 1e-9


def test_conversions_by_hand():
    et = 50.5 / np.cosh(0.512)
    np.testing.assert_allclose(value("conversion_radius_used"), [120.0, 799.0])
    np.testing.assert_allclose(value("conversion_et_over_pt"), [et / 25.0, 0.0])
    np.testing.assert_allclose(value("conversion_pt_ratio"), [0.8, 1.0])


def test_a_soft_conversion_counts_as_none():
    soft = [[{"pt": 1.0}, {"pt": 1.5}], []]
    assert value("conversion_radius_used", tracks=soft)[0] == 799.0
    assert value("conversion_et_over_pt", tracks=soft)[0] == 0.0


def test_inputs_of_each_variable_are_enough():
    for name, derived in DERIVED.items():
        collections = {field.split(".")[0] for field in derived.fields}
        only = ak.Array({field: ONE[field] for field in collections})
        assert len(add_derived(only, [name])[name]) == 2


def test_no_truth_is_an_input():
    assert not any(field.endswith("_true") for name in DERIVED for field in derived_inputs([name]))


def test_a_missing_field_is_named():
    with pytest.raises(BranchError, match="variable 'r12' is made from e1, e2; 'e2' is not there"):
        add_derived(ak.Array({"e1": [1.0]}), ["r12"])


def test_a_field_of_the_ntuple_wins():
    candidates = ak.Array({"f0": [0.5], "e0": [1.0], "e_acc": [4.0]})
    assert add_derived(candidates, ["f0"]).f0.tolist() == [0.5]
