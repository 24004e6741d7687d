"""Images against a plain numpy version, and the properties that never change."""

import awkward as ak
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calotools.containers import ImageGrid, ImageSpec, Layer
from calotools.detector import cell_size
from calotools.errors import BranchError, CellError
from calotools.images import build_images, image_spec, pixel_edges
from calotools.variables import candidate_shapes

PLACES = [
    (0.31, 0.2),
    (-0.62, 3.14),
    (1.21, -3.13),
    (1.38, 1.0),
    (-1.45, 2.0),
    (1.49, 0.5),
    (1.62, -1.0),
    (-1.93, 0.0),
    (2.31, 3.0),
]
ALL, CORE, SEVEN, THREE = slice(None), slice(16, 40), slice(2, 9), slice(4, 7)
QUICK = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def candidates(make_candidates):
    return make_candidates(*np.array(PLACES).T)


def wrap(angle):
    return (angle + np.pi) % (2 * np.pi) - np.pi


def overlap(low, high, n):
    """Part of [low, high] in each pixel [i, i + 1)."""
    low, high = (round(v) if abs(v - round(v)) < 0.02 else v for v in (low, high))
    i = np.arange(n)
    return np.clip(np.minimum(high, i + 1) - np.maximum(low, i), 0, None) / (high - low)


def oracle(candidate, spec, centre):
    """Every cell on every pixel, by interval arithmetic."""
    values = {f"{q}_{g}": np.zeros(shape) for q in spec.quantities for g, shape in spec.shapes().items()}
    mask = {g: np.zeros(shape, dtype=bool) for g, shape in spec.shapes().items()}
    heat = {g: np.full(shape, -1.0) for g, shape in spec.shapes().items()}
    total = dict.fromkeys(spec.grids, 0.0)
    cells = {name: np.asarray(candidate.cells[name], dtype=np.float64) for name in candidate.cells.fields}
    for name, grid in spec.grids.items():
        for number, layer in enumerate(spec.layers_on(name)):
            for j in np.flatnonzero(np.isin(cells["sampling"], layer.samplings) & np.isfinite(cells["e"])):
                sizes = cell_size(np.array([cells["sampling"][j]], dtype=int), cells["eta"][j : j + 1])
                d_eta, d_phi = (np.float32(one[0]) for one in sizes)  # the table of widths is in single precision
                x = (cells["eta"][j] - centre[0]) / grid.d_eta + grid.n_eta / 2
                y = wrap(cells["phi"][j] - centre[1]) / grid.d_phi + grid.n_phi / 2
                w, h = d_eta / grid.d_eta / 2, d_phi / grid.d_phi / 2
                part = np.outer(overlap(x - w, x + w, grid.n_eta), overlap(y - h, y + h, grid.n_phi))
                total[name] += cells["e"][j]
                on = part > 0
                mask[name][number] |= on
                values[f"energy_{name}"][number] += part * cells["e"][j]
                if "noise" in spec.quantities:
                    image = values[f"noise_{name}"][number]
                    image[...] = np.hypot(image, part * cells["noise"][j])
                hotter = on & (abs(part * cells["e"][j]) > heat[name][number])
                heat[name][number][hotter] = abs(part * cells["e"][j])[hotter]
                for q, shift in (("time", 0.0), ("gain", 1.0)):
                    if q in spec.quantities:
                        values[f"{q}_{name}"][number][hotter] = cells[q][j] + shift
    return values, mask, total


@pytest.mark.parametrize("name", ["electron", "electron_slides", "energy_full"])
def test_agrees_with_numpy(make_candidates, name):
    spec = image_spec(name)
    candidates = make_candidates(*np.array(PLACES).T)
    images = build_images(candidates, spec)
    for i, candidate in enumerate(candidates):
        values, mask, total = oracle(candidate, spec, images.centre[i])
        for key, wanted in values.items():
            np.testing.assert_allclose(images.values[key][i], wanted, rtol=1e-6, atol=2e-7, err_msg=f"{key} {i}")
        for grid, wanted in mask.items():
            np.testing.assert_array_equal(images.mask[grid][i], wanted)
            inside = values[f"energy_{grid}"].sum()
            assert images.outside[grid][i] == pytest.approx(total[grid] - inside, rel=1e-6, abs=2e-6)


