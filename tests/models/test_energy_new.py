"""The compact and the point-cloud energy networks: sizes, masks, symmetries, settings."""

import pytest
import torch

from calotools.containers import Batch
from calotools.errors import ConfigError
from calotools.models import ModelInputs, build_model
from calotools.models.attention import AttentionBlock
from calotools.models.blocks import Condition, waves
from calotools.models.cells import CellSet, find_cells

PUBLISHED = ModelInputs(shapes={"em": (4, 56, 11)}, n_scalars=12, n_tracks=10, n_track_features=4)
SMALL = ModelInputs(shapes={"em": (2, 14, 10), "had": (1, 7, 5)}, n_scalars=3, n_tracks=5, n_track_features=2)
NETWORKS = {
    "compact": ("energy_compact", {"maps": 8, "blocks": 1, "condition": 8}),
    "waves": ("energy_compact", {"maps": 8, "blocks": 1, "condition": 8, "octaves": 3}),
    "sets": ("energy_cloud", {"cells": 40, "width": 8, "blocks": 0, "heads": 2}),
    "attention": ("energy_cloud", {"cells": 40, "width": 8, "blocks": 2, "heads": 2}),
}


def small(make_batch, n=6, **changes):
    batch = make_batch(n, inputs=SMALL, n_scalars=3, n_tracks=5, n_features=2)
    return Batch(**{**vars(batch), **changes})


def awake(which):
    """A network none of whose layers is zero: the last ones start there, and would hide the others."""
    network = build_model(*NETWORKS[which], SMALL).eval()
    for weight in network.parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.3)
    return network


@pytest.mark.parametrize("name", ["energy_compact", "energy_cloud"])
def test_size_is_a_tenth_of_the_published(name):
    assert sum(weight.numel() for weight in build_model(name, {}, PUBLISHED).parameters()) <= 363_200


@pytest.mark.parametrize("which", NETWORKS)
def test_starts_at_the_base_energy(which, make_batch):
    batch = small(make_batch)
    assert torch.equal(build_model(*NETWORKS[which], SMALL)(batch), batch.base_energy)


@pytest.mark.parametrize("which", NETWORKS)
def test_every_input_and_weight_matters(which, make_batch):
    batch, network = small(make_batch), awake(which)
    inputs = [*batch.images.values(), batch.scalars, batch.tracks, batch.base_energy]
    for one in inputs:
        one.requires_grad_()
    network(batch).sum().backward()
    assert all(one.grad.abs().sum() > 0 for one in inputs)
    # a shift of all keys changes no attention: such a bias has no gradient but rounding
    assert all(weight.grad.any() for weight in network.parameters())


@pytest.mark.parametrize("which", NETWORKS)
def test_one_candidate_does_not_depend_on_the_others(which, make_batch):
    batch, network = small(make_batch), awake(which)
    alone = Batch(**{**vars(batch), "images": {key: image[:1] for key, image in batch.images.items()}})
    alone = Batch(**{**vars(alone), **{k: v[:1] for k, v in vars(batch).items() if k != "images"}})
    torch.testing.assert_close(network(batch)[:1], network(alone))


@pytest.mark.parametrize("which", NETWORKS)
def test_a_track_of_zeros_counts_and_padding_does_not(which, make_batch):
    network, none = awake(which), torch.zeros(6, 5, dtype=torch.bool)
    one = none.clone()
    one[:, 2] = True
    zeros = torch.zeros(6, 5, 2)
    counted, absent = (network(small(make_batch, tracks=zeros, track_mask=mask)) for mask in (one, none))
    assert (counted != absent).all()
    filled = network(small(make_batch, tracks=torch.full((6, 5, 2), torch.nan), track_mask=none))
    assert torch.equal(filled, absent)


@pytest.mark.parametrize("which", NETWORKS)
def test_order_of_tracks_does_not_matter(which, make_batch):
    batch, network, order = small(make_batch), awake(which), torch.tensor([3, 0, 4, 1, 2])
    turned = small(make_batch, tracks=batch.tracks[:, order], track_mask=batch.track_mask[:, order])
    torch.testing.assert_close(network(batch), network(turned))


@pytest.mark.parametrize("which", ["sets", "attention"])
def test_order_of_cells_does_not_matter_and_padding_is_not_read(which, make_batch):
    batch, network = small(make_batch), awake(which)
    cells = find_cells(batch, SMALL, most=30)
    condition = torch.randn(6, 8)
    expected = network.correction(cells, condition, batch.base_energy)
    order = torch.randperm(30)
    turned = CellSet(*(getattr(cells, name)[:, order] for name in CellSet.__annotations__))
    torch.testing.assert_close(network.correction(turned, condition, batch.base_energy), expected)

    def pad(values):
        return torch.cat([values, torch.full_like(values[:, :7], 3)], dim=1)

    layer = torch.cat([cells.layer, cells.layer[:, :7]], dim=1)
    mask = torch.cat([cells.mask, torch.zeros_like(cells.mask[:, :7])], dim=1)
    padded = CellSet(pad(cells.energy), layer, pad(cells.geometry), pad(cells.other), mask)
    torch.testing.assert_close(network.correction(padded, condition, batch.base_energy), expected)


