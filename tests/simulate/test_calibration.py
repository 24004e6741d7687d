"""The calibrated layer sum and the cut-based identification recover what they were fitted to."""

import numpy as np
import pytest

from calotools.errors import ConfigError
from calotools.simulate.calibration import LAYERS, calibrate, fit_calibration, load_calibration
from calotools.simulate.identification import CUTS, LEVELS, load_cuts, pass_flags, tune_cuts


def showers(n=20_000, seed=1):
    """Layer energies of a toy whose presampler and scale hide 10-20 % of the energy, more at high eta."""
    rng = np.random.default_rng(seed)
    eta = rng.uniform(-2.4, 2.4, n)
    e_true = np.cosh(eta) * 10 * 30 ** rng.random(n)
    lost = np.clip(rng.normal(0.05 * (1 + np.abs(eta)), 0.02), 0, 0.4)
    shares = rng.dirichlet([4.0, 12.0, 0.5], n) * (1 - lost)[:, None]
    noise = rng.normal(0, 0.2, (n, 3))
    visible = shares * e_true[:, None] + noise
    layers = {"e0": lost * e_true / 3, "e_tile_gap3": np.zeros(n)}
    layers |= {f"e{i + 1}": visible[:, i] for i in range(3)}
    return {name: layers[name] for name in LAYERS}, eta, e_true


def test_fit_recovers_the_energy():
    layers, eta, e_true = showers()
    edges = {"eta_edges": np.linspace(0, 2.5, 6), "et_edges": np.array([4.0, 20, 60, 120, 400])}
    table = fit_calibration(layers, eta=eta, e_true=e_true, **edges)
    layers, eta, e_true = showers(seed=2)
    ratio = calibrate(layers, eta=eta, table=table) / e_true
    et = e_true / np.cosh(eta)
    for low, high in ((10, 20), (20, 60), (60, 120), (120, 300)):
        assert np.median(ratio[(et > low) & (et < high)]) == pytest.approx(1, abs=0.004)
    raw = sum(layers.values()) / e_true
    assert np.std(ratio) < np.std(raw / np.median(raw))


def test_too_few_candidates():
    layers, eta, e_true = showers(n=60)
    with pytest.raises(ConfigError, match=r"bin \d+ has \d+ candidates; the weights need 50"):
        fit_calibration(
            layers, eta=eta, e_true=e_true, eta_edges=np.linspace(0, 2.5, 11), et_edges=np.array([4, 400.0])
        )


@pytest.mark.parametrize("kind", ["electron", "unconverted", "converted"])
def test_shipped_calibration_is_smooth_and_complete(kind):
    table = load_calibration()[kind]
    assert table.weights.shape == (len(table.eta_edges) - 1, len(LAYERS))
    assert table.scale.shape == (len(table.eta_edges) - 1, len(table.et_nodes))
    assert np.all(np.abs(table.scale - 1) < 0.3)
    # outside the crack the accordion is nearly calibrated already, most of all the middle layer
    regular = (table.eta_edges[1:] < 1.38) | (table.eta_edges[:-1] > 1.52)
    assert np.all(np.abs(table.weights[regular, 2] - 1.05) < 0.2)


def toy_variables(n, seed=1):
    rng = np.random.default_rng(seed)
    values = {name: rng.normal(size=n) for name in CUTS["electron"]}
    values["eratio"] = np.where(rng.random(n) < 0.1, np.nan, values["eratio"])
    return values | {
        "n_pixel": rng.binomial(4, 0.98, n),
        "n_sct": rng.binomial(8, 0.98, n),
        "n_innermost": rng.binomial(1, 0.98, n),
    }


def test_tuned_cuts_have_their_efficiency_and_nest():
    n = 20_000
    rng = np.random.default_rng(2)
    et, eta = rng.uniform(10, 60, n), rng.uniform(-2.4, 2.4, n)
    edges = {"et_edges": np.array([0.0, 30, 100]), "eta_edges": np.array([0.0, 1.5, 2.5])}
    cuts = {"electron": tune_cuts(toy_variables(n), kind="electron", et=et, eta=eta, **edges)}
    flags = pass_flags(toy_variables(n, seed=3), kind="electron", et=et, eta=eta, cuts=cuts)
    for level, target in LEVELS.items():
        assert flags[f"pass_{level}"].mean() == pytest.approx(target, abs=0.012)
    assert np.all(flags["pass_tight"] <= flags["pass_medium"])
    assert np.all(flags["pass_medium"] <= flags["pass_loose"])


def test_users_cuts_are_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[electron]\net_edges = [0.0, 100.0]\n", encoding="utf-8")
    assert load_cuts(str(path)) == {"electron": {"et_edges": [0.0, 100.0]}}


@pytest.mark.parametrize("kind", ["electron", "photon"])
def test_shipped_cuts_are_complete(kind):
    table = load_cuts()[kind]
    shape = (len(table["et_edges"]) - 1, len(table["eta_edges"]) - 1)
    for level in LEVELS:
        assert set(table[level]) == set(CUTS[kind])
        assert all(np.shape(cut) == shape for cut in table[level].values())
