"""Reweighting: what is reweighted cannot be told from its target, where the two overlap, and the diagnosis says so."""

import builtins

import numpy as np
import pytest

from calotools.analysis import auc, closeness, effective_size, overlap, separate
from calotools.errors import ConfigError, EmptyInputError, NumericalError, ShapeError
from calotools.variables import WeightedSample, fold_factors, make_reweighter

NAMES = ("et", "eta", "mu")


def sample(n, *, seed, target=False, folds=5):
    """Falling E_T, |eta| and mu; the target is harder, more central, and busier at high E_T."""
    rng = np.random.default_rng(seed)
    et = 15 + rng.gamma(2.0 if target else 1.3, 12.0 if target else 10.0, n)
    eta = np.abs(rng.normal(0, 1.0 if target else 1.4, n)) % 2.5
    mu = rng.normal(30 + (0.1 * et if target else 0), 8, n)
    return WeightedSample(np.column_stack([et, eta, mu]), np.ones(n), rng.integers(0, folds, n))


@pytest.fixture(scope="module")
def pair():
    return sample(20_000, seed=1), sample(15_000, seed=2, target=True)


@pytest.mark.parametrize("method", ["smooth", "boosted"])
def test_reweighted_candidates_cannot_be_told_from_the_target(pair, method):
    if method == "boosted":
        pytest.importorskip("hep_ml", exc_type=ImportError)
    source, target = pair
    if method == "boosted":  # two folds take less time
        source, target = (WeightedSample(one.values, one.weight, one.fold % 2) for one in pair)
    before = closeness(source, target, weight=source.weight, names=NAMES, rng=np.random.default_rng(3))
    weight = source.weight * fold_factors(source, target, method=method)
    after = closeness(source, target, weight=weight, names=NAMES, rng=np.random.default_rng(3))
    assert before.auc > 0.6
    assert abs(after.auc - 0.5) < 0.01 + 2 * after.auc_error
    assert np.all(after.ks < (0.02 if method == "smooth" else 0.04))
    assert np.all(after.ks < before.ks)
    assert weight.sum() == pytest.approx(source.weight.sum())
    assert 0 < after.effective_source < 0.9 * before.effective_source
    assert after.target_covered > 0.95


def test_histograms_make_it_close(pair):
    source, target = pair
    weight = source.weight * fold_factors(source, target, method="binned")
    after = closeness(source, target, weight=weight, names=NAMES, rng=np.random.default_rng(3))
    assert abs(after.auc - 0.5) < 0.01 + 2 * after.auc_error
    assert np.all(after.ks < 0.04)


def test_shared_values_are_not_recognised(pair):
    """Samples of one distribution, whose mu is that of luminosity blocks: trees know the blocks that they have seen."""
    rng = np.random.default_rng(11)
    parts = []
    for _ in range(2):
        block = rng.integers(0, 150, 6000)
        mu = rng.normal(40, 8, 150)[block]
        values = np.column_stack([rng.exponential(10, 6000), mu])
        parts.append((WeightedSample(values, np.ones(6000), np.zeros(6000, int)), block))
    (one, block_one), (two, block_two) = parts
    found = {
        name: closeness(
            one, two, weight=one.weight, names=("et", "mu"), rng=np.random.default_rng(12), kind="trees", groups=groups
        )
        for name, groups in {"seen": (None, None), "new": (block_one, block_two)}.items()
    }
    assert found["seen"].auc > 0.8
    assert abs(found["new"].auc - 0.5) < 0.12  # 150 blocks are few


def blocks(n, *, target, shared, rng):
    """Falling E_T, of which the weights of the source are known, and the mu of blocks of ten, or of each by itself."""
    width = 14.0 if target else 10.0
    et = rng.exponential(width, n)
    group = np.arange(n) // 10
    mu = rng.normal(40, 8, n // 10)[group] if shared else rng.normal(40, 8, n)
    weight = np.ones(n) if target else np.exp(et / 10.0 - et / 14.0)
    fold = rng.integers(0, 5, n // 10)[group]
    values = np.column_stack([et, np.abs(rng.normal(size=n)), mu])
    return WeightedSample(values, weight, fold), group + (10 * n if target else 0)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True])
