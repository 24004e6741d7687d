"""The compact, recurrent and 2020 electron networks: sizes, classes, masks, symmetries, settings."""

import pytest
import torch

from calotools.containers import Batch
from calotools.errors import ConfigError, ShapeError
from calotools.models import ModelInputs, build_model
from calotools.models.inputs import grid_channels, grid_images, sum_pixels

SLIDES = {"em": (3, 56, 11), "had": (2, 7, 11)}
SMALL = ModelInputs(shapes=SLIDES, n_scalars=3, n_tracks=5, n_track_features=4, n_classes=5)
NETWORKS = {
    "compact": ("electron_compact", {"maps": 8, "width": 8, "heads": 2}),
    "gru": ("electron_rnn", {"units": 8, "maps": (4, 4), "image_width": 8, "hidden": 16}),
    "lstm": ("electron_rnn", {"cell": "lstm", "units": 8, "maps": (4, 4), "image_width": 8, "hidden": 16}),
    "2020": ("electron_cnn_2020", {"maps": (4, 4), "track_widths": (8, 8), "widths": (8, 8)}),
}


def small(make_batch, n=4, inputs=SMALL, **changes):
    batch = make_batch(n, inputs=inputs, n_scalars=3, n_tracks=inputs.n_tracks, n_features=inputs.n_track_features)
    return Batch(**{**vars(batch), **changes})


def awake(which, inputs=SMALL):
    """A network none of whose layers is zero: those that start there would hide the others."""
    network = build_model(*NETWORKS[which], inputs).eval()
    for weight in network.parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.3)
    return network


@pytest.mark.parametrize(
    ("name", "inputs", "number"),
    [
        ("electron_compact", ModelInputs(shapes=SLIDES, n_tracks=5, n_track_features=8, n_classes=2), 145_778),
        ("electron_rnn", ModelInputs(shapes=SLIDES, n_tracks=15, n_track_features=4, n_classes=2), 83_426),
        # twice 100 maps of 3 x 5 x 1 or 7 and of 3 x 5 x 100; 8 -> 200 -> 200 for a track; 3400 -> 200 -> 200 -> 6
        (
            "electron_cnn_2020",
            ModelInputs(
                shapes={"fine": (1, 56, 11), "coarse": (6, 7, 11)}, n_tracks=5, n_track_features=8, n_classes=6
            ),
            (1_600 + 10_600 + 2 * 150_100) + (1_800 + 40_200) + (3_400 * 200 + 200 + 40_200 + 1_206),
        ),
    ],
)
def test_sizes(name, inputs, number):
    assert sum(weight.numel() for weight in build_model(name, {}, inputs).parameters()) == number


@pytest.mark.parametrize("which", NETWORKS)
@pytest.mark.parametrize("n_classes", [2, 6])
def test_any_number_of_classes_with_or_without_tracks(which, n_classes, make_batch):
    for n_tracks in (5, 0):
        inputs = ModelInputs(shapes=SLIDES, n_scalars=3, n_tracks=n_tracks, n_track_features=4, n_classes=n_classes)
        logits = build_model(*NETWORKS[which], inputs)(small(make_batch, inputs=inputs))
        assert logits.shape == (4, n_classes)
        assert torch.isfinite(logits).all()


@pytest.mark.parametrize("which", NETWORKS)
def test_every_input_and_weight_matters(which, make_batch):
    batch, network = small(make_batch, n=32), awake(which)
    inputs = [*batch.images.values(), batch.scalars, batch.tracks]
    for one in inputs:
        one.requires_grad_()
    (network(batch) * torch.arange(5.0)).sum().backward()
    assert all(one.grad.abs().sum() > 0 for one in inputs)
    assert all(weight.grad.any() for weight in network.parameters())


@pytest.mark.parametrize("which", NETWORKS)
def test_a_track_of_zeros_counts_and_padding_does_not(which, make_batch):
    network, none = awake(which), torch.zeros(4, 5, dtype=torch.bool)
    one = none.clone()
    one[:, 2] = True
    counted, absent = (network(small(make_batch, tracks=torch.zeros(4, 5, 4), track_mask=mask)) for mask in (one, none))
    assert (counted != absent).any(dim=1).all()
    filled = network(small(make_batch, tracks=torch.full((4, 5, 4), torch.nan), track_mask=none))
    assert torch.equal(filled, absent)


