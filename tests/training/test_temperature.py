"""What is said of a temperature that no sound training gives."""

import re

import numpy as np
import pytest

from calotools.training.calibration.temperature import fit_temperature_of
from calotools.variables import with_temperature

N = 20_000


def scores(temperature, n=N):
    """Probabilities that come true once their logits are divided by a temperature."""
    rng = np.random.default_rng(1)
    p = rng.uniform(0.3, 0.7, n)
    target = (rng.random(n) < p).astype(int)
    return with_temperature(np.column_stack([1 - p, p]), 1 / temperature), target


@pytest.mark.parametrize(
    ("temperature", "said"),
    [
        (1.0, ""),
        (0.2, ""),
        (5.0, ""),
        (0.05, r"^0\.0[45]\S* is below 0\.1: scores are far less sure .* hardly learnt .* 20000 validation candidates"),
        (20.0, r"^[12][0-9]\S* is above 10: scores are far too sure, as those of an overfitted model are .* too few"),
        (200.0, r"^54\.6 is above 10, at the edge of its fit: "),
        (0.005, r"^0\.0183 is below 0\.1, at the edge of its fit: "),
    ],
)
def test_only_what_cannot_be_right_has_a_warning(temperature, said):
    probability, target = scores(temperature)
    found = fit_temperature_of(probability, target, weight=np.ones(N))
    if said:
        assert list(found.record) == ["temperature_warning"]
        assert re.search(said, found.warning)
    else:
        assert found.value == pytest.approx(temperature, rel=0.1)
        assert found.record == {}


def test_what_cannot_be_found_is_1_and_says_so():
    probability, target = scores(3.0, 29)
    assert_one(probability, target, "29 validation candidates are too few")
    probability, target = scores(3.0)
    assert_one(probability, np.zeros(N, int), "all 20000 validation candidates are of one class")
    apart = np.column_stack([1 - target, target]) * 0.98 + 0.01  # classes that never overlap
    assert_one(apart, target, "none of 20000 validation candidates is taken for another class")
    probability, target = scores(50.0, 40)
    assert_one(0.5 + 0.01 * (probability - 0.5), target, "40 validation candidates do not say what it is")


def assert_one(probability, target, said):
    found = fit_temperature_of(probability, target, weight=np.ones(len(target)))
    assert found.value == 1
    assert found.warning.startswith(f"not found, 1 is used: {said}")
