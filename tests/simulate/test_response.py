"""The whole response: energy, noise, pile-up, time, and what must not depend on anything."""

import numpy as np
import pytest

from calotools.detector import cell_noise, pileup_resolution, select_gain
from calotools.errors import ConfigError, ShapeError
from calotools.simulate.effects import Effects
from calotools.simulate.response import Particles, simulate_response
from calotools.variables import shower_shapes

QUIET = Effects(electronic_noise=0, pileup=0)


def shoot(pdg, e, *, n=100, eta=0.3, mu=0.0, effects=QUIET, seed=1, z=0.0, t=0.0):
    rng = np.random.default_rng(seed)
    phi = rng.uniform(-np.pi, np.pi, n)
    columns = (np.full(n, pdg), np.full(n, float(e)), np.broadcast_to(eta, n), phi, np.full(n, z), np.full(n, t))
    crossings, around = rng.spawn(1)[0].poisson(mu, n), np.full(n, float(mu))
    return simulate_response(
        Particles(np.arange(n), *columns), n_candidates=n, mu=crossings, mu_average=around, effects=effects, rng=rng
    )


def sums(response, chosen=None):
    weights = response.e if chosen is None else np.where(chosen, response.e, 0.0)
    return np.add.reduceat(weights, response.offsets[:-1])


@pytest.mark.parametrize(("pdg", "eta"), [(11, 0.3), (22, -0.9), (-11, 1.43), (22, 1.7), (211, 2.2)])
def test_cells_hold_what_was_deposited(pdg, eta):
    response = shoot(pdg, 50.0, eta=eta)
    assert sums(response) == pytest.approx(response.e_window, rel=1e-5)
    assert (response.e_window <= response.e_deposited * (1 + 1e-9)).all()
    without = shoot(pdg, 50.0, eta=eta, effects=QUIET.model_copy(update={"crosstalk": 0.0}))
    assert without.e_deposited == pytest.approx(response.e_deposited)


def test_electron_energy_is_nearly_all_seen():
    response = shoot(11, 50.0, n=400, effects=QUIET.model_copy(update={"spots": 0.3}))
    assert np.median(response.e_deposited) == pytest.approx(50.0, rel=0.05)
    assert np.std(response.e_deposited) / 50.0 < 0.03


def test_same_seed_same_cells():
    one, two = shoot(11, 30.0, seed=3), shoot(11, 30.0, seed=3)
    assert np.array_equal(one.e, two.e)
    assert not np.array_equal(one.e[:500], shoot(11, 30.0, seed=4).e[:500])


def test_a_candidate_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(2)
    columns = np.array([0, 1, 1]), np.array([11, 22, 211]), np.array([30.0, 20.0, 10.0])
    place = np.array([0.3, 1.2, 1.25]), np.array([1.0, -2.0, -2.05]), np.zeros(3), np.zeros(3)
    none = np.zeros(2)
    both = simulate_response(
        Particles(*columns, *place), n_candidates=2, mu=none, mu_average=none, effects=Effects(), rng=rng
    )
    first = Particles(*(array[:1] for array in (*columns, *place)))
    alone = simulate_response(
        first, n_candidates=1, mu=none[:1], mu_average=none[:1], effects=Effects(), rng=np.random.default_rng(2)
    )
    assert np.array_equal(both.e[: both.offsets[1]], alone.e)


def test_window_is_whole_cells_about_the_seed():
    response = shoot(11, 40.0, eta=np.linspace(-1.2, 1.2, 100))
    candidate = np.repeat(np.arange(100), np.diff(response.offsets))
    middle = response.sampling == 2
    assert (np.bincount(candidate[middle], minlength=100) == 9 * 13).all()
    d_phi = np.abs(np.angle(np.exp(1j * (response.phi - response.seed_phi[candidate]))))
    assert d_phi[middle].max() == pytest.approx(6 * 2 * np.pi / 256, abs=1e-5)
    assert np.abs(response.eta - response.seed_eta[candidate])[middle].max() == pytest.approx(0.1, abs=1e-5)
    assert (np.abs(response.phi) <= np.pi + 1e-6).all()


def test_crack_has_barrel_and_endcap_cells():
    present = set(shoot(11, 60.0, eta=1.43).sampling.tolist())
    assert {0, 1, 2, 5, 6, 17} <= present


def test_seed_is_where_the_particle_goes():
    response = shoot(22, 60.0, eta=0.8, z=60.0)
    assert response.seed_eta == pytest.approx(response.eta_middle, abs=0.03)
    assert response.eta_middle.mean() > 0.81
    assert np.abs(np.angle(np.exp(1j * (response.seed_phi - response.phi_middle)))).max() < 0.05


def test_vertex_shift_points():
    response = shoot(22, 60.0, eta=0.5, z=100.0)
    slope = np.sinh(response.eta_strips[0]), np.sinh(response.eta_middle[0])
    assert slope[0] - np.sinh(0.5) == pytest.approx(100.0 / 1540.0, rel=0.03)
    assert slope[0] > slope[1]


def test_photons_convert_and_say_so():
    response = shoot(22, 40.0, n=400)
    converted = np.isfinite(response.conversion_radius)
    assert 0.2 < converted.mean() < 0.45
    assert response.conversion_e[converted].sum(axis=1) == pytest.approx(np.full(converted.sum(), 40.0))
    assert (response.conversion_e[~converted] == 0).all()
    assert (response.e_exit[~converted] == 40.0).all()