@pytest.mark.parametrize("e", [0.0, -0.0, -1e-44, 1e-44])
def test_cells_without_energy_cover_pixels(e):
    cell = {"e": np.float32(e), "eta": np.float32(0.0125), "phi": np.float32(0.01227), "sampling": np.uint8(2)}
    back = cell | {"e": np.float32(1.0), "sampling": np.uint8(3)}
    candidates = ak.Array([{"eta_cluster": 0.0, "phi_cluster": 0.0, "cells": [cell, back]}])
    images = build_images(candidates, "energy")
    assert images.mask["em"].sum(axis=(0, 2, 3)).tolist() == [0, 0, 8, 16]
    assert not np.signbit(images.values["energy_em"][~images.mask["em"]]).any()
    assert images.values["energy_em"].sum() == pytest.approx(1.0)


@QUICK
@given(
    eta=st.floats(-2.3, 2.3),
    phi=st.sampled_from([np.pi, -np.pi, 3.1, 0.0]) | st.floats(-3.2, 3.2),
    centre=st.sampled_from(["hottest", "cluster"]),
    seed=st.integers(0, 1000),
)
def test_energy_is_conserved_in_every_layer(make_candidates, eta, phi, centre, seed):
    base = image_spec("electron")
    candidates = make_candidates([eta], [wrap(phi)], seed=seed)
    cells = candidates.cells[0]
    for layer in base.layers:
        grid = base.grids[layer.grid]
        alone = ImageSpec(
            grids={layer.grid: grid}, layers=(layer,), centre="cluster", centre_layer=layer.name, quantities=("energy",)
        )
        images = build_images(candidates, alone)
        total = ak.sum(cells.e[np.isin(cells.sampling, layer.samplings)].to_numpy().astype(np.float64))
        found = images.values[f"energy_{layer.grid}"].sum(dtype=np.float64) + images.outside[layer.grid][0]
        size = np.abs(cells.e.to_numpy()).sum()
        assert found == pytest.approx(total, abs=3e-7 * size)
    spec = ImageSpec(grids=base.grids, layers=base.layers, centre=centre)
    images = build_images(candidates, spec)
    drawn = np.isin(cells.sampling, [s for layer in base.layers for s in layer.samplings])
    total = cells.e[drawn].to_numpy().astype(np.float64).sum()
    found = sum(images.values[f"energy_{g}"].sum(dtype=np.float64) + images.outside[g][0] for g in spec.grids)
    assert found == pytest.approx(total, abs=3e-7 * size)
    assert not any(images.values[f"energy_{g}"][~images.mask[g]].any() for g in spec.grids)


def test_ideal_barrel_cells_cover_whole_blocks(make_candidates):
    """Presampler 8 x 4, strips 1 x 4, middle 8 x 1, back 16 x 1 pixels, all of equal value."""
    images = build_images(make_candidates([0.31], [0.2], noise=0.3), "energy")
    presampler, strips, middle, back = images.values["energy_em"][0]
    assert images.mask["em"].all()
    for k in range(7):
        assert np.ptp(middle[8 * k : 8 * k + 8], axis=0).max() == 0
        assert np.ptp(presampler[8 * k : 8 * k + 8], axis=0).max() == 0
    for image, size in ((presampler, 4), (strips, 4)):
        changes = np.flatnonzero(np.diff(image, axis=1).any(axis=0))
        assert set(np.diff(changes)) == {size}
    assert set(np.diff(np.flatnonzero(np.diff(back, axis=0).any(axis=1)))) == {16}
    assert np.unravel_index(middle.argmax(), middle.shape) == (24, 5)


