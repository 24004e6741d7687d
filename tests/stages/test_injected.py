"""The sidecar of pseudo-data: which truth belongs to which cut and bins."""

import numpy as np
import pytest

from calotools.errors import ConfigError
from calotools.stages.pairs.injected import read_injected

SIDECAR = """
et_edges = [15, 25, 45, 100]
eta_edges = [0, 1.5, 2.5]
scale_factor = [[0.9, 0.8], [0.95, 0.85], [1.0, 0.9]]
[realised]
total = [[100, 50], [200, 0], [40, 20]]
pass_tight = [[72, 30], [150, 0], [36, 15]]
pass_tight_before = [[80, 40], [160, 0], [36, 16]]
"""
ALL = {"et": np.array([15.0, 25.0, 45.0, 100.0]), "abs_eta": np.array([0.0, 1.5, 2.5])}


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data.injected.toml").write_text(SIDECAR)
    (tmp_path / "data.root").write_bytes(b"")
    return tmp_path / "data.root"


def test_its_own_bins(data):
    truth = read_injected([str(data)], passing="pass_tight == 1", edges=ALL)
    np.testing.assert_allclose(truth.efficiency, [0.72, 0.6, 0.75, np.nan, 0.9, 0.75])
    np.testing.assert_allclose(truth.scale_factor, [0.9, 0.8, 0.95, np.nan, 1.0, 0.9])
    assert truth.n.tolist() == [100, 50, 200, 0, 40, 20]


def test_merged_bins_weigh_the_factor_by_who_passed(data):
    edges = {"et": np.array([15.0, 45.0]), "abs_eta": np.array([0.0, 2.5])}
    truth = read_injected([str(data)], passing="pass_tight==1", edges=edges)
    assert truth.n.tolist() == [350]
    np.testing.assert_allclose(truth.efficiency, [(72 + 30 + 150) / 350])
    np.testing.assert_allclose(truth.scale_factor, [(72 + 32 + 152) / (80 + 40 + 160)])


def test_other_cuts_have_no_truth(data):
    for passing in ("pass_tight == 0", "score_signal > 0.5", "pass_loose == 1", "(pass_tight == 1) & (et > 20)"):
        assert read_injected([str(data)], passing=passing, edges=ALL) is None
    with pytest.raises(ConfigError, match=r"has no truth for the cut 'score > 1'; it knows \['pass_tight'\]"):
        read_injected(data.with_suffix(".injected.toml"), passing="score > 1", edges=ALL)


def test_bins_that_it_does_not_have(data):
    with pytest.raises(ConfigError, match=r"bins \[20.0, 45.0\] are not among the et_edges"):
        read_injected([str(data)], passing="pass_tight == 1", edges=ALL | {"et": np.array([20.0, 45.0])})


def test_real_data_have_no_sidecar(tmp_path):
    (tmp_path / "real.root").write_bytes(b"")
    assert read_injected([str(tmp_path / "real.root")], passing="pass_tight == 1", edges=ALL) is None
