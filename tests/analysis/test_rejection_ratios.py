"""Ratios of rejections on the same candidates: closure against known ones, and what the error may not count twice."""

import numpy as np
import pytest
from scipy.stats import norm

from calotools.analysis import compare_rejections, compare_with_cuts, event_bootstrap, working_points
from calotools.containers import Index
from calotools.errors import ConfigError, EmptyInputError, NumericalError, ShapeError

N, DISTANCE, BLUR = 3000, 2.0, 0.4
EFFICIENCIES = np.array([0.8, 0.95])
SIGNAL = np.arange(N) % 2 == 0


def bootstrap(n=N, *, rng, replicas=100):
    rows = np.arange(n)
    return event_bootstrap(Index(rows, rows, rows), rng=rng, replicas=replicas)


def left_of_background(efficiency, distance):
    """By two Gaussians of unit width, where the cut keeps this part of the signal."""
    return norm.sf(norm.isf(efficiency) + distance)


def draw(rng):
    """A score, and the same with noise of its own: a correlation of 0.93."""
    better = rng.normal(DISTANCE * SIGNAL)
    return {"better": better, "worse": better + rng.normal(0, BLUR, N)}


def relative_error(score):
    points = working_points(score[SIGNAL], score[~SIGNAL], efficiencies=tuple(EFFICIENCIES))
    return (points.background_high - points.background_low) / 2 / points.background


def test_pulls_of_a_known_ratio_have_unit_width_and_with_errors_that_ignore_the_correlation_not():
    rng, n_toys = np.random.default_rng(7), 150
    worse = DISTANCE / np.hypot(1, BLUR)  # in units of its width
    cut = 0.7 * np.hypot(1, BLUR)
    kept = norm.sf(0.7 - worse)
    truth = left_of_background(EFFICIENCIES, worse) / left_of_background(EFFICIENCIES, DISTANCE)
    truth_of_cut = norm.sf(0.7) / left_of_background(kept, DISTANCE)
    pulls, of_cut, apart = [], [], []
    for _ in range(n_toys):
        scores, boot = draw(rng), bootstrap(rng=rng)
        asked = {"signal": SIGNAL, "backgrounds": {"all": ~SIGNAL}, "efficiencies": EFFICIENCIES, "bootstrap": boot}
        ratio = compare_rejections(scores, **asked)["all"].ratio("better", over="worse")
        pulls.append((ratio.value - truth) / ratio.error)
        independent = ratio.value * np.hypot(*map(relative_error, scores.values()))
        apart.append((ratio.value - truth) / independent)
        asked = {"signal": SIGNAL, "background": ~SIGNAL, "bootstrap": boot}
        one = compare_with_cuts(scores["better"], {"cut": scores["worse"] >= cut}, **asked)["cut"]
        of_cut.append((one.value - truth_of_cut) / one.error)
    measured = np.column_stack([np.array(pulls), np.array(of_cut)])
    assert np.all(np.abs(measured.mean(axis=0)) < 4 / np.sqrt(n_toys))
    # the width of 150 pulls is known to 6 %
    assert np.all(np.abs(measured.std(axis=0) - 1) < 0.2)
    # Both scores fluctuate together. Errors added as if they did not are far too large, and the same bound finds it:
    assert np.all(np.array(apart).std(axis=0) < 1 - 0.2)


def test_candidates_of_one_event_are_not_counted_as_two():
    scores = draw(np.random.default_rng(3))
    asked = {"efficiencies": (0.9,)}
    once, twice = np.arange(N), np.repeat(np.arange(N), 2)
    found = []
    for rows in (once, twice):
        boot = event_bootstrap(Index(rows, rows, np.arange(len(rows))), rng=np.random.default_rng(4), replicas=50)
        taken = {name: one[rows] for name, one in scores.items()}
        kinds = {"signal": SIGNAL[rows], "backgrounds": {"all": ~SIGNAL[rows]}}
        found.append(compare_rejections(taken, **kinds, **asked, bootstrap=boot)["all"].ratio("better", over="worse"))
    assert found[0].error == pytest.approx(found[1].error, rel=1e-9)
    assert found[0].value == pytest.approx(found[1].value, rel=1e-9)


