"""Electrons, muons, taus and jets of Pythia's events: what they are, and what the calorimeter has of them."""

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotools.images import build_images
from calotools.ntuple import inspect_files, read_candidates
from calotools.recipe import SimulateConfig
from calotools.simulate import Effects, simulate, simulate_response
from calotools.simulate.kinematics import wrap_phi
from calotools.simulate.objects import significant_cells
from calotools.simulate.pythia.ancestry import classify_particles, origin_of_hadron
from calotools.simulate.pythia.antikt import cluster
from calotools.simulate.pythia.events import Events, join_events, run_pythia, take_events
from calotools.simulate.pythia.near import generate_candidates
from calotools.simulate.pythia.objects import ELECTRON, JET, MUON, TAU, find_objects, generate_objects
from calotools.simulate.pythia.settings import process_settings

pytest.importorskip("pythia8mc", reason="needs the extra calotools[pythia]")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pythia8mc")


@pytest.fixture(scope="module")
def taus():
    return run_pythia(150, seed=5, settings=process_settings("ztautau"))


@pytest.fixture(scope="module")
def top():
    return run_pythia(60, seed=6, settings=process_settings("ttbar"))


def by_hand(momenta, radius):
    """Anti-kt as it is defined: the least distance of all, again and again."""
    left = [(m.copy(), [i]) for i, m in enumerate(momenta)]
    jets = []
    while left:
        p = np.array([m for m, _ in left])
        pt2 = p[:, 0] ** 2 + p[:, 1] ** 2
        y, phi = 0.5 * np.log((p[:, 3] + p[:, 2]) / (p[:, 3] - p[:, 2])), np.arctan2(p[:, 1], p[:, 0])
        d = (y[:, None] - y) ** 2 + wrap_phi(phi[:, None] - phi) ** 2
        pair = d / radius**2 * np.minimum(1 / pt2[:, None], 1 / pt2)
        pair[np.diag_indices(len(p))] = 1 / pt2
        i, j = np.unravel_index(np.argmin(pair), pair.shape)
        if i == j:
            jets.append(left.pop(i))
        else:
            first, second = max(i, j), min(i, j)
            (a, one), (b, two) = left.pop(first), left.pop(second)
            left.append((a + b, one + two))
    return jets


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([0.2, 0.4, 1.0]))
def test_jets_are_those_of_the_definition(seed, n, radius):
    rng = np.random.default_rng(seed)
    pt, eta, phi = rng.exponential(10, n) + 0.2, rng.normal(0, 1, n), rng.uniform(-np.pi, np.pi, n)
    momenta = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), np.hypot(pt * np.cosh(eta), 0.14)], 1)
    jets, owner = cluster(momenta, radius=radius)
    expected = by_hand(momenta, radius)
    assert {frozenset(members) for _, members in expected} == {
        frozenset(np.flatnonzero(owner == j).tolist()) for j in range(len(jets))
    }
    assert np.allclose(jets.sum(axis=0), momenta.sum(axis=0))


def test_events_can_be_taken_and_joined(taus):
    keep = np.arange(len(taus)) % 3 == 0
    parts = [take_events(taus, keep), take_events(taus, ~keep)]
    whole = join_events(parts)
    assert len(whole) == len(taus)
    assert len(whole.pdg) == len(taus.pdg)
    rows = np.flatnonzero((np.abs(whole.pdg) == 24) | (np.abs(whole.pdg) == 15))
    # a daughter's mother is still in its own event, and still what it was
    assert np.array_equal(whole.event_of(rows), whole.event_of(whole.mother[rows]))
    before = np.sort(taus.pdg[taus.mother[np.abs(taus.pdg) == 15]])
    assert np.array_equal(np.sort(whole.pdg[whole.mother[np.abs(whole.pdg) == 15]]), before)


def chain(*codes, status=1):
    """One event: a row of particles, each the daughter of the one before."""
    n = len(codes)
    flat = np.zeros(n)
    states = np.full(n, -1)
    states[-1] = status
    mother = np.arange(n) - 1
    return Events(
        np.array([0, n]), np.array(codes), states, mother, flat + 20, flat + 20, flat, flat, flat, flat, flat[:1]
    )


