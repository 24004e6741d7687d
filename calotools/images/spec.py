"""Image specs by name or file, and their compiled form that the kernels read."""

from __future__ import annotations

import functools
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter

from calotools.containers import ImageSpec
from calotools.errors import ConfigError, nearest
from calotools.recipe import StageConfig, read_toml

__all__ = ["Panels", "Plan", "image_spec", "panels_of", "plan_of", "shipped_specs", "spec_from_dict", "spec_to_dict"]

_N_TABLED = 21  # samplings whose cell widths the detector's table knows
_MAX_PIXELS = 255  # along one axis
_LINE = 16  # pixels of a line: the bits that say where values start


class _SpecFile(StageConfig):
    """An image spec on its own; the recipes' machinery explains what is wrong with it."""

    images: ImageSpec


class Plan(NamedTuple):
    """An image spec as arrays. Pixels are numbered through all grids: a grid's stack follows the one before it.

    Attributes
    ----------
    layer_of : (256,) int16
        Layer of each sampling; -1 when it is drawn nowhere.
    size : (n_layer, 2) float64
        (d_eta, d_phi [rad]) of the layer's cells; NaN: look them up in the granularity table.
    to_centre : (n_layer,) bool
        The whole cell goes to the pixel that holds its centre.
    grid_of, first_pixel : (n_layer,) int64
        Grid, and number of the first pixel of the layer.
    shape : (n_grid, 2) int64
        (n_eta, n_phi).
    pitch : (n_grid, 2) float64
        (d_eta, d_phi [rad]).
    centre_layer : int
        -1: the cluster position is the centre.
    """

    layer_of: np.ndarray
    size: np.ndarray
    to_centre: np.ndarray
    grid_of: np.ndarray
    first_pixel: np.ndarray
    shape: np.ndarray
    pitch: np.ndarray
    centre_layer: int


class Panels(NamedTuple):
    """The order in which pixels are stored: lines of at most 16 pixels along phi, below each other in eta.

    A grid of up to 16 pixels in phi is one panel of all its layers' rows; wider ones are one panel per layer and 16
    pixels in phi.

    Attributes
    ----------
    grid : (n_panel,) int64
    in_grid, in_stack : (n_panel,) int64
        First pixel, counted through the layers of the grid, and through all grids.
    n_line, width : (n_panel,) int64
        Number of lines, and pixels of each.
    stride : (n_panel,) int64
        Pixels from one line to the next.
    """

    grid: np.ndarray
    in_grid: np.ndarray
    in_stack: np.ndarray
    n_line: np.ndarray
    width: np.ndarray
    stride: np.ndarray


def shipped_specs() -> list[str]:
    """Names of the image specs that come with calotools.

    Returns
    -------
    list of str

    Examples
    --------
    >>> shipped_specs()
    ['electron', 'electron_2020', 'electron_slides', 'energy', 'energy_full', 'energy_noise', 'objects']
    """
    folder = files("calotools.images") / "specs"
    return sorted(one.name.removesuffix(".toml") for one in folder.iterdir() if one.name.endswith(".toml"))


def image_spec(spec: ImageSpec | Path | str) -> ImageSpec:
    """The image spec of a shipped name or a TOML file.

    Parameters
    ----------
    spec : ImageSpec, path or str
        A name of `shipped_specs`, a path that ends in ``.toml``, or a spec (which is checked and given back).

    Returns
    -------
    ImageSpec

    Raises
    ------
    ConfigError
        No such name; the file is not valid; a sampling is drawn in two layers, or has no cell width.
    InputFileError
        The file does not exist.

    Examples
    --------
    >>> image_spec("electron").shapes()
    {'em': (4, 56, 11), 'had': (2, 7, 11)}
    """
    if not isinstance(spec, ImageSpec):
        spec = _read(spec)
    plan_of(spec)
    return spec


def _read(name: Path | str) -> ImageSpec:
    if str(name).endswith(".toml"):
        path = Path(name)
    elif str(name) in shipped_specs():
        path = Path(str(files("calotools.images") / "specs" / f"{name}.toml"))
    else:
        raise ConfigError(
            f"no image spec '{name}'; {nearest(str(name), shipped_specs())}; or give a file that ends in .toml"
        )
    try:
        return spec_from_dict(read_toml(path))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def spec_to_dict(spec: ImageSpec) -> dict[str, Any]:
    """The spec as plain tables, for TOML, JSON or a model bundle.

    Examples
    --------
    >>> spec_to_dict(image_spec("energy"))["grids"]["em"]["n_eta"]
    56
    """
    return TypeAdapter(ImageSpec).dump_python(spec, mode="json")


