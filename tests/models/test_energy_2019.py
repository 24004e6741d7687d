"""The 2019 energy network: the published sizes, every setting, and what its peers got wrong silently."""

import pytest
import torch

from calotools.errors import ConfigError
from calotools.models import EnergyCNN2019, ModelInputs
from calotools.models.convolutions import ConvSettings, DropBlock, SqueezeExcite, Stage
from calotools.models.gate import Gate, Gauss
from calotools.models.switch_norm import SwitchNorm

EM = {"em": (4, 56, 11)}
SMALL = {"depths": (1, 1), "filters": 4, "size": (56, 11)}
FULL = ModelInputs(shapes=EM, quantities=("energy", "time", "noise"), n_scalars=3, n_tracks=5, n_track_features=4)


def n_parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def learn_a_little(model, batch):
    """A few steps: layers that start at zero hide those before them for one step each."""
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4)
    for _ in range(5):
        optimizer.zero_grad()
        ((model(batch) / batch.base_energy - 0.9) ** 2).mean().backward()
        optimizer.step()
    return model.eval()


@pytest.mark.parametrize(
    ("inputs", "gate", "millions"),
    [
        (ModelInputs(shapes=EM), "none", 1.836),
        (ModelInputs(shapes=EM, n_scalars=14), "none", 3.515),
        (
            ModelInputs(shapes=EM, quantities=("energy", "noise"), n_scalars=12, n_tracks=10, n_track_features=4),
            "concatenate",
            3.632,
        ),
    ],
)
def test_published_configurations_have_the_published_sizes(inputs, gate, millions):
    assert round(n_parameters(EnergyCNN2019(inputs, gate=gate)) / 1e6, 3) == millions


@pytest.mark.parametrize(
    "settings",
    [
        {"block": "simple", "downsampling": "average", "norm": "layer", "global_pool": True},
        {"block": "residual", "downsampling": "strided", "norm": "instance", "squeeze": 2, "nonlinearity": "silu"},
        {"block": "resnet18", "norm": "group", "groups": 2, "nonlinearity": "elu", "final": "linear"},
        {"dimensions": 3, "gate": "multiply", "gate_activation": "gauss", "nonlinearity": "prelu"},
        {"dimensions": 3, "block": "residual", "downsampling": "strided", "norm": "none", "nonlinearity": "gelu"},
        {"gate": "concatenate", "gate_activation": "gauss-flipped", "network_in_network": (8, 4), "dropout": 0.2},
        {"scalars_to": ("top",), "tracks_to": ("film", "top"), "drop_block": 0.1, "nonlinearity": "relu"},
        {"scalars_to": ("top",), "tracks_to": ("top",), "film_widths": ()},
        {"norm": "switch", "initialisation": "orthogonal"},
        {"dimensions": 3, "norm": "switch", "block": "resnet18", "nonlinearity": "selu"},
        {"network_in_network": (16, 16), "global_pool": True, "top_widths": ()},
    ],
)
def test_every_setting_starts_at_the_base_energy_and_learns(make_batch, settings):
    batch = make_batch(6, inputs=FULL, n_scalars=3, n_tracks=5, n_features=4)
    model = EnergyCNN2019(FULL, **SMALL, **settings)
    torch.testing.assert_close(model(batch), batch.base_energy)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    learn_a_little(model, batch)
    moved = [bool((old != new).any()) for old, new in zip(before, model.parameters(), strict=True)]
    assert sum(moved) > 0.7 * len(moved)  # a bias before a normalisation has no gradient
    assert torch.isfinite(model(batch)).all()


def test_scalars_and_tracks_matter_through_film(make_batch):
    batch = make_batch(4, inputs=FULL, n_scalars=3, n_tracks=5, n_features=4)
    model = learn_a_little(EnergyCNN2019(FULL, **SMALL), batch)
    other = make_batch(4, seed=1, inputs=FULL, n_scalars=3, n_tracks=5, n_features=4)
    same_images = type(batch)(**{**vars(batch), "scalars": other.scalars})
    same_scalars = type(batch)(**{**vars(batch), "tracks": other.tracks})
    assert not torch.equal(model(batch), model(same_images))
    assert not torch.equal(model(batch), model(same_scalars))


def test_a_real_track_with_a_zero_feature_counts_and_padding_does_not(make_batch):
    batch = make_batch(2, inputs=FULL, n_scalars=3, n_tracks=5, n_features=4)
    model = EnergyCNN2019(FULL, **SMALL)
    tracks = batch.tracks.clone()
    tracks[:, 0, 2] = 0.0
    one, none = (torch.zeros(2, 5, dtype=torch.bool) for _ in range(2))
    one[:, 0] = True
    assert not torch.equal(model.tracks(tracks, one), model.tracks(tracks, none))
    assert torch.equal(model.tracks(tracks, none), model.tracks(torch.full_like(tracks, torch.nan), none))


def test_images_are_enlarged_with_their_energy(make_batch):
    batch = make_batch(3, inputs=FULL)
    model = EnergyCNN2019(ModelInputs(shapes=EM), **{**SMALL, "size": (112, 55)})
    image = model._images(batch)
    assert image.shape == (3, 4, 112, 55)
    torch.testing.assert_close(
        image.sum(dim=(2, 3)), 20 * batch.images["energy_em"].sum(dim=(2, 3)) / batch.base_energy[:, None]
    )


