"""Electron identification by six networks: a recurrent one on the tracks, and a convolution on each layer's image.

The design that the Montreal group announced in 2018 after its convolutional network, with five images; it was not
published, so that the sizes here are calotools' own.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from calotools.models.blocks import dense
from calotools.models.checks import check_choice, check_numbers, need_classes
from calotools.models.convolutions import after_pooling
from calotools.models.inputs import ModelInputs, grid_channels, log_energy

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["ElectronRNN"]

_CELLS: dict[str, type[nn.GRUCell | nn.LSTMCell]] = {"gru": nn.GRUCell, "lstm": nn.LSTMCell}


class ElectronRNN(nn.Module):
    """One recurrent network on the tracks, one convolutional network on each layer, and a hidden layer on all of them.

    The tracks are read from the last to the first, so that the matched one is the freshest in memory; a padded one
    leaves the memory as it is.

    Parameters
    ----------
    inputs : ModelInputs
    cell : {"gru", "lstm"}
    units : int
        Of the memory.
    maps : tuple of int
        Of each layer's convolutions.
    image_width : int
        Numbers that each layer's network gives.
    hidden : int

    Raises
    ------
    ConfigError
        The recipe asks for an energy, there is no such cell, or a setting is not a positive whole number.

    References
    ----------
    Cho et al., arXiv:1406.1078 (GRU); Hochreiter and Schmidhuber, Neural Computation 9 (1997) 1735 (LSTM).

    Examples
    --------
    >>> shapes = {"em": (3, 56, 11), "had": (2, 7, 11)}
    >>> inputs = ModelInputs(shapes=shapes, n_tracks=15, n_track_features=4, n_classes=2)
    >>> network = ElectronRNN(inputs)
    >>> len(network.images), sum(parameter.numel() for parameter in network.parameters())
    (5, 83426)
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        cell: str = "gru",
        units: int = 32,
        maps: tuple[int, ...] = (16, 32),
        image_width: int = 32,
        hidden: int = 64,
    ) -> None:
        super().__init__()
        n_classes = need_classes("electron_rnn", inputs, instead="energy_compact")
        check_choice("electron_rnn", "cell", cell, _CELLS)
        check_numbers("electron_rnn", units=units, image_width=image_width, hidden=hidden)
        self.inputs = inputs
        self.memory = _Memory(inputs.n_track_features, units, cell=cell) if inputs.n_track_values else None
        self.images = nn.ModuleList(
            _layer_network(len(inputs.quantities), (shape[1], shape[2]), maps=tuple(maps), width=image_width)
            for shape in inputs.shapes.values()
            for _ in range(shape[0])
        )
        n_known = image_width * len(self.images) + (units if self.memory else 0) + inputs.n_scalars + 1
        self.hidden = dense((n_known, hidden, hidden))
        self.out = nn.Linear(hidden, n_classes)
        nn.utils.convert_conv2d_weight_memory_format(self, torch.channels_last)  # faster on a CPU

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> (n, class) logits."""
        stacks = [grid_channels(batch, self.inputs, grid) for grid in self.inputs.shapes]
        layers = [stack[:, :, layer] for stack in stacks for layer in range(stack.shape[2])]  # (n, quantity, eta, phi)
        known = [network(layer) for network, layer in zip(self.images, layers, strict=True)]  # (n, 32) each
        if self.memory is not None:
            known.append(self.memory(batch.tracks, batch.track_mask))  # (n, unit)
        return self.out(self.hidden(torch.cat([*known, batch.scalars, log_energy(batch)], dim=1)))


class _Memory(nn.Module):
    """What is left of the tracks after reading them one by one."""

    def __init__(self, n_features: int, units: int, *, cell: str) -> None:
        super().__init__()
        self.units = units
        self.cell = _CELLS[cell](n_features, units)

    def forward(self, tracks: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(n, track, feature) and (n, track) bool -> (n, unit); 0 without a track."""
        tracks = torch.where(mask[..., None], tracks, 0.0)
        output, state = (tracks.new_zeros(len(tracks), self.units) for _ in range(2))
        for k in reversed(range(tracks.shape[1])):
            real = mask[:, k, None]
            if isinstance(self.cell, nn.LSTMCell):
                found, kept = self.cell(tracks[:, k], (output, state))
                state = torch.where(real, kept, state)
            else:
                found = self.cell(tracks[:, k], output)
            output = torch.where(real, found, output)
        return output


def _layer_network(n_in: int, size: tuple[int, int], *, maps: tuple[int, ...], width: int) -> nn.Sequential:
    """Convolutions of one layer's image, each followed by a downsampling while there is something to shrink."""
    layers: list[nn.Module] = []
    for before, after in pairwise((n_in, *maps)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        if min(size) > 1:
            size, factors = after_pooling(size)
            layers.append(nn.MaxPool2d(factors))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear((n_in, *maps)[-1] * size[0] * size[1], width), nn.ReLU())
