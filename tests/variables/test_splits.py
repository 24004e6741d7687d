"""Splits: by event, in the fractions asked for, whatever the order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.errors import ConfigError, ShapeError
from calotools.variables import event_hash, split_of


def test_fractions_and_independence_of_seeds():
    run, event = np.repeat(np.arange(20), 5000), np.tile(np.arange(5000), 20)
    first, second = (split_of(run, event, validation=0.1, test=0.2, seed=seed) for seed in (1, 2))
    for part, fraction in enumerate((0.7, 0.1, 0.2)):
        error = np.sqrt(fraction * (1 - fraction) / len(run))
        assert abs(np.mean(first == part) - fraction) < 4 * error
        assert abs(np.mean((first == part) & (second == part)) - fraction**2) < 4 * fraction * np.sqrt(
            (1 - fraction**2) / len(run)
        )
    by_run = [np.mean(first[run == one] == 2) for one in range(20)]
    assert np.std(by_run) < 3 * np.sqrt(0.16 / 5000)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**63)), min_size=1, max_size=40), st.randoms())
def test_both_candidates_of_an_event_are_together(events, random):
    order = list(range(len(events)))
    random.shuffle(order)
    run, event = np.array([e[0] for e in events], dtype=np.uint32), np.array([e[1] for e in events], dtype=np.uint64)
    split = split_of(run, event, validation=0.3, test=0.3, seed=7)
    np.testing.assert_array_equal(split_of(run[order], event[order], validation=0.3, test=0.3, seed=7), split[order])
    assert split.dtype == np.int8


def test_hash_is_the_same_everywhere():
    """SplitMix64 of state 0 gives 0xE220A8397B1DCDAF first (reference implementation, S. Vigna)."""
    from calotools.variables.splits import _mix

    assert int(_mix(np.array([0], dtype=np.uint64))[0]) == 0xE220A8397B1DCDAF
    assert len(set(event_hash(np.zeros(10000), np.arange(10000)).tolist())) == 10000
    assert event_hash([1], [2])[0] != event_hash([2], [1])[0]


def test_bad_fractions():
    with pytest.raises(ConfigError, match=r"validation fraction 0.5 and test fraction 0.5"):
        split_of([1], [1], validation=0.5, test=0.5)
    with pytest.raises(ShapeError, match=r"run has shape \(2,\) and event \(1,\)"):
        split_of([1, 2], [1], validation=0.1, test=0.1)
