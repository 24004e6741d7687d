"""Mean images of two samples, layer by layer, and their ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calotools.containers import ImageGrid, Images, ImageSpec
from calotools.errors import ConfigError, EmptyInputError
from calotools.plots.style import LABEL, literal, new_figure, stamp_ends, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

__all__ = ["draw_image_pairs"]

_DECADES = 1e4
_SHOWN = 0.5  # of the ratio, on both sides of 1


def draw_image_pairs(
    pair: dict[str, Images], spec: ImageSpec, *, grid: str = "em", label: str = LABEL, note: str = ""
) -> Figure:
    """Draw the mean energy image of every layer in two samples, on one colour scale, and the second over the first.

    Parameters
    ----------
    pair : dict of str to Images
        Two samples by name. The mean is over all candidates: a pixel that no cell of a candidate covers counts as 0.
    spec : ImageSpec
        What both were built with.
    grid : str
        Grid whose layers are drawn.
    label, note : str
        Above the first and the last image.

    Returns
    -------
    Figure

    Raises
    ------
    ConfigError
        There are not two samples.
    EmptyInputError
        One of them has no candidates.

    Examples
    --------
    >>> from calotools.containers import Layer
    >>> spec = ImageSpec({"em": ImageGrid(4, 3, 0.025, 0.0245)}, (Layer("middle", (2, 6)),))
    >>> values = np.ones((5, 1, 4, 3), np.float32)
    >>> one = Images({"energy_em": values}, {"em": values > 0}, {"em": np.zeros(5)}, np.zeros((5, 2)), np.zeros(5))
    >>> len(draw_image_pairs({"one": one, "two": one}, spec).axes)
    6
    """
    if len(pair) != 2:
        raise ConfigError(f"two samples are compared, not {len(pair)}: {', '.join(pair)}")
    means = [_mean(images, grid) for images in pair.values()]
    layers = spec.layers_on(grid)
    with style():
        figure = new_figure(width=1.0 + 3.0 * len(layers), height=8.0)
        axes = figure.subplots(3, len(layers), squeeze=False, sharex=True, sharey=True)
        for which, layer in enumerate(layers):
            _draw_layer(axes[:, which], [mean[which] for mean in means], spec.grids[grid])
            axes[0, which].set_title(literal(layer.name), fontsize="medium", pad=6)
            axes[2, which].set_xlabel(r"$\Delta\eta$")
        names = [*pair, " / ".join(reversed(pair))]
        for ax, name in zip(axes[:, 0], names, strict=True):
            ax.set_ylabel(literal(name) + "\n" + r"$\Delta\phi$ [rad]")
        stamp_ends(axes[0, 0], axes[0, -1], label, note, lift=24)
    return figure


def _mean(images: Images, grid: str) -> np.ndarray:
    if not len(images.values[f"energy_{grid}"]):
        raise EmptyInputError(f"no candidates to average images of '{grid}' over")
    mean = images.values[f"energy_{grid}"].mean(axis=0, dtype=float)
    return np.where(images.mask[grid].any(axis=0), mean, np.nan)


def _draw_layer(axes: np.ndarray, means: list[np.ndarray], grid: ImageGrid) -> None:
    from matplotlib.colors import LogNorm, Normalize

    top = max(float(np.nanmax(mean)) for mean in means)
    for ax, mean in zip(axes, means, strict=False):
        _draw_one(ax, np.maximum(mean, top / _DECADES), grid, norm=LogNorm(top / _DECADES, top), cmap="viridis")
    seen = np.fmin(*means) > top / _DECADES
    ratio = np.where(seen, means[1] / np.where(seen, means[0], 1), np.nan)
    _draw_one(axes[2], ratio, grid, norm=Normalize(1 - _SHOWN, 1 + _SHOWN), cmap="RdBu_r")


def _draw_one(ax: Axes, values: np.ndarray, grid: ImageGrid, *, norm: Normalize, cmap: str) -> None:
    width, height = grid.window
    ax.patch.set(hatch="////", facecolor="white", edgecolor="#c4c8cc")
    image = ax.imshow(
        np.ma.masked_invalid(values).T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(-width / 2, width / 2, -height / 2, height / 2),
        norm=norm,
        cmap=cmap,
    )
    ax.figure.colorbar(image, ax=ax, location="right", pad=0.02)