@pytest.mark.parametrize(
    ("codes", "kind", "origin", "category", "iff"),
    [
        ((2, 23, 11, 11), 2, 13, 0, 2),
        ((2, 24, -15, -11), 2, 9, 0, 2),
        ((21, 6, 24, -11), 2, 10, 0, 2),
        ((21, 5, 511, -11), 3, 26, 3, 8),
        ((21, 5, 511, -411, 11), 3, 25, 3, 9),
        ((21, 5, -511, 15, 11), 3, 9, -1, 7),
        ((21, 1, 111, 11), 4, 6, 4, 10),
        ((21, 1, 111, 22), 16, 42, 4, 10),
        ((21, 5, 511, 111, 22), 16, 42, 4, 10),
        ((21, 5, 511, 211), 17, 26, 5, 10),
        ((21, 1, 211), 17, 23, 5, 10),
        ((2, 23, 11, 22), 15, 40, 0, 2),
        ((2, 23, 13, 22), 15, 40, -1, 6),
        ((21, 25, 22), 14, 14, 0, 5),
        ((2, 23, 13), 6, 13, -1, 4),
        ((21, 5, 521, -13), 7, 26, -1, 8),
        ((21, 1, 22, 11), 4, 5, 2, 5),
    ],
)
def test_decay_chains(codes, kind, origin, category, iff):
    labels = classify_particles(chain(*codes), np.array([len(codes) - 1]))
    found = [int(getattr(labels, name)[0]) for name in ("kind", "origin", "category", "iff")]
    assert found == [kind, origin, category, iff]


def test_particles_go_back_to_their_hadron(top):
    rows = np.flatnonzero(top.visible & (np.abs(top.pdg) == 22))
    labels = classify_particles(top, rows)
    mother = np.abs(top.pdg[top.mother[rows]])
    from_hadron = (mother > 100) & (mother != 111)
    assert np.all(labels.origin[mother == 111] == 42)
    assert np.array_equal(labels.origin[from_hadron], origin_of_hadron(mother[from_hadron]))


def test_taus_are_hadronic_and_visible(taus):
    objects = find_objects(taus)
    count = np.bincount(objects.label, minlength=14)
    assert count[TAU] > 30
    assert count[TAU] > count[ELECTRON] + count[MUON]
    tau = objects.take(objects.label == TAU)
    mass2 = tau.momentum[:, 3] ** 2 - np.sum(tau.momentum[:, :3] ** 2, axis=1)
    # neutrinos are missing: the visible mass is below the tau's
    assert np.all(mass2 < 1.777**2 + 0.1)
    assert np.all(np.abs(tau.charge) == 1)
    assert set(tau.origin) == {13}


def test_objects_are_apart(top):
    objects = find_objects(top)
    event = top.event_of(objects.leading)
    for i, j in zip(*np.triu_indices(len(objects), 1), strict=True):
        if event[i] == event[j]:
            distance = np.hypot(objects.eta[i] - objects.eta[j], wrap_phi(objects.phi[i] - objects.phi[j]))
            assert distance > 0.4
    assert np.all(objects.et > 15)
    assert np.all(np.abs(objects.eta) < 2.1)


def test_prompt_photons_are_no_jets():
    events = run_pythia(40, seed=7, settings=process_settings("hyy"))
    objects = find_objects(events)
    rows = np.flatnonzero(events.visible & (events.pdg == 22) & (events.pt > 25))
    photons = rows[classify_particles(events, rows).kind == 14]
    assert len(photons) > 40
    assert not np.any(np.isin(objects.leading, photons))


def test_jets_of_top_have_their_flavour(top):
    rng = np.random.default_rng(1)
    generated = generate_objects("ttbar", 40, rng=rng)
    jets = generated.truth.take(generated.truth.category == JET)
    # two b of each pair of tops, most of them in the acceptance
    assert 0.8 * 40 < np.sum(jets.kind == 33) < 2.3 * 40
    assert np.all(jets.pdg[jets.kind == 33] == 5)
    assert np.all(jets.iff[jets.kind == 33] == 8)