def test_the_error_of_the_auc_is_what_it_scatters_by(shared):
    """Of samples whose weights are the truth: by candidates it would be 1.4 times too small, or 3.2 with shared mu."""
    pulls, naive = [], []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        (source, one), (target, two) = (blocks(1500, target=t, shared=shared, rng=rng) for t in (False, True))
        found = closeness(source, target, weight=source.weight, names=NAMES, rng=rng, groups=(one, two))
        pulls.append((found.auc - 0.5) / found.auc_error)
        naive.append((found.difference[2], found.difference_error[2]))
    assert abs(np.mean(pulls)) < 0.7
    assert 0.75 < np.std(pulls) < 1.25
    difference, error = np.array(naive).T
    assert 0.75 < np.std(difference / error) < 1.25


def test_errors_count_groups():
    """Candidates ten times over are not ten times as many; those of groups of their own are what they are."""
    rng = np.random.default_rng(21)
    one, two = rng.normal(0.5, 1, (400, 1)), rng.normal(0, 1, (400, 1))
    number = np.arange(400)
    value, error = auc(one[:, 0], two[:, 0])
    for repeats in (1, 10):
        groups = [np.repeat(number, repeats), np.repeat(number + 400, repeats)]
        again = auc(
            np.repeat(one[:, 0], repeats),
            np.repeat(two[:, 0], repeats),
            signal_group=groups[0],
            background_group=groups[1],
        )
        assert again == pytest.approx((value, error), rel=2e-3)
    pair = auc(one[:, 0], one[:, 0], signal_group=number, background_group=number)
    assert pair == pytest.approx((0.5, 0.0), abs=1e-9)  # what moves both moves nothing
    assert np.isnan(auc(one[:, 0], two[:, 0], signal_group=0 * number, background_group=0 * number)[1])
    with pytest.raises(
        ShapeError, match="groups are given for one class alone; give those of signal and of background"
    ):
        auc(one[:, 0], two[:, 0], signal_group=number)
    with pytest.raises(ShapeError, match="400 background scores and 3 groups: lengths differ"):
        auc(one[:, 0], two[:, 0], signal_group=number, background_group=number[:3])
    fold = np.zeros(4000, int)
    samples = [WeightedSample(np.repeat(part, 10, axis=0), np.ones(4000), fold) for part in (one, two)]
    groups = np.repeat(number, 10), np.repeat(number + 400, 10)
    found = [
        closeness(*samples, weight=np.ones(4000), names=("x",), rng=np.random.default_rng(1), groups=given)
        for given in ((None, None), groups)
    ]
    assert found[1].difference_error[0] == pytest.approx(np.sqrt(10) * found[0].difference_error[0])
    assert found[1].auc_error > 2.5 * found[0].auc_error


def test_raking_makes_weighted_means_agree(pair):
    """Of the variables and of their products, which no step of a histogram spoils; the least change that does it."""
    source, target = pair
    weight = make_reweighter(source, target, method="smooth").factor(source.values)
    for values in (lambda one: one, lambda one: one[:, [0, 0, 1]] * one[:, [1, 2, 2]]):
        ours, theirs = np.average(values(source.values), weights=weight, axis=0), values(target.values).mean(axis=0)
        width = values(target.values).std(axis=0)
        np.testing.assert_array_less(np.abs(ours - theirs) / width, 0.02)
    same = make_reweighter(target, target, method="smooth").factor(target.values)
    np.testing.assert_allclose(same / same.mean(), 1, atol=1e-3)


def test_a_variable_that_is_constant_changes_nothing(pair):
    """Such as the pile-up of samples that were simulated at one."""
    both = [
        WeightedSample(np.column_stack([one.values[:, :2], np.full(len(one.fold), 30.0)]), one.weight, one.fold)
        for one in pair
    ]
    without = [WeightedSample(one.values[:, :2], one.weight, one.fold) for one in both]
    np.testing.assert_allclose(fold_factors(*both), fold_factors(*without), rtol=1e-3)


def test_trees_see_a_difference_that_a_quadratic_form_does_not():
    rng = np.random.default_rng(4)
    one, two = rng.uniform(-1, 1, (4000, 2)), rng.uniform(-1, 1, (8000, 2))
    two = two[(np.floor(4 * two[:, 0]) + np.floor(4 * two[:, 1])) % 2 == 0]  # a chess board
    quadratic, trees = (
        auc(*separate(one, two, rng=np.random.default_rng(5), kind=kind)) for kind in ("quadratic", "trees")
    )
    assert abs(quadratic[0] - 0.5) < 4 * quadratic[1]
    assert trees[0] < 0.5 - 4 * trees[1] or trees[0] > 0.6
    with pytest.raises(ConfigError, match="no classifier 'tree'; nearest: 'trees'"):
        separate(one, two, rng=rng, kind="tree")


