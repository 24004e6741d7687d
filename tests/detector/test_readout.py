"""Noise, gains, pulse, optimal filter, crosstalk and expected resolutions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.detector import (
    Sampling,
    cell_noise,
    crosstalk,
    filter_response,
    gain_thresholds,
    load_table,
    optimal_filter,
    pileup_resolution,
    pulse_shape,
    resolution_terms,
    select_gain,
    time_resolution,
)
from calotools.detector.cells import build_cells
from calotools.errors import CellError, ConfigError

SAMPLINGS = st.sampled_from(list(Sampling))


def test_noise_of_a_cluster_closes_on_the_calibration():
    """3 x 7 middle cells, with the other layers in front and behind, at eta = 0: 0.27 GeV, see mcNoiseTerm."""
    cells = build_cells()
    window = (abs(cells["eta"] - 0.0375) < 0.0376) & (abs(cells["phi"]) < 3.6 * np.pi / 128)
    counted = {0: 6, 1: 48, 2: 21, 3: 14}
    electronic = {one: cells["noise_electronic"][window & (cells["sampling"] == one)].mean() for one in (2, 3)}
    electronic |= {one: float(cell_noise(one, 0.04)[0]) for one in (0, 1)}
    total = np.sqrt(sum(n * electronic[one] ** 2 for one, n in counted.items()))
    assert total == pytest.approx(float(resolution_terms(0.04)[1]), rel=0.15)


@given(SAMPLINGS, st.floats(-2.5, 2.5), st.floats(0.1, 200))
def test_pileup_noise_grows_with_the_root_of_mu(sampling, eta, mu):
    electronic, once = cell_noise(sampling, eta, mu)
    same, twice = cell_noise(sampling, -eta, 4 * mu)
    assert electronic == same > 0
    assert twice == pytest.approx(2 * once)


def test_noise_by_gain():
    electronic, pileup = cell_noise([2, 2, 2, 12, 12], 0.0, 30.0, gain=[0, 1, 2, -11, -16])
    np.testing.assert_allclose(electronic[1:3] / electronic[0], [3.0, 25.0])
    assert electronic[4] > electronic[3]
    assert np.ptp(pileup[:3]) == 0.0


def test_unknown_gain():
    with pytest.raises(ConfigError, match=r"unknown readout gain \[4, 300\]; allowed: \[-16, -11, -4, -3, 0, 1, 2\]"):
        cell_noise(2, 0.0, gain=[0, 4, 300])


@given(SAMPLINGS, st.floats(-2.5, 2.5), st.lists(st.floats(-5, 3000), min_size=2, max_size=10))
def test_gain_never_gets_more_sensitive_with_energy(sampling, eta, energies):
    gain = select_gain(sampling, eta, np.sort(energies)).astype(int)
    coarser = gain if sampling < Sampling.TileBar0 else -gain
    assert (np.diff(coarser) >= 0).all()
    first, second = gain_thresholds(sampling, eta)
    assert second >= first


def test_gain_ratio_follows_from_the_counts():
    table = load_table("gain")
    adc = table["adc"]
    ratio = (adc["medium"] - adc["pedestal"]) / (adc["high"] - adc["pedestal"])
    assert table["medium_to_low"]["ratio"] == pytest.approx(ratio, abs=0.05)


def test_gain_codes():
    codes = select_gain([8, 8, 17, 17, 12], [2.0, 2.0, 1.4, 1.4, 0.0], [-1.0, 1000.0, 1.0, 50.0, 50.0])
    assert codes.tolist() == [1, 2, -3, -4, -16]
    assert codes.dtype == np.int8


def test_gain_of_unknown_sampling():
    with pytest.raises(CellError, match=r"sampling \[23\]"):
        select_gain(23, 3.5, 1.0)


def test_pulse_sums():
    """Sums over 25 ns samples of the tabulated pulse: g 0.015, g^2 2.06."""
    pulse = pulse_shape(25.0 * np.arange(-10, 40))
    assert pulse.sum() == pytest.approx(0.015, abs=0.003)
    assert (pulse**2).sum() == pytest.approx(2.06, rel=0.02)


def test_pulse_is_its_table_with_one_peak():
    table = load_table("pulse")["lar"]
    times = table["first_ns"] + table["step_ns"] * np.arange(len(table["value"]))
    np.testing.assert_allclose(pulse_shape(times), table["value"], atol=1e-12)
    fine = np.arange(-80.0, 700.0, 0.5)
    shape = pulse_shape(fine)
    assert abs(fine[shape.argmax()]) <= 1.0
    assert shape.max() == pytest.approx(1.0, abs=1e-3)
    assert abs(fine[(fine > 0) & (shape > 1e-9)].max() - 85) < 3  # zero crossing
    assert pulse_shape([-1000.0, 1000.0]).tolist() == [0.0, 0.0]
    assert abs(np.trapezoid(shape, fine)) < 1.5  # ns: bipolar, no area
    assert abs(np.diff(shape)).max() < 0.025  # no step between the tabulated points


def test_tile_pulse_is_unipolar():
    time = np.arange(-200.0, 200.0)
    shape = pulse_shape(time, kind="tile")
    assert (shape > 0).all()
    assert (shape >= 0.5).sum() == pytest.approx(50, abs=1)


def test_unknown_pulse():
    with pytest.raises(ConfigError, match="pulse kind 'hec' is not tabulated; allowed: 'lar', 'tile'"):
        pulse_shape(0.0, kind="hec")


def test_filter_of_white_noise():
    """Coefficients of the open framework that the pulse comes from, and the noise gain of that filter."""
    white = optimal_filter()
    np.testing.assert_allclose(white.energy, [0, 0.265, 0.594, 0.390, 0.124], atol=0.015)
    assert white.noise_gain == pytest.approx(0.77, abs=0.01)


@pytest.mark.parametrize(
    ("ratio", "response", "square", "gain"),
    [
        (0.0, [-0.10, 0.04, 0.31, 0.74, 1, 0.75, 0.30, 0.06], 2.95, 0.77),
        (1.0, [-0.12, -0.13, -0.05, 0.55, 1, 0.49, -0.08, -0.08], 1.77, 0.95),
    ],
)
def test_response_to_other_crossings(ratio, response, square, gain):
    chosen = optimal_filter(pileup_ratio=ratio)
    np.testing.assert_allclose(filter_response(chosen, np.arange(-4, 4)), response, atol=0.011)
    train = filter_response(chosen, np.arange(-30, 6))
    assert train.sum() == pytest.approx(0.0, abs=0.03)  # the middle of a train shifts nothing
    assert (train**2).sum() == pytest.approx(square, rel=0.01)
    assert chosen.noise_gain == pytest.approx(gain, abs=0.01)
    assert filter_response(chosen, np.arange(-10, 6)).sum() > 0.3  # its beginning does


@given(st.floats(0, 100), st.sampled_from([(-2, -1, 0, 1, 2), (-1, 0, 1, 2), (-2, -1, 0, 1)]))
def test_filter_is_unbiased(ratio, crossings):
    chosen = optimal_filter(pileup_ratio=ratio, crossings=crossings)
    samples = 25.0 * np.array(crossings)
    assert chosen.energy @ pulse_shape(samples) == pytest.approx(1.0)
    assert chosen.time @ pulse_shape(samples) == pytest.approx(0.0, abs=1e-9)
    late = pulse_shape(samples - 1.0)
    assert chosen.time @ late / (chosen.energy @ late) == pytest.approx(1.0, abs=0.2)  # ns


def test_filter_has_least_variance():
    """Any other unbiased filter has more: pile-up and noise of toys, recovered with both filters."""
    rng = np.random.default_rng(5)
    white, tuned = optimal_filter(), optimal_filter(pileup_ratio=1.0)
    earlier = np.arange(-30, 6)
    deposits = rng.normal(size=(20_000, earlier.size))
    shapes = pulse_shape(25.0 * (white.crossings[:, np.newaxis] - earlier))
    samples = deposits @ shapes.T + rng.normal(size=(20_000, 5))
    spread = {name: (samples @ one.energy).std() for name, one in {"white": white, "tuned": tuned}.items()}
    assert spread["tuned"] < spread["white"]
    expected = np.hypot(np.sqrt((filter_response(tuned, earlier) ** 2).sum()), tuned.noise_gain)
    assert spread["tuned"] == pytest.approx(expected, rel=0.02)  # 4 standard errors of 20,000 toys


def test_time_of_a_cell_from_the_filter():
    """The energy term of the time resolution is the spread of the filter's time for a unit pulse."""
    chosen = optimal_filter()
    spread = np.sqrt((chosen.time**2).sum())
    assert 20 < spread < 29  # ns times the noise of one sample
    table = load_table("timing")
    assert spread / chosen.noise_gain == pytest.approx(table["energy_term"], rel=0.1)


