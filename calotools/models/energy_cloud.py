"""The energy from the cells as a set of points: no grid, no order, attention among them or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from calotools.errors import ConfigError
from calotools.models.attention import AttentionBlock
from calotools.models.blocks import Condition, dense, signed_root
from calotools.models.cells import N_GEOMETRY, CellSet, find_cells
from calotools.models.checks import check_numbers, need_energy
from calotools.models.heads import energies, energy_layer
from calotools.models.inputs import ModelInputs, grid_images

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["EnergyCloud"]

_N_ENERGY = 3  # forms in which a point's energy is given
_SOFT = 0.1  # GeV; about the noise of a cell, where the logarithm of its energy turns linear


class EnergyCloud(nn.Module):
    """Each cell is a point with its energy, place, extent, layer, and time, gain and noise where the images have them.

    Points are modulated by what is known of the candidate (FiLM); with attention, they and the candidate look at each
    other. What is left is summed twice, each cell once and each as much as its energy, and gives a correction:
    ``energy = base_energy * (1 + correction)``, zero at first. The order of cells does not matter.

    Parameters
    ----------
    inputs : ModelInputs
    cells : int
        At most so many of each candidate: those with the largest absolute energy. The energy of the others is in the
        layers' sums, which are of all cells.
    width : int
        Of a point.
    blocks : int
        Of attention; 0: Deep Sets, each point alone.
    heads : int
        Of attention; they share the width.

    Raises
    ------
    ConfigError
        The recipe asks for classes, or a setting is out of range.

    References
    ----------
    Zaheer et al., arXiv:1703.06114 (sets); Vaswani et al., arXiv:1706.03762 (attention).

    Examples
    --------
    >>> inputs = ModelInputs(shapes={"em": (4, 56, 11)}, n_scalars=12, n_tracks=10, n_track_features=4)
    >>> [sum(weight.numel() for weight in EnergyCloud(inputs, blocks=blocks).parameters()) for blocks in (0, 2)]
    [38401, 105345]
    """

    def __init__(
        self, inputs: ModelInputs, *, cells: int = 128, width: int = 64, blocks: int = 2, heads: int = 4
    ) -> None:
        super().__init__()
        need_energy("energy_cloud", inputs, instead="electron_compact")
        check_numbers("energy_cloud", cells=cells, width=width, heads=heads)
        check_numbers("energy_cloud", least=0, blocks=blocks)
        if width % heads:
            raise ConfigError(f"energy_cloud settings width = {width}, heads = {heads}: heads share the width equally")
        self.inputs, self.cells = inputs, cells
        n_layers = sum(shape[0] for shape in inputs.shapes.values())
        n_point = _N_ENERGY + N_GEOMETRY + len(inputs.quantities) - 1
        self.condition = Condition(inputs, n_sums=n_layers, width=width)
        self.point = nn.Linear(n_point, width)
        self.layer = nn.Embedding(n_layers, width)
        self.film = nn.Linear(width, 2 * width)
        self.each = dense((width, width, width))
        self.attention = nn.ModuleList(AttentionBlock(width, heads) for _ in range(blocks))
        self.hidden = dense((3 * width, 64))
        self.out = energy_layer(64, inputs, start=0.0)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> energies [GeV], as `calotools.models.heads.energies` gives them."""
        condition = self.condition(batch, self._sums(batch))  # (n, width)
        cells = find_cells(batch, self.inputs, most=self.cells)
        return energies(self.correction(cells, condition, batch.base_energy), batch.base_energy, offset=1.0)

    def correction(self, cells: CellSet, condition: torch.Tensor, base_energy: torch.Tensor) -> torch.Tensor:
        """Cells, (n, width) and (n,) energies [GeV] -> (n, output)."""
        points = self._points(cells, condition, base_energy)  # (n, cell, width)
        real = torch.ones_like(cells.mask[:, :1])
        tokens, mask = torch.cat([condition[:, None], points], dim=1), torch.cat([real, cells.mask], dim=1)
        for block in self.attention:
            tokens = block(tokens, mask)  # (n, 1 + cell, width)
        points = torch.where(cells.mask[..., None], tokens[:, 1:], 0.0)
        weighted = (points * cells.energy[..., None]).sum(dim=1)  # (n, width)
        pooled = torch.cat([tokens[:, 0], weighted, points.sum(dim=1) / self.cells], dim=1)
        return self.out(self.hidden(pooled))  # (n, output)

    def _points(self, cells: CellSet, condition: torch.Tensor, base_energy: torch.Tensor) -> torch.Tensor:
        gev = cells.energy * base_energy[:, None]
        forms = [10 * cells.energy, signed_root(10 * cells.energy), torch.asinh(gev / _SOFT) / 5]  # (n, cell) each
        known = torch.cat([torch.stack(forms, dim=2), cells.geometry, cells.other], dim=2)  # (n, cell, feature)
        gamma, beta = self.film(condition)[:, None].chunk(2, dim=2)  # (n, 1, width) each
        return self.each(functional.relu((self.point(known) + self.layer(cells.layer)) * (1 + gamma) + beta))

    def _sums(self, batch: Batch) -> torch.Tensor:
        which = self.inputs.quantities.index("energy")
        images = [grid_images(batch, self.inputs, grid)[:, which] for grid in self.inputs.shapes]
        return torch.cat([image.sum(dim=(2, 3)) for image in images], dim=1)  # (n, layer)
