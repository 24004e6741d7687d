"""Tracks: resolutions are those that were put in, hits come only from layers that were crossed."""

from types import SimpleNamespace

import numpy as np
import pytest

from calotools.detector import load_table
from calotools.simulate.charged import charged_particles
from calotools.simulate.generator import generate
from calotools.simulate.isolation import calorimeter_isolation, track_isolation
from calotools.simulate.matching import extrapolate, match_tracks, seen_from_vertex
from calotools.simulate.tracks import ChargedParticles, find_tracks, measure_tracks


def particles(n=5000, **values):
    columns = {
        "candidate": np.arange(n, dtype=np.int32),
        "pt": np.full(n, 40.0),
        "eta": np.full(n, 0.5),
        "phi": np.zeros(n),
        "charge": np.where(np.arange(n) % 2, 1.0, -1.0),
        "d0": np.zeros(n),
        "z": np.zeros(n),
        "radius": np.zeros(n),
        "kept": np.ones(n),
        "curvature": np.ones(n),
        "electron": np.ones(n, dtype=bool),
        "muon": np.zeros(n, dtype=bool),
        "parent": np.arange(n),
    }
    return ChargedParticles(**{**columns, **values})


def measure(charged, seed=1):
    n = len(charged.pt)
    return measure_tracks(charged, z_vertex=np.zeros(n), field=2.0, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("pt", [10.0, 100.0])
def test_momentum_resolution(pt):
    tracks = measure(particles(pt=np.full(5000, pt)))
    assert np.std(pt / tracks.pt - 1) == pytest.approx(np.hypot(0.0005 * pt, 0.01), rel=0.05)
    assert np.mean(pt / tracks.pt - 1) == pytest.approx(0, abs=0.005)


def test_impact_parameter_pull():
    tracks = measure(particles())
    assert np.std(tracks.d0 / tracks.d0_error) == pytest.approx(1, abs=0.04)


def test_a_conversion_leaves_no_hits_before_it_and_points_away():
    tracks = measure(particles(radius=np.full(5000, 300.0), pt=np.full(5000, 20.0)))
    assert np.all(tracks.n_innermost == 0)
    assert np.all(tracks.n_pixel == 0)
    assert np.all(tracks.n_sct <= 6)
    # the sagitta of the missing arc: 0.3 B r^2 / (2 pT)
    assert np.median(np.abs(tracks.d0)) == pytest.approx(0.3e-3 * 2 * 300**2 / 40, rel=0.05)


def test_no_straws_beyond_their_coverage():
    tracks = measure(particles(eta=np.full(5000, 2.3)))
    assert np.all(tracks.n_trt == 0)
    assert np.all(tracks.trt_pid == 0.15)


def test_transition_radiation_separates():
    electrons = measure(particles()).trt_pid
    pions = measure(particles(electron=np.zeros(5000, dtype=bool), pt=np.full(5000, 20.0))).trt_pid
    threshold = np.quantile(electrons, 0.1)
    assert np.mean(pions > threshold) < 0.1


def test_brem_shows_in_momentum_and_dp_over_p():
    """Both from one fit, of whose errors the named part is taken back at either end."""
    recovered = load_table("tracker")["electron"]["gsf_recovered"]
    tracks = measure(particles(kept=np.full(5000, 0.4), curvature=np.full(5000, 1.5)))
    first, last = 1.5 - recovered * 0.5, 1.5 + recovered * (2.5 - 1.5)
    assert np.median(40 / tracks.pt) == pytest.approx(first, abs=0.002)
    assert np.median(tracks.dp_over_p) == pytest.approx(1 - first / last, abs=0.005)


def test_efficiency_falls_with_the_radius_of_birth():
    found = [
        len(find_tracks(particles(radius=np.full(5000, radius)), rng=np.random.default_rng(1)).pt) / 5000
        for radius in (0.0, 400.0, 900.0)
    ]
    assert found[0] > 0.96
    assert 0.5 < found[1] < 0.85
    assert found[2] == 0


def test_extrapolation_bends_by_the_field():
    one = np.ones(2)
    turned = {}
    for field in (0.0, 2.0):
        eta, phi = extrapolate(
            0.4 * one,
            one,
            charge=np.array([-1.0, 1.0]),
            pt=20 * one,
            z=0 * one,
            field=field,
            sampling_barrel=2,
        )
        turned[field] = phi - 1
        assert np.allclose(eta, 0.4)
    assert np.allclose(turned[0.0], 0)
    # negative charges turn to larger azimuth; the path is that of a circle of 33 m inside 1.15 m, then straight
    assert turned[2.0][0] == pytest.approx(0.6 / 20 * 1.15 * (1 - 1.15 / (2 * 1.68)), rel=0.02)
    assert turned[2.0][0] == pytest.approx(-turned[2.0][1])


def test_vertex_and_detector_frame_are_inverse():
    eta, z = np.linspace(-2.4, 2.4, 41), np.full(41, 60.0)
    detector, _ = extrapolate(eta, 0 * eta, charge=0 * eta, pt=np.full(41, 50.0), z=z, field=2.0, sampling_barrel=1)
    away = np.abs(np.abs(detector) - 1.475) > 0.1
    assert np.allclose(seen_from_vertex(detector, sampling_barrel=1, z_vertex=z)[away], eta[away], atol=1e-4)


def test_matching_prefers_the_pointing_track_and_orders_the_rest():
    charged = particles(
        n=4,
        candidate=np.array([0, 0, 0, 2], dtype=np.int32),
        pt=np.array([80.0, 40.0, 60.0, 40.0]),
        eta=np.array([0.52, 0.5, 0.54, 0.9]),
    )
    tracks = measure(charged)
    _, phi = extrapolate(
        tracks.eta, tracks.phi, charge=tracks.charge, pt=tracks.pt, z=tracks.z0, field=2.0, sampling_barrel=2
    )
    matched = match_tracks(
        tracks,
        eta_s1=np.array([0.5, 0.0, 0.0]),
        phi_s2=np.array([phi[1], 0.0, 0.0]),
        et=np.array([40.0, 40.0, 40.0]),
        z_vertex=np.zeros(3),
        field=2.0,
    )
    assert matched.matched.tolist() == [True, False, False]
    assert np.diff(matched.offsets).tolist() == [3, 0, 1]
    assert np.round(matched.tracks.pt[:3] / 20).tolist() == [2, 4, 3]
    assert abs(matched.delta_eta1[0]) < 0.003
    assert np.isnan(matched.first(matched.tracks.pt)[1:]).all()


def test_without_field_a_track_is_straight_and_has_no_momentum():
    n = 200
    charged = particles(n=n, phi=np.full(n, 1.0), radius=np.where(np.arange(n) < 100, 0.0, 300.0))
    tracks = measure_tracks(charged, z_vertex=np.zeros(n), field=0.0, rng=np.random.default_rng(1))
    for name in ("pt", "charge", "dp_over_p"):
        assert np.all(np.isnan(getattr(tracks, name)))
    assert np.all(np.abs(tracks.d0 / tracks.d0_error) < 6)
    centre = {"eta_s1": np.full(n, 0.5), "phi_s2": np.full(n, 1.0), "et": np.full(n, 40.0)}
    matched = match_tracks(tracks, **centre, z_vertex=np.zeros(n), field=0.0, from_vertex=True)
    assert matched.matched.all()
    assert np.all(np.abs(matched.delta_phi2) < 0.01)
    around = track_isolation(matched, eta=np.full(n, 0.5), phi=np.full(n, 1.0), et=np.full(n, 40.0))
    assert np.all(around == 0)  # each track is the candidate's own


def test_isolation_by_tracks_of_unknown_momentum_is_unknown():
    tracks = measure_tracks(
        particles(n=2, candidate=np.zeros(2, dtype=np.int32), eta=np.array([0.5, 0.6])),
        z_vertex=np.zeros(1),
        field=0.0,
        rng=np.random.default_rng(1),
    )
    where = {"eta_s1": np.full(1, 0.5), "phi_s2": np.zeros(1), "et": np.full(1, 40.0)}
    matched = match_tracks(tracks, **where, z_vertex=np.zeros(1), field=0.0)
    around = track_isolation(matched, eta=np.full(1, 0.5), phi=np.zeros(1), et=np.full(1, 40.0))
    assert np.isnan(around).all()


def test_leakage_into_the_cone_grows_with_the_root_of_the_energy():
    """As it does in bare Geant4 showers of unconverted photons: 0.15 to 0.25 GeV at 80 GeV, not 1 %."""
    n, rng = 4000, np.random.default_rng(2)
    photons = generate("photons", n, rng=rng)
    spread = {
        et: np.std(calorimeter_isolation(photons, et=np.full(n, et), mu_actual=np.zeros(n), rng=rng))
        for et in (0.0, 100.0, 400.0)
    }
    leak = [np.sqrt(spread[et] ** 2 - spread[0.0] ** 2) for et in (100.0, 400.0)]
    assert 0.15 < leak[0] < 0.4
    assert leak[1] == pytest.approx(2 * leak[0], rel=0.15)


def test_the_underlying_event_can_be_turned_off():
    electrons = generate("electrons", 400, rng=np.random.default_rng(3))
    size = len(electrons.particles.e)
    kept = electrons.particles.e
    response = SimpleNamespace(conversion_radius=np.full(size, np.nan), e_exit=kept, e_last=kept, e_fit=kept)
    response.conversion_e = np.zeros((size, 2))
    counts = [
        len(
            charged_particles(
                electrons,
                response,
                mu_actual=np.zeros(400),
                spread=1.0,
                underlying=scale,
                rng=np.random.default_rng(1),
            ).pt
        )
        for scale in (0.0, 1.5, 3.0)
    ]
    assert counts[0] == 400
    assert counts[2] - 400 == pytest.approx(2 * (counts[1] - 400), rel=0.3)
