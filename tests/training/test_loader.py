"""Batches: every row once, in an order that depends on seed and epoch alone, whatever the number of processes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calotools.training.loader import Loader, batch_rows


@given(st.integers(0, 200), st.integers(1, 50), st.integers(1, 4), st.integers(0, 5))
def test_every_row_once(n, batch_size, n_parts, epoch):
    rows = np.arange(n) * 3
    parts = [batch_rows(rows, batch_size=batch_size, shuffle=(1, epoch), part=(i, n_parts)) for i in range(n_parts)]
    assert len({len(part) for part in parts}) == 1
    seen = [row for part in parts for batch in part for row in batch]
    assert sorted(seen) == rows.tolist()
    assert all(len(batch) <= batch_size for batch in parts[0])


def test_batches_are_nearly_equal():
    sizes = [len(batch) for batch in batch_rows(np.arange(1001), batch_size=500)]
    assert sizes == [334, 334, 333]


def test_processes_share_each_batch_of_the_single_one():
    whole = batch_rows(np.arange(100), batch_size=30, shuffle=(4, 2))
    first, second = (batch_rows(np.arange(100), batch_size=30, shuffle=(4, 2), part=(i, 2)) for i in (0, 1))
    for batch, one, two in zip(whole, first, second, strict=True):
        assert sorted(batch) == sorted([*one, *two])


def test_epochs_differ_and_repeat():
    epoch = 0
    loader = Loader(lambda rows: rows, np.arange(50), batch_size=20, seed=1, epoch=lambda: epoch)
    first, again = (np.concatenate(list(loader)).tolist() for _ in range(2))
    epoch = 1
    second = np.concatenate(list(loader)).tolist()
    assert first == again != second
    assert len(loader) == len(list(loader)) == 3


def test_no_seed_keeps_the_order():
    loader = Loader(lambda rows: rows, np.arange(7), batch_size=3)
    assert np.concatenate(list(loader)).tolist() == list(range(7))
