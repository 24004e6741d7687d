"""Bands, dense images drawn from them, and threads: nothing is lost on the way, whatever the shape of the grid."""

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotools.containers import ImageGrid, ImageSpec, Layer
from calotools.errors import ConfigError, ShapeError
from calotools.images import ImageStore, build_images, build_store, image_spec, join_pieces, merge_stores, piece_arrays
from calotools.images.bands import BandRoll, encode
from calotools.images.dense import draw
from calotools.images.paint import PADDING
from calotools.images.rows import spans_of
from calotools.images.spec import panels_of
from calotools.images.threads import default_threads, in_threads

ETA, PHI = np.array([0.31, -0.62, 1.21, 1.38, -1.45, 1.62, -1.93, 2.31]), np.linspace(-3.1, 3.1, 8)


@pytest.fixture(scope="module")
def candidates(make_candidates):
    return make_candidates(ETA, PHI)


def spec_of(*shapes, quantities=("energy",)):
    grids = {f"g{k}": ImageGrid(n_eta, n_phi, 0.025, 0.0245) for k, (_, n_eta, n_phi) in enumerate(shapes)}
    numbers = iter(range(256))
    layers = [Layer(f"l{k}{j}", (next(numbers),), grid=f"g{k}") for k, (n, _, _) in enumerate(shapes) for j in range(n)]
    return ImageSpec(grids, tuple(layers), quantities=quantities, centre_layer="l00")


def drawn_again(painted, spec, quantities, *, half=(), **options):
    padded = np.concatenate([painted, np.full((*painted.shape[:2], PADDING), 7, np.float32)], axis=2)
    offsets, bands, values = encode(padded, panels=panels_of(spec))
    stored = {
        name: one.astype(np.float16) if name in half else one for name, one in zip(quantities, values, strict=True)
    }
    rows = options.pop("rows", np.arange(len(painted)))
    wanted = (*quantities, "mask")
    return draw(rows, spans=spans_of(offsets), bands=bands, values=stored, spec=spec, quantities=wanted, **options)


shapes = st.tuples(st.integers(1, 3), st.integers(1, 9), st.sampled_from([1, 2, 5, 11, 16, 17, 33]))


