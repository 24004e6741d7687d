"""The electron identification network of 2018: two convolutions over the layer images, joined by the tracks.

Olivier Denis, Dominique Godin and colleagues (Université de Montréal) showed it with 118,652 parameters; the layers
written on their slides give 95,952. Both readings are here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from calotools.errors import ConfigError, nearest
from calotools.models.inputs import ModelInputs, channels, finest_grid

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["ElectronCNN2018"]


class _Reading(NamedTuple):
    kernels: tuple[tuple[int, int], tuple[int, int]]
    track_image: bool


_READINGS = {
    "slides": _Reading(kernels=((3, 3), (2, 2)), track_image=False),
    "published": _Reading(kernels=((4, 3), (3, 3)), track_image=True),
}


class ElectronCNN2018(nn.Module):
    """Convolution, pool, convolution, pool, and one hidden layer that also sees the tracks.

    With image spec ``electron_slides`` (strips, middle, back, two hadronic layers), 15 tracks of 4 variables and two
    classes it has the parameters given below; other inputs are accepted and change the number.

    Parameters
    ----------
    inputs : ModelInputs
    reading : {"published", "slides"}
        ``slides``: 5 channels, 3 x 3 -> 100 maps, 2 x 2 -> 50 maps, 95,952 parameters, as the slides' text says.
        ``published``: kernels 4 x 3 and 3 x 3 and the tracks as a sixth channel, which gives the 118,652 parameters
        of the slides' table. The channel is the (track, variable) table stretched over the image: the pixel at
        (i, j) shows variable ``j * n_features // n_phi`` of track ``i * n_tracks // n_eta``, 0 where padded.

    Raises
    ------
    ConfigError
        Unknown reading, no classes, or an image too small for the two convolutions.

    Examples
    --------
    >>> shapes = {"em": (3, 56, 11), "had": (2, 7, 11)}
    >>> inputs = ModelInputs(shapes=shapes, n_tracks=15, n_track_features=4, n_classes=2)
    >>> [sum(p.numel() for p in ElectronCNN2018(inputs, reading=r).parameters()) for r in ("slides", "published")]
    [95952, 118652]
    """

    def __init__(self, inputs: ModelInputs, *, reading: str = "published") -> None:
        super().__init__()
        if reading not in _READINGS:
            raise ConfigError(f"electron_cnn_2018 has no reading '{reading}'; {nearest(reading, _READINGS)}")
        if inputs.n_classes is None:
            raise ConfigError("electron_cnn_2018 tells classes apart; for an energy choose model 'energy_cnn'")
        kernels, track_image = _READINGS[reading]
        self.inputs = inputs
        self.track_image = track_image and inputs.n_track_values > 0
        self.first = nn.Conv2d(inputs.n_channels + self.track_image, 100, kernels[0])
        self.second = nn.Conv2d(100, 50, kernels[1])
        n_image = 50 * _pixels_left(finest_grid(inputs), kernels)
        self.hidden = nn.Linear(n_image + inputs.n_track_values + inputs.n_scalars, 100)
        self.out = nn.Linear(100, inputs.n_classes)
        # Half as fast again on a CPU; the numbers are the same up to rounding.
        nn.utils.convert_conv2d_weight_memory_format(self, torch.channels_last)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> (n, class) logits."""
        tracks = torch.where(batch.track_mask[..., None], batch.tracks, 0.0)  # (n, track, feature)
        image = channels(batch, self.inputs)  # (n, 5, 56, 11)
        if self.track_image:
            table = functional.interpolate(tracks[:, None], size=image.shape[-2:], mode="nearest")  # (n, 1, 56, 11)
            image = torch.cat([image, table], dim=1)  # (n, 6, 56, 11)
        maps = functional.max_pool2d(functional.relu(self.first(image)), 2)  # (n, 100, 26, 4)
        maps = functional.max_pool2d(functional.relu(self.second(maps)), 2)  # (n, 50, 12, 1)
        features = torch.cat([maps.flatten(1), tracks.flatten(1), batch.scalars], dim=1)  # (n, 600 + 60 + scalar)
        return self.out(functional.relu(self.hidden(features)))  # (n, class)


def _pixels_left(size: tuple[int, int], kernels: tuple[tuple[int, int], ...]) -> int:
    n_eta, n_phi = size
    for kernel in kernels:
        n_eta, n_phi = (n_eta - kernel[0] + 1) // 2, (n_phi - kernel[1] + 1) // 2
    if min(n_eta, n_phi) < 1:
        raise ConfigError(
            f"electron_cnn_2018 needs images of at least 10 x 10 pixels (eta, phi), got {size[0]} x {size[1]}; "
            "choose a finer grid in the image spec"
        )
    return n_eta * n_phi
