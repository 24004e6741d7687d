"""Padded tracks: the mask comes from lengths."""

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.errors import BranchError, ConfigError
from calotools.images import pad_tracks


@given(
    st.lists(st.lists(st.tuples(st.floats(-5, 5, width=32), st.integers(-3, 3)), max_size=6), min_size=1, max_size=8),
    st.integers(0, 7),
)
def test_agrees_with_a_loop(rows, max_tracks):
    candidates = ak.Array({"tracks": [[{"d0": d0, "n": n} for d0, n in row] for row in [*rows, [(0.0, 0)]]]})
    values, mask = pad_tracks(candidates, ["n", "d0"], max_tracks=max_tracks)
    assert values.dtype == np.float32
    for i, row in enumerate([*rows, [(0.0, 0)]]):
        kept = row[:max_tracks]
        assert mask[i].sum() == len(kept)
        assert mask[i, : len(kept)].all()
        assert values[i, : len(kept)].tolist() == [[n, d0] for d0, n in kept]
        assert not values[i, len(kept) :].any()


def test_a_track_of_zeros_is_a_track():
    values, mask = pad_tracks(ak.Array({"tracks": [[{"d0": 0.0, "z0": 0.0}], []]}), ["d0", "z0"], max_tracks=3)
    assert mask.tolist() == [[True, False, False], [False] * 3]
    assert not values.any()


def test_selection_commutes(make_candidates):
    candidates = make_candidates(np.linspace(-1, 1, 8), np.zeros(8))
    values, mask = pad_tracks(candidates, ["pt"], max_tracks=4)
    for rows in (np.array([5, 0, 0]), candidates.eta_cluster > 0, slice(3, 6)):
        some, some_mask = pad_tracks(candidates[rows], ["pt"], max_tracks=4)
        np.testing.assert_array_equal(some, values[ak.to_numpy(rows) if isinstance(rows, ak.Array) else rows])
        np.testing.assert_array_equal(some_mask, mask[ak.to_numpy(rows) if isinstance(rows, ak.Array) else rows])


def test_errors():
    candidates = ak.Array({"tracks": [[{"d0": 0.0}]]})
    with pytest.raises(BranchError, match="'d00' is not in the collection 'tracks'; nearest: 'd0'"):
        pad_tracks(candidates, ["d00"], max_tracks=1)
    with pytest.raises(BranchError, match="'tracks' is not in the candidates"):
        pad_tracks(ak.Array({"et": [1.0]}), ["d0"], max_tracks=1)
    with pytest.raises(ConfigError, match="max_tracks = -1"):
        pad_tracks(candidates, ["d0"], max_tracks=-1)
