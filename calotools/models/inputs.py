"""What a network is told about its input, and how images become its channels.

Every network sees energies as fractions of the candidate's own energy (`Batch.base_energy`), so that its weights need
not know about GeV; the absolute energy enters as a logarithm where a network wants it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from calotools.errors import ShapeError

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = [
    "PIXEL_SCALE",
    "ModelInputs",
    "channels",
    "finest_grid",
    "grid_channels",
    "grid_images",
    "log_energy",
    "pixel_scale",
    "resize_sum",
    "sum_pixels",
]

# A middle cell with half of the energy covers 8 pixels of the common grid: times this, a pixel is of order one. With
# bare fractions the first layers learn ten times more slowly.
PIXEL_SCALE = 20.0
# What one unit of each quantity is divided by, so that channels are of order one.
_TIME_NS = 10.0
_GAIN_CODES = 3.0


@dataclass(frozen=True)
class ModelInputs:
    """Shapes of a network's input, fixed by the recipe.

    Attributes
    ----------
    shapes : dict of str to (layer, eta, phi)
        By grid, as `ImageSpec.shapes` gives them.
    quantities : tuple of str
        Of the images: ``energy``, ``time``, ``gain``, ``noise``.
    n_scalars, n_tracks, n_track_features : int
    n_classes : int, optional
        None for an energy.
    n_outputs : int
        Numbers for an energy: 1; 2 with its sigma; 3 with the ends of its 68 % interval.

    Examples
    --------
    >>> inputs = ModelInputs(shapes={"em": (3, 56, 11), "had": (2, 7, 11)}, n_tracks=15, n_track_features=4)
    >>> inputs.n_channels, inputs.n_track_values
    (5, 60)
    """

    shapes: dict[str, tuple[int, int, int]]
    quantities: tuple[str, ...] = ("energy",)
    n_scalars: int = 0
    n_tracks: int = 0
    n_track_features: int = 0
    n_classes: int | None = None
    n_outputs: int = 1

    @property
    def n_channels(self) -> int:
        """Layers of every grid, times quantities."""
        return sum(shape[0] for shape in self.shapes.values()) * len(self.quantities)

    @property
    def n_track_values(self) -> int:
        """Numbers in the padded table of tracks."""
        return self.n_tracks * self.n_track_features


def finest_grid(inputs: ModelInputs) -> tuple[int, int]:
    """(eta, phi) pixels of the grid that every channel is brought to: the largest along each axis.

    Examples
    --------
    >>> finest_grid(ModelInputs(shapes={"em": (3, 56, 11), "had": (2, 7, 11)}))
    (56, 11)
    """
    return max(shape[1] for shape in inputs.shapes.values()), max(shape[2] for shape in inputs.shapes.values())


def resize_sum(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Repeat pixels up to a finer grid, sharing their content equally: every image keeps its sum.

    Parameters
    ----------
    images : (n, layer, eta, phi) tensor
    size : (int, int)
        Pixels of the finer grid; multiples of the coarse ones.

    Returns
    -------
    (n, layer, *size) tensor
        In the unit of `images`.

    Raises
    ------
    ShapeError
        `size` is not a multiple.

    Examples
    --------
    >>> resize_sum(torch.ones(1, 1, 1, 2), (2, 4))[0, 0].tolist()
    [[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]]
    """
    coarse = (images.shape[-2], images.shape[-1])
    if coarse == size:
        return images
    if size[0] % coarse[0] or size[1] % coarse[1]:
        raise ShapeError(
            f"an image of {coarse[0]} x {coarse[1]} pixels cannot be brought to {size[0]} x {size[1]} with its energy "
            "kept; choose grids whose pixel numbers are multiples of each other"
        )
    repeats = size[0] // coarse[0], size[1] // coarse[1]
    finer = images.repeat_interleave(repeats[0], dim=-2).repeat_interleave(repeats[1], dim=-1)
    return finer / (repeats[0] * repeats[1])


def channels(batch: Batch, inputs: ModelInputs) -> torch.Tensor:
    """Stack every quantity and layer on the finest grid.

    Parameters
    ----------
    batch : Batch
    inputs : ModelInputs

    Returns
    -------
    (n, channel, eta, phi) tensor
        Energy and noise as fractions of the candidate's energy times 20, time over 10 ns, gain code over 3; quantity
        by quantity, grid by grid, layer by layer.

    Raises
    ------
    ShapeError
        The batch lacks an image, or one has another shape.
    """
    size = finest_grid(inputs)
    scale = batch.base_energy.clamp(min=1e-3)[:, None, None, None] / PIXEL_SCALE  # (n, 1, 1, 1)
    stacks = []
    for quantity in inputs.quantities:
        for grid, shape in inputs.shapes.items():
            images = _image(batch, f"{quantity}_{grid}", shape)  # (n, layer, eta, phi)
            stacks.append(_normalise(images, quantity, scale, size))
    return torch.cat(stacks, dim=1)  # (n, channel, eta, phi)