def test_wrong_filters():
    with pytest.raises(ConfigError, match="pile-up ratio -1"):
        optimal_filter(pileup_ratio=-1)
    with pytest.raises(ConfigError, match=r"crossings \(0,\): needs .* two or more samples"):
        optimal_filter(crossings=(0,))


@given(st.floats(-2.5, 2.5))
def test_a_cell_keeps_most_of_its_energy(eta):
    strip = (
        2 * crosstalk("strip_neighbour", eta) + 2 * crosstalk("strip_second", eta) + 4 * crosstalk("strip_middle", eta)
    )
    middle = 8 * crosstalk("middle_strip", eta) + 2 * crosstalk("middle_neighbour", eta) + crosstalk("middle_back", eta)
    assert 0 <= strip < 0.15
    assert 0 < middle < 0.05
    assert crosstalk("strip_neighbour", eta) >= crosstalk("strip_second", eta)


def test_time_resolution():
    """29 ns times the electronic noise, and 0.23 ns at high energy."""
    np.testing.assert_allclose(time_resolution([1, 2, 3, 0], 0.0, 1.0), [0.49, 1.04, 0.68, 1.47], atol=0.01)
    assert time_resolution(2, 0.0, 1e4) == pytest.approx(0.23, abs=1e-3)
    assert time_resolution(2, 0.0, -5.0) == time_resolution(2, 0.0, 5.0)
    assert time_resolution(2, 0.0, 5.0, gain=1) > time_resolution(2, 0.0, 5.0)
    assert np.isinf(time_resolution(2, 0.0, 0.0))
    assert time_resolution(12, 0.0, 1e6, gain=-11) == pytest.approx(0.4)


