"""Final-state radiation of electrons, asked for and refused."""

import json

import numpy as np
import pytest

from calotools.errors import ConfigError
from calotools.ntuple import read_candidates, read_metadata
from calotools.recipe import SimulateConfig
from calotools.simulate import simulate
from calotools.simulate.generator import generate
from calotools.simulate.kinematics import DRESSING_CONE


def events(process="electrons", *, n=4000, **values):
    return generate(process, n, rng=np.random.default_rng(3), **values)


def photons_of(batch, least):
    """Candidates with a photon above a part of their energy, inside their cone."""
    photon = batch.particles.pdg == 22
    part = np.bincount(batch.particles.candidate[photon], weights=batch.particles.e[photon], minlength=len(batch.truth))
    return part > least * batch.truth.e


def test_single_electrons_radiate_when_asked_and_as_those_of_a_z():
    single, pair = events(radiation=True), events("zee", n=2000)
    rates = [photons_of(one, 0.05).mean() for one in (single, pair)]
    assert rates[0] > 0.08
    assert rates[0] == pytest.approx(rates[1], abs=4 * np.sqrt(2 * 0.1 / 4000))


def test_radiation_leaves_the_electrons_where_they_were():
    plain, radiating = events(), events(radiation=True)
    assert not photons_of(plain, 0).any()
    assert np.array_equal(plain.truth.eta, radiating.truth.eta)
    assert np.array_equal(plain.truth.charge, radiating.truth.charge)
    # a photon outside the cone is lost; one inside belongs to the electron's energy
    kept = plain.truth.e == radiating.truth.e
    assert 0.9 < kept.mean() < 0.99
    assert np.all(radiating.truth.e[~kept] < plain.truth.e[~kept])
    total = np.bincount(radiating.particles.candidate, weights=radiating.particles.e)
    assert np.allclose(total, radiating.truth.e)
    assert DRESSING_CONE == 0.1


def test_a_z_that_does_not_radiate_has_all_of_its_mass():
    masses = {}
    for radiation in (False, True):
        truth = events("zee", n=2000, radiation=radiation).truth
        pt = (truth.e / np.cosh(truth.eta)).reshape(-1, 2)
        angle = np.cosh(np.diff(truth.eta.reshape(-1, 2))) - np.cos(np.diff(truth.phi.reshape(-1, 2)))
        masses[radiation] = np.sqrt(2 * pt.prod(axis=1) * angle[:, 0])
    lost = masses[True] < 0.999 * masses[False]
    assert np.all(masses[True] <= masses[False] * (1 + 1e-9))
    assert 0.02 < lost.mean() < 0.2
    assert not np.any(events("zee", n=2000, radiation=False).particles.pdg == 22)


def test_default_is_that_of_the_process():
    assert np.array_equal(events("zee").particles.e, events("zee", radiation=True).particles.e)
    assert np.array_equal(events().particles.e, events(radiation=False).particles.e)


def make(folder, **values):
    return simulate(SimulateConfig(**{"process": "electrons", "n": 60, "mu": 0, "output": folder / "a.root", **values}))


def test_the_file_says_that_its_electrons_radiated(tmp_path):
    path = make(tmp_path, radiation=True)
    assert read_metadata(path)["config"]["radiation"] is True
    assert len(read_candidates(path, fields=["e_true"])) == 60
    # what was not asked for leaves files as they are
    plain = read_metadata(make(tmp_path, n=2, overwrite=True))
    assert "radiation" not in json.dumps(plain["config"])


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"process": "photons", "radiation": True}, r"for electrons of the final state: .*'photons' is not among them"),
        ({"process": "fakes", "radiation": False}, "'fakes' is not among them"),
        ({"process": "zee", "generator": "pythia", "radiation": False}, r"Pythia has its own.*QEDshowerByL = off"),
    ],
)
def test_radiation_of_what_has_no_electrons_is_refused(values, match, tmp_path):
    with pytest.raises(ConfigError, match=match):
        make(tmp_path, **values)
    assert not list(tmp_path.iterdir())