def test_hadrons_reach_the_hadronic_calorimeter_and_muons_ionise():
    pions, electrons = shoot(211, 50.0, n=200), shoot(11, 50.0, n=50)
    assert np.median(sums(pions, pions.sampling >= 8) / sums(pions)) > 0.2
    assert (sums(electrons, electrons.sampling >= 8) < 0.02 * 50).mean() > 0.95
    muons = sums(shoot(13, 50.0, n=200))
    assert 1.0 < np.median(muons) < 5.0
    assert np.median(sums(shoot(211, 50.0, n=200, effects=QUIET.model_copy(update={"hadronic": False})))) < 5.0


def test_electronic_noise_has_the_tabulated_width():
    response = shoot(13, 0.35, n=400, effects=Effects(pileup=0), eta=0.35)
    for sampling in (1, 2, 3):
        here = response.sampling == sampling
        expected = cell_noise(sampling, 0.35)[0]
        assert np.percentile(response.e[here], [16, 84]) == pytest.approx([-expected, expected], rel=0.08, abs=1e-3)
        assert np.median(response.noise[here]) == pytest.approx(expected, rel=0.15)


def test_gain_follows_the_energy():
    response = shoot(11, 200.0, effects=QUIET.model_copy(update={"spots": 0.2}))
    assert np.array_equal(response.gain, select_gain(response.sampling, response.eta, response.e))
    assert set(response.gain[response.sampling == 2].tolist()) == {0, 1}
    single = shoot(11, 200.0, effects=Effects(gain=False, pileup=0, spots=0.2))
    assert (single.gain[single.sampling == 2] == 0).all()


def test_time_is_zero_below_three_sigma_and_resolves_above():
    response = shoot(11, 50.0, n=200, effects=Effects(pileup=0))
    weak = np.abs(response.e) < 3 * response.noise
    assert (response.time[weak] == 0).all()
    strong = (response.sampling == 2) & (response.e > 10.0) & (response.gain == 0)
    assert response.time[strong].std() == pytest.approx(np.hypot(0.23, 29 * 0.033 / 14.0), rel=0.15)
    late = shoot(11, 50.0, n=50, effects=Effects(pileup=0, time=False), t=1.0)
    assert np.median(late.time[(late.sampling == 2) & (late.e > 5.0)]) == pytest.approx(1.0, abs=0.02)


def cluster_et(response, n):
    candidate = np.repeat(np.arange(n), np.diff(response.offsets))
    d_eta = np.abs(response.eta - response.seed_eta[candidate])
    d_phi = np.abs(np.angle(np.exp(1j * (response.phi - response.seed_phi[candidate]))))
    inside = (response.sampling < 8) & (d_eta < 0.0385) & (d_phi < 0.087)
    return np.bincount(candidate[inside], response.e[inside], n) / np.cosh(response.seed_eta)


def test_pileup_has_no_mean_and_the_published_width():
    n = 1500
    response = shoot(22, 1e-3, n=n, mu=32.0, effects=Effects(electronic_noise=0))
    et = cluster_et(response, n)
    assert abs(et.mean()) < 4 * et.std() / np.sqrt(n)
    middle = response.e[response.sampling == 2].reshape(n, 9, 13)
    assert np.corrcoef(middle[:, 4, 6], middle[:, 5, 6])[0, 1] > 0.1
    assert middle.std() == pytest.approx(float(cell_noise(2, 0.3, 32.0)[1]), rel=0.4)


def test_pileup_spreads_the_cluster_of_a_photon_as_published():
    n, et = 1500, []
    for mu in (0.0, 32.0):  # the same showers; a cluster is drawn to upward fluctuations and takes satellites in
        cells = shoot(22, 20.0 * np.cosh(0.3), n=n, mu=mu, effects=Effects(electronic_noise=0))
        where = {"eta_cluster": cells.seed_eta, "phi_cluster": cells.seed_phi}
        shapes = shower_shapes(cells.offsets, cells.e, cells.eta, cells.phi, cells.sampling, **where)
        et.append(shapes["e_cluster"] / np.cosh(0.3))
    assert np.std(et[1] - et[0]) == pytest.approx(float(pileup_resolution(20.0, 32.0)), rel=0.25)


def test_pileup_grows_as_the_root_of_mu():
    n = 3200  # few interactions are hard, and make up much of the variance
    width = [cluster_et(shoot(22, 1e-3, n=n, mu=mu, effects=Effects(electronic_noise=0)), n).std() for mu in (15, 60)]
    assert width[1] / width[0] == pytest.approx(2.0, rel=0.2)


def test_bad_particles():
    with pytest.raises(ConfigError, match=r"no detector response for PDG codes \[15\]"):
        shoot(15, 10.0, n=2)
    with pytest.raises(ConfigError, match="particle 0 has energy -1"):
        shoot(11, -1.0, n=2)
    first, empty = (Particles(*(np.array([value]) for value in (k, 11, 10.0, 0.1, 0.1, 0.0, 0.0))) for k in (0, 1))
    none, rng = np.zeros(2), np.random.default_rng(1)
    with pytest.raises(ConfigError, match=r"mu = -1\.0 cannot be simulated"):
        simulate_response(first, n_candidates=1, mu=none[:1], mu_average=none[:1] - 1, effects=QUIET, rng=rng)
    with pytest.raises(ShapeError, match=r"2 candidates need at least one particle each"):
        simulate_response(empty, n_candidates=2, mu=none, mu_average=none, effects=QUIET, rng=rng)