@pytest.mark.parametrize("which", NETWORKS)
def test_a_candidate_without_cells_and_tracks_has_an_energy(which, make_batch):
    batch = small(make_batch, track_mask=torch.zeros(6, 5, dtype=torch.bool))
    for image in batch.images.values():
        image.zero_()
    assert torch.isfinite(awake(which)(batch)).all()


def test_attention_with_16_bits_keeps_32_on_a_processor(monkeypatch):
    torch.manual_seed(3)
    seen = []
    attend = torch.nn.functional.scaled_dot_product_attention
    monkeypatch.setattr(
        torch.nn.functional,
        "scaled_dot_product_attention",
        lambda *args, **kwargs: seen.append(args[0].dtype) or attend(*args, **kwargs),
    )
    block, tokens, mask = AttentionBlock(8, 2), torch.rand(3, 5, 8), torch.ones(3, 5, dtype=torch.bool)
    torch.nn.init.normal_(block.gather.weight)
    exact = block(tokens, mask)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = block(tokens, mask)
    assert seen == [torch.float32, torch.float32]
    assert 0 < (rounded - exact).abs().max() < 0.1


def test_attention_sees_the_others():
    torch.manual_seed(2)
    block, tokens, mask = AttentionBlock(8, 2), torch.randn(1, 4, 8), torch.tensor([[True, True, False, True]])
    torch.nn.init.normal_(block.gather.weight)
    changed = tokens.clone()
    changed[0, 3] += 1
    assert (block(tokens, mask)[0, :2] != block(changed, mask)[0, :2]).any()
    changed = tokens.clone()
    changed[0, 2] += 1
    assert torch.equal(block(tokens, mask)[0, [0, 1, 3]], block(changed, mask)[0, [0, 1, 3]])


def test_waves_are_those_of_their_lengths():
    values = torch.linspace(-2, 2, 41)[:, None]  # (n, 1)
    found = waves(values, 6)
    assert torch.equal(found[:, :1], values)
    for octave in range(6):
        length = 4.0 / 2**octave
        expected = torch.sin(2 * torch.pi * values / length), torch.cos(2 * torch.pi * values / length)
        torch.testing.assert_close(found[:, [1 + octave, 7 + octave]], torch.cat(expected, dim=1), atol=2e-5, rtol=0)
    assert torch.equal(waves(values, 0), values)


@pytest.mark.parametrize("octaves", [0, 6])
def test_waves_make_a_narrow_structure_easy(octaves):
    """A crack of a twentieth of a unit: without waves most of it is not learnt in the same number of steps."""
    torch.manual_seed(3)
    where = torch.linspace(-1, 1, 801)[:, None]  # (n, 1)
    wanted = ((where[:, 0].abs() - 0.55).abs() < 0.05).float()
    nothing = torch.zeros(801, 1)
    batch = Batch(
        images={},
        scalars=where,
        tracks=torch.zeros(801, 0, 0),
        track_mask=torch.zeros(801, 0, dtype=torch.bool),
        base_energy=torch.ones(801),
        target=wanted,
        weight=torch.ones(801),
        row=torch.arange(801),
    )
    condition = Condition(ModelInputs(shapes={}, n_scalars=1), n_sums=1, width=32, octaves=octaves)
    last = torch.nn.Linear(32, 1)
    optimiser = torch.optim.Adam([*condition.parameters(), *last.parameters()], lr=3e-3)
    for _ in range(150):
        optimiser.zero_grad()
        loss = torch.nn.functional.mse_loss(last(condition(batch, nothing))[:, 0], wanted)
        loss.backward()
        optimiser.step()
    left = loss.item() / wanted.var().item()
    assert left < 0.25 if octaves else left > 0.5


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("energy_compact", {"maps": 0}, "energy_compact setting 'maps' = 0 is not allowed"),
        ("energy_compact", {"octaves": -1}, "setting 'octaves' = -1 .* at least 0"),
        ("energy_cloud", {"blocks": -1}, "setting 'blocks' = -1 .* at least 0"),
        ("energy_cloud", {"cells": 1.5}, "setting 'cells' = 1.5 is not allowed"),
        ("energy_cloud", {"width": 10, "heads": 4}, "width = 10, heads = 4: heads share the width"),
    ],
)
def test_wrong_settings_are_named(name, settings, message):
    with pytest.raises(ConfigError, match=message):
        build_model(name, settings, SMALL)


@pytest.mark.parametrize("name", ["energy_compact", "energy_cloud"])
def test_classes_are_refused(name):
    with pytest.raises(ConfigError, match=f"{name} returns an energy; for classes choose model"):
        build_model(name, {}, ModelInputs(shapes={"em": (4, 56, 11)}, n_classes=2))
