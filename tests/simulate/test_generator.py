"""What the generators hand on to the detector."""

import numpy as np
import pytest

from calotools.simulate.background import generate_background
from calotools.simulate.candidates import as_electrons
from calotools.simulate.generator import ET_RANGE, ETA_MAX, generate
from calotools.simulate.jets import draw_categories, generate_fakes
from calotools.simulate.kinematics import wrap_phi
from calotools.simulate.pions import decay_pions

PER_EVENT = {"zee": 2, "hyy": 2, "jpsi": 2, "electrons": 1, "photons": 1, "fakes": 1}


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("process", "multiplicity"), PER_EVENT.items())
def test_every_event_is_complete(process, multiplicity):
    batch = generate(process, 50, rng=rng())
    assert np.bincount(batch.truth.event).tolist() == [multiplicity] * 50
    assert np.all(np.abs(batch.truth.eta) < ETA_MAX)
    assert np.all(np.diff(batch.particles.candidate) >= 0)
    assert set(batch.particles.candidate) == set(range(50 * multiplicity))
    assert len(batch.d0) == len(batch.particles.e)


def test_electron_pairs_have_opposite_charge_and_dressed_mass():
    truth = generate("zee", 5000, rng=rng()).truth
    assert np.all(truth.charge.reshape(-1, 2).sum(axis=1) == 0)
    assert np.all(truth.pdg == -11 * truth.charge)
    pt, eta, phi = ((truth.e / np.cosh(truth.eta)), truth.eta, truth.phi)
    pt, eta, phi = (x.reshape(-1, 2) for x in (pt, eta, phi))
    mass = np.sqrt(2 * pt[:, 0] * pt[:, 1] * (np.cosh(np.diff(eta)) - np.cos(np.diff(phi)))[:, 0])
    # photons radiated at wide angle are lost: a tail below the peak, and the peak stays
    assert 90.7 < np.median(mass) < 91.3
    assert np.mean(mass < 85) > 1.2 * np.mean(mass > 97.4)


def test_single_electrons_are_flat_in_log_et():
    truth = generate("electrons", 20_000, rng=rng()).truth
    u = np.log(truth.e / np.cosh(truth.eta) / ET_RANGE[0]) / np.log(ET_RANGE[1] / ET_RANGE[0])
    counts = np.histogram(u, bins=10, range=(0, 1))[0]
    assert counts.sum() == 20_000
    assert np.sum((counts - 2000) ** 2 / 2000) < 30


def test_dressing_keeps_the_energy_of_a_candidate():
    batch = generate("zee", 2000, rng=rng())
    total = np.bincount(batch.particles.candidate, weights=batch.particles.e)
    assert np.allclose(total, batch.truth.e)


def test_pion_decays_have_the_pion_mass():
    n = 2000
    e, eta, phi = np.full(n, 10.0), rng().uniform(-2, 2, n), rng(2).uniform(-3, 3, n)
    columns = decay_pions(np.arange(n), np.full(n, 111), e, eta, phi, dalitz=np.zeros(n), rng=rng(3))
    order = np.argsort(columns.candidate, kind="stable")
    e, eta, phi = (getattr(columns, name)[order].reshape(-1, 2) for name in ("e", "eta", "phi"))
    pt = e / np.cosh(eta)
    mass = np.sqrt(2 * pt.prod(axis=1) * (np.cosh(np.diff(eta)) - np.cos(np.diff(phi)))[:, 0])
    assert np.median(mass) == pytest.approx(0.135, rel=0.01)
    assert np.allclose(e.sum(axis=1), 10.0)


def test_fakes_keep_their_category_and_carry_a_track():
    category = draw_categories(3000, rng=rng())
    batch = generate_fakes(category, rng=rng())
    assert np.array_equal(batch.truth.category, category)
    charged = np.isin(np.abs(batch.particles.pdg), (11, 211))
    n_charged = np.bincount(batch.particles.candidate[charged], minlength=3000)
    assert np.all(n_charged[(category == 3) | (category == 5)] > 0)
    # heavy flavour alone is displaced
    displaced = np.abs(batch.d0) > 0
    assert set(category[batch.particles.candidate[displaced]]) == {3}


def test_particles_of_fakes_have_the_truth_of_what_they_are():
    batch = generate_fakes(draw_categories(2000, rng=rng()), rng=rng())
    truth, code = batch.particle_truth, np.abs(batch.particles.pdg)
    assert set(truth.category[code == 211]) == {5}
    assert set(truth.kind[code == 211]) == {17}
    assert set(truth.category[code == 22]) == {2, 4}
    photons = truth.take(code == 22)
    converted = as_electrons(photons, tracked=np.ones(len(photons), dtype=bool))
    assert set(zip(converted.kind.tolist(), converted.origin.tolist(), strict=True)) == {(4, 5)}
    unconverted = as_electrons(photons, tracked=np.zeros(len(photons), dtype=bool))
    assert set(unconverted.category) == {5}
    # a pion of another collision or of the underlying event made the track
    assert set(zip(unconverted.kind.tolist(), unconverted.origin.tolist(), strict=True)) == {(17, 23)}


def test_background_mass_falls_and_has_no_charge_correlation():
    batch = generate_background(20_000, rng=rng())
    truth = batch.truth
    lead = np.searchsorted(batch.particles.candidate, np.arange(1, 40_000, 2))
    d_phi = wrap_phi(truth.phi[1::2] - truth.phi[::2])
    # the jet's direction is that of its leading particle
    assert np.all(np.abs(wrap_phi(batch.particles.phi[lead] - truth.phi[1::2])) < 0.3)
    assert np.all(np.abs(d_phi) > 0.39)
    charged = truth.charge[1::2] != 0
    same = (truth.charge[::2] == truth.charge[1::2])[charged]
    assert np.mean(same) == pytest.approx(0.5, abs=0.02)


def test_same_seed_same_events():
    first, second = (generate("fakes", 30, rng=rng(9)) for _ in range(2))
    assert np.array_equal(first.particles.e, second.particles.e)


def test_classes_of_photons_are_those_of_photons():
    assert set(generate("photons", 5, rng=rng()).truth.iff) == {5}
    assert set(generate("hyy", 5, rng=rng()).truth.iff) == {5}
    assert set(generate("electrons", 5, rng=rng()).truth.iff) == {2}
