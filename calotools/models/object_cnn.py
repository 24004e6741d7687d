"""Electron, jet, muon or tau, by the network that learns CIFAR-10: two channels for three colours, and tracks if given.

W. Islam, N. S. Ramachandra and J. T. Childers (Argonne, 2017) took Keras's example for that data set and varied its
activation, dropout and layers here, and optimiser and loss in the recipe's [trainer].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from calotools.errors import ConfigError
from calotools.models.blocks import TrackPool
from calotools.models.checks import check_numbers, need_classes
from calotools.models.convolutions import activation
from calotools.models.inputs import ModelInputs, finest_grid, grid_images, resize_sum

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["ObjectCNN"]

_KERNEL = 3
_SOFT = 1.0  # GeV; where the logarithm of a pixel's energy turns linear, about the noise of hadronic cells


class ObjectCNN(nn.Module):
    """Stages of two convolutions, the first with padding, then a maximum of 2 x 2 pixels and dropout; a hidden layer.

    Energies go in as ``asinh(E / GeV)``: those of a pixel, not fractions, because a muon's cluster has hardly any. Of a
    recipe with tracks the hidden layer also sees their sum (Deep Sets), which the study did not have.

    Parameters
    ----------
    inputs : ModelInputs
    stages : tuple of tuple of int
        Maps of the convolutions of each stage: Keras's example has ``((32, 32), (64, 64))``; the study also added
        a convolution of 128 maps, ``((32, 32), (64, 64, 128))``, and tried ``((32, 64),)``.
    hidden : int
    dropout : tuple of float
        After each stage, and after the hidden layer.
    nonlinearity : {"relu", "selu", "leaky-relu", "prelu", "elu", "silu", "gelu"}
    track_width : int
        Of the sum over the tracks.

    Raises
    ------
    ConfigError
        The recipe asks for an energy, a setting is out of range, or nothing is left of the image.

    Examples
    --------
    With CIFAR-10's three channels and ten classes it has the size of Keras's example.

    >>> network = ObjectCNN(ModelInputs(shapes={"calo": (3, 32, 32)}, n_classes=10))
    >>> sum(parameter.numel() for parameter in network.parameters())
    1250858
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        stages: tuple[tuple[int, ...], ...] = ((32, 32), (64, 64)),
        hidden: int = 512,
        dropout: tuple[float, ...] = (0.25, 0.25, 0.5),
        nonlinearity: str = "relu",
        track_width: int = 64,
    ) -> None:
        super().__init__()
        n_classes = need_classes("object_cnn", inputs, instead="energy_compact")
        check_numbers("object_cnn", hidden=hidden, track_width=track_width)
        if len(dropout) != len(stages) + 1 or not all(0 <= one < 1 for one in dropout):
            raise ConfigError(
                f"object_cnn setting dropout = {list(dropout)}: give {len(stages) + 1} numbers from 0 to 1, for each "
                f"of the {len(stages)} stages and for the hidden layer"
            )
        self.inputs = inputs
        layers: list[nn.Module] = []
        n_in, size = inputs.n_channels, finest_grid(inputs)
        for maps, lost in zip(stages, dropout, strict=False):
            for k, n_out in enumerate(maps):
                layers += [nn.Conv2d(n_in, n_out, _KERNEL, padding=0 if k else 1), activation(nonlinearity)]
                n_in, size = n_out, size if k == 0 else (size[0] - _KERNEL + 1, size[1] - _KERNEL + 1)
            layers += [nn.MaxPool2d(2), nn.Dropout(lost)]
            size = size[0] // 2, size[1] // 2
        if min(size) < 1:
            raise ConfigError(
                f"object_cnn: nothing is left of {finest_grid(inputs)} pixels (eta, phi) after stages = {stages}"
            )
        self.convolutions = nn.Sequential(*layers, nn.Flatten())
        self.tracks = TrackPool(inputs.n_track_features, track_width) if inputs.n_track_values else None
        n_flat = n_in * size[0] * size[1] + inputs.n_scalars + (track_width if self.tracks else 0)
        self.hidden = nn.Sequential(nn.Linear(n_flat, hidden), activation(nonlinearity), nn.Dropout(dropout[-1]))
        self.out = nn.Linear(hidden, n_classes)
        nn.utils.convert_conv2d_weight_memory_format(self, torch.channels_last)  # faster on a CPU

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> (n, class) logits."""
        seen = [self.convolutions(self._image(batch)), batch.scalars]  # (n, map x pixel), (n, scalar)
        if self.tracks is not None:
            seen.append(self.tracks(batch.tracks, batch.track_mask))  # (n, track_width)
        return self.out(self.hidden(torch.cat(seen, dim=1)))  # (n, class)

    def _image(self, batch: Batch) -> torch.Tensor:
        size, base = finest_grid(self.inputs), batch.base_energy.clamp(min=1e-3)[:, None, None, None]
        stacks = []
        for grid in self.inputs.shapes:
            images = grid_images(batch, self.inputs, grid)  # (n, quantity, layer, eta, phi)
            for k, quantity in enumerate(self.inputs.quantities):
                if quantity in ("energy", "noise"):
                    stacks.append(torch.asinh(resize_sum(images[:, k] * base, size) / _SOFT))
                else:
                    stacks.append(nn.functional.interpolate(images[:, k], size=size, mode="nearest"))
        return torch.cat(stacks, dim=1)  # (n, channel, 32, 32)