def test_weights_of_the_classifier_count():
    rng = np.random.default_rng(6)
    flat, rising = rng.uniform(0, 1, (6000, 1)), np.sqrt(rng.uniform(0, 1, (6000, 1)))
    weight = 2 * flat[:, 0]
    scores = separate(rising, flat, rng=rng, weight_zero=weight)
    value, error = auc(*scores, background_weight=weight)
    assert abs(value - 0.5) < 4 * error


def test_the_weight_of_a_candidate_does_not_depend_on_itself(pair):
    source, target = pair
    factor = fold_factors(source, target)
    moved = WeightedSample(source.values.copy(), np.where(source.fold == 0, 7.0, 1.0), source.fold)
    own = source.fold == 0
    again = fold_factors(moved, target)
    np.testing.assert_allclose(again[own] / again[own].mean(), factor[own] / factor[own].mean())


def test_without_folds_the_sample_is_matched_bin_by_bin(pair):
    source, target = (WeightedSample(one.values, one.weight, np.zeros(len(one.weight), int)) for one in pair)
    edges = ((0, 25, 40, 500), (0, 2.5), (-100, 200))
    factor = fold_factors(source, target, method="binned", bins=edges)
    for low, high in ((0, 25), (25, 40), (40, 500)):
        parts = [(one.values[:, 0] >= low) & (one.values[:, 0] < high) for one in (source, target)]
        assert factor[parts[0]].sum() / len(factor) == pytest.approx(parts[1].mean())


@pytest.mark.parametrize("method", ["binned", "smooth"])
def test_negative_weights_stay_a_part_of_the_sum(pair, method):
    """A generator's negative weights: the weighted distributions still agree."""
    source, target = pair
    rng = np.random.default_rng(7)
    signed = WeightedSample(source.values, np.where(rng.random(len(source.weight)) < 0.1, -1.0, 1.0), source.fold)
    weight = signed.weight * fold_factors(signed, target, method=method, bins=(6, 4, 4) if method == "binned" else ())
    found = closeness(signed, target, weight=weight, names=NAMES, rng=rng)
    assert found.negative == pytest.approx(0.1, abs=0.02)
    assert np.all(np.abs(found.difference) < 0.1)
    assert (weight < 0).sum() == (signed.weight < 0).sum()


def test_candidates_that_are_not_there_cannot_be_made(pair):
    source, target = pair
    soft = source.take(source.values[:, 0] < 30)
    covered, used = overlap(soft, target)
    assert covered == pytest.approx((target.values[:, 0] < 30).mean(), abs=0.1)
    assert used > 0.95
    far = WeightedSample(source.values + 1000, source.weight, source.fold)
    bins = ((0, 50, 900), (0, 900), (0, 900))
    assert np.isfinite(fold_factors(far, target, method="binned", bins=bins)).all()  # nearest bins: overlap must tell
    assert overlap(far, target)[0] < 0.01


def test_effective_size_of_known_weights():
    rng = np.random.default_rng(8)
    assert effective_size(rng.exponential(size=100_000)) == pytest.approx(50_000, rel=0.02)
    assert effective_size(np.zeros(0)) == 0


def test_samples_that_cannot_be_used(pair):
    source, target = pair
    with pytest.raises(ShapeError, match="samples of 3 and 2 variables"):
        make_reweighter(source, WeightedSample(target.values[:, :2], target.weight, target.fold))
    with pytest.raises(ConfigError, match="2 bins are given for 3 variables"):
        make_reweighter(source, target, method="binned", bins=(3, 3))
    for name, given in (("bins", (3, 3, 3)), ("settings", {"n_estimators": 3})):
        with pytest.raises(ConfigError, match=f"{name} are of method '.*'; method 'smooth' has none"):
            fold_factors(source, target, **{name: given})
    with pytest.raises(NumericalError, match="1 values of a sample are not finite"):
        WeightedSample(np.array([[np.nan]]), np.ones(1), np.zeros(1, int))
    with pytest.raises(EmptyInputError, match="summed weight of -2"):
        WeightedSample(np.ones((2, 1)), -np.ones(2), np.zeros(2, int))
    with pytest.raises(ShapeError, match="one row, weight and fold"):
        WeightedSample(np.ones((2, 1)), np.ones(3), np.zeros(2, int))


def test_without_the_library_it_says_how_to_get_it(pair, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("hep_ml"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'calotools\[reweight\]'"):
        make_reweighter(*pair, method="boosted")
