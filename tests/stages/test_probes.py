"""Which candidates are probes, and what is quoted of all bins."""

import awkward as ak
import numpy as np

from calotools.stages.pairs.probes import _has_cut
from calotools.stages.pairs.tag_and_probe import _mean_of_probes


def test_where_a_working_point_has_no_cut_a_candidate_is_no_probe():
    """Its branch is -1 there: it neither passes nor fails, and an efficiency of 0 would be taken for measured."""
    candidates = ak.Array({"id_tight": [1.0, 0.0, -1.0, np.nan], "et": [20.0, 30.0, 40.0, -1.0]})
    assert _has_cut(candidates, "id_tight == 1").tolist() == [True, True, False, False]
    assert _has_cut(candidates, "et > 25").all()


def test_mean_of_bins_is_not_drawn_to_bins_near_zero():
    value, error = np.array([0.8, 0.0, 0.9]), np.array([0.02, 1e-4, 0.03])
    mean, sigma = _mean_of_probes(value, error, np.array([100.0, 10.0, 0.0]))
    assert mean == 80 / 110
    np.testing.assert_allclose(sigma, np.hypot(100 * 0.02, 10 * 1e-4) / 110)
    assert np.isnan(_mean_of_probes(value, error, np.zeros(3))).all()
