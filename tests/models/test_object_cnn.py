"""The network of four objects: the size of its model, its variants."""

import pytest
import torch

from calotools.errors import ConfigError
from calotools.models import ModelInputs, build_model

CALO = ModelInputs(shapes={"calo": (2, 32, 32)}, n_classes=4)


def test_size_is_that_of_the_cifar10_example():
    colours = ModelInputs(shapes={"calo": (3, 32, 32)}, n_classes=10)
    sizes = [
        sum(one.numel() for one in build_model("object_cnn", {}, inputs).parameters()) for inputs in (colours, CALO)
    ]
    assert sizes == [1_250_858, 1_247_492]


@pytest.mark.parametrize(
    "settings",
    [
        {"nonlinearity": "selu", "dropout": (0.5, 0.5, 0.5)},
        {"stages": ((32, 32), (64, 64, 128)), "dropout": (0.5, 0.25, 0.5)},
        {"stages": ((32, 64),), "dropout": (0.0, 0.0), "hidden": 16},
    ],
)
def test_variants_of_the_study_learn(settings, make_batch):
    batch = make_batch(8, inputs=CALO)
    target = torch.arange(8) % 4
    network = build_model("object_cnn", settings, CALO)
    optimizer = torch.optim.RMSprop(network.parameters(), lr=1e-4)
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        losses.append(torch.nn.functional.cross_entropy(network.eval()(batch), target))
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < losses[0]


def test_a_pixel_is_seen_in_gev_whatever_the_candidates_energy(make_batch):
    network = build_model("object_cnn", {"stages": ((4, 4),), "dropout": (0.25, 0.5), "hidden": 8}, CALO).eval()
    batch, other = make_batch(3, inputs=CALO), make_batch(3, inputs=CALO)
    other.base_energy.mul_(3.0)
    torch.testing.assert_close(network(batch), network(other))
    other.images["energy_calo"].mul_(3.0)
    assert not torch.allclose(network(batch), network(other))


def test_real_tracks_count_and_padded_ones_do_not(make_batch):
    inputs = ModelInputs(shapes=CALO.shapes, n_tracks=3, n_track_features=2, n_classes=4)
    network = build_model("object_cnn", {"stages": ((4, 4),), "dropout": (0.25, 0.5), "hidden": 8}, inputs).eval()
    batch = make_batch(2, inputs=inputs, n_tracks=3, n_features=2)
    batch.tracks[:], batch.track_mask[:] = 0.0, torch.tensor([True, True, False])
    before = network(batch)
    batch.tracks[:, 2] = 7.0
    torch.testing.assert_close(network(batch), before)
    batch.track_mask[:, 1] = False
    assert not torch.allclose(network(batch), before)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dropout": (0.5, 0.5)}, "dropout = .* give 3 numbers from 0 to 1"),
        ({"dropout": (0.5, 0.5, 1.0)}, "dropout = .* give 3 numbers from 0 to 1"),
        ({"nonlinearity": "sellu"}, "no activation 'sellu'.*selu"),
        ({"hidden": 0}, "setting 'hidden' = 0 is not allowed"),
        ({"stages": ((4, 4),) * 5, "dropout": (0.1,) * 6}, "nothing is left of"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        build_model("object_cnn", settings, CALO)