@QUICK
@given(seed=st.integers(0, 2**32 - 1), place=st.sampled_from(PLACES), name=st.sampled_from(["electron", "energy_full"]))
def test_order_of_cells_does_not_matter(make_candidates, seed, place, name):
    candidates = make_candidates([place[0]], [place[1]])
    order = np.random.default_rng(seed).permutation(len(candidates.cells[0]))
    shuffled = ak.with_field(candidates, candidates.cells[:, order], "cells")
    before, after = build_images(candidates, name), build_images(shuffled, name)
    for key in before.values:
        np.testing.assert_allclose(after.values[key], before.values[key], rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(after.mask["em"], before.mask["em"])


@QUICK
@given(rows=st.lists(st.integers(0, 8), max_size=12), data=st.data())
def test_select_then_build_is_build_then_select(candidates, rows, data):
    everything = build_images(candidates, "electron")
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=9, max_size=9)))
    for chosen in (np.array(rows, dtype=int), mask, slice(2, 7), slice(None, None, -2)):
        some = build_images(candidates[chosen], "electron")
        for key in everything.values:
            np.testing.assert_array_equal(some.values[key], everything.values[key][chosen])
        np.testing.assert_array_equal(some.mask["had"], everything.mask["had"][chosen])
        np.testing.assert_array_equal(some.centre, everything.centre[chosen])
        np.testing.assert_array_equal(some.outside["em"], everything.outside["em"][chosen])


@QUICK
@given(turns=st.integers(1, 63), place=st.sampled_from(PLACES))
def test_rotation_in_phi_changes_nothing(make_candidates, turns, place):
    angle = turns * 2 * np.pi / 64
    candidates = make_candidates([place[0]], [place[1]])
    phi = ak.values_astype(wrap(ak.values_astype(candidates.cells.phi, "float64") + angle), "float32")
    turned = ak.with_field(candidates, ak.with_field(candidates.cells, phi, "phi"), "cells")
    turned = ak.with_field(turned, wrap(candidates.phi_cluster + angle), "phi_cluster")
    before, after = build_images(candidates, "electron"), build_images(turned, "electron")
    for key in before.values:
        np.testing.assert_allclose(after.values[key], before.values[key], rtol=1e-3, atol=1e-6)


def test_a_pixel_has_the_standard_deviation_of_its_energy():
    """Noise of one cell is shared linearly, of two cells in one pixel in quadrature."""
    grid = ImageGrid(n_eta=2, n_phi=1, d_eta=1.0, d_phi=1.0)
    layer = Layer("a", samplings=(2,), cell_size=(2.0, 1.0))
    spec = ImageSpec({"em": grid}, (layer,), quantities=("energy", "noise", "time", "gain"), centre="cluster")
    cells = {"e": [4.0, -8.0], "eta": [0.0, 0.0], "phi": [0.0, 0.0], "sampling": [2, 2], "time": [1.0, 2.0]}
    cells |= {"noise": [3.0, 4.0], "gain": [0, 2]}
    candidates = ak.Array([{"eta_cluster": 0.0, "phi_cluster": 0.0, "cells": ak.zip(cells)}])
    images = build_images(candidates, spec)
    assert images.values["energy_em"].ravel().tolist() == [-2.0, -2.0]
    assert images.values["noise_em"].ravel().tolist() == [2.5, 2.5]
    assert images.values["time_em"].ravel().tolist() == [2.0, 2.0]
    assert images.values["gain_em"].ravel().tolist() == [3.0, 3.0]


def test_zero_cell_is_not_padding():
    spec = image_spec("energy")
    cell = {"e": 1.0, "eta": 0.0125, "phi": 0.0122718, "sampling": 2}
    candidates = ak.Array([{"cells": [cell, cell | {"e": 0.0, "eta": 0.0375}]}])
    images = build_images(candidates, spec)
    assert images.mask["em"][0, 2].sum() == 16
    assert np.count_nonzero(images.values["energy_em"][0, 2]) == 8


