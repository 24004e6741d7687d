"""Energy in rings: nothing is lost, nothing counted twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.errors import ShapeError
from calotools.variables.rings import ring_sums


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.integers(0, 1000))
def test_rings_hold_what_is_inside(counts, seed):
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    e, distance = rng.normal(size=offsets[-1]), rng.uniform(0, 2, offsets[-1])
    distance[rng.random(len(distance)) < 0.1] = np.nan
    edges = np.array([0.0, 0.3, 0.5, 1.5])
    rings = ring_sums(offsets, e, distance, edges=edges)
    owner = np.repeat(np.arange(len(counts)), counts)
    for candidate in range(len(counts)):
        mine = (owner == candidate) & (distance < 1.5)
        assert rings[candidate].sum() == pytest.approx(e[mine].sum())
        assert rings[candidate, 1] == pytest.approx(e[mine & (distance >= 0.3) & (distance < 0.5)].sum())


def test_buffers_must_fit():
    with pytest.raises(ShapeError, match="2 energies and 3 distances; the offsets end at 2"):
        ring_sums([0, 2], np.ones(2), np.ones(3), edges=np.array([0.0, 1.0]))
