"""Mean images of many candidates, layer by layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from calotools.containers import ImageGrid, Images, ImageSpec
from calotools.errors import ConfigError, EmptyInputError, nearest
from calotools.plots.style import LABEL, literal, new_figure, stamp_ends, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_images"]

_UNITS = {
    "energy": "Mean energy [GeV]",
    "time": "Mean time [ns]",
    "gain": "Mean gain code + 1",
    "noise": "Mean noise [GeV]",
}


def draw_images(
    images: Images, spec: ImageSpec, *, quantity: str = "energy", label: str = LABEL, note: str = ""
) -> Figure:
    """Draw the mean image of every layer.

    Parameters
    ----------
    images : Images
        The mean is over candidates whose pixel is covered by a cell; pixels that no candidate covers are hatched.
    spec : ImageSpec
        What the images were built with.
    quantity : {"energy", "time", "gain", "noise"}
        Energy and noise have a logarithmic colour scale, over four decades at most; each layer its own.
    label, note : str
        Above the first and the last image.

    Returns
    -------
    Figure

    Raises
    ------
    ConfigError
        The images do not hold the quantity.
    EmptyInputError
        There are no candidates.

    Examples
    --------
    >>> from calotools.containers import Layer
    >>> spec = ImageSpec({"em": ImageGrid(4, 3, 0.025, 0.0245)}, (Layer("middle", (2, 6)),))
    >>> values = np.ones((5, 1, 4, 3), np.float32)
    >>> images = Images({"energy_em": values}, {"em": values > 0}, {"em": np.zeros(5)}, np.zeros((5, 2)), np.zeros(5))
    >>> draw_images(images, spec).axes[0].get_title()
    'middle'
    """
    means = {grid: mean_image(images, f"{quantity}_{grid}", grid) for grid in spec.grids if spec.layers_on(grid)}
    layers = [(layer.name, grid, which) for grid in means for which, layer in enumerate(spec.layers_on(grid))]
    columns = len(layers) if len(layers) <= 5 else 4
    rows = math.ceil(len(layers) / columns)
    with style():
        figure = new_figure(width=0.6 + 3.2 * columns, height=0.5 + 3.0 * rows)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for i, (ax, (name, grid, which)) in enumerate(zip(axes, layers, strict=False)):
            ends = (i % columns == 0, (i + 1) % columns == 0 or i + 1 == len(layers))
            _draw_mean(ax, means[grid][which], spec.grids[grid], quantity=quantity, ends=ends)
            ax.set_title(literal(name), fontsize="medium", pad=6)
        for unused in axes[len(layers) :]:
            unused.set_axis_off()
        stamp_ends(axes[0], axes[columns - 1], label, note, lift=24)
    return figure


def mean_image(images: Images, key: str, grid: str) -> np.ndarray:
    """Mean over candidates of each pixel, where a cell covers it.

    Returns
    -------
    (layer, eta, phi) float
        NaN where no candidate has a cell.
    """
    if key not in images.values:
        raise ConfigError(f"the images hold no '{key}'; {nearest(key, images.values)}")
    values, mask = images.values[key], images.mask[grid]
    if len(values) == 0:
        raise EmptyInputError(f"no candidates to average '{key}' over")
    n = mask.sum(axis=0)
    total = np.where(mask, values, 0).sum(axis=0, dtype=float)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _draw_mean(ax: Axes, mean: np.ndarray, grid: ImageGrid, *, quantity: str, ends: tuple[bool, bool]) -> None:
    """One layer; `ends` says whether it is the first and whether the last of its row."""
    from matplotlib.colors import LogNorm

    width, height = grid.window
    top = float(np.nanmax(mean, initial=-np.inf))
    logarithmic = quantity in ("energy", "noise") and top > 0
    shown = np.ma.masked_invalid(mean)
    if logarithmic:
        floor = min(max(float(np.min(mean[mean > 0])), top / 1e4), top / 10)
        shown = np.ma.masked_invalid(np.where(np.isnan(mean), np.nan, np.maximum(mean, floor)))
    ax.patch.set(hatch="////", facecolor="white", edgecolor="#c4c8cc")
    image = ax.imshow(
        shown.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(-width / 2, width / 2, -height / 2, height / 2),
        norm=LogNorm(floor, top) if logarithmic else None,
        cmap="viridis",
    )
    ax.tick_params(which="both", color="white")
    ax.set_xlabel(r"$\Delta\eta$")
    bar = ax.figure.colorbar(image, ax=ax, location="right", pad=0.02)
    if ends[0]:
        ax.set_ylabel(r"$\Delta\phi$ [rad]")
    if ends[1]:
        bar.set_label(_UNITS.get(quantity, quantity))
