"""Channels: energy is kept, fractions do not depend on the unit, wrong images are named."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from calotools.errors import ShapeError
from calotools.models.inputs import PIXEL_SCALE, ModelInputs, channels, resize_sum

INPUTS = ModelInputs(shapes={"em": (3, 56, 11), "had": (2, 7, 11)})


@settings(max_examples=20)
@given(eta=st.integers(1, 4), phi=st.integers(1, 4), up_eta=st.integers(1, 8), up_phi=st.integers(1, 5))
def test_resizing_keeps_every_layers_energy(eta, phi, up_eta, up_phi):
    images = torch.rand(3, 2, eta, phi)
    finer = resize_sum(images, (eta * up_eta, phi * up_phi))
    assert finer.shape == (3, 2, eta * up_eta, phi * up_phi)
    torch.testing.assert_close(finer.sum(dim=(2, 3)), images.sum(dim=(2, 3)))


def test_a_grid_that_is_no_multiple_is_refused():
    with pytest.raises(ShapeError, match="7 x 11 pixels cannot be brought to 55 x 11"):
        resize_sum(torch.ones(1, 1, 7, 11), (55, 11))


def test_channels_are_fractions_in_layer_order(make_batch):
    batch = make_batch(inputs=INPUTS)
    stack = channels(batch, INPUTS)
    assert stack.shape == (4, 5, 56, 11)
    sums = torch.cat([batch.images[key].sum(dim=(2, 3)) for key in ("energy_em", "energy_had")], dim=1)
    torch.testing.assert_close(stack.sum(dim=(2, 3)) / PIXEL_SCALE, sums / batch.base_energy[:, None])


def test_quantities_become_channels(make_batch):
    inputs = ModelInputs(shapes={"em": (4, 56, 11)}, quantities=("energy", "time", "gain", "noise"))
    batch = make_batch(inputs=inputs)
    stack = channels(batch, inputs)
    assert stack.shape[1] == inputs.n_channels == 16
    torch.testing.assert_close(stack[:, 4:8], batch.images["time_em"] / 10)
    torch.testing.assert_close(stack[:, 8:12], batch.images["gain_em"] / 3)


def test_a_wrong_or_absent_image_is_named(make_batch):
    batch = make_batch(inputs=INPUTS)
    wrong = ModelInputs(shapes={"em": (4, 56, 11), "had": (2, 7, 11)})
    with pytest.raises(ShapeError, match=r"image 'energy_em' of \(layer, eta, phi\) = \(4, 56, 11\).*\(3, 56, 11\)"):
        channels(batch, wrong)
    with pytest.raises(ShapeError, match=r"'noise_em'.*absent.*the batch holds"):
        channels(batch, ModelInputs(shapes=INPUTS.shapes, quantities=("noise",)))
