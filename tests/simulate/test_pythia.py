"""Events of Pythia: the same however they are made, with true classes that the detector's view agrees with."""

import sys

import awkward as ak
import numpy as np
import pytest

from calotools.errors import ConfigError
from calotools.ntuple import canonical_fields, read_candidates, read_metadata
from calotools.recipe import SimulateConfig
from calotools.simulate import Effects, simulate
from calotools.simulate.processes import choose_generator
from calotools.simulate.pythia import process_table, pythia_interactions
from calotools.simulate.setup import prepare

pytest.importorskip("pythia8mc", reason="needs the extra calotools[pythia]")
# pybind11's modules of Pythia say nothing about the interpreter's deprecations
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pythia8mc")


def make(folder, process="zee", name="a.root", **values):
    config = SimulateConfig(
        **{"process": process, "generator": "pythia", "n": 210, "mu": 0, "output": folder / name, **values}
    )
    return simulate(config)


@pytest.fixture(scope="module")
def zee(tmp_path_factory):
    return make(tmp_path_factory.mktemp("zee"))


@pytest.fixture(scope="module")
def dijets(tmp_path_factory):
    return read_candidates(make(tmp_path_factory.mktemp("dijets"), "dijets", n=280))


@pytest.fixture(scope="module")
def ttbar(tmp_path_factory):
    return read_candidates(make(tmp_path_factory.mktemp("ttbar"), "ttbar", n=280))


def column(candidates, name):
    return ak.to_numpy(candidates[name])


def shares(candidates):
    return np.array([np.mean(column(candidates, "class_true") == one) for one in range(6)])


def same(first, second):
    assert set(first.fields) == set(second.fields)
    for name in first.fields:
        assert ak.array_equal(first[name], second[name], equal_nan=True), name


def test_file_is_complete_and_says_how_it_was_made(zee):
    candidates = read_candidates(zee)
    fields = {*candidates.fields} | {f"cells.{name}" for name in candidates.cells.fields}
    fields |= {f"tracks.{name}" for name in candidates.tracks.fields}
    assert set(canonical_fields()) <= fields
    assert np.unique(candidates.event).tolist() == list(range(1, 211))
    assert ak.all(candidates.channel == 999101)
    record = read_metadata(zee)
    assert record["config"]["generator"] == "pythia"
    assert "WeakSingleBoson:ffbar2gmZ = on" in record["pythia"]["settings"]
    assert record["pythia"]["version"].startswith("8.3")


@pytest.mark.parametrize("values", [{"chunk": 1, "format": "rntuple"}, {"jobs": 2}])
def test_however_it_is_made_it_is_the_same(zee, tmp_path, values):
    same(read_candidates(zee), read_candidates(make(tmp_path, **values)))


def test_shards_in_any_order_are_the_whole(zee, tmp_path):
    second = read_candidates(make(tmp_path, name="1.root", shard=(1, 2)))
    first = read_candidates(make(tmp_path, name="0.root", shard=(0, 2)))
    same(read_candidates(zee), ak.concatenate([first, second]))


def test_z_peak(zee):
    """The same peak as physics: pairs of prompt electrons have the mass of the Z, before and after the detector."""
    candidates = read_candidates(zee)
    prompt = candidates[(candidates.class_true <= 1) & (candidates.origin_true == 13)]
    _, first, counts = np.unique(column(prompt, "event"), return_index=True, return_counts=True)
    first = first[counts == 2]
    assert len(first) > 150

    def masses(pt, eta, phi):
        pt, eta, phi = (np.stack([column(prompt, x)[first], column(prompt, x)[first + 1]]) for x in (pt, eta, phi))
        return np.sqrt(2 * pt[0] * pt[1] * (np.cosh(eta[0] - eta[1]) - np.cos(phi[0] - phi[1])))

    measured = masses("et", "eta", "phi")
    core = np.abs(measured - 91.2) < 8
    error = np.std(measured[core]) / np.sqrt(core.sum())
    assert np.mean(core) > 0.7
    assert abs(np.median(measured[core]) - 91.0) < 4 * 1.25 * error
    true_et = column(prompt, "e_true") / np.cosh(column(prompt, "eta_true"))
    pt = np.stack([true_et[first], true_et[first + 1]])
    eta, phi = (np.stack([column(prompt, x)[first], column(prompt, x)[first + 1]]) for x in ("eta_true", "phi_true"))
    true = np.sqrt(2 * pt[0] * pt[1] * (np.cosh(eta[0] - eta[1]) - np.cos(phi[0] - phi[1])))
    assert np.median(true) == pytest.approx(91.0, abs=0.4)


def test_classes_of_each_sample(zee, dijets, ttbar):
    assert shares(read_candidates(zee))[0] > 0.8
    jets = shares(dijets)
    assert jets[0] + jets[1] < 0.01
    assert jets[4] + jets[5] > 0.9
    assert 0.05 < jets[4] < 0.4
    top = shares(ttbar)
    assert 0.02 < top[0] < 0.2
    # every top decays to a b, of which a fifth decays to an electron, itself or by a charmed hadron
    assert top[3] > jets[3]
    assert top[3] > 0.01


