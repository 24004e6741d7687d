"""Shower shapes against a plain numpy version, and the properties that every window must have."""

import awkward as ak
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calotools.detector import cell_noise, cell_size
from calotools.errors import BranchError, ShapeError
from calotools.variables import SHAPES, candidate_shapes, shower_shapes
from calotools.variables.windows import ETA_STEP

S2 = (0.025, 2 * np.pi / 256)
PLACES = [
    (0.31, 0.2),
    (-0.62, 3.14),
    (1.21, -3.13),
    (1.36, 1.0),
    (-1.45, 2.0),
    (1.47, 0.5),
    (1.62, -1.0),
    (-1.93, 0.0),
    (2.31, 3.0),
]
QUICK = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


def wrap(angle):
    return (angle + np.pi) % (2 * np.pi) - np.pi


def oracle(cells, eta_0, phi_0):
    """The same definitions with masks and numpy sums, one candidate at a time."""
    e, eta, phi = (np.asarray(cells[name], dtype=np.float64) for name in ("e", "eta", "phi"))
    s = np.asarray(cells["sampling"]).astype(int)
    good = np.isfinite(e) & np.isfinite(eta) & np.isfinite(phi)
    e, eta, phi, s = e[good], eta[good], phi[good], s[good]
    near = np.isin(s, (2, 6)) & (abs(eta - eta_0) < 3.5 * S2[0]) & (abs(wrap(phi - phi_0)) < 3.5 * S2[1])
    if not near.any():
        return dict.fromkeys(SHAPES, np.nan)
    hot = np.flatnonzero(near)[np.argmax(e[near])]
    x, y = eta - eta[hot], wrap(phi - phi[hot])
    d_eta, d_phi = cell_size(s, eta)
    barrel = s[hot] == 2
    half = np.array([1.5 if barrel and abs(eta[hot]) < 1.325 else 2.5, 3.5]) * S2
    rows = (s < 8) & (abs(x) < half[0] + 0.4 * d_eta)
    cluster = rows & (abs(y) < half[1] + 0.4 * d_phi)
    column = np.round(y / S2[1])
    # where the cells' width changes, a centre may lie on the edge: it is inside
    bright = np.isin(s, (2, 6)) & (abs(x) < half[0] + 1e-6) & (abs(column) > 3) & (abs(column) < 7)
    # thresholds are a table in |eta|, which matters where the noise jumps with the size of the cells
    in_table = (np.floor(np.abs(eta) / ETA_STEP) + 0.5) * ETA_STEP
    for k in column[bright & (e > 4 * np.hypot(*cell_noise(s, in_table, 30.0)))]:
        low, high = max(k - 1, -6) - 0.5, min(k + 1, 6) + 0.5
        cluster |= rows & (y > low * S2[1] - 0.4 * d_phi) & (y < high * S2[1] + 0.4 * d_phi)
    half[1] = 6.5 * S2[1]
    out = {f"e{k}": e[cluster & (s % 4 == k)].sum() for k in range(4)}
    out["e_cluster"] = total = e[cluster].sum()
    out["e_acc"] = total - out["e0"]
    out["eta_cluster"], out["phi_cluster"] = centre(e, x, y, cluster, half, eta[hot], phi[hot])
    out["eta_s1"] = centre(e, x, y, cluster & (s % 4 == 1), half, eta[hot], phi[hot])[0]
    out["eta_s2"], out["phi_s2"] = centre(e, x, y, cluster & (s % 4 == 2), half, eta[hot], phi[hot])

    def middle(n_eta, n_phi):
        return np.isin(s, (2, 6)) & (abs(x) < (n_eta / 2 - 0.1) * S2[0]) & (abs(y) < (n_phi / 2 - 0.1) * S2[1])

    out["reta"] = ratio(e[middle(3, 7)].sum(), e[middle(7, 7)].sum())
    out["rphi"] = ratio(e[middle(3, 3)].sum(), e[middle(3, 7)].sum())
    w = middle(3, 5)
    mean = ratio((e[w] * x[w]).sum(), e[w].sum())
    variance = ratio((e[w] * x[w] ** 2).sum(), e[w].sum()) - mean**2
    u = (abs(mean - 0.0125) % 0.025) / 0.025
    out["weta2"] = np.sqrt(variance) - weta2_bias(abs(eta[hot] + mean), u) if variance >= 0 else np.nan
    hadronic = (s > 7) & (abs(x) < 0.099) & (abs(y) < 0.099)
    et = e / np.cosh(eta)
    cluster_et = total / np.cosh(out["eta_s2"])
    out["rhad"] = ratio(et[hadronic & (s != 17)].sum(), cluster_et)
    out["rhad1"] = ratio(et[hadronic & np.isin(s, (8, 12, 15, 16, 18))].sum(), cluster_et)
    out["e_tile_gap3"] = e[hadronic & (s == 17)].sum()
    out["f1"], out["f3"] = ratio(out["e1"], total), ratio(out["e3"], total)
    out["f3core"] = ratio(e[np.isin(s, (3, 7)) & (abs(x) < 0.07) & (abs(y) < 1.4 * S2[1])].sum(), total)
    reach = (1.5 if barrel else 2.5) * S2[0]
    own = (s == (1 if barrel else 5)) & (abs(y) < 0.9 * d_phi) & (abs(x) < reach - 0.1 * d_eta)
    return out | strips(x[own], e[own], d_eta[own], eta[hot], total)


