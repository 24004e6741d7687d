"""Nothing but physics tells two samples apart: not the seed, the place in the file, the order of cells or any constant.

What is deterministic is compared cell by cell; the rest by a classifier that is trained on one half and tested on the
other, and that does see a detector that is a little different.
"""

from collections import Counter, defaultdict

import awkward as ak
import numpy as np
import pytest
from scipy import optimize, special, stats

from calotools.analysis import auc
from calotools.images import build_images
from calotools.ntuple import canonical_fields, read_candidates
from calotools.recipe import SimulateConfig
from calotools.simulate import simulate

INDEX = ("run", "event", "candidate", "lumi_block", "channel", "weight")
N = 700


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Function that simulates and reads back."""
    folder = tmp_path_factory.mktemp("artefacts")

    def run(name="a", **values):
        settings = {"process": "electrons", "n": N, "mu": 0, "output": folder / f"{name}.root", "overwrite": True}
        return read_candidates(simulate(SimulateConfig(**{**settings, **values})))

    return run


@pytest.fixture(scope="module")
def electrons(make):
    return make()


@pytest.fixture(scope="module")
def fakes(make):
    return make(process="fakes", seed=3)


@pytest.fixture(scope="module")
def photons(make):
    return make(process="photons", seed=4, n=400)


def _inputs(candidates):
    """Everything that a network could be given, as columns: variables, their absence, cells in their order, pixels."""
    fields = [one for one in candidates.fields if one not in (*INDEX, "cells", "tracks") and not one.endswith("_true")]
    cells, first = candidates.cells, candidates.cells[:, :20]
    columns = [candidates[name] for name in fields]
    columns += [ak.num(cells), *(ak.sum(cells.sampling == k, axis=1) for k in range(21))]
    columns += [ak.argmax(cells.e, axis=1) / ak.num(cells), ak.sum(first.e, axis=1), ak.sum(first.time, axis=1)]
    columns += [ak.sum(cells.gain > 0, axis=1), ak.mean(cells.noise, axis=1), ak.sum(cells.e == 0, axis=1)]
    columns += [ak.std(cells.e, axis=1), ak.std(cells.time, axis=1)]
    images = build_images(candidates, "energy")
    energy, mask = images.values["energy_em"], images.mask["em"]
    pixels = [mask.sum(axis=(2, 3)), ((energy == 0) & mask).sum(axis=(2, 3)), (energy < 0).sum(axis=(2, 3))]
    pixels += [energy.sum(axis=2).reshape(len(energy), -1), energy[:, 2, 24:32].reshape(len(energy), -1)]
    flat = np.stack([ak.to_numpy(column).astype(float) for column in columns], axis=1)
    return np.concatenate([flat, *pixels], axis=1)


def _prepared(inputs):
    """Ranks of each column, squeezed into (-1, 1), their squares, and where they are absent."""
    absent = ~np.isfinite(inputs)
    filled = np.where(absent, np.nanmedian(np.where(absent.all(axis=0), 0.0, inputs), axis=0), inputs)
    scaled = 2 * (stats.rankdata(filled, axis=0) - 0.5) / len(filled) - 1
    return np.concatenate([scaled, scaled**2, absent, np.ones((len(filled), 1))], axis=1)


def _separate(one, other):
    """AUC, and its error, of a logistic regression between two samples, on those halves that it was not trained on."""
    columns = _prepared(np.concatenate([one, other]))
    label = np.repeat([0.0, 1.0], [len(one), len(other)])
    train = np.arange(len(label)) % 2 == 0

    def loss(weights):
        z = columns[train] @ weights
        rest = special.expit(z) - label[train]
        value = np.logaddexp(0, z).sum() - z @ label[train] + 2.0 * weights @ weights
        return value, columns[train].T @ rest + 4.0 * weights

    weights = optimize.minimize(loss, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B").x
    score = columns[~train] @ weights
    return auc(score[label[~train] == 1], score[label[~train] == 0])


def test_seeds_cannot_be_told_apart_and_another_detector_can(make, electrons, tmp_path):
    one, other = _inputs(electrons), _inputs(make(seed=2))
    value, error = _separate(one, other)
    assert abs(value - 0.5) < 4 * error
    effects = tmp_path / "effects.toml"
    effects.write_text("rt_factor = 1.5\nelectronic_noise = 1.02\n")
    changed, error = _separate(one, _inputs(make(seed=2, effects=effects)))
    assert changed > 0.5 + 5 * error


def test_the_place_in_the_file_leaves_no_trace(electrons):
    inputs = _inputs(electrons)
    in_block = np.arange(N) % 200
    for first in (np.arange(N) < N // 2, in_block < 100, in_block % 20 < 10):
        value, error = _separate(inputs[first], inputs[~first])
        assert abs(value - 0.5) < 4 * error


def _rounded(places):
    """Steps of 0.001 as bytes; no cell's centre is near their edges."""
    return np.floor(places * 1000 + 0.137).tobytes()


