"""The electron network that followed the one of 2018: fine and coarse images apart, and up to five tracks.

The Montreal group's code of 2020 has one convolutional network for each shape of image: 56 x 11 pixels for the strips,
7 x 11 for all layers. Here a layer is painted once, and its coarse image is the sum of fine pixels.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from calotools.errors import ConfigError
from calotools.models.blocks import dense
from calotools.models.checks import check_numbers, need_classes
from calotools.models.inputs import ModelInputs, grid_channels, grid_images, pixel_scale, sum_pixels

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["ElectronCNN2020"]

_KERNEL = (3, 5)
_POOLS = ((4, 1), (2, 1))  # of images with at least this many rows:
_TALL = 28


class ElectronCNN2020(nn.Module):
    """Two convolutions on the images of each shape, two layers on each track, and two on everything.

    Parameters
    ----------
    inputs : ModelInputs
        With image spec ``electron_2020`` the fine grid has the strips, and the coarse one all other layers; images of
        a finer grid are summed to the coarsest and join its stack.
    maps : tuple of int
        Of the convolutions, 3 x 5 without padding; on tall images a maximum of 4 and 2 rows follows them.
    track_widths, widths : tuple of int
        Layers on each track, whose results stand beside each other in the order of the tracks; and on everything.
    dropout : float
        After each of the latter.

    Raises
    ------
    ConfigError
        The recipe asks for an energy, or an image is too small for the convolutions.

    References
    ----------
    ATL-PHYS-PUB-2023-001 uses images, up to five tracks and six classes likewise; its layers are not public.

    Examples
    --------
    >>> shapes = {"fine": (1, 56, 11), "coarse": (6, 7, 11)}
    >>> inputs = ModelInputs(shapes=shapes, n_tracks=5, n_track_features=8, n_classes=6)
    >>> sum(parameter.numel() for parameter in ElectronCNN2020(inputs).parameters())
    1076006
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        maps: tuple[int, ...] = (100, 100),
        track_widths: tuple[int, ...] = (200, 200),
        widths: tuple[int, ...] = (200, 200),
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        n_classes = need_classes("electron_cnn_2020", inputs, instead="energy_compact")
        for name, values in (("maps", maps), ("track_widths", track_widths), ("widths", widths)):
            check_numbers("electron_cnn_2020", **{f"{name}[{k}]": value for k, value in enumerate(values)})
        self.inputs = inputs
        self.coarse = min(inputs.shapes, key=lambda grid: inputs.shapes[grid][1] * inputs.shapes[grid][2])
        joining = sum(shape[0] for grid, shape in inputs.shapes.items() if grid != self.coarse)
        self.images = nn.ModuleDict()
        n_image = 0
        for grid, (n_layer, *size) in inputs.shapes.items():
            n_in = len(inputs.quantities) * n_layer + (joining if grid == self.coarse else 0)
            self.images[grid], n_out = _image_network((n_in, *maps), (size[0], size[1]))
            n_image += n_out
        self.track = dense((inputs.n_track_features, *track_widths)) if inputs.n_track_values else None
        n_tracks = inputs.n_tracks * (inputs.n_track_features, *track_widths)[-1] if self.track else 0
        layers: list[nn.Module] = []
        n_last = n_image + n_tracks + inputs.n_scalars
        for before, after in pairwise((n_last, *widths)):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.hidden = nn.Sequential(*layers)
        self.out = nn.Linear((n_last, *widths)[-1], n_classes)
        nn.utils.convert_conv2d_weight_memory_format(self, torch.channels_last)  # faster on a CPU

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> (n, class) logits."""
        stacks = {grid: grid_channels(batch, self.inputs, grid).flatten(1, 2) for grid in self.inputs.shapes}
        stacks[self.coarse] = torch.cat([stacks[self.coarse], *self._joining(batch)], dim=1)
        known = [network(stacks[grid]) for grid, network in self.images.items()]  # (n, pixel x map) each
        if self.track is not None:
            each = self.track(torch.where(batch.track_mask[..., None], batch.tracks, 0.0))  # (n, track, 200)
            known.append(torch.where(batch.track_mask[..., None], each, 0.0).flatten(1))
        return self.out(self.hidden(torch.cat([*known, batch.scalars], dim=1)))  # (n, class)

    def _joining(self, batch: Batch) -> list[torch.Tensor]:
        """Energies on finer grids, summed to the pixels of the coarsest: (n, layer, eta, phi) each."""
        size = self.inputs.shapes[self.coarse][1:]
        which = self.inputs.quantities.index("energy")
        fine = [grid_images(batch, self.inputs, grid)[:, which] for grid in self.inputs.shapes if grid != self.coarse]
        return [sum_pixels(one, (size[0], size[1])) * pixel_scale(self.inputs, self.coarse) for one in fine]


def _image_network(maps: tuple[int, ...], size: tuple[int, int]) -> tuple[nn.Sequential, int]:
    """Convolutions on images of one shape, and how many numbers they give."""
    layers: list[nn.Module] = []
    pools = _POOLS if size[0] >= _TALL else ()
    n_eta, n_phi = size
    for k, (before, after) in enumerate(pairwise(maps)):
        layers += [nn.Conv2d(before, after, _KERNEL), nn.ReLU()]
        n_eta, n_phi = n_eta - _KERNEL[0] + 1, n_phi - _KERNEL[1] + 1
        if k < len(pools):
            layers.append(nn.MaxPool2d(pools[k]))
            n_eta, n_phi = n_eta // pools[k][0], n_phi // pools[k][1]
    if min(n_eta, n_phi) < 1:
        raise ConfigError(
            f"electron_cnn_2020: nothing is left of an image of {size[0]} x {size[1]} pixels (eta, phi) after "
            f"{len(maps) - 1} convolutions of 3 x 5; choose a finer grid in the image spec, or fewer maps"
        )
    return nn.Sequential(*layers, nn.Flatten()), maps[-1] * n_eta * n_phi