def spec_from_dict(stored: dict[str, Any]) -> ImageSpec:
    """The spec that `spec_to_dict`, or a TOML file, holds.

    Raises
    ------
    ConfigError
        Unknown or missing key, with the nearest one.

    Examples
    --------
    >>> spec_from_dict(spec_to_dict(image_spec("energy"))) == image_spec("energy")
    True
    """
    return _SpecFile(images=stored).images


def plan_of(spec: ImageSpec) -> Plan:
    """Compile a spec for the kernels.

    Raises
    ------
    ConfigError
        A sampling is drawn in two layers, or shared by overlap though neither the spec nor the table has its width;
        a grid is larger than 255 pixels.
    """
    for name, grid in spec.grids.items():
        if max(grid.shape) > _MAX_PIXELS:
            raise ConfigError(
                f"image grid '{name}' has {grid.n_eta} x {grid.n_phi} pixels; at most {_MAX_PIXELS} a side"
            )
    names = [layer.name for layer in spec.layers]
    grids = list(spec.grids)
    stacks = [len(spec.layers_on(name)) * grid.n_eta * grid.n_phi for name, grid in spec.grids.items()]
    starts = dict(zip(grids, np.concatenate([[0], np.cumsum(stacks)])[:-1], strict=True))
    first = []
    for layer in spec.layers:
        first.append(starts[layer.grid])
        starts[layer.grid] = starts[layer.grid] + spec.grids[layer.grid].n_eta * spec.grids[layer.grid].n_phi
    return Plan(
        layer_of=_layer_of(spec),
        size=np.array([layer.cell_size or (np.nan, np.nan) for layer in spec.layers], dtype=np.float64).reshape(-1, 2),
        to_centre=np.array([layer.share == "centre" for layer in spec.layers]),
        grid_of=np.array([grids.index(layer.grid) for layer in spec.layers], dtype=np.int64),
        first_pixel=np.array(first, dtype=np.int64),
        shape=np.array([grid.shape for grid in spec.grids.values()], dtype=np.int64).reshape(-1, 2),
        pitch=np.array([(grid.d_eta, grid.d_phi) for grid in spec.grids.values()], dtype=np.float64).reshape(-1, 2),
        centre_layer=names.index(spec.centre_layer) if spec.centre == "hottest" else -1,
    )


def panels_of(spec: ImageSpec) -> Panels:
    """The lines of a spec's images.

    Examples
    --------
    >>> panels_of(image_spec("electron")).n_line.tolist()
    [224, 14]
    """
    return _panels(tuple(spec.shapes().values()))


@functools.lru_cache
def _panels(shapes: tuple[tuple[int, int, int], ...]) -> Panels:
    rows = []
    first = 0
    for number, (n_layer, n_eta, n_phi) in enumerate(shapes):
        if n_phi <= _LINE:
            rows.append((number, 0, first, n_layer * n_eta, n_phi, n_phi))
        else:
            for layer in range(n_layer):
                corner = layer * n_eta * n_phi
                rows += [
                    (number, corner + c, first + corner + c, n_eta, min(_LINE, n_phi - c), n_phi)
                    for c in range(0, n_phi, _LINE)
                ]
        first += n_layer * n_eta * n_phi
    return Panels(*np.array(rows, dtype=np.int64).reshape(-1, 6).T.copy())


def _layer_of(spec: ImageSpec) -> np.ndarray:
    layer_of = np.full(256, -1, dtype=np.int16)
    for number, layer in enumerate(spec.layers):
        for sampling in layer.samplings:
            if not 0 <= sampling < 256:
                raise ConfigError(f"image layer '{layer.name}': sampling {sampling} is not between 0 and 255")
            if layer_of[sampling] >= 0:
                raise ConfigError(
                    f"sampling {sampling} is drawn in the layers '{spec.layers[layer_of[sampling]].name}' and "
                    f"'{layer.name}'; a cell can be drawn only once, or its energy would count twice"
                )
            if sampling >= _N_TABLED and layer.cell_size is None and layer.share == "overlap":
                raise ConfigError(
                    f"image layer '{layer.name}': the granularity table has no sampling {sampling}; give cell_size = "
                    f"[d_eta, d_phi], or share = 'centre'"
                )
            layer_of[sampling] = number
    return layer_of
