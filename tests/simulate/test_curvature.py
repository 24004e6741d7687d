"""What a fit makes of a bent track: weights against a fit by hand, and electrons with and without losses."""

import numpy as np
import pytest

from calotools.analysis import median
from calotools.simulate import Effects, Particles, simulate_response
from calotools.simulate.curvature import fitted_curvatures, measurements, weight_behind


@pytest.mark.parametrize("eta", [0.3, 2.3])
@pytest.mark.parametrize("at", [10.0, 100.0, 330.0, 480.0])
def test_weight_is_what_a_parabola_through_the_displaced_points_has(eta, at):
    radius, error = measurements(straws=eta < 2)
    displaced = 0.5 * np.maximum(radius - at, 0) ** 2
    curvature = 2 * np.polyfit(radius, displaced, 2, w=1 / error)[0]
    assert weight_behind(at, eta) == pytest.approx(curvature, abs=1e-6)


def test_weight_falls_from_one_to_zero():
    radius = np.linspace(0, 1200, 200)
    for eta in (0.0, 2.4):
        weight = weight_behind(radius, eta)
        assert np.all(np.diff(weight) <= 1e-12)
        assert weight[radius < 33] == pytest.approx(1)
        assert np.all(weight[radius > 1080] == 0)


def test_a_fit_that_recovers_all_reports_the_truth():
    mean, last = np.array([1.0, 1.3]), np.array([1.0, 2.5])
    first, end = fitted_curvatures(mean, last, recovered=1.0)
    assert first.tolist() == [1.0, 1.0]
    assert end.tolist() == last.tolist()
    assert fitted_curvatures(mean, last, recovered=0.0)[0].tolist() == mean.tolist()


def _fits(eta, **effects):
    """Fitted energy over that at the vertex, and the energy kept at the last measurement, of 40 GeV electrons."""
    n = 800
    particles = Particles(*(np.full(n, value) for value in (0, 11, 40 * np.cosh(eta), eta, 1.0, 0.0, 0.0)))
    particles = Particles(
        np.arange(n), *(getattr(particles, name) for name in list(Particles.__dataclass_fields__)[1:])
    )
    none = np.zeros(n)
    response = simulate_response(
        particles, n_candidates=n, mu=none, mu_average=none, effects=Effects(**effects), rng=np.random.default_rng(1)
    )
    return response.e_fit / particles.e, response.e_last / particles.e


def test_without_material_or_radiation_the_fit_sees_the_vertex():
    for effects in ({"material": 0.0}, {"bremsstrahlung": False}):
        fit, last = _fits(0.3, **effects)
        assert np.allclose(fit, 1)
        assert np.allclose(last, 1)


def test_the_fit_is_between_vertex_and_last_measurement_and_worse_with_more_material():
    kept = {}
    for eta in (0.3, 1.1, 1.7):
        fit, last = _fits(eta)
        assert np.all(last <= fit + 1e-9)
        assert np.all(fit <= 1 + 1e-9)
        kept[eta] = median(fit).value
    assert kept[0.3] > kept[1.1] > kept[1.7]


def test_losses_behind_the_last_measurement_are_not_seen():
    fit, _ = _fits(0.3, material_by_radius=((0.0, 0.0), (1090.0, 3.0)))
    assert np.allclose(fit, 1)


def test_forward_tracks_leave_the_discs_at_smaller_radii():
    last = {eta: measurements(straws=eta < 2, eta=eta)[0][-1] for eta in (0.5, 1.6, 1.9, 2.5)}
    assert last[0.5] == last[1.6] == 1080.0
    assert last[1.9] == pytest.approx(2710 / np.sinh(1.9))
    assert last[2.5] == pytest.approx(2720 / np.sinh(2.5))
    assert weight_behind(900.0, 1.6) > 0
    assert weight_behind(900.0, 1.9) == 0
    assert weight_behind(400.0, 1.9) < weight_behind(400.0, 1.6)