def _patterns(candidates):
    """(sampling, eta, phi) of all cells in their order, by where the window is in units that the detector repeats."""
    found = {}
    for cells in zip(*(ak.to_list(candidates.cells[name]) for name in ("sampling", "eta", "phi")), strict=True):
        sampling, eta, phi = (np.array(one) for one in cells)
        start = phi[(sampling == 2) | (sampling == 6)][0]
        rows = np.unique(eta[(sampling < 8) & (sampling % 4 > 0)])
        # the coarsest cells are those of the hadronic endcap: 32 in phi, eight middle cells
        key = (_rounded(rows), round(start / (2 * np.pi / 256) - 0.5) % 8)
        turn = (phi - start + np.pi) % (2 * np.pi) - np.pi
        found.setdefault(key, set()).add((sampling.tobytes(), _rounded(eta), _rounded(turn)))
    return found


def test_number_place_and_order_of_cells_follow_from_the_window_alone(electrons, fakes, photons):
    patterns = [_patterns(one) for one in (electrons, fakes, photons)]
    for found in patterns:
        assert all(len(kinds) == 1 for kinds in found.values())
    for other in patterns[1:]:
        shared = patterns[0].keys() & other.keys()
        assert len(shared) > 30
        assert all(patterns[0][key] == other[key] for key in shared)


def test_masks_of_images_follow_from_their_centre(electrons, fakes):
    """But for a few candidates with two maxima: the hottest pixel is not in the middle of the cells that are stored."""
    images = build_images(ak.concatenate([electrons, fakes]), "energy")
    keys = np.round(images.centre[:, 0], 3).tolist()
    masks = [mask.tobytes() for mask in images.mask["em"][:, 2:]]
    usual = {key: Counter(masks[i] for i in rows).most_common(1)[0][0] for key, rows in _rows_of(keys).items()}
    odd = np.array([mask != usual[key] for key, mask in zip(keys, masks, strict=True)])
    assert len(usual) < len(odd) / 2
    # as the only input of a classifier, this has an AUC of 0.5 plus half of the difference
    assert odd[: len(electrons)].mean() < 0.004
    assert odd[len(electrons) :].mean() < 0.008


def _rows_of(keys):
    rows = defaultdict(list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    return rows


def test_zeros_and_absences_follow_from_the_energy_alone(electrons, fakes, photons):
    for candidates in (electrons, fakes, photons):
        cells = candidates.cells
        for name in cells.fields:
            assert np.all(np.isfinite(ak.to_numpy(ak.flatten(cells[name])))), name
        assert not ak.any(cells.e == 0)
        assert ak.all(cells.noise > 0)
        # a time is 0 where the energy is too small to have one, and nowhere else
        assert ak.all((cells.time == 0) == (np.abs(cells.e) <= 3 * cells.noise))


def test_the_noise_branch_is_a_number_of_the_cell_and_its_gain(electrons, fakes, photons):
    cells = ak.flatten(ak.concatenate([one.cells for one in (electrons, fakes, photons)]))
    sampling, gain, eta, noise = (ak.to_numpy(cells[name]) for name in ("sampling", "gain", "eta", "noise"))
    place = (sampling.astype(np.int64) * 8 + gain) * 10_000 + np.floor(eta * 1000 + 0.137).astype(np.int64)
    _, which = np.unique(place, return_inverse=True)
    low, high = (np.full(which.max() + 1, start) for start in (np.inf, -np.inf))
    np.minimum.at(low, which, noise)
    np.maximum.at(high, which, noise)
    np.testing.assert_allclose(low, high, rtol=1e-6)


def test_the_last_bits_of_energies_and_times_are_alike(electrons, fakes):
    for name in ("e", "time"):
        values = [ak.to_numpy(ak.flatten(one.cells[name])) for one in (electrons, fakes)]
        bits = [one[one != 0].view(np.uint32) & 15 for one in values]
        assert stats.chi2_contingency([np.bincount(one, minlength=16) for one in bits]).pvalue > 1e-5


def test_constants_of_a_file_are_its_index_alone(electrons, fakes):
    fields = [name for name in canonical_fields() if "." not in name and not name.endswith("_true")]
    constant = {
        name
        for name in fields
        if len(np.unique(electrons[name])) == 1
        and len(np.unique(fakes[name])) == 1
        and electrons[name][0] != fakes[name][0]
    }
    assert constant == {"run", "channel"}
    assert set(electrons.fields) == set(fakes.fields)
    assert electrons.event.tolist() == fakes.event.tolist()
    assert stats.ks_2samp(electrons.z_vertex, fakes.z_vertex).pvalue > 1e-4
