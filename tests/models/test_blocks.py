"""Shared blocks: masks come from lengths, and blocks start as the identity."""

import torch

from calotools.models.blocks import FiLM, ResidualBlock, TrackPool


def test_a_real_track_with_zero_features_counts():
    pool = TrackPool(4, 8)
    tracks = torch.zeros(1, 3, 4)
    none, one = (pool(tracks, torch.tensor([[real, False, False]])) for real in (False, True))
    assert torch.equal(none, torch.zeros(1, 8))
    assert not torch.equal(one, none)


def test_what_stands_in_the_padding_does_not_matter():
    pool = TrackPool(4, 8)
    tracks, mask = torch.randn(2, 3, 4), torch.tensor([[True, True, False], [True, False, False]])
    dirty = torch.where(mask[..., None], tracks, torch.nan)
    assert torch.equal(pool(tracks, mask), pool(dirty, mask))


def test_padding_gets_no_gradient():
    pool = TrackPool(2, 4)
    tracks = torch.randn(1, 2, 2, requires_grad=True)
    pool(tracks, torch.tensor([[True, False]])).sum().backward()
    assert torch.isfinite(tracks.grad).all()
    assert torch.equal(tracks.grad[0, 1], torch.zeros(2))


def test_order_of_tracks_does_not_matter():
    pool = TrackPool(4, 8)
    tracks, mask = torch.randn(5, 6, 4), torch.rand(5, 6) < 0.6
    order = torch.randperm(6)
    torch.testing.assert_close(pool(tracks, mask), pool(tracks[:, order], mask[:, order]))


def test_film_scales_and_shifts_each_map():
    film = FiLM(1, 2)
    with torch.no_grad():
        film.generate.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 5.0]))
    maps = torch.ones(1, 2, 3, 3)
    assert film(maps, torch.zeros(1, 1))[0, :, 0, 0].tolist() == [2.0, 6.0]


def test_residual_block_starts_near_the_identity_and_learns():
    block = ResidualBlock(4, 3)
    maps = torch.rand(2, 4, 7, 5)
    with torch.no_grad():
        block.second.bias.zero_()
    assert torch.equal(block(maps, torch.zeros(2, 3)), maps)
    block(maps, torch.ones(2, 3)).sum().backward()
    assert block.second.weight.grad.abs().sum() > 0
