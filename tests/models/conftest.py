"""Batches of random numbers with the shapes of a real one; variables of candidates, and trees on them."""

import numpy as np
import pytest
import torch

from calotools.containers import Batch
from calotools.models import ModelInputs
from calotools.models.trees import fit_trees

ELECTRON = ModelInputs(shapes={"em": (3, 56, 11), "had": (2, 7, 11)})


@pytest.fixture
def make_batch():
    """A function: n candidates and shapes -> Batch; the same seed gives the same numbers."""

    def make(n=4, *, seed=0, inputs=ELECTRON, n_tracks=0, n_features=0, n_scalars=0):
        generator = torch.Generator().manual_seed(seed)
        images = {
            f"{quantity}_{grid}": torch.rand(n, *shape, generator=generator)
            for quantity in inputs.quantities
            for grid, shape in inputs.shapes.items()
        }
        return Batch(
            images=images,
            scalars=torch.randn(n, n_scalars, generator=generator),
            tracks=torch.randn(n, n_tracks, n_features, generator=generator),
            track_mask=torch.rand(n, n_tracks, generator=generator) < 0.7,
            base_energy=20 + 60 * torch.rand(n, generator=generator),
            target=torch.zeros(n, dtype=torch.int64),
            weight=torch.ones(n),
            row=torch.arange(n),
        )

    return make


@pytest.fixture(autouse=True)
def _same_weights():
    """Weights are drawn at random: a test must not depend on the draw."""
    torch.manual_seed(1)


@pytest.fixture
def sample():
    """A function: n, seed -> values of a, b and c, eta, E_T, which candidates stop the fit, and the generator."""

    def draw(n=6000, *, seed=1):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=(n, 3))
        eta, et = rng.uniform(-2.4, 2.4, n), rng.uniform(10, 90, n)
        return values, eta, et, np.arange(n) % 5 == 0, rng

    return draw


@pytest.fixture
def grow(quick):
    """A function: what `sample` draws, and a target -> trees on a, b and c, with the module's own `quick` settings."""

    def fit(values, target, eta, et, stops, **changes):
        options = {"variables": ("a", "b", "c"), "kinematics": (eta, et), "validation": stops, "settings": quick}
        return fit_trees(values, target, **(options | changes))

    return fit
