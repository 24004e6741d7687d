"""A store in memory, filled with showers whose truth is known, and recipes for it."""

import numpy as np
import pytest

from calotools.containers import ImageGrid, ImageSpec, Index, Layer
from calotools.recipe import TrainConfig

SPEC = ImageSpec(
    grids={"em": ImageGrid(n_eta=14, n_phi=10, d_eta=0.0125, d_phi=0.0245)},
    layers=tuple(Layer(name, (number,)) for number, name in enumerate(("strips", "middle", "back"), start=1)),
)


class MemoryStore:
    """What `fit` asks of an ImageStore, from arrays."""

    def __init__(self, images, columns, tracks, track_mask):
        self._images, self._columns, self._tracks, self._mask = images, columns, tracks, track_mask
        n = len(images)
        self.digest = "showers"
        self.record = {}
        self.usable = np.ones(n, bool)
        self.index = Index(np.full(n, 1, np.uint32), np.arange(n, dtype=np.uint64), np.zeros(n, np.int32))

    def __len__(self):
        return len(self._images)

    @property
    def columns(self):
        return tuple(self._columns)

    def column(self, name):
        return self._columns[name]

    def tracks(self, rows):
        return self._tracks[rows], self._mask[rows]

    def dense(self, rows):
        return {"energy_em": self._images[rows]}


def make_showers(n, *, seed):
    """Gaussian blobs: prompt ones are narrow; what the back layer holds tells how much energy was lost behind it."""
    rng = np.random.default_rng(seed)
    e_true = rng.uniform(20, 100, n).astype(np.float32)
    background = rng.random(n) < 0.5
    width = np.where(background, rng.normal(2.2, 0.4, n), rng.normal(1.4, 0.4, n)).clip(0.5)
    deep = rng.beta(2, 8, n)
    share = np.stack([0.3 * (1 - deep), 0.7 * (1 - deep), deep], axis=1)  # (n, layer)
    seen = e_true * (1 - 0.5 * deep) * rng.normal(1, 0.01, n)
    eta, phi = np.arange(14) - 6.5, np.arange(10) - 4.5
    blob = np.exp(-0.5 * (eta[None, :, None] ** 2 + phi[None, None, :] ** 2) / width[:, None, None] ** 2)
    blob /= blob.sum(axis=(1, 2), keepdims=True)
    images = (seen[:, None, None, None] * share[:, :, None, None] * blob[:, None]).astype(np.float32)
    base = (seen / np.median(seen / e_true)).astype(np.float32)
    mask = np.arange(3)[None] < rng.integers(0, 4, n)[:, None]
    columns = {
        "e": base,
        "et": base,
        "eta": rng.uniform(-2.4, 2.4, n).astype(np.float32),
        "mu": rng.uniform(20, 60, n).astype(np.float32),
        "class_true": np.where(background, 5, 0).astype(np.int32),
        "e_true": e_true,
    }
    tracks = (rng.normal(size=(n, 3, 2)) * mask[..., None]).astype(np.float32)
    return MemoryStore(images, columns, tracks, mask)


@pytest.fixture(scope="session")
def showers():
    return make_showers(1500, seed=1)


@pytest.fixture
def recipe(tmp_path):
    """A function: task and changes -> TrainConfig on one thread."""

    def make(task, **changes):
        name = {"energy": "energy_cnn", "identification": "electron_cnn_2018"}[task]
        settings = {"energy": {"maps": 8, "condition": 16}, "identification": {"reading": "slides"}}[task]
        trainer = {"epochs": 2, "batch_size": 200, "threads": 1, "accelerator": "cpu"} | changes.pop("trainer", {})
        values = {
            "task": task,
            "output": tmp_path / "out",
            "sample": {"files": ("none.root",)},
            "images": SPEC,
            "scalars": ("mu",),
            "model": {"name": name, "settings": settings},
            "trainer": trainer,
        }
        return TrainConfig(**(values | changes))

    return make