def grid_images(batch: Batch, inputs: ModelInputs, grid: str) -> torch.Tensor:
    """Stack the quantities of one grid, on its own pixels.

    Parameters
    ----------
    batch : Batch
    inputs : ModelInputs
    grid : str
        Of its shapes.

    Returns
    -------
    (n, quantity, layer, eta, phi) tensor
        Energy and noise as fractions of the candidate's energy, time over 10 ns, gain code over 3.

    Raises
    ------
    ShapeError
        The batch lacks an image, or one has another shape.
    """
    energy = batch.base_energy.clamp(min=1e-3)[:, None, None, None]  # (n, 1, 1, 1)
    units: dict[str, torch.Tensor | float] = {"energy": energy, "noise": energy, "time": _TIME_NS, "gain": _GAIN_CODES}
    shape = inputs.shapes[grid]
    return torch.stack([_image(batch, f"{name}_{grid}", shape) / units[name] for name in inputs.quantities], dim=1)


def pixel_scale(inputs: ModelInputs, grid: str) -> float:
    """What fractions in the pixels of a grid are multiplied by to be of order one: less where pixels are larger.

    Examples
    --------
    >>> inputs = ModelInputs(shapes={"em": (3, 56, 11), "had": (2, 7, 11)})
    >>> pixel_scale(inputs, "em"), pixel_scale(inputs, "had")
    (20.0, 2.5)
    """
    n_eta, n_phi = finest_grid(inputs)
    return PIXEL_SCALE * inputs.shapes[grid][1] * inputs.shapes[grid][2] / (n_eta * n_phi)


def grid_channels(batch: Batch, inputs: ModelInputs, grid: str) -> torch.Tensor:
    """As `grid_images`, with energy and noise times the grid's `pixel_scale`.

    Parameters
    ----------
    batch : Batch
    inputs : ModelInputs
    grid : str

    Returns
    -------
    (n, quantity, layer, eta, phi) tensor

    Raises
    ------
    ShapeError
        As `grid_images`.
    """
    scale = [pixel_scale(inputs, grid) if name in ("energy", "noise") else 1.0 for name in inputs.quantities]
    images = grid_images(batch, inputs, grid)
    return images * images.new_tensor(scale)[:, None, None, None]


def sum_pixels(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Add pixels up to a coarser grid: every image keeps its sum.

    Parameters
    ----------
    images : (n, layer, eta, phi) tensor
    size : (int, int)
        Pixels of the coarser grid; divisors of the fine ones.

    Returns
    -------
    (n, layer, *size) tensor

    Raises
    ------
    ShapeError
        `size` is not a divisor.

    Examples
    --------
    >>> sum_pixels(torch.ones(1, 1, 4, 2), (2, 2))[0, 0].tolist()
    [[2.0, 2.0], [2.0, 2.0]]
    """
    n, n_layer, n_eta, n_phi = images.shape
    if n_eta % size[0] or n_phi % size[1]:
        raise ShapeError(
            f"an image of {n_eta} x {n_phi} pixels cannot be brought to {size[0]} x {size[1]} with its energy kept; "
            "choose grids whose pixel numbers are multiples of each other"
        )
    return images.reshape(n, n_layer, size[0], n_eta // size[0], size[1], n_phi // size[1]).sum(dim=(3, 5))


def _image(batch: Batch, key: str, shape: tuple[int, int, int]) -> torch.Tensor:
    images = batch.images.get(key)
    if images is None or tuple(images.shape[1:]) != tuple(shape):
        found = "absent" if images is None else f"{tuple(images.shape[1:])}"
        raise ShapeError(
            f"the network takes image '{key}' of (layer, eta, phi) = {tuple(shape)}; in the batch it is {found}; "
            f"the batch holds {sorted(batch.images)}; use the image spec that the network was built for"
        )
    return images


def _normalise(images: torch.Tensor, quantity: str, scale: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if quantity == "energy":
        return resize_sum(images, size) / scale
    finer = functional.interpolate(images, size=size, mode="nearest")
    if quantity == "noise":
        return finer / scale
    return finer / (_TIME_NS if quantity == "time" else _GAIN_CODES)


def log_energy(batch: Batch) -> torch.Tensor:
    """Logarithm of the candidate's energy, centred on 50 GeV.

    Parameters
    ----------
    batch : Batch

    Returns
    -------
    (n, 1) tensor
        ln(E / 50 GeV).
    """
    return torch.log(batch.base_energy.clamp(min=1e-3) / 50.0)[:, None]
