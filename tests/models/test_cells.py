"""Cells found in images are the cells that were painted: their energy, place, extent and number."""

import awkward as ak
import numpy as np
import pytest
import torch

from calotools.containers import Batch
from calotools.images import build_images
from calotools.models import ModelInputs
from calotools.models.cells import find_cells, rectangles
from calotools.training.loading.batches import make_batch

EM = ModelInputs(shapes={"em": (4, 56, 11)})
FULL = ModelInputs(shapes={"em": (4, 56, 11)}, quantities=("energy", "time", "gain", "noise"))
BOTH = ModelInputs(shapes={"em": (3, 56, 11), "had": (2, 7, 11)})
PITCH = 2 * np.pi / 256


def painted(cells, spec):
    """A batch of one candidate of 10 GeV with some cells, in the barrel."""
    candidates = ak.Array([{"eta_cluster": 0.4125, "phi_cluster": 0.5 * PITCH, "cells": cells}])
    images = build_images(candidates, spec)
    none = np.zeros((1, 0, 0), np.float32), np.zeros((1, 0), bool)
    return make_batch(images.values, scalars=np.zeros((1, 0), np.float32), tracks=none, base_energy=np.float32([10]))


def cell(e, sampling, *, eta=0.4125, phi=0.5 * PITCH, **more):
    return {"e": e, "eta": eta, "phi": phi, "sampling": sampling, **more}


def test_painted_cells_are_found_again():
    cells = [
        cell(6.0, 2),
        cell(1.0, 2, eta=0.4375),
        cell(-0.5, 2, phi=1.5 * PITCH),
        cell(2.0, 1, eta=0.4125 - 0.025 / 16, phi=2 * PITCH),  # 1 x 4 pixels
    ]
    found = find_cells(painted(cells, "energy"), EM, most=9)
    assert found.mask[0].tolist() == [True] * 4 + [False] * 5
    torch.testing.assert_close(found.energy[0, :5], torch.tensor([0.6, 0.2, 0.1, -0.05, 0.0]))
    assert found.layer[0, :4].tolist() == [2, 1, 2, 2]
    eta, phi, tall, wide = found.geometry[0, :4].T.double()
    torch.testing.assert_close(tall * 56, torch.tensor([8.0, 1.0, 8.0, 8.0]).double())
    torch.testing.assert_close(wide * 11, torch.tensor([1.0, 4.0, 1.0, 1.0]).double())
    close = {"atol": 1e-6, "rtol": 0}
    torch.testing.assert_close(eta, torch.tensor([0.0, -1 / 56, 2 / 7, 0.0]).double(), **close)
    torch.testing.assert_close(phi, torch.tensor([0.0, 3 / 11, 0.0, 2 / 11]).double(), **close)


def test_time_gain_and_noise_are_the_cells():
    cells = [cell(5.0, 2, time=3.0, gain=1, noise=0.2), cell(0.0, 2, eta=0.4375, time=0.0, gain=0, noise=0.1)]
    found = find_cells(painted(cells, "energy_full"), FULL, most=4)
    assert found.mask[0].tolist() == [True, True, False, False]  # a cell of no energy is a cell
    torch.testing.assert_close(found.other[0, :2], torch.tensor([[0.3, 2 / 3, 0.02], [0.0, 1 / 3, 0.01]]))


@pytest.mark.parametrize("inputs", [EM, FULL, BOTH], ids=["energies", "all quantities", "two grids"])
def test_energy_is_kept_in_every_layer(make_batch, inputs):
    batch = make_batch(3, inputs=inputs)
    coarse = {key: (image * 4).round() / 4 * (image > 0.3) for key, image in batch.images.items()}  # equal neighbours
    batch = Batch(**{**vars(batch), "images": coarse})
    found = find_cells(batch, inputs, most=10_000)
    sums = torch.cat([coarse[f"energy_{grid}"].sum(dim=(2, 3)) for grid in inputs.shapes], dim=1)
    for layer in range(sums.shape[1]):
        own = torch.where(found.layer == layer, found.energy, 0.0).sum(dim=1)
        torch.testing.assert_close(own, sums[:, layer] / batch.base_energy)


def test_the_strongest_are_kept(make_batch):
    batch = make_batch(3, inputs=BOTH)
    everything, some = find_cells(batch, BOTH, most=10_000), find_cells(batch, BOTH, most=50)
    assert some.mask.all()
    torch.testing.assert_close(some.energy, everything.energy[:, :50])
    assert (some.energy.abs().diff(dim=1) <= 0).all()


def test_rectangles_tile_the_image():
    torch.manual_seed(3)
    image = torch.randint(0, 2, (5, 2, 3, 6, 7)).float()
    corner, height, width = rectangles(image)
    assert ((height * width * corner).sum(dim=(2, 3)) == 42).all()
    for i, layer, top, left in corner.nonzero().tolist():
        h, w = height[i, layer, top, left], width[i, layer, top, left]
        inside = image[i, :, layer, top : top + h, left : left + w]
        assert (inside == inside[:, :1, :1]).all()