def test_unusable_candidates_are_named_or_skipped(make_candidates):
    good = make_candidates([0.31, 0.4, 0.5, 0.6], [0.2, 0.3, 0.4, 0.5])
    e = ak.where(ak.local_index(good.event) == 2, np.nan, good.cells.e)
    cells = ak.with_field(good.cells, ak.values_astype(e, "float32"), "e")
    empty = ak.where(ak.local_index(good.event) == 1, cells[:, :0], cells)
    candidates = ak.with_field(good, empty, "cells")
    with pytest.raises(
        CellError, match=r"f.root:electrons: entry 1 \(run 999, event 1, candidate 0\) has no cells; 2 of 4"
    ):
        build_images(candidates, "energy", source="f.root:electrons")
    with pytest.raises(CellError, match=r"entry 0 .* has \d+ cells, none of them finite"):
        build_images(candidates[2:], "energy")
    strips_only = ak.with_field(good, good.cells[good.cells.sampling == 1], "cells")
    with pytest.raises(CellError, match="has no cell of the layer 'middle'"):
        build_images(strips_only, "energy")
    images = build_images(candidates, "energy", on_bad="skip")
    assert np.isnan(images.centre[:, 0]).tolist() == [False, True, True, False]
    assert not images.mask["em"][1:3].any()
    assert not images.values["energy_em"][1:3].any()
    assert images.dropped.tolist() == [0, 0, len(good.cells[2]), 0]
    np.testing.assert_array_equal(images.values["energy_em"][3], build_images(good, "energy").values["energy_em"][3])


def test_non_finite_cells_are_dropped_and_counted(make_candidates):
    good = make_candidates([0.31], [0.2])
    bad = ak.Array(
        [{"e": np.nan, "eta": 0.31, "phi": 0.2, "sampling": 2}, {"e": 1.0, "eta": np.inf, "phi": 0.2, "sampling": 1}]
    )
    names = ["e", "eta", "phi", "sampling"]
    dirty = ak.with_field(good, ak.concatenate([good.cells[names], ak.Array([bad])], axis=1), "cells")
    clean, images = build_images(good, "energy"), build_images(dirty, "energy")
    assert images.dropped.tolist() == [2]
    np.testing.assert_array_equal(images.values["energy_em"], clean.values["energy_em"])


def test_missing_fields_are_named(make_candidates):
    candidates = make_candidates([0.31], [0.2])
    with pytest.raises(BranchError, match="'time' is not in the collection 'cells'"):
        build_images(
            ak.with_field(candidates, candidates.cells[["e", "eta", "phi", "sampling"]], "cells"), "energy_full"
        )
    spec = ImageSpec({"em": ImageGrid(5, 5, 0.02, 0.02)}, (Layer("middle", (2, 6)),), centre="cluster")
    with pytest.raises(BranchError, match="images centred on the cluster need 'eta_cluster'"):
        build_images(candidates[["cells"]], spec)
    nowhere = ak.with_field(candidates, [np.nan], "eta_cluster")
    with pytest.raises(CellError, match="has no finite cluster position"):
        build_images(nowhere, spec)


def test_no_candidates(make_candidates):
    images = build_images(make_candidates([0.31], [0.2])[:0], "electron")
    assert images.values["energy_em"].shape == (0, 4, 56, 11)


def test_edges_are_those_of_the_pixels():
    eta, phi = pixel_edges(image_spec("electron").grids["em"], centre=(1.0, 3.1))
    assert eta.shape, phi.shape == ((57,), (12,))
    assert eta.mean() == pytest.approx(1.0)
    assert phi[-1] > np.pi


def test_shower_shapes_can_be_read_off_the_image(make_candidates):
    """reta and rphi from pixels equal those from cells: images and variables agree on where the cells are."""
    barrel = make_candidates(np.linspace(-1.2, 1.2, 9), np.linspace(-3.1, 3.1, 9))
    middle = build_images(barrel, "energy").values["energy_em"][:, 2]
    shapes = candidate_shapes(barrel)
    e37, e77, e33 = (middle[:, a, b].sum(axis=(1, 2)) for a, b in ((CORE, SEVEN), (ALL, SEVEN), (CORE, THREE)))
    np.testing.assert_allclose(e37 / e77, shapes["reta"], rtol=1e-5)
    np.testing.assert_allclose(e33 / e37, shapes["rphi"], rtol=1e-5)