def ratio(above, below):
    return above / below if below > 0 else np.nan


def centre(e, x, y, mask, half, eta_hot, phi_hot):
    total = e[mask].sum()
    mean = ratio((e[mask] * x[mask]).sum(), total), ratio((e[mask] * y[mask]).sum(), total)
    if total <= 0 or abs(mean[0]) > half[0] or abs(mean[1]) > half[1]:
        mask = mask & (e > 0)
        mean = np.average(x[mask], weights=e[mask]), np.average(y[mask], weights=e[mask])
    return eta_hot + mean[0], wrap(phi_hot + mean[1])


def weta2_bias(eta, u):
    table = {
        0.8: ((0.0045, -0.0016, -0.0866), (0.005375, -0.0215, 0.0215), (-0.0562, 0.114, -0.053)),
        1.8: ((0.0039, 0.00816, -0.145), (0.005075, -0.0203, 0.0203), (-0.0324, 0.0653, -0.0286)),
        2.0: ((0.0047, -0.0184, 0.0180),) * 3,
        2.6: ((0.0035, -0.0139, 0.0137),) * 3,
    }
    rows = next(rows for edge, rows in table.items() if eta < edge)
    return np.polynomial.Polynomial(rows[0 if u < 0.1 else 1 if u < 0.9 else 2])(u)


def strips(x, e, d_eta, eta, total):
    undefined = dict.fromkeys(("eratio", "delta_e", "wstot", "ws3", "fside", "f1core"), np.nan)
    if len(x) == 0:
        return undefined
    keys, group = np.unique(np.round(x / 1e-4), return_inverse=True)
    energy = np.bincount(group, weights=e)
    width = np.array([d_eta[group == k][0] for k in range(len(keys))])
    where = np.array([x[group == k][0] for k in range(len(keys))])
    top = int(np.argmax(energy / width))
    around = slice(max(top - 1, 0), top + 2)
    undefined["f1core"] = ratio(energy[around].sum(), total)
    if energy[top] <= 0 or 1.4 < abs(eta) < 1.5 or abs(eta) > 2.4:
        return undefined
    density = energy / width
    peaks = [k for k in range(1, len(density) - 1) if density[k] > max(density[k - 1], density[k + 1], 0) and k != top]
    second, valley = 0.0, 0.0
    if peaks:
        other = max(peaks, key=lambda k: density[k])
        between = range(min(top, other) + 1, max(top, other))
        second, valley = energy[other], energy[min(between, key=lambda k: density[k])]
    index = np.arange(len(density)) - top
    u = ratio((energy[around] * index[around]).sum(), energy[around].sum())
    a = abs(eta)
    bias = (
        -0.76 * u**2
        if a < 1
        else -0.85 * u**2 + 1.9 * u**4
        if a < 1.8
        else -0.84 * u**2
        if a < 2
        else -0.4 * u**2 - 2.1 * u**4
    )
    spread = ratio((energy[around] * index[around] ** 2).sum(), energy[around].sum())
    inside = abs(where) < 0.03125 - 0.1 * width
    wide = ratio((energy[inside] * index[inside] ** 2).sum(), energy[inside].sum())
    three, seven = density[around].sum(), density[max(top - 3, 0) : top + 4].sum()
    return {
        "eratio": (energy[top] - second) / (energy[top] + second),
        "delta_e": second - valley,
        "wstot": np.sqrt(wide) if wide >= 0 else np.nan,
        "ws3": np.sqrt(spread) + bias if spread >= 0 else np.nan,
        "fside": seven / three - 1 if energy[top] > 0.06 and three > 0 else np.nan,
        "f1core": undefined["f1core"],
    }