def test_types_and_iff_agree_with_classes(ttbar, dijets):
    for sample in (ttbar, dijets):
        kind, iff = column(sample, "type_true"), column(sample, "iff_true")
        category, origin = column(sample, "class_true"), column(sample, "origin_true")
        assert set(kind[category == 0]) <= {2, 4}
        assert set(iff[category == 0]) <= {2}
        assert set(kind[category == 3]) <= {3, 4, 16}
        assert set(iff[category == 3]) <= {8, 9}
        assert set(iff[category >= 4]) == {10}
        assert np.all(kind[category == 5] == 17)
        assert np.all(np.isin(origin[(category == 0) & (kind == 2)], (9, 10, 12, 13)))


def test_electrons_of_heavy_flavour_do_not_come_from_the_vertex(ttbar):
    d0 = np.abs(column(ttbar, "d0_significance"))
    category = column(ttbar, "class_true")
    heavy, prompt = d0[category == 3], d0[category == 0]
    assert len(heavy) > 10
    assert np.mean(heavy > 3) > np.mean(prompt > 3) + 0.2
    assert np.median(heavy) > 2 * np.median(prompt)


def test_prompt_photons_that_convert_are_the_class_of_conversions(tmp_path):
    sample = read_candidates(make(tmp_path, "gammajet", tree="electrons", n=200))
    conversions = sample[sample.class_true == 2]
    assert len(conversions) > 40
    assert ak.all(conversions.iff_true == 5)
    assert ak.all(conversions.pdg_true == 22)
    radius = column(conversions, "conversion_radius_true")
    assert np.all((radius > 0) & (radius < 800))
    # a leg that is born beyond the innermost layer leaves nothing in it
    assert np.all(column(conversions, "n_innermost")[radius > 60] == 0)


def test_charge_flips_have_the_wrong_sign(zee, ttbar):
    for sample in (read_candidates(zee), ttbar):
        sign = column(sample, "charge_true") * column(sample, "charge")
        category, kind = column(sample, "class_true"), column(sample, "type_true")
        assert np.all(sign[category == 1] < 0)
        assert np.all(sign[(category == 0) & (kind == 2)] > 0)
        assert np.all(column(sample, "iff_true")[category == 1] == 3)


def test_hadrons_leave_hadronic_energy_and_electrons_do_not(ttbar):
    rhad, category = column(ttbar, "rhad"), column(ttbar, "class_true")
    assert np.median(rhad[category == 0]) < 0.01
    assert np.median(rhad[category == 5]) > 0.05


def test_weights_bring_the_bias_back(dijets):
    """The biased sample falls slowly, the weighted one as jets do."""
    et, weight = column(dijets, "e_true") / np.cosh(column(dijets, "eta_true")), column(dijets, "weight")
    low, high = (et > 8) & (et < 16), et > 32
    assert np.mean(high) / np.mean(low) > 10 * weight[high].sum() / weight[low].sum()


def test_settings_of_the_user_win(tmp_path):
    jets = read_candidates(make(tmp_path, "dijets", n=20, pythia_settings=("PhaseSpace:pTHatMin = 400.",)))
    assert np.median(jets.et) > 60


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"process": "fakes"}, "generator 'pythia' has no process 'fakes'; it has .*'dijets'.*'zee'"),
        ({"process": "ttbar", "generator": "builtin"}, "generator 'builtin' has no process 'ttbar'"),
        ({"generator": "builtin", "tree": "photons"}, r"makes electrons, not photons; .*\(--generator pythia\)"),
        ({"pythia_settings": ("No:such = 1",)}, "Pythia does not know the setting 'No:such = 1'"),
        ({"generator": "builtin", "pythia_settings": ("a",)}, "'pythia_settings' is for Pythia"),
        ({"pseudo_data": True}, "pseudo-data are made by the built-in generator alone"),
    ],
)
def test_bad_requests(values, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        make(tmp_path, **values)
    assert list(tmp_path.iterdir()) == []


def test_without_pythia_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pythia8mc", None)
    with pytest.raises(ConfigError, match=r"pip install 'calotools\[pythia\]'"):
        make(tmp_path, pythia_settings=("Beams:eCM = 14000.",))  # no Pythia with it is kept yet
    assert list(tmp_path.iterdir()) == []


def test_processes_that_only_pythia_has_imply_it():
    assert {choose_generator(process, None) for process in process_table()} == {"builtin", "pythia"}
    assert choose_generator("zee", None) == "builtin"
    assert choose_generator("dijets", None) == "pythia"


def test_pile_up_of_pythia_is_as_dense_as_published():
    sources, kinds, event = pythia_interactions(400, rng=np.random.default_rng(1))
    again = (pythia_interactions(50, rng=np.random.default_rng(2))[0] for _ in range(2))
    assert np.array_equal(*again)
    assert set(kinds) <= set(range(5))
    central = np.abs(np.arcsinh(sources[:, 6])) < 1
    charged = central & (kinds == 2) & (sources[:, 1] > 0)
    # inelastic collisions at 13 TeV, charged particles per unit of eta: 5 to 6.5 as published by several experiments
    assert 4.5 < charged.sum() / 400 / 2 < 6.8
    # particles and antiparticles: charges cancel
    assert abs(sources[charged, 0].mean()) < 4 / np.sqrt(charged.sum())
    assert event.max() < 400


def test_pile_up_of_pythia_is_overlaid():
    plain, other = (prepare(Effects(minimum_bias=one), pileup=True).library for one in ("builtin", "pythia"))
    assert 0.4 < other.e.sum() / plain.e.sum() < 3
    assert other.starts.shape == plain.starts.shape
