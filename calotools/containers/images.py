"""Image nouns: the grid, the layers on it, the specification of a model's input, and dense images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from calotools.errors import ConfigError, nearest

__all__ = ["ImageGrid", "ImageSpec", "Images", "Layer"]

_FORBID = {"extra": "forbid"}
Quantity = Literal["energy", "time", "gain", "noise"]


@dataclass(frozen=True)
class ImageGrid:
    """The pixels around a candidate: a rectangle in (eta, phi), counted from low eta and low phi.

    Attributes
    ----------
    n_eta, n_phi : int
        Number of pixels along each axis.
    d_eta : float
        Pixel width in eta.
    d_phi : float [rad]
        Pixel width in phi.

    Examples
    --------
    >>> grid = ImageGrid(n_eta=56, n_phi=11, d_eta=0.003125, d_phi=0.02454)
    >>> grid.shape, round(grid.window[0], 3)
    ((56, 11), 0.175)
    """

    __pydantic_config__ = _FORBID
    n_eta: int
    n_phi: int
    d_eta: float
    d_phi: float

    def __post_init__(self) -> None:
        if min(self.n_eta, self.n_phi) < 1 or min(self.d_eta, self.d_phi) <= 0:
            raise ConfigError(f"image grid {self} needs at least one pixel of positive width along each axis")

    @property
    def shape(self) -> tuple[int, int]:
        """(n_eta, n_phi)."""
        return self.n_eta, self.n_phi

    @property
    def window(self) -> tuple[float, float]:
        """Full width of the rectangle in (eta, phi [rad])."""
        return self.n_eta * self.d_eta, self.n_phi * self.d_phi


@dataclass(frozen=True)
class Layer:
    """A logical calorimeter layer: the samplings that are added into one image, and the grid it is drawn on.

    Attributes
    ----------
    name : str
        ``presampler``, ``strips``, ``middle``, ``back``, ``had1`` or the user's own.
    samplings : tuple of int
        Values of `cells.sampling` that belong to the layer; barrel and endcap are added pixel by pixel.
    grid : str
        Name of its grid in the `ImageSpec`.
    cell_size : tuple of float, optional
        (d_eta, d_phi [rad]) of every cell, for a calorimeter that calotools has no table of; None takes the widths
        from the ATLAS granularity table, by sampling and eta.
    share : {"overlap", "centre"}
        A cell's energy and noise go to the pixels it covers in proportion to the overlap, or all to the pixel that
        holds the cell's centre.
    """

    __pydantic_config__ = _FORBID
    name: str
    samplings: tuple[int, ...]
    grid: str = "em"
    cell_size: tuple[float, float] | None = None
    share: Literal["overlap", "centre"] = "overlap"


@dataclass(frozen=True)
class ImageSpec:
    """Which layers and quantities make a model's input, on which grids, centred where.

    Attributes
    ----------
    grids : dict of str to ImageGrid
        Named grids; layers on the same grid are stacked, in the order of `layers`.
    layers : tuple of Layer
    quantities : tuple of {"energy", "time", "gain", "noise"}
    centre : {"hottest", "cluster"}
        The grid's middle: the hottest cell of `centre_layer`, or (eta_cluster, phi_cluster).
    centre_layer : str
        Name of the layer whose hottest cell is the centre.

    Raises
    ------
    ConfigError
        There is no layer; a layer names a grid, or `centre_layer` a layer, that is not there.
    """

    __pydantic_config__ = _FORBID
    grids: dict[str, ImageGrid]
    layers: tuple[Layer, ...]
    quantities: tuple[Quantity, ...] = ("energy",)
    centre: Literal["hottest", "cluster"] = "hottest"
    centre_layer: str = "middle"

    def __post_init__(self) -> None:
        if not self.layers:
            raise ConfigError(
                f"the image spec (grids: {', '.join(self.grids) or 'none'}) has no layers, so that nothing is drawn; "
                'add some, such as [[layers]] with name = "middle", samplings = [2, 6] and the name of their grid'
            )
        for layer in self.layers:
            if layer.grid not in self.grids:
                raise ConfigError(
                    f"image layer '{layer.name}' is drawn on grid '{layer.grid}', which the image spec does not "
                    f"define; {nearest(layer.grid, self.grids)}"
                )
        names = [layer.name for layer in self.layers]
        if self.centre == "hottest" and self.centre_layer not in names:
            raise ConfigError(f"images are centred on layer '{self.centre_layer}'; {nearest(self.centre_layer, names)}")

    def layers_on(self, grid: str) -> tuple[Layer, ...]:
        """Layers drawn on one grid, in image order."""
        return tuple(layer for layer in self.layers if layer.grid == grid)

    def shapes(self) -> dict[str, tuple[int, int, int]]:
        """(n_layer, n_eta, n_phi) of each grid's stack."""
        return {name: (len(self.layers_on(name)), *grid.shape) for name, grid in self.grids.items()}


@dataclass(frozen=True)
class Images:
    """Dense images of some candidates.

    Attributes
    ----------
    values : dict of str to (n, layer, eta, phi) float32
        Keyed ``{quantity}_{grid}``, such as ``energy_em`` [GeV], ``time_em`` [ns], ``gain_em`` (gain code + 1, so
        that 0 is 'no cell'), ``noise_em`` [GeV].
    mask : dict of str to (n, layer, eta, phi) bool
        Keyed by grid: the pixel is covered by a cell. A padded pixel is not a zero cell.
    outside : dict of str to (n,) float32 [GeV]
        Keyed by grid: energy of cells in that grid's layers that fell outside the window.
    centre : (n, 2) float64
        (eta, phi [rad]) of the grid's middle; NaN for a candidate without usable cells.
    dropped : (n,) int32
        Non-finite cells that were left out.
    """

    values: dict[str, np.ndarray]
    mask: dict[str, np.ndarray]
    outside: dict[str, np.ndarray]
    centre: np.ndarray
    dropped: np.ndarray