def flat(candidates):
    cells = candidates.cells
    offsets = np.concatenate([[0], np.cumsum(ak.num(cells.e))])
    return offsets, *(ak.to_numpy(ak.flatten(cells[name])) for name in ("e", "eta", "phi", "sampling"))


@pytest.mark.parametrize(("energy", "noise"), [(50.0, 0.05), (5.0, 0.2), (0.3, 0.2)])
def test_agrees_with_numpy(make_candidates, energy, noise):
    eta, phi = np.array(PLACES).T
    candidates = make_candidates(eta, phi, energy=energy, noise=noise)
    shapes = candidate_shapes(candidates)
    with np.errstate(invalid="ignore"):
        expected = [
            oracle(c.cells, x, y)
            for c, x, y in zip(candidates, candidates.eta_cluster, candidates.phi_cluster, strict=True)
        ]
    for name in SHAPES:
        wanted = np.array([one[name] for one in expected])
        np.testing.assert_allclose(shapes[name], wanted, rtol=2e-4, atol=3e-6, err_msg=name)


@pytest.mark.parametrize(("column", "et", "added"), [(5, 1.0, True), (-6, 1.0, True), (5, 0.1, False), (8, 1, False)])
def test_satellites_join_the_cluster(column, et, added):
    k = np.arange(-10, 11)
    eta, phi = np.meshgrid(0.5125 + 0.025 * np.arange(-3, 4), (k + 0.5) * S2[1], indexing="ij")
    e = np.zeros(eta.shape)
    e[3, 10], e[3, 10 + column], e[0, 10 + column] = 30.0, et * np.cosh(0.5125), 1.0
    place = {"eta_cluster": [0.5125], "phi_cluster": [S2[1] / 2]}
    shapes = shower_shapes([0, e.size], e.ravel(), eta.ravel(), phi.ravel(), np.full(e.size, 2), **place)
    assert shapes["e2"][0] == pytest.approx(30.0 + added * e[3, 10 + column])
    assert shapes["rphi"][0] == 1.0


@QUICK
@given(seed=st.integers(0, 2**32 - 1), place=st.sampled_from(PLACES))
def test_order_of_cells_does_not_matter(make_candidates, seed, place):
    candidates = make_candidates([place[0]], [place[1]])
    offsets, *cells = flat(candidates)
    order = np.random.default_rng(seed).permutation(offsets[-1])
    where = {"eta_cluster": [place[0]], "phi_cluster": [place[1]]}
    before = shower_shapes(offsets, *cells, **where)
    after = shower_shapes(offsets, *(column[order] for column in cells), **where)
    for name in SHAPES:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-6, atol=1e-7, err_msg=name)


@QUICK
@given(turns=st.integers(1, 63), place=st.sampled_from(PLACES))
def test_rotation_in_phi_changes_only_phi(make_candidates, turns, place):
    candidates = make_candidates([place[0]], [place[1]])
    offsets, e, eta, phi, sampling = flat(candidates)
    angle = turns * 2 * np.pi / 64
    before = shower_shapes(offsets, e, eta, phi, sampling, eta_cluster=[place[0]], phi_cluster=[place[1]])
    after = shower_shapes(
        offsets, e, eta, wrap(phi + angle), sampling, eta_cluster=[place[0]], phi_cluster=[wrap(place[1] + angle)]
    )
    for name in set(SHAPES) - {"phi_cluster", "phi_s2"}:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert abs(wrap(after["phi_cluster"] - before["phi_cluster"] - angle)) < 1e-5


def test_slicing_and_shapes_commute(make_candidates):
    eta, phi = np.array(PLACES).T
    candidates = make_candidates(eta, phi)
    rows = np.array([7, 2, 2, 0])
    everything, some = candidate_shapes(candidates), candidate_shapes(candidates[rows])
    masked = candidate_shapes(candidates[candidates.eta_cluster > 1])
    for name in SHAPES:
        np.testing.assert_array_equal(some[name], everything[name][rows])
        np.testing.assert_array_equal(masked[name], everything[name][eta > 1])