def test_compact_marks_the_first_track_and_forgets_the_order_of_the_others(make_batch):
    batch, network = small(make_batch, track_mask=torch.ones(4, 5, dtype=torch.bool)), awake("compact")
    expected = network(batch)
    for order, same in (([0, 3, 1, 4, 2], True), ([1, 0, 2, 3, 4], False)):
        turned = network(small(make_batch, tracks=batch.tracks[:, order], track_mask=batch.track_mask))
        assert torch.allclose(turned, expected, rtol=1e-4, atol=1e-6) is same


@pytest.mark.parametrize("which", ["gru", "lstm"])
def test_memory_skips_padding_and_knows_the_order(which, make_batch):
    memory = awake(which).memory
    tracks = torch.randn(3, 4, 4)
    everything, gap = torch.ones(3, 4, dtype=torch.bool), torch.tensor([[True, False, True, True]]).expand(3, -1)
    torch.testing.assert_close(memory(tracks, gap), memory(tracks[:, [0, 2, 3]], everything[:, :3]))
    assert not torch.allclose(memory(tracks, everything), memory(tracks.flip(1), everything))
    assert (memory(tracks, ~everything) == 0).all()


def test_recurrent_network_has_a_network_for_each_layer(make_batch):
    network = awake("gru")
    assert len(network.images) == 5
    batch, changed = small(make_batch), small(make_batch)
    changed.images["energy_had"][:, 1] += 1
    for k, one in enumerate(network.images):
        one.register_forward_hook(lambda _module, inputs, _output, k=k: seen[k].append(inputs[0]))
    seen = [[] for _ in range(5)]
    network(batch), network(changed)
    assert [torch.equal(*pair) for pair in seen] == [True, True, True, True, False]


def test_coarse_images_have_the_energy_of_the_fine(make_batch):
    batch, network = small(make_batch), awake("2020")
    joined = network._joining(batch)
    assert [one.shape for one in joined] == [(4, 3, 7, 11)]
    expected = grid_images(batch, SMALL, "em")[:, 0].sum(dim=(2, 3)) * 2.5
    torch.testing.assert_close(joined[0].sum(dim=(2, 3)), expected)


def test_pixels_are_summed_to_divisors_alone():
    images = torch.rand(2, 3, 12, 8)
    torch.testing.assert_close(sum_pixels(images, (3, 2)).sum(dim=(2, 3)), images.sum(dim=(2, 3)))
    with pytest.raises(ShapeError, match="12 x 8 pixels cannot be brought to 5 x 2"):
        sum_pixels(images, (5, 2))


def test_channels_of_a_grid_are_of_order_one(make_batch):
    batch = small(make_batch)
    had = grid_channels(batch, SMALL, "had")
    torch.testing.assert_close(had[:, 0], 2.5 * batch.images["energy_had"] / batch.base_energy[:, None, None, None])


@pytest.mark.parametrize("which", NETWORKS)
def test_the_unit_of_energy_matters_only_through_its_logarithm(which, make_batch):
    network = awake(which)
    scaled = small(make_batch)
    for image in scaled.images.values():
        image.mul_(2.0)
    scaled.base_energy.mul_(2.0)
    if which == "2020":
        torch.testing.assert_close(network(scaled), network(small(make_batch)))
    else:
        assert not torch.equal(network(scaled), network(small(make_batch)))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("electron_compact", {"width": 10, "heads": 4}, "width = 10, heads = 4"),
        ("electron_compact", {"track_blocks": -1}, "setting 'track_blocks' = -1 .* at least 0"),
        ("electron_rnn", {"cell": "gro"}, "electron_rnn has no cell 'gro'; nearest: 'gru'"),
        ("electron_rnn", {"units": 0}, "setting 'units' = 0 is not allowed"),
        ("electron_cnn_2020", {"maps": (4, 0)}, r"setting 'maps\[1\]' = 0 is not allowed"),
        ("electron_cnn_2020", {"maps": (4, 4, 4)}, "nothing is left of an image of 56 x 11 .* after 3 convolutions"),
    ],
)
def test_wrong_settings_are_named(name, settings, message):
    with pytest.raises(ConfigError, match=message):
        build_model(name, settings, SMALL)


@pytest.mark.parametrize("name", ["electron_compact", "electron_rnn", "electron_cnn_2020", "object_cnn"])
def test_an_energy_is_refused(name):
    with pytest.raises(ConfigError, match=f"{name} tells classes apart; for an energy choose model 'energy_compact'"):
        build_model(name, {}, ModelInputs(shapes=SLIDES))
