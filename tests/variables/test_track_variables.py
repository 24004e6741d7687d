"""Track variables that need the candidate."""

import awkward as ak
import numpy as np

from calotools.variables.tracks import add_track_variables, track_fields


def candidates():
    return ak.Array(
        [
            {"e": 100.0, "tracks": [{"pt": 30.0, "eta": 1.0, "d0": 0.1}, {"pt": 1.0, "eta": -2.0, "d0": 0.0}]},
            {"e": 50.0, "tracks": []},
        ]
    )


def test_energy_fraction_is_momentum_over_energy():
    first, second = add_track_variables(candidates(), ["d0", "e_frac"]).tracks.e_frac.to_list()
    np.testing.assert_allclose(first, [0.3 * np.cosh(1), 0.01 * np.cosh(2)])
    assert second == []


def test_nothing_asked_nothing_added():
    before = candidates()
    assert add_track_variables(before, ["d0"]).tracks.fields == ["pt", "eta", "d0"]
    add_track_variables(before, ["e_frac"])
    assert before.tracks.fields == ["pt", "eta", "d0"]


def test_fields_are_asked_once():
    assert track_fields(["pt", "e_frac", "d0"]) == ("tracks.pt", "tracks.eta", "e", "tracks.d0")
