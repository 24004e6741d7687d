"""Working points in bins: they keep what they should, within what statistics allows."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2, kstest, norm

from calotools.analysis import cut_closure, fit_cuts, measure_cuts, rising_targets
from calotools.errors import ConfigError, NumericalError
from calotools.variables import Discriminant

WHICH = Discriminant({"signal": 1.0}, {"background": (1.0,)})
EDGES = ((0.0, 0.8, 1.5, 2.5), (15.0, 30.0, 50.0))
TARGETS = {"loose": 0.93, "tight": 0.8}


def signal(n, *, seed):
    """A discriminant that depends on eta, E_T and pile-up."""
    rng = np.random.default_rng(seed)
    eta, et, mu = rng.uniform(-2.5, 2.5, n), rng.uniform(15, 50, n), rng.uniform(10, 60, n)
    value = rng.normal(2 + np.abs(eta) + et / 20 - 0.04 * mu, 1.0)
    return value, (eta, et), mu


def test_efficiencies_are_the_targets_on_independent_candidates():
    """Pulls of many small experiments are standard normal: the errors are right, and there is no bias."""
    pulls = []
    for seed in range(40):
        value, where, _ = signal(4000, seed=seed)
        table = fit_cuts(value, discriminant=WHICH, targets=TARGETS, kinematics=where, edges=EDGES)
        value, where, _ = signal(3000, seed=1000 + seed)
        pulls.append(cut_closure(table, value, kinematics=where)["tight"]["pull"])
    pulls = np.concatenate(pulls)
    assert abs(pulls.mean()) < 3 / np.sqrt(len(pulls)) + 0.05
    assert pulls.std() == pytest.approx(1, abs=0.15)
    assert kstest(pulls, "norm").pvalue > 1e-3


def test_the_mean_efficiency_has_the_errors_of_both_samples():
    pulls = []
    for seed in range(150):
        value, where, _ = signal(2000, seed=seed)
        table = fit_cuts(value, discriminant=WHICH, targets=TARGETS, kinematics=where, edges=EDGES)
        value, where, _ = signal(2000, seed=1000 + seed)
        one = cut_closure(table, value, kinematics=where)["tight"]
        assert np.isfinite(one["pull"]).any()
        pulls.append((one["efficiency"] - one["asked"]) / one["error"])
    assert abs(np.mean(pulls)) < 3 / np.sqrt(len(pulls))
    assert np.std(pulls) == pytest.approx(1, abs=0.17)
    none = cut_closure(table, value[:0], kinematics=(where[0][:0], where[1][:0]))["tight"]
    assert none["ndf"] == 0
    assert np.isnan([none["efficiency"], none["asked"], none["error"]]).all()


def test_the_closure_holds_in_every_bin():
    """Also where a bin has few candidates, for each working point: pulls scatter by one, about zero."""
    pulls = {name: [] for name in TARGETS}
    for seed in range(40):
        value, where, _ = signal(4000, seed=100 + seed)
        table = fit_cuts(value, discriminant=WHICH, targets=TARGETS, kinematics=where, edges=EDGES)
        value, where, _ = signal(3000, seed=2000 + seed)
        for name, one in cut_closure(table, value, kinematics=where).items():
            assert one["ndf"] == 6
            assert one["chi2"] == pytest.approx(np.sum(one["pull"] ** 2))
            pulls[name].append(one["pull"])
    for rows in pulls.values():
        assert np.abs(rows).max() < 4.5
        assert np.abs(np.mean(rows, axis=0)).max() < 4 / np.sqrt(40)
        scatter = np.sum((rows - np.mean(rows, axis=0)) ** 2, axis=0)
        assert np.all((chi2.sf(scatter, 39) > 1e-4) & (chi2.cdf(scatter, 39) > 1e-4))


@pytest.mark.parametrize("weighted", [False, True])
def test_few_candidates_make_no_bias(weighted):
    """Of flat candidates an independent one is above a cut with the probability 1 - cut."""
    rng, n = np.random.default_rng(21), 60
    where = np.zeros(n), np.full(n, 30.0)
    options = {"discriminant": WHICH, "kinematics": where, "edges": ((0, 1), (20, 40)), "targets": TARGETS}
    weight = rng.exponential(1, n) if weighted else np.ones(n)
    kept = np.array([1 - fit_cuts(rng.random(n), weight=weight, **options).cut[:, 0, 0] for _ in range(2000)])
    bias, error = kept.mean(axis=0) - list(TARGETS.values()), kept.std(axis=0) / np.sqrt(len(kept))
    assert np.all(np.abs(bias) < 4 * error + (0.004 if weighted else 0))
    assert np.all(error < 0.0025)


def test_of_candidates_that_are_alike_all_pass():
    value = np.repeat([3.0, 2.0, 1.0, 0.0], 25)
    where = np.zeros(100), np.full(100, 30.0)
    options = {"discriminant": WHICH, "kinematics": where, "edges": ((0, 1), (20, 40))}
    table = fit_cuts(value, targets={"a": 0.3, "b": 0.7, "c": 1.0}, **options)
    assert table.cut[:, 0, 0].tolist() == [2.0, 1.0, 0.0]
    with pytest.raises(ConfigError, match=r"a signal efficiency of 80\.0 cannot be asked for"):
        fit_cuts(value, targets={"a": 80}, **options)


def test_the_closure_fails_where_a_cut_is_wrong():
    """In that bin alone: by as many errors as the efficiency is off."""
    value, where, _ = signal(20_000, seed=7)
    table = fit_cuts(value, discriminant=WHICH, targets=TARGETS, kinematics=where, edges=EDGES)
    value, where, _ = signal(20_000, seed=8)
    sound = cut_closure(table, value, kinematics=where)["tight"]
    assert sound["p_value"] > 1e-3
    wrong = replace(table, cut=table.cut.copy())
    wrong.cut[1, 2, 0] -= 0.4  # two bins of E_T for each of |eta|: number 4
    found = cut_closure(wrong, value, kinematics=where)
    others = np.arange(6) != 4
    np.testing.assert_array_equal(found["tight"]["pull"][others], sound["pull"][others])
    measured = measure_cuts(wrong, value, kinematics=where)["tight"].value[4]
    error = np.sqrt(0.8 * 0.2 * (1 / table.n_effective[2, 0] + 1 / np.sum(one_bin(where, 2, 0))))
    assert found["tight"]["pull"][4] == pytest.approx((measured - 0.8) / error)
    assert found["tight"]["pull"][4] > 6
    assert found["tight"]["p_value"] < 1e-6 < 1e-3 < found["loose"]["p_value"]


def one_bin(where, row, column):
    """Candidates of a bin of EDGES."""
    eta, et = np.abs(where[0]), where[1]
    return (np.digitize(eta, EDGES[0]) == row + 1) & (np.digitize(et, EDGES[1]) == column + 1)


def test_the_closure_fails_for_other_candidates():
    """Whose discriminant is a tenth of its width higher; and whose number is not what it seems, by their weights."""
    value, where, _ = signal(20_000, seed=9)
    table = fit_cuts(value, discriminant=WHICH, targets=TARGETS, kinematics=where, edges=EDGES)
    value, where, _ = signal(20_000, seed=10)
    found = cut_closure(table, value + 0.15, kinematics=where)
    assert all(one["p_value"] < 1e-6 for one in found.values())
    assert np.all(found["tight"]["pull"] > 0)
    few = np.where(np.random.default_rng(11).random(20_000) < 0.05, 20.0, 0.01)
    assert cut_closure(table, value, kinematics=where, weight=few)["tight"]["p_value"] > 1e-3


def test_the_error_of_a_cut_is_its_spread():
    cuts, errors = [], []
    for seed in range(60):
        value, where, _ = signal(1500, seed=seed)
        table = fit_cuts(value, discriminant=WHICH, targets={"a": 0.8}, kinematics=where, edges=((0, 2.5), (15, 50)))
        cuts.append(table.cut.item())
        errors.append(table.cut_error.item())
    assert np.mean(errors) == pytest.approx(np.std(cuts), rel=0.35)


def test_with_pile_up_the_efficiency_is_flat():
    edges = ((0.0, 2.5), (15.0, 50.0))
    value, where, mu = signal(40_000, seed=1)
    flat = fit_cuts(value, discriminant=WHICH, targets=TARGETS, kinematics=where, edges=edges, mu=mu)
    fixed = fit_cuts(value, discriminant=WHICH, targets=TARGETS, kinematics=where, edges=edges)
    assert flat.slope[1, 0, 0] == pytest.approx(-0.04, abs=4 * flat.slope_error[1, 0, 0] + 0.005)
    value, where, mu = signal(40_000, seed=2)
    busy = mu > 50
    for table, low, high in ((flat, 0.785, 0.815), (fixed, 0.4, 0.75)):
        passing = table.passes(value, eta=where[0], et=where[1], mu=mu)["tight"]
        assert low < (passing[busy] == 1).mean() < high


def test_a_candidate_without_pile_up_is_left_out():
    value, where, mu = signal(5000, seed=7)
    options = {"discriminant": WHICH, "targets": TARGETS, "edges": ((0.0, 2.5), (15.0, 50.0))}
    some = np.arange(5000) != 17
    own = tuple(one[some] for one in where)
    wanted = fit_cuts(value[some], kinematics=own, mu=mu[some], **options)
    table = fit_cuts(value, kinematics=where, mu=np.where(some, mu, np.nan), **options)
    assert table.digest == wanted.digest
    assert np.isfinite(table.cut).all()


def test_weights_count_and_negative_ones_are_refused():
    value, where, _ = signal(20_000, seed=3)
    heavy = np.where(value > np.median(value), 3.0, 1.0)
    options = {"discriminant": WHICH, "kinematics": where, "edges": ((0, 2.5), (15, 50)), "targets": {"a": 0.75}}
    table = fit_cuts(value, weight=heavy, **options)
    assert table.cut.item() == pytest.approx(np.median(value), abs=0.05)
    assert table.n_effective.item() == pytest.approx(16_000, rel=0.01)
    with pytest.raises(NumericalError, match="10000 of 20000 signal weights are negative"):
        fit_cuts(value, weight=np.where(heavy > 1, 1.0, -1.0), **options)


def test_a_bin_with_too_few_has_no_cut():
    value, where, _ = signal(2000, seed=4)
    edges = ((0.0, 2.49, 2.5), (15.0, 50.0))
    table = fit_cuts(value, discriminant=WHICH, targets=TARGETS, kinematics=where, edges=edges)
    assert np.isnan(table.cut[:, 1, 0]).all()
    assert table.n[1, 0] > 0
    one = measure_cuts(table, value, kinematics=where)["loose"]
    assert one.valid.tolist() == [True, False]


def test_rising_targets_average_to_what_was_asked():
    rng = np.random.default_rng(5)
    et = rng.exponential(20, 50_000) + 5
    edges = (5, 10, 20, 40, 80, 500)
    targets = rising_targets(0.8, et, edges=edges, weight=np.ones(len(et)))
    assert np.all(np.diff(targets) > 0)
    number = np.digitize(et, edges) - 1
    assert targets[number].mean() == pytest.approx(0.8, abs=0.005)
    with pytest.raises(ConfigError, match=r"an average efficiency of 80 cannot be asked for"):
        rising_targets(80, et, edges=edges, weight=np.ones(len(et)))


def test_rising_targets_average_to_what_was_asked_where_some_are_at_the_floor():
    et = np.repeat([4.5, 7.0, 60.0, 200.0], 500)
    for average in (0.8, 0.3, 0.1, 0.02):
        targets = rising_targets(average, et, edges=(4, 6, 10, 80, 300), weight=np.ones(len(et)))
        assert targets.mean() == pytest.approx(average)
        assert np.all(np.diff(targets) >= 0)
        assert targets.min() >= min(0.05, average)


def test_the_true_quantile_is_found():
    rng = np.random.default_rng(6)
    value = rng.normal(size=100_000)
    where = np.zeros(100_000), np.full(100_000, 30.0)
    table = fit_cuts(value, discriminant=WHICH, targets={"a": 0.9}, kinematics=where, edges=((0, 1), (20, 40)))
    assert table.cut.item() == pytest.approx(norm.ppf(0.1), abs=4 * table.cut_error.item())