@settings(max_examples=60)
@given(shapes=st.lists(shapes, min_size=1, max_size=2), seed=st.integers(0, 2**32 - 1), half=st.booleans())
def test_bands_lose_nothing(shapes, seed, half):
    """Any pixels: NaN (no cell), zeros of both signs, runs and single values."""
    rng = np.random.default_rng(seed)
    quantities = ("energy", "time")
    spec = spec_of(*shapes, quantities=quantities)
    n_pixel = sum(int(np.prod(shape)) for shape in shapes)
    painted = rng.choice(
        np.array([np.nan, 0.0, -0.0, 1.5, -2.0], np.float32), (4, 2, n_pixel), p=[0.3, 0.3, 0.1, 0.2, 0.1]
    )
    painted = np.repeat(painted, rng.integers(1, 30), axis=2)[:, :, :n_pixel]
    painted[:, 1] = np.nan_to_num(painted[:, 1])
    rows = rng.permutation(4)[:3]
    images = drawn_again(painted, spec, quantities, half=quantities if half else (), rows=rows)
    first = 0
    for k, shape in enumerate(shapes):
        own = painted[rows, :, first : first + np.prod(shape)].reshape(3, 2, *shape)
        np.testing.assert_array_equal(images[f"energy_g{k}"], np.nan_to_num(own[:, 0]))
        np.testing.assert_array_equal(images[f"time_g{k}"], own[:, 1])
        np.testing.assert_array_equal(images[f"mask_g{k}"], ~np.isnan(own[:, 0]))
        first += int(np.prod(shape))


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 7), min_size=1, max_size=6), more=st.integers(0, 9), seed=st.integers(0, 2**32 - 1)
)
def test_bands_do_not_depend_on_how_many_are_painted_at_a_time(sizes, more, seed):
    """Also where the first candidates are simple, so that there is too little room for those that follow."""
    rng, spec, n = np.random.default_rng(seed), spec_of((2, 5, 11), quantities=("energy", "time")), sum(sizes)
    painted = rng.choice(np.array([-0.0, 0.0, 1.5, np.nan], np.float32), (n, 2, 110 + PADDING))
    painted[: n // 2] = 1.0
    panels, empty = panels_of(spec), int(np.float32(-0.0).view(np.int32))
    roll = BandRoll(n + more, n_quantity=2, panels=panels, empty=empty, start=3)
    for first, last in zip(np.cumsum([0, *sizes[:-1]]), np.cumsum(sizes), strict=True):
        roll.add(painted[first:last])
    assert (roll.start, roll.stop) == (3, 3 + n)
    offsets, bands, values = encode(painted, panels=panels)
    no_cell = (values[0] == 0) & np.signbit(values[0])
    values[0][no_cell] = np.nan
    for one, other in zip(roll.arrays(), (offsets, bands, values), strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_half_is_read_right():
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = np.where(np.isinf(halves), np.float16(0), halves)
    offsets = np.stack([np.arange(1025) * 4, np.arange(1025) * 64], axis=1)
    bands = np.tile(np.array([1, 2**16 - 1], np.uint16), (4096, 1))
    images = draw(
        np.arange(1024),
        spans=spans_of(offsets),
        bands=bands,
        values={"energy": halves},
        spec=spec_of((1, 4, 16)),
        quantities=("energy", "mask"),
    )
    np.testing.assert_array_equal(images["energy_g0"].ravel(), np.nan_to_num(halves.astype(np.float32)))
    np.testing.assert_array_equal(images["mask_g0"].ravel(), ~np.isnan(halves))


@pytest.mark.parametrize("name", ["electron", "energy_full"])
def test_drawing_into_given_arrays(tmp_path, candidates, name):
    store = build_store([candidates], tmp_path / "store", name)
    rows = np.array([5, 0, 7])
    wanted = store.dense(rows, quantities=(*store.spec.quantities, "mask"))
    out = {
        key: np.full((5, *image.shape[1:]), True if image.dtype == bool else np.nan) for key, image in wanted.items()
    }
    out = {key: array.astype(wanted[key].dtype) for key, array in out.items()}
    drawn = store.dense(rows, quantities=(*store.spec.quantities, "mask"), out=out)
    for key, image in wanted.items():
        np.testing.assert_array_equal(drawn[key], image)
        assert drawn[key].base is out[key]
        assert np.isnan(out[key][3:]).all() if image.dtype == np.float32 else out[key][3:].all()
    fresh = build_images(candidates[rows], name, out=out)
    for key, image in fresh.values.items():
        np.testing.assert_array_equal(image, wanted[key])
        assert image.base is out[key]


def test_arrays_that_do_not_fit_are_named(tmp_path, candidates):
    store = build_store([candidates], tmp_path / "store", "energy")
    good = np.zeros((4, 4, 56, 11), np.float32)
    for bad, found in (
        ({}, "nothing"),
        ({"energy_em": good[:2]}, r"float32 of shape \(2, 4, 56, 11\)"),
        ({"energy_em": good.astype(np.float64)}, "float64"),
        ({"energy_em": good[:, :, ::2]}, r"\(4, 4, 28, 11\)"),
    ):
        with pytest.raises(ShapeError, match=rf"out\['energy_em'\] must be float32 of shape \(3 or more.*{found}"):
            store.dense(np.arange(3), out=bad)
    with pytest.raises(ShapeError, match="must be contiguous and writable"):
        store.dense(np.arange(2), out={"energy_em": good[::2]})


def test_half_keeps_energies_to_a_thousandth(tmp_path, candidates):
    exact = build_store([candidates], tmp_path / "exact", "energy_full")
    small = build_store([candidates], tmp_path / "small", "energy_full", half=["energy", "gain"])
    rows = np.arange(8)
    before, after = exact.images(rows), small.images(rows)
    sizes = [next(store.path.glob("value_energy*")).stat().st_size for store in (exact, small)]
    assert sizes[1] < 0.55 * sizes[0]
    np.testing.assert_allclose(after.values["energy_em"], before.values["energy_em"], rtol=2**-11, atol=3e-8)
    sums = [one.values["energy_em"].sum(axis=(1, 2, 3), dtype=np.float64) for one in (before, after)]
    np.testing.assert_allclose(sums[1], sums[0], rtol=2e-4)
    np.testing.assert_array_equal(after.mask["em"], before.mask["em"])
    for name in ("gain_em", "time_em", "noise_em"):
        np.testing.assert_array_equal(after.values[name], before.values[name])
    with pytest.raises(ConfigError, match="differ in value_energy: float32, float16"):
        merge_stores([exact.path, small.path], tmp_path / "merged")


def test_half_that_cannot_be(tmp_path, candidates):
    with pytest.raises(ConfigError, match="half = 'energie' is no quantity of the images; nearest: 'energy'"):
        build_store([candidates], tmp_path / "store", "energy", half=["energie"])
    hot = ak.with_field(candidates, candidates.cells.e * np.float32(1e5), ("cells", "e"))
    with pytest.raises(ShapeError, match=r"'energy' reaches .* which 16 bits do not hold"):
        build_store([hot], tmp_path / "store", "energy", half=["energy"])


def test_wide_grids(candidates):
    """More than 16 pixels in phi: the same pixels as a narrow grid has in its middle."""
    base = image_spec("energy")
    wide = ImageSpec({"em": ImageGrid(56, 39, 0.003125, base.grids["em"].d_phi)}, base.layers, centre_layer="middle")
    narrow, images = build_images(candidates, base), build_images(candidates, wide)
    np.testing.assert_array_equal(images.values["energy_em"][..., 14:25], narrow.values["energy_em"])
    pieces = [
        piece_arrays(part, wide, columns=(), tracks=((), 0), on_bad="error")
        for part in (candidates[:3], candidates[3:])
    ]
    assert list(join_pieces(pieces)) == list(pieces[0])
    store = ImageStore.in_memory(join_pieces(pieces), wide, columns=(), tracks=(), max_tracks=0)
    stored = store.images(np.arange(8))
    np.testing.assert_array_equal(stored.values["energy_em"], images.values["energy_em"])
    np.testing.assert_array_equal(stored.mask["em"], images.mask["em"])


def test_results_do_not_depend_on_threads(candidates):
    many = candidates[np.arange(300) % 8]
    one, three = (build_images(many, "electron", threads=threads) for threads in (1, 3))
    pieces = [piece_arrays(many, image_spec("electron"), columns=(), tracks=((), 0), on_bad="error")]
    store = ImageStore.in_memory(join_pieces(pieces), image_spec("electron"), columns=(), tracks=(), max_tracks=0)
    for key, image in one.values.items():
        np.testing.assert_array_equal(image, three.values[key])
        np.testing.assert_array_equal(image, store.dense(np.arange(300), threads=2)[key])
    np.testing.assert_array_equal(one.outside["em"], three.outside["em"])


def test_number_of_threads(monkeypatch):
    for name in ("CALOTOOLS_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert 1 <= default_threads() <= 4
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert default_threads() == 7
    monkeypatch.setenv("CALOTOOLS_THREADS", "2")
    assert default_threads() == 2
    monkeypatch.setenv("CALOTOOLS_THREADS", "two")
    with pytest.raises(ConfigError, match="CALOTOOLS_THREADS = 'two' must be a positive number"):
        default_threads()
    with pytest.raises(ConfigError, match="threads = 0 must be at least 1"):
        in_threads(lambda start, stop: None, 10, threads=0)
    parts = []
    in_threads(lambda start, stop: parts.append((start, stop)), 1000, threads=3)
    assert sorted(parts) == [(0, 333), (333, 666), (666, 1000)]