def test_gate_sees_each_pixel_alone():
    gate = Gate(2, 3, how="multiply", widths=(8,), final="sigmoid")
    energy, other = torch.rand(1, 3, 4, 5), torch.rand(1, 2, 4, 5)
    changed = other.clone()
    changed[..., 1, 2] += 1
    difference = (gate(energy, changed) != gate(energy, other)).any(dim=1)[0]
    assert difference.nonzero().tolist() == [[1, 2]]
    assert (gate(energy, other) <= energy).all()


def test_gauss_has_its_width():
    x = torch.tensor([[[0.0, 0.5]]])[None]
    torch.testing.assert_close(Gauss(1, sigma=0.5)(x)[0, 0, 0], torch.tensor([1.0, torch.e**-1]))
    torch.testing.assert_close(Gauss(1, sigma=0.5, flipped=True)(x)[0, 0, 0], torch.tensor([0.0, 1 - torch.e**-1]))


def test_drop_block_keeps_the_mean_and_drops_blocks():
    dropped = DropBlock(0.2)(torch.ones(64, 4, 24, 24))
    assert dropped.mean().item() == pytest.approx(1.0, abs=1e-5)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.2, abs=0.04)
    gone = (dropped[0, 0] == 0).float()
    assert torch.nn.functional.avg_pool2d(gone[None, None], 3, stride=1).max() == 1  # whole blocks of 3 x 3


def test_squeeze_and_excite_scales_whole_maps():
    maps = torch.rand(2, 6, 5, 5)
    ratio = SqueezeExcite(6, 2)(maps) / maps
    torch.testing.assert_close(ratio, ratio[:, :, :1, :1].expand_as(ratio))


def test_switch_norm_is_each_of_its_ways_where_that_has_the_whole_share():
    maps = 3 + 2 * torch.randn(16, 6, 5, 4)
    ways = [torch.nn.InstanceNorm2d(6), torch.nn.GroupNorm(1, 6), torch.nn.BatchNorm2d(6)]
    for number, way in enumerate(ways):
        norm = SwitchNorm(6)
        with torch.no_grad():
            norm.mean_shares[number] = norm.variance_shares[number] = 50.0
        torch.testing.assert_close(norm(maps), way(maps), rtol=1e-3, atol=1e-4)
    # in evaluation a candidate does not depend on the others, and statistics are those of training
    for _ in range(100):
        norm(maps)
    norm.eval()
    torch.testing.assert_close(norm(maps[:1]), norm(maps)[:1])
    torch.testing.assert_close(norm(maps), ways[2](maps), rtol=1e-2, atol=1e-2)


def test_switch_norm_of_half_as_many_bits_is_the_same_up_to_them():
    maps = (3 + 0.1 * torch.randn(16, 6, 5, 4)).bfloat16()
    scaled = SwitchNorm(6)(maps)
    assert scaled.dtype == torch.bfloat16
    torch.testing.assert_close(scaled.float(), SwitchNorm(6)(maps.float()), rtol=0.01, atol=0.01)


def test_orthogonal_weights_are_orthogonal_and_begin_at_the_base_energy(make_batch):
    model = EnergyCNN2019(FULL, **SMALL, initialisation="orthogonal")
    weight = model.hidden[0][-2].weight.detach()
    torch.testing.assert_close(weight @ weight.T, torch.eye(len(weight)), rtol=0, atol=1e-4)
    batch = make_batch(2, inputs=FULL, n_scalars=3, n_tracks=5, n_features=4)
    torch.testing.assert_close(model(batch), batch.base_energy)


def test_modulated_stage_has_no_scale_of_its_own():
    stage = Stage(2, 4, depth=2, kernel=3, settings=ConvSettings(modulated=True))
    assert [unit.normalise.affine for unit in stage.units] == [False, True]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"block": "residul"}, "no block 'residul'.*residual"),
        ({"norm": "bach"}, "no normalisation 'bach'.*batch"),
        ({"nonlinearity": "leaky"}, "no activation 'leaky'.*leaky-relu"),
        ({"downsampling": "maximum"}, "no downsampling 'maximum'"),
        ({"gate": "multipy"}, "no gate 'multipy'.*multiply"),
        ({"gate": "multiply", "gate_activation": "gaus"}, "no gate_activation 'gaus'.*gauss"),
        ({"scalars_to": ("topp",)}, "scalars_to = 'topp' is no place.*top"),
        ({"final": "relux"}, "no final = 'relux'"),
        ({"dimensions": 4}, "dimensions = 4 is not allowed"),
        ({"initialisation": "orthogonl"}, "orthogonl.*orthogonal"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        EnergyCNN2019(FULL, **SMALL, **settings)


def test_a_gate_needs_something_to_gate_with():
    with pytest.raises(ConfigError, match="needs a quantity beside the energy"):
        EnergyCNN2019(ModelInputs(shapes=EM), gate="multiply")


def test_classes_are_refused():
    with pytest.raises(ConfigError, match="returns an energy"):
        EnergyCNN2019(ModelInputs(shapes=EM, n_classes=2))


@pytest.mark.parametrize("groups", [3, 0])
def test_groups_that_would_be_none_are_refused(groups):
    with pytest.raises(ConfigError, match=rf"filters = 4, groups = {groups}: .* give a number that divides filters"):
        EnergyCNN2019(ModelInputs(shapes=EM), **SMALL, groups=groups)


def test_groups_share_the_maps_of_later_stages():
    model = EnergyCNN2019(ModelInputs(shapes=EM), **SMALL, groups=4)
    assert [one.convolve.groups for stage in model.pyramid.stages for one in stage.units] == [4, 4]
