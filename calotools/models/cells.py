"""Cells found again in images: the candidate as a set of points instead of a stack of pixels.

A cell covers a rectangle of equal pixels, so the rectangles of an image are the cells that were painted on it, or,
where cells do not end on pixel borders, pieces of them. Together they hold exactly the energy of the image. Nothing new
has to be stored or read: the same images serve networks of both kinds, from the store, from a stream and in prediction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from calotools.models.inputs import ModelInputs, grid_images

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["N_GEOMETRY", "CellSet", "find_cells", "rectangles"]

N_GEOMETRY = 4  # eta, phi, height and width of a cell


@dataclass(frozen=True)
class CellSet:
    """The cells of n candidates, those with the largest absolute energy first.

    Attributes
    ----------
    energy : (n, cell) tensor
        Fraction of the candidate's energy.
    layer : (n, cell) int64 tensor
        Counted through the grids, as the channels of `channels` are.
    geometry : (n, cell, 4) tensor
        (eta, phi) of the middle from that of the grid, over half its window; extent along each, over the whole window.
    other : (n, cell, quantity) tensor
        Time over 10 ns, gain code over 3, noise as a fraction of the candidate's energy: what the images have of them.
    mask : (n, cell) bool tensor
        True for a cell; the others are there to fill the rectangle.
    """

    energy: torch.Tensor
    layer: torch.Tensor
    geometry: torch.Tensor
    other: torch.Tensor
    mask: torch.Tensor


def rectangles(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rectangles of equal pixels.

    Rows that are equal to the row before belong together, and in them pixels that are equal to their left neighbour.

    Parameters
    ----------
    images : (n, quantity, layer, eta, phi) tensor
        Pixels are equal if they are in all quantities.

    Returns
    -------
    corner : (n, layer, eta, phi) bool tensor
        The first pixel of each rectangle.
    height, width : (n, layer, eta, phi) int64 tensor
        Its pixels along eta and phi; they mean nothing elsewhere.

    Examples
    --------
    >>> corner, height, width = rectangles(torch.tensor([[[[[2.0, 2.0, 1.0], [2.0, 2.0, 1.0], [0.0, 3.0, 3.0]]]]]))
    >>> corner[0, 0].int().tolist()
    [[1, 0, 1], [0, 0, 0], [1, 1, 0]]
    >>> height[corner].tolist(), width[corner].tolist()
    ([2, 2, 1, 1], [2, 1, 1, 2])
    """
    new_row = torch.ones_like(images[:, 0, :, :, :1], dtype=torch.bool)  # (n, layer, eta, 1)
    new_row[:, :, 1:] = (images[:, :, :, 1:] != images[:, :, :, :-1]).any(dim=4, keepdim=True).any(dim=1)
    new_pixel = torch.ones_like(images[:, 0], dtype=torch.bool)  # (n, layer, eta, phi)
    new_pixel[..., 1:] = (images[..., 1:] != images[..., :-1]).any(dim=1)
    height = _until_next(new_row, dim=2)  # (n, layer, eta, 1)
    return new_row & new_pixel, height.expand(new_pixel.shape), _until_next(new_pixel, dim=3)


def _until_next(start: torch.Tensor, *, dim: int) -> torch.Tensor:
    """Steps from each place to the next start after it, or the end."""
    n = start.shape[dim]
    shape = [1] * start.dim()
    shape[dim] = n
    number = torch.arange(n, device=start.device).reshape(shape)  # along dim
    at = torch.where(start, number, n).roll(-1, dims=dim)
    at.narrow(dim, n - 1, 1).fill_(n)
    following = at.flip(dim).cummin(dim).values.flip(dim)
    return following - number


def find_cells(batch: Batch, inputs: ModelInputs, *, most: int) -> CellSet:
    """The cells of a batch's images, at most so many of each candidate.

    A pixel is of no cell when all its quantities are zero. The gain code of a cell is never zero, nor is its noise; of
    images of energies alone, a cell of exactly zero energy is left out.

    Parameters
    ----------
    batch : Batch
    inputs : ModelInputs
        With the energy among its quantities.
    most : int
        Those with the largest absolute energy are kept.

    Returns
    -------
    CellSet

    Raises
    ------
    ShapeError
        The batch lacks an image, or one has another shape.
    """
    parts = []
    first = 0
    for grid, shape in inputs.shapes.items():
        images = grid_images(batch, inputs, grid)  # (n, quantity, layer, eta, phi)
        parts.append(_grid_cells(images, inputs, first=first, most=most))
        first += shape[0]
    joined = CellSet(*(torch.cat([getattr(one, name) for one in parts], dim=1) for name in CellSet.__annotations__))
    return joined if len(parts) == 1 else _strongest(joined, most)


def _grid_cells(images: torch.Tensor, inputs: ModelInputs, *, first: int, most: int) -> CellSet:
    n_eta, n_phi = images.shape[3:]
    which = inputs.quantities.index("energy")
    corner, height, width = rectangles(images)
    area = (height * width).to(images.dtype)
    energy = images[:, which] * area  # (n, layer, eta, phi)
    real = corner & (images != 0).any(dim=1)
    strength = torch.where(real, energy.abs(), -1.0).flatten(1)  # (n, pixel)
    most = min(most, strength.shape[1])
    kept, at = strength.topk(most, dim=1)  # (n, cell)

    def gather(values: torch.Tensor) -> torch.Tensor:
        return values.flatten(1).gather(1, at)

    tall, wide = gather(height).to(images.dtype), gather(width).to(images.dtype)
    eta, phi = at // n_phi % n_eta + 0.5 * tall, at % n_phi + 0.5 * wide
    geometry = torch.stack([2 * eta / n_eta - 1, 2 * phi / n_phi - 1, tall / n_eta, wide / n_phi], dim=2)
    others = [
        gather(images[:, k] * area if quantity == "noise" else images[:, k])  # a cell's pixels share its noise
        for k, quantity in enumerate(inputs.quantities)
        if k != which
    ]
    mask = kept >= 0
    return CellSet(
        energy=torch.where(mask, gather(energy), 0.0),
        layer=torch.where(mask, first + at // (n_eta * n_phi), 0),
        geometry=torch.where(mask[..., None], geometry, 0.0),
        other=torch.where(mask[..., None], torch.stack(others, dim=2), 0.0) if others else geometry[..., :0],
        mask=mask,
    )


def _strongest(cells: CellSet, most: int) -> CellSet:
    """The strongest cells of all grids together."""
    strength = torch.where(cells.mask, cells.energy.abs(), -1.0)
    at = strength.topk(min(most, strength.shape[1]), dim=1).indices  # (n, cell)

    def gather(values: torch.Tensor) -> torch.Tensor:
        index = at if values.dim() == 2 else at[..., None].expand(-1, -1, values.shape[2])
        return values.gather(1, index)

    return CellSet(*(gather(getattr(cells, name)) for name in CellSet.__annotations__))