def test_narrow_shower_has_known_values():
    """One hot middle cell and one hot strip: every ratio is known by hand."""
    e = np.array([30.0, 10.0, 2.0, 1.0])
    eta = np.array([0.0125, 0.0140625, 0.0125, 0.025])
    phi = np.array([0.0122718, 0.0490874, 0.0490874, 0.0122718])
    shapes = shower_shapes([0, 4], e, eta, phi, [2, 1, 0, 3], eta_cluster=[0.0], phi_cluster=[0.0])
    expected = {"e_cluster": 43, "e_acc": 41, "reta": 1, "rphi": 1, "f1": 10 / 43, "f3": 1 / 43, "f1core": 10 / 43}
    expected |= {"f3core": 1 / 43, "eratio": 1, "delta_e": 0, "wstot": 0, "ws3": 0, "fside": 0, "rhad": 0, "weta2": 0}
    for name, value in expected.items():
        assert float(shapes[name][0]) == pytest.approx(value, abs=2e-6), name


def test_two_maxima_in_the_strips():
    """A pi0: 6 and 4 GeV in strips three apart, 1 GeV in the valley."""
    eta = 0.0015625 + 0.003125 * np.arange(8)
    e = np.array([0.0, 1.0, 6.0, 1.0, 2.0, 4.0, 1.0, 0.0, 20.0])
    shapes = shower_shapes(
        [0, 9], e, [*eta, 0.0125], [*[0.0490874] * 8, 0.0122718], [*[1] * 8, 2], eta_cluster=[0.01], phi_cluster=[0.01]
    )
    assert float(shapes["eratio"][0]) == pytest.approx(0.2)
    assert float(shapes["delta_e"][0]) == pytest.approx(3.0)
    assert float(shapes["fside"][0]) == pytest.approx((14 - 8) / 8)
    assert float(shapes["ws3"][0]) == pytest.approx(np.sqrt(2 / 8))


def test_non_finite_cells_are_left_out(make_candidates):
    candidates = make_candidates([0.31], [0.2])
    offsets, e, eta, phi, sampling = flat(candidates)
    where = {"eta_cluster": [0.31], "phi_cluster": [0.2]}
    clean = shower_shapes(offsets, e, eta, phi, sampling, **where)
    extra = [
        np.append(column, value) for column, value in zip((e, eta, phi, sampling), (np.nan, 0.31, 0.2, 2), strict=True)
    ]
    dirty = shower_shapes([0, offsets[-1] + 1], *extra, **where)
    for name in SHAPES:
        np.testing.assert_array_equal(clean[name], dirty[name])


def test_undefined_is_nan(make_candidates):
    empty = shower_shapes([0, 0], [], [], [], [], eta_cluster=[0.0], phi_cluster=[0.0])
    assert all(np.isnan(values).all() and values.dtype == np.float32 for values in empty.values())
    crack = candidate_shapes(make_candidates([1.45], [0.3]))
    assert np.isnan(crack["eratio"]).all()
    assert np.isfinite(crack["reta"]).all()
    lost = shower_shapes([0, 1], [1.0], [0.5], [0.5], [2], eta_cluster=[np.nan], phi_cluster=[0.0])
    assert np.isnan(lost["e_cluster"]).all()
    assert shower_shapes([0], [], [], [], [], eta_cluster=[], phi_cluster=[])["e0"].shape == (0,)


def test_wrong_shapes_are_named(make_candidates):
    with pytest.raises(ShapeError, match=r"lengths \[2, 1, 1, 1\]"):
        shower_shapes([0, 1], [1.0, 2.0], [0.0], [0.0], [2], eta_cluster=[0.0], phi_cluster=[0.0])
    with pytest.raises(ShapeError, match="1 candidates have cells"):
        shower_shapes([0, 1], [1.0], [0.0], [0.0], [2], eta_cluster=[0.0, 1.0], phi_cluster=[0.0])
    with pytest.raises(BranchError, match=r"'sampling' is not in the collection 'cells'"):
        candidate_shapes(
            ak.Array([{"eta_cluster": 0.0, "phi_cluster": 0.0, "cells": [{"e": 1.0, "eta": 0.0, "phi": 0.0}]}])
        )