def test_the_value_is_that_of_the_working_points_also_with_weights_and_ties():
    rng = np.random.default_rng(5)
    weight = rng.uniform(0.5, 2, N)
    scores = {name: one.round(1) for name, one in draw(rng).items()}
    kinds = {"all": ~SIGNAL, "half": ~SIGNAL & (np.arange(N) % 4 == 1)}
    asked = {"signal": SIGNAL, "efficiencies": EFFICIENCIES, "bootstrap": bootstrap(rng=rng, replicas=20)}
    found = compare_rejections(scores, **asked, backgrounds=kinds, weight=weight)
    for kind, mask in kinds.items():
        left = [
            working_points(
                one[SIGNAL],
                one[mask],
                efficiencies=tuple(EFFICIENCIES),
                signal_weight=weight[SIGNAL],
                background_weight=weight[mask],
            ).background
            for one in scores.values()
        ]
        ratio = found[kind].ratio("better", over="worse")
        np.testing.assert_allclose(ratio.value, left[1] / left[0], rtol=1e-9)
        assert np.all(ratio.low <= ratio.value)
        assert np.all(ratio.value <= ratio.high)
    assert found["half"].ratio("better", over="worse").error[0] > found["all"].ratio("better", over="worse").error[0]


def test_one_candidate_that_is_left_gives_an_interval_without_an_end_and_none_gives_nothing():
    signal = np.arange(400) < 200
    few = np.where(signal, 1.0, 0.0)
    few[200] = 2.0
    none, some = np.where(signal, 1.0, 0.0), np.where(signal, 1.0, 0.0)
    some[200:240] = 2.0
    scores = {"few": few, "none": none, "some": some}
    boot = bootstrap(400, rng=np.random.default_rng(6), replicas=200)
    asked = {"signal": signal, "backgrounds": {"all": ~signal}, "efficiencies": (0.9,), "bootstrap": boot}
    found = compare_rejections(scores, **asked)["all"]
    ratio = found.ratio("few", over="some")
    assert ratio.value[0] == pytest.approx(40)
    assert 10 < ratio.low[0] < 40
    assert ratio.high[0] == np.inf  # 37 % of the replicas are without it
    assert np.isnan(ratio.error[0])
    nothing = found.ratio("none", over="some")
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()


def test_what_cannot_be_compared():
    rng = np.random.default_rng(8)
    score = {"a": rng.normal(size=10)}
    signal = np.arange(10) < 5
    asked = {
        "signal": signal,
        "backgrounds": {"jets": ~signal},
        "efficiencies": (0.9,),
        "bootstrap": bootstrap(10, rng=rng, replicas=5),
    }
    with pytest.raises(ConfigError, match="no score 'b' was compared; allowed: 'a'"):
        compare_rejections(score, **asked)["jets"].ratio("a", over="b")
    with pytest.raises(ConfigError, match=r"signal efficiencies \[90\.0\] were asked for"):
        compare_rejections(score, **(asked | {"efficiencies": (90.0,)}))
    with pytest.raises(ShapeError, match="scores of the same candidates are needed"):
        compare_rejections({"a": np.zeros(9)}, **asked)
    with pytest.raises(NumericalError, match="1 of 10 scores 'a' are not finite"):
        compare_rejections({"a": np.where(np.arange(10) == 3, np.nan, 1.0)}, **asked)
    with pytest.raises(EmptyInputError, match="no jets to compare with: 0 candidates of 10"):
        compare_rejections(score, **(asked | {"backgrounds": {"jets": np.zeros(10, bool)}}))
    with pytest.raises(EmptyInputError, match="no jets to compare with: 5 candidates of 10, of total weight -1"):
        compare_rejections(score, **asked, weight=np.where(signal, 1.0, [2, -2, 2, -2, 0, 1, -1, 1, -1, -1]))
