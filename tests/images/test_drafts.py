"""Images painted when a batch wants them are those that a store keeps, bit for bit."""

import awkward as ak
import numpy as np
import pytest

from calotools.images import DraftStore, ImageStore, image_spec, join_pieces, piece_arrays, piece_draft, without_cells

N = 40
KEPT = {"columns": ("e",), "tracks": (("pt", "d0"), 2), "on_bad": "skip"}
KNOWN = {"columns": ("e",), "tracks": ("pt", "d0"), "max_tracks": 2}


@pytest.fixture(scope="module")
def candidates(make_candidates):
    """Some of them have lost cells, have none, none that is finite, or none of the middle."""
    rng = np.random.default_rng(2)
    made = make_candidates(rng.uniform(-2, 2, N), rng.uniform(-np.pi, np.pi, N))
    counts, cells = ak.num(made.cells), ak.flatten(made.cells)
    columns = {name: np.array(cells[name]) for name in cells.fields}
    columns["e"][rng.integers(0, len(cells), 50)] = np.nan
    owner = np.repeat(np.arange(N), counts)
    columns["phi"][owner == 5] = np.inf
    columns["sampling"][np.isin(owner, (7, 8)) & np.isin(columns["sampling"], (2, 6))] = 1
    damaged = ak.unflatten(ak.zip(columns), counts)
    return ak.with_field(made, ak.concatenate([damaged[:3], damaged[3:4, :0], damaged[4:]]), "cells")


@pytest.mark.parametrize("name", ["energy", "electron", "energy_noise"])
def test_drafts_are_what_a_store_holds(candidates, name):
    spec = image_spec(name)
    store = ImageStore.in_memory(piece_arrays(candidates, spec, **KEPT), spec, **KNOWN)
    pieces = [piece_draft(part, spec, **KEPT) for part in (candidates[:25], candidates[25:])]
    drafts = DraftStore(
        pieces, ImageStore.in_memory(join_pieces([without_cells(one) for one in pieces]), spec, **KNOWN)
    )
    assert 0 < np.count_nonzero(store.usable) < N
    np.testing.assert_array_equal(drafts.usable, store.usable)
    for rows in (np.random.default_rng(3).permutation(N), np.array([4, 4, 3])):
        for one, other in zip(drafts.tracks(rows), store.tracks(rows), strict=True):
            np.testing.assert_array_equal(one, other, strict=True)
        images, expected = drafts.dense(rows), store.dense(rows)
        assert list(images) == list(expected)
        for key, image in images.items():
            np.testing.assert_array_equal(image.view(np.int32), expected[key].view(np.int32), strict=True, err_msg=key)
    for nothing in (drafts.dense(np.zeros(0, int)), store.dense(np.zeros(0, int))):  # a rank's part of a short batch
        assert {key: image.shape for key, image in nothing.items()} == {
            k: (0, *one.shape[1:]) for k, one in expected.items()
        }


def test_tracks_are_cut_and_padded(candidates):
    pieces = [{**KEPT, "tracks": (("pt", "d0"), most)} for most in (1, 3, 50)]
    spec, lengths = image_spec("energy"), ak.num(candidates.tracks).to_numpy()
    for wanted in pieces:
        most = wanted["tracks"][1]
        arrays = piece_draft(candidates, spec, **wanted)
        assert np.diff(arrays["track_offsets"]).tolist() == np.minimum(lengths, most).tolist()
        expected = np.column_stack(
            [ak.to_numpy(ak.flatten(candidates.tracks[name][:, :most])) for name in ("pt", "d0")]
        )
        np.testing.assert_array_equal(arrays["track_values"], expected.astype(np.float32), strict=True)
