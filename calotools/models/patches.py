"""Images cut into patches of one middle-layer cell, and residual blocks on them: the trunk of the compact networks."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from calotools.models.blocks import FiLM, ResidualBlock, signed_root

__all__ = ["PatchTrunk"]

_ROWS = 7  # of patches along eta


class PatchTrunk(nn.Module):
    """One convolution for each patch, residual blocks among patches, all with FiLM, and three ways of pooling.

    On 56 x 11 pixels a patch is 8 x 1, a middle-layer cell, and the convolution sees it with its neighbours in phi:
    its 8 strips are inputs beside each other. Pixels go in as they are and as signed roots, which lift the faint ones.
    Other grids are cut into at most seven rows likewise; what is missing of the last one is filled with zeros.

    Parameters
    ----------
    n_channels : int
        Of the images.
    n_eta : int
        Their rows.
    maps, blocks, condition : int
        Maps; residual blocks; width of the vector that FiLM is generated from.

    Examples
    --------
    >>> trunk = PatchTrunk(4, 56, maps=8, blocks=1, condition=3)
    >>> trunk(torch.rand(2, 4, 56, 11), torch.rand(2, 56, 11), torch.rand(2, 3)).shape
    torch.Size([2, 24])
    """

    def __init__(self, n_channels: int, n_eta: int, *, maps: int, blocks: int, condition: int) -> None:
        super().__init__()
        self.rows = -(-n_eta // _ROWS)
        self.missing = -n_eta % self.rows
        self.stem = nn.Conv2d(2 * n_channels, maps, (self.rows, 3), stride=(self.rows, 1), padding=(0, 1))
        self.film = FiLM(condition, maps)
        self.blocks = nn.ModuleList(ResidualBlock(maps, condition) for _ in range(blocks))
        nn.utils.convert_conv2d_weight_memory_format(self, torch.channels_last)  # faster on a CPU

    def forward(self, image: torch.Tensor, energy: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Images, the energy of all layers, and conditions to pooled maps.

        Parameters
        ----------
        image : (n, channel, eta, phi) tensor
        energy : (n, eta, phi) tensor
            Fraction of the candidate's.
        condition : (n, condition) tensor

        Returns
        -------
        (n, 3 map) tensor
            Sum in which a patch counts as much as its energy, mean and maximum over patches.
        """
        image = functional.pad(image, (0, 0, 0, self.missing))
        maps = self.stem(torch.cat([image, signed_root(image)], dim=1))  # (n, map, 7, 11)
        maps = functional.relu(self.film(maps, condition))
        for block in self.blocks:
            maps = block(maps, condition)  # (n, map, 7, 11)
        padded = functional.pad(energy, (0, 0, 0, self.missing))
        here = functional.avg_pool2d(padded[:, None], (self.rows, 1), divisor_override=1)  # (n, 1, 7, 11): sums
        return torch.cat([(maps * here).sum(dim=(2, 3)), maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)