@pytest.mark.parametrize(("eta", "expected"), [(0.2, 0.0155), (1.0, 0.0205), (1.6, 0.026), (2.2, 0.0115)])
def test_resolution_at_45_gev_transverse(eta, expected):
    a, b, c = resolution_terms(eta)
    e = 45.0 * np.cosh(eta)
    assert np.sqrt(a**2 / e + (b / e) ** 2 + c**2) == pytest.approx(expected, abs=0.0005)


def test_resolution_terms_are_positive_and_even():
    eta = np.linspace(0, 2.5, 501)
    for plus, minus in zip(resolution_terms(eta), resolution_terms(-eta), strict=True):
        assert (plus > 0).all()
        np.testing.assert_array_equal(plus, minus)
    crack = (eta > 1.37) & (eta < 1.52)
    assert resolution_terms(eta)[0][crack].min() > resolution_terms(eta)[0][eta < 1.37].max()


def test_pileup_of_a_cluster():
    np.testing.assert_allclose(pileup_resolution([10, 20, 50], 32), [0.339, 0.437, 0.566], atol=0.001)
    np.testing.assert_allclose(pileup_resolution(20, [0, 8]), [0, 0.437 / 2], atol=0.001)
    assert pileup_resolution(1, 32) == pileup_resolution(5, 32)


def test_time_resolution_follows_a_users_noise(tmp_path):
    (tmp_path / "mine.toml").write_text("[electronic]\nEMB2 = { eta = [0.0], value = [70] }\n", encoding="utf-8")
    noise = load_table("noise", path=tmp_path / "mine.toml")
    np.testing.assert_allclose(time_resolution(2, 0.0, 0.1, noise=noise) / time_resolution(2, 0.0, 0.1), 2.0, rtol=1e-3)


def test_hec_noise_is_that_of_its_most_sensitive_gain():
    electronic, _ = cell_noise(8, 2.0, gain=[0, 1, 2])
    medium, low = (load_table("noise")["gain"][name] for name in ("medium", "low"))
    assert electronic[0] == electronic[1]
    assert electronic[2] == pytest.approx(electronic[1] * low / medium)