def respond(generated, effects, window):
    n = len(generated.truth)
    return simulate_response(
        generated.particles,
        n_candidates=n,
        mu=np.zeros(n),
        mu_average=np.zeros(n),
        effects=effects,
        rng=np.random.default_rng(2),
        window=window,
    )


def test_energy_of_objects_closes():
    """Nothing but the calorimeter: what is deposited is in the window, and as much as hadrons and electrons leave."""
    bare = Effects(material=0, field=0, electronic_noise=0, crosstalk=0)
    generated = generate_objects("ztautau", 120, rng=np.random.default_rng(3))
    response = respond(generated, bare, "object")
    counts = np.diff(response.offsets)
    stored = np.bincount(np.repeat(np.arange(len(counts)), counts), weights=response.e, minlength=len(counts))
    assert np.allclose(stored, response.e_window, rtol=1e-4, atol=1e-3)
    total = np.bincount(generated.particles.candidate, weights=generated.particles.e)
    visible = response.e_deposited / total
    label = generated.truth.category
    contained = response.e_window / response.e_deposited
    assert np.median(contained[label == TAU]) > 0.9
    # e/h > 1: hadrons are seen at less than the electromagnetic scale, muons leave what ionisation takes
    assert 0.6 < np.median(visible[label == JET]) < 0.95
    assert np.median(visible[label == JET]) < np.median(visible[label == TAU]) < 1
    assert np.median(response.e_deposited[label == MUON]) < 12
    kept = significant_cells(response)
    assert np.all(np.abs(kept.e) > 2 * kept.noise)
    assert kept.offsets[-1] == len(kept.e) < len(response.e)


def test_middle_of_the_window_is_the_axis():
    generated = generate_objects("zmumu", 40, rng=np.random.default_rng(4))
    response = respond(generated, Effects(vertex_spread=0), "object")
    muon = generated.truth.category == MUON
    assert np.all(np.abs(response.seed_eta - generated.truth.eta)[muon] < 0.03)


def test_file_and_images(tmp_path):
    path = simulate(SimulateConfig(process="ztautau", n=40, mu=20, output=tmp_path / "a.root"))
    (report,) = inspect_files([path])
    assert [tree.name for tree in report.trees] == ["objects"]
    objects = read_candidates(path)
    assert set(ak.to_numpy(objects.class_true)) <= {ELECTRON, JET, MUON, TAU}
    images = build_images(objects, "objects")
    assert images.values["energy_calo"].shape == (len(objects), 2, 32, 32)
    drawn = objects.cells.sampling != 17
    total = ak.to_numpy(ak.sum(objects.cells.e[drawn], axis=1))
    everything = images.values["energy_calo"].sum(axis=(1, 2, 3)) + images.outside["calo"]
    assert np.allclose(everything, total, rtol=1e-4, atol=1e-3)
    assert ak.all(np.abs(objects.cells.e) > 1.99 * objects.cells.noise)
    assert simulate(SimulateConfig(process="ztautau", n=40, mu=20, output=tmp_path / "b.root", chunk=7)).exists()
    again = read_candidates(tmp_path / "b.root")
    assert ak.array_equal(objects.cells.e, again.cells.e)


def test_candidates_hold_what_is_near():
    generated = generate_candidates("dijets", 20, rng=np.random.default_rng(5))
    truth, particles = generated.truth, generated.particles
    distance = np.hypot(
        particles.eta - truth.eta[particles.candidate], wrap_phi(particles.phi - truth.phi[particles.candidate])
    )
    assert np.all(distance < 0.25)
    assert set(particles.candidate) == set(range(len(truth)))
    assert len(generated.particle_truth) == len(particles)
    # the first particle is the one that the candidate is named after
    first = np.searchsorted(particles.candidate, np.arange(len(truth)))
    assert np.allclose(particles.eta[first], truth.eta)
