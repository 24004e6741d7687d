"""Batches: every row once, in an order that depends on seed and epoch alone, whatever the number of processes."""

import time
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.training.loading.loader import Loader
from calotools.training.loading.order import batch_edges, count_kept, keep_some, mix_pieces
from calotools.training.loading.prefetching import prefetch
from calotools.training.loading.stored import StoreData


@given(st.integers(0, 500), st.integers(1, 50))
def test_batches_are_nearly_equal(n, n_batches):
    sizes = np.diff(batch_edges(n, n_batches))
    assert sizes.sum() == n
    assert sizes.max() - sizes.min() <= 1
    assert (np.diff(sizes) <= 0).all()


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 300), st.integers(0, 3))
def test_every_piece_is_in_one_pool(sizes, buffer, epoch):
    pools = mix_pieces(sizes, buffer=buffer, shuffle=(7, epoch))
    assert sorted(piece for pool in pools for piece in pool) == list(range(len(sizes)))


def test_pools_hold_every_file_in_proportion():
    for pool in mix_pieces([100] * 60, buffer=600, shuffle=(1, 0)):
        assert len(pool) == 6
        assert np.bincount(pool // 10, minlength=6).tolist() == [1] * 6


@given(st.integers(0, 300), st.floats(0.01, 1.0), st.integers(0, 50))
def test_as_many_are_kept_as_counted(n, fraction, epoch):
    kept = keep_some(np.arange(n), fraction=fraction, epoch=epoch)
    assert kept.sum() == count_kept(n, fraction=fraction, epoch=epoch)
    cut = n // 3
    assert kept[:cut].sum() == count_kept(cut, fraction=fraction, epoch=epoch)


def test_all_are_kept_equally_often():
    times = sum(keep_some(np.arange(1000), fraction=0.3, epoch=epoch).astype(int) for epoch in range(20))
    assert times.min() >= 5
    assert times.max() <= 7


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_prefetching_keeps_items_and_errors(depth):
    def items():
        yield from range(5)
        raise ValueError("after five")

    seen = []
    with pytest.raises(ValueError, match="after five"):
        seen.extend(prefetch(items(), depth=depth))
    assert seen == [] or seen == [0, 1, 2, 3, 4]
    assert list(islice(prefetch(items(), depth=depth), 5)) == [0, 1, 2, 3, 4]


def test_a_closed_prefetch_closes_what_it_reads():
    closed = []

    def items():
        try:
            yield from range(100)
        finally:
            closed.append(True)

    ready = prefetch(items(), depth=2)
    assert next(ready) == 0
    ready.close()
    assert closed == [True]


def test_the_next_batch_is_made_while_one_is_used():
    made = []

    def items():
        for number in range(3):
            made.append(number)
            yield number

    ready = prefetch(items(), depth=2)
    next(ready)
    deadline = time.monotonic() + 10
    while len(made) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert made == [0, 1, 2]


@pytest.fixture(scope="module")
def data(showers):
    """A function: batch size -> the training rows of the showers."""
    from calotools.recipe import TrainConfig

    def make(batch_size=100, **changes):
        config = TrainConfig(
            task="identification",
            output="none",
            sample={"files": ("none.root",)},
            model={"name": "none"},
            trainer={"batch_size": batch_size},
            **changes,
        )
        return StoreData(config, showers)

    return make


def rows_of(batches):
    return [batch.row.tolist() for batch in batches]


@given(st.integers(20, 400), st.integers(1, 5), st.integers(0, 3))
def test_every_candidate_once_over_all_processes(data, batch_size, n_parts, epoch):
    source = data(batch_size)
    parts = [rows_of(source.batches(epoch, part=(rank, n_parts))) for rank in range(n_parts)]
    assert {len(part) for part in parts} == {len(source)}
    assert sorted(row for part in parts for batch in part for row in batch) == sorted(source.rows(epoch).tolist())
    whole = rows_of(source.batches(epoch))
    for number, batch in enumerate(whole):
        assert sorted(batch) == sorted(row for part in parts for row in part[number])
        assert len(batch) <= batch_size


def test_epochs_and_seeds_differ(data):
    orders = [data(seed=seed).rows(epoch).tolist() for seed, epoch in ((1, 0), (1, 1), (1, 2), (2, 1))]
    assert len({tuple(order) for order in orders}) == 4
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])


@pytest.mark.parametrize("depth", [0, 2])
@pytest.mark.parametrize("epoch", [0, 3])
def test_resume_inside_an_epoch_gives_the_same_sequence(data, depth, epoch):
    source = data()
    whole = rows_of(Loader(source, epoch=lambda: epoch, depth=depth))
    stopped = Loader(source, epoch=lambda: epoch, depth=depth)
    first = rows_of(islice(stopped, 4))
    resumed = Loader(data(), epoch=lambda: epoch, depth=depth)
    resumed.load_state_dict(stopped.state_dict())
    iter(resumed)  # a trainer may look whether it can be iterated
    assert first + rows_of(resumed) == whole
    assert rows_of(resumed) == whole


def test_the_state_of_a_finished_epoch_skips_nothing_of_the_next(data):
    source = data()
    finished = Loader(source, epoch=lambda: 0)
    state = [finished.state_dict() for _ in finished][-1]
    following = Loader(source, epoch=lambda: 1)
    following.load_state_dict(state)
    assert rows_of(following) == rows_of(source.batches(1))


def test_shares_of_classes(data, showers):
    source = data(fractions={"background": 3, "signal": 1}, batch_size=50)
    target = showers.column("class_true") == 0
    for epoch in range(3):
        rows = source.rows(epoch)
        assert len(np.unique(rows)) == len(rows)
        assert target[rows].mean() == pytest.approx(0.25, abs=2 / len(rows))
    batches = rows_of(source.batches(1))
    assert len(batches) == len(source)
    assert max(map(len, batches)) <= 50
    assert not np.array_equal(np.sort(source.rows(0)), np.sort(source.rows(1)))
