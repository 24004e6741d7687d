"""Numbers with errors: the errors cover, the terms are found, samples that do not differ cannot be told apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.analysis import (
    auc,
    bootstrap_estimate,
    correlation,
    fit_terms,
    fraction,
    mean_rows,
    measure_linearity,
    median,
    resolution_at,
    robust_width,
    separate,
    term_reach,
)
from calotools.analysis.results import from_dict, to_dict
from calotools.containers import Check
from calotools.errors import EmptyInputError, ShapeError

ENERGIES = np.geomspace(10, 300, 8)


def pulls(estimate, truth, *, repeats=120):
    """(estimate - truth) / error of repeated samples."""
    rng = np.random.default_rng(7)
    values = [estimate(rng) for _ in range(repeats)]
    return np.array([(one.value - truth) / one.error for one in values])


@pytest.mark.parametrize(
    ("estimate", "truth"),
    [
        (lambda rng: median(rng.exponential(size=800)), np.log(2)),
        (lambda rng: robust_width(rng.normal(size=600), rng=rng), 1.0),
        (lambda rng: fraction(rng.random(500) < 0.3), 0.3),
        (lambda rng: correlation(*_correlated(rng), rng=rng), 0.6),
    ],
    ids=["median", "width", "fraction", "correlation"],
)
def test_errors_cover(estimate, truth):
    found = pulls(estimate, truth)
    assert abs(found.mean()) < 0.35
    assert 0.75 < found.std() < 1.3


def _correlated(rng):
    x, y = rng.normal(size=(2, 400))
    return x, 0.6 * x + 0.8 * y


def test_too_few_entries_have_no_estimate():
    few = np.arange(5.0)
    assert np.isnan(median(few)).all()
    assert np.isnan(bootstrap_estimate(np.mean, few, rng=np.random.default_rng(1))).all()
    assert np.isnan(fraction(np.zeros(0, bool)).value)


def test_entries_that_are_not_finite_are_left_out():
    values = np.concatenate([np.arange(100.0), [np.nan, np.inf]])
    assert median(values).value == 49.5


@given(st.integers(2, 30), st.integers(1, 4))
def test_mean_of_rows_is_that_of_numpy(n, k):
    rows = np.random.default_rng(n * 10 + k).normal(size=(n, k))
    mean, error = mean_rows(rows)
    assert mean == pytest.approx(rows.mean(axis=0))
    assert error == pytest.approx(rows.std(axis=0, ddof=1) / np.sqrt(n))


def test_mean_of_weighted_rows():
    rng = np.random.default_rng(3)
    rows, count = rng.normal(size=(400, 2)), rng.integers(0, 4, 400).astype(float)
    mean, error = mean_rows(rows, weight=count)
    assert mean == pytest.approx(np.repeat(rows, count.astype(int), axis=0).mean(axis=0))
    for one, other in zip((mean, error), mean_rows(rows, weight=7 * count), strict=True):
        assert one == pytest.approx(other)
    drawn = [mean_rows(rng.normal(size=(400, 2)), weight=count)[0] for _ in range(400)]
    assert error == pytest.approx(np.std(drawn, axis=0), rel=0.2)


def test_terms_are_found_with_their_errors():
    truth = {"a": 0.11, "b": 0.35, "c": 0.006}
    sigma = resolution_at(ENERGIES, *truth.values())
    rng = np.random.default_rng(2)
    found = []
    for _ in range(60):
        fit = fit_terms(ENERGIES, sigma * rng.normal(1, 0.02, len(sigma)), 0.02 * sigma, rng=rng)
        assert fit.valid, fit.message
        found.append([(fit.values[name] - truth[name]) / fit.errors[name] for name in truth if fit.errors[name] > 0])
    flat = np.concatenate(found)
    assert abs(flat.mean()) < 0.3
    assert 0.7 < flat.std() < 1.3


def test_a_known_noise_term_stays():
    sigma = resolution_at(ENERGIES, 0.1, 0.3, 0.005)
    fit = fit_terms(ENERGIES, sigma, 0.01 * sigma, rng=np.random.default_rng(1), b=0.3)
    assert (fit.values["b"], fit.errors["b"]) == (0.3, 0.0)
    assert fit.values["a"] == pytest.approx(0.1, rel=1e-3)


def test_three_terms_need_three_energies():
    with pytest.raises(EmptyInputError, match="2 of 3 energies have a resolution; three terms need three or more"):
        fit_terms(ENERGIES[:3], np.array([0.1, 0.1, np.nan]), np.full(3, 0.01), rng=np.random.default_rng(1))


def test_a_term_that_is_not_there_is_within_its_reach():
    rng = np.random.default_rng(11)
    sigma = resolution_at(ENERGIES, 0.1, 0.3, 0.0)
    error = 0.02 * sigma
    squares = []
    for _ in range(100):
        seen = sigma + rng.normal(size=len(sigma)) * error
        design = np.stack([1 / ENERGIES, 1 / ENERGIES**2, np.ones(len(sigma))], axis=1) / (2 * sigma * error)[:, None]
        squares.append(np.linalg.lstsq(design, seen**2 / (2 * sigma * error), rcond=None)[0])
    for name, spread in zip("abc", np.std(squares, axis=0), strict=True):
        assert term_reach(ENERGIES, sigma, error)[name] == pytest.approx(np.sqrt(spread), rel=0.15)
    assert np.isnan(term_reach(ENERGIES[:2], sigma[:2], error[:2])["c"])


def test_a_line_has_errors_that_cover():
    rng = np.random.default_rng(5)
    error = np.full(8, 0.001)
    lines = [
        measure_linearity(ENERGIES, 0.01 - 0.005 * np.log10(ENERGIES / 50) + rng.normal(0, error), error)
        for _ in range(300)
    ]
    for name, truth in (("offset", 0.01), ("slope", -0.005)):
        pull = np.array([(getattr(one, name) - truth) / getattr(one, f"{name}_error") for one in lines])
        assert abs(pull.mean()) < 4 / np.sqrt(300)
        assert pull.std() == pytest.approx(1, abs=0.15)
    assert np.mean([one.chi2 for one in lines]) == pytest.approx(6, abs=1)


def test_what_is_farthest_from_none_is_named():
    found = measure_linearity(np.array([10.0, 20, 40]), np.array([0.01, -0.03, np.nan]), np.array([1e-3, 2e-3, 1e-3]))
    assert (found.largest, found.largest_error, found.at, found.ndf) == (-0.03, 2e-3, 20.0, 0)
    with pytest.raises(EmptyInputError, match="1 of 2 energies have a bias"):
        measure_linearity(ENERGIES[:2], np.array([0.1, np.nan]), np.full(2, 0.01))


def area(one, zero, *, rng):
    scores = separate(one, zero, rng=rng)
    return auc(*(score[np.isfinite(score)] for score in scores))


def test_equal_samples_cannot_be_told_apart():
    rng = np.random.default_rng(3)
    found = [area(*rng.normal(size=(2, 400, 6)), rng=rng) for _ in range(12)]
    assert abs(np.mean([value for value, _ in found]) - 0.5) < 4 * np.mean([error for _, error in found]) / np.sqrt(12)


def test_a_product_of_variables_is_seen():
    """Both variables alone are the same in both samples; only their correlation differs."""
    rng = np.random.default_rng(4)
    x, y, z = rng.normal(size=(3, 3000))
    value, error = area(np.stack([x, 0.8 * x + 0.6 * y], axis=1), np.stack([z, y], axis=1), rng=rng)
    assert value > 0.6 + 5 * error


def test_rows_that_are_not_finite_have_no_score():
    rng = np.random.default_rng(5)
    one, zero = rng.normal(size=(2, 50, 2))
    one[3, 1] = np.nan
    scores, _ = separate(one, zero, rng=rng)
    assert np.flatnonzero(np.isnan(scores)).tolist() == [3]
    with pytest.raises(ShapeError, match="give the same variables for both"):
        separate(one, zero[:, :1], rng=rng)
    with pytest.raises(EmptyInputError, match="both samples need 5 or more"):
        separate(one[:4], zero, rng=rng)


def test_a_check_is_a_result():
    check = Check("x", 1.4, 0.1, 0.9, 1.1, 1.0, "GeV", "a table")
    assert check.verdict == "fail"
    assert check.outside == pytest.approx(3.0)
    assert from_dict(to_dict(check)) == check
    assert Check("x", float("nan"), 0.1, 0.9, 1.1).verdict == "not measured"
    assert Check("x", 1.4, float("nan"), 0.9, 1.1).verdict == "fail", "exact"
    assert Check("x", 1.0, float("nan"), 0.9, 1.1).verdict == "pass"
    assert Check("x", 1.2, 0.1, 0.9, 1.1).verdict == "open", "one error outside"
    assert Check("x", 1.0, 0.2, 0.9, 1.1).verdict == "open", "inside, but it could be anywhere"
    assert Check("x", 1.0, 0.1).verdict == "quoted"
    assert np.isnan(Check("x", 1.0, 0.1).outside)
