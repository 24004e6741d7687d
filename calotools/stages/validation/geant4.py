"""Bare showers against Geant4: medians, resolution, conversions, profiles, and what tells the two apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from calotools.analysis import Estimate, auc, bootstrap_estimate, fraction, mean_rows, median, separate
from calotools.containers import Check
from calotools.images import build_images, image_spec
from calotools.plots import draw_image_pairs, draw_series, draw_shapes
from calotools.recipe import ValidateConfig
from calotools.stages.validation.section import Section, near, quoted, within
from calotools.stages.validation.showers import LAYERS, Showers, read_showers, simulate_showers
from calotools.variables.rings import ring_sums

__all__ = ["measure_geant4"]

_ENERGY = ((10.0, 30.0), (30.0, 60.0), (60.0, 100.0))
_ETA = ((0.0, 0.8), (0.8, 1.4))
_KINDS = {"electrons": 11, "photons": 22}
# Allowed distance of medians: absolute for the first two, relative for the others.
_ABSOLUTE = {"reta": 0.005, "rphi": 0.005}
_RELATIVE = {"f1": 0.08, "f3": 0.25, "weta2": 0.05, "wstot": 0.05, "ws3": 0.05}
_DRAWN = ("f1", "f3", "reta", "rphi", "weta2", "wstot", "ws3", "fside", "eratio", "delta_e", "f1core", "sum")
_HIGH_LEVEL = ("f1", "f3", "reta", "rphi", "weta2", "wstot", "ws3", "fside", "eratio", "f1core", "f3core")
_TRACKER = 1150.0
_COMPONENTS = 25
_NAMES = ("Geant4", "calotools")


@dataclass(frozen=True)
class Bin:
    """Showers of one kind, energy and |eta| range."""

    name: str
    rows: np.ndarray


def measure_geant4(config: ValidateConfig) -> Section:
    """Compare with the showers of ``config.geant4``.

    Parameters
    ----------
    config : ValidateConfig

    Returns
    -------
    Section

    Raises
    ------
    ConfigError, EmptyInputError, InputFileError
        As `read_showers`.
    """
    theirs, least = read_showers(config)
    ours = simulate_showers(theirs, config, least=least)
    rng = np.random.default_rng([config.seed, 9])
    checks = [check for one in _all_bins(theirs) for check in _compare(one, theirs, ours, rng)]
    checks += [check for eta in _ETA for check in _conversions(eta, theirs, ours)]
    figures: dict[str, Any] = {}
    for kind, pdg in _KINDS.items():
        rows = np.abs(theirs.pdg) == pdg
        checks += _classify(kind, rows, theirs, ours, rng)
        figures |= _figures(kind, rows, theirs, ours, config.label)
    return Section(
        "Against Geant4",
        f"{len(theirs)} bare showers of the file and as many of ours: the same particles, calorimeter and material, "
        "the same cells and thresholds, no noise, no crosstalk, no modulation. Shower shapes of both are computed "
        "from their cells by the same code. The classifier is a quadratic logistic regression, cross-validated. "
        "The factors of `detector/tables/showers.toml` were tuned on every second of these showers, the first to begin "
        "with; between the steps the others were looked at, and their AUC is given alone.",
        tuple(checks),
        {},
        figures,
    )


def _all_bins(showers: Showers) -> Iterator[Bin]:
    for kind, pdg in _KINDS.items():
        for eta in _ETA:
            for e in _ENERGY:
                yield _bin(showers, kind, pdg, eta, e)


def _bin(showers: Showers, kind: str, pdg: int, eta: tuple[float, float], e: tuple[float, float]) -> Bin:
    a = np.abs(showers.eta_true)
    rows = (np.abs(showers.pdg) == pdg) & (a >= eta[0]) & (a < eta[1])
    rows &= (showers.e_true >= e[0]) & (showers.e_true < e[1])
    side = f"|η| < {eta[1]:g}" if eta[0] == 0 else f"|η| > {eta[0]:g}"
    return Bin(f"{kind}, {side}, {e[0]:g}–{e[1]:g} GeV", rows)


def _compare(one: Bin, theirs: Showers, ours: Showers, rng: np.random.Generator) -> list[Check]:
    checks = []
    for name in (*_ABSOLUTE, *_RELATIVE):
        target = median(theirs.shapes[name][one.rows])
        measured = _with_error_of(median(ours.shapes[name][one.rows]), target)
        checks.append(
            near(
                f"median {name}, {one.name}",
                measured,
                target.value,
                absolute=_ABSOLUTE.get(name, 0.0),
                relative=_RELATIVE.get(name, 0.0),
                source="Geant4",
            )
        )
    widths = [bootstrap_estimate(_core, showers.shapes["sum"][one.rows], rng=rng) for showers in (ours, theirs)]
    resolution = _with_error_of(*widths)
    checks.append(near(f"intrinsic resolution, {one.name}", resolution, widths[1].value, relative=0.1, source="Geant4"))
    return checks


def _core(values: np.ndarray) -> float:
    """Half of the central 68 % over the median."""
    low, middle, high = np.percentile(values, [15.87, 50, 84.13])
    return float((high - low) / 2 / middle)


def _with_error_of(ours: Estimate, theirs: Estimate) -> Estimate:
    """Our value with the error of the difference."""
    return Estimate(ours.value, float(np.hypot(ours.error, theirs.error)))


def _conversions(eta: tuple[float, float], theirs: Showers, ours: Showers) -> list[Check]:
    a = np.abs(theirs.eta_true)
    rows = (theirs.pdg == 22) & (a >= eta[0]) & (a < eta[1])
    mine, reference = (fraction(one.conversion_radius[rows] < _TRACKER) for one in (ours, theirs))
    side = f"|η| < {eta[1]:g}" if eta[0] == 0 else f"|η| > {eta[0]:g}"
    name = f"photons converted in the tracker, {side}"
    return [near(name, _with_error_of(mine, reference), reference.value, relative=0.1, source="Geant4")]


def _classify(kind: str, rows: np.ndarray, theirs: Showers, ours: Showers, rng: np.random.Generator) -> list[Check]:
    shapes = [_shapes_matrix(one, rows) for one in (theirs, ours)]
    images = _image_components(rows, theirs, ours)
    on_shapes, on_images = (_area(*separate(*pair, rng=rng)) for pair in (shapes, images))
    alone = [
        quoted(f"AUC of {name} alone, {kind}", _alone(shapes[0], shapes[1], which))
        for which, name in enumerate(_HIGH_LEVEL)
    ]
    odd = rows & (np.arange(len(rows)) % 2 == 1)
    on_odd = _area(*separate(*(_shapes_matrix(one, odd) for one in (theirs, ours)), rng=rng))
    name = f"AUC, Geant4 against calotools, {kind}, shower shapes"
    return [
        within(name, on_shapes, 0.0, 0.75, source="0.5: the same"),
        quoted(f"{name}, showers that no factor was tuned on", on_odd),
        quoted(f"AUC, Geant4 against calotools, {kind}, images ({_COMPONENTS} principal components)", on_images),
        *alone,
    ]


def _alone(theirs: np.ndarray, ours: np.ndarray, which: int) -> Estimate:
    """AUC of one variable, at least 0.5 but for its error: no side is right."""
    area = _area(theirs[:, which], ours[:, which])
    return area if area.value >= 0.5 else Estimate(1 - area.value, area.error)


def _area(one: np.ndarray, zero: np.ndarray) -> Estimate:
    return Estimate(*auc(one[np.isfinite(one)], zero[np.isfinite(zero)]))


def _shapes_matrix(showers: Showers, rows: np.ndarray) -> np.ndarray:
    kinematics = [np.log(showers.e_true), np.abs(showers.eta_true)]
    return np.stack([*(showers.shapes[name] for name in _HIGH_LEVEL), *kinematics], axis=1)[rows]


def _image_components(rows: np.ndarray, theirs: Showers, ours: Showers) -> list[np.ndarray]:
    """First principal components of sqrt(pixel / E) of both samples together; the root shows the faint tails too."""
    flat = []
    for showers in (theirs, ours):
        images = build_images(showers.candidates(rows), "energy", source="validation")
        pixels = images.values["energy_em"].reshape(int(rows.sum()), -1)
        flat.append(np.sqrt(np.maximum(pixels, 0) / showers.e_true[rows, None]))
    both = np.concatenate(flat).astype(float)
    both -= both.mean(axis=0)
    _, axes = np.linalg.eigh(both.T @ both)
    components = both @ axes[:, -_COMPONENTS:]
    return [components[: len(flat[0])], components[len(flat[0]) :]]


def _figures(kind: str, rows: np.ndarray, theirs: Showers, ours: Showers, label: str) -> dict[str, Any]:
    pair = dict(zip(_NAMES, (theirs, ours), strict=True))
    shapes = {name: {which: one.shapes[name][rows] for which, one in pair.items()} for name in _DRAWN}
    images = {which: build_images(one.candidates(rows), "energy") for which, one in pair.items()}
    return {
        f"geant4_shapes_{kind}": (
            draw_shapes(shapes, label=label, note=kind, bins=30),
            f"Shower shapes of bare {kind}, 10–100 GeV; sum: accordion energy over the true one.",
        ),
        f"geant4_images_{kind}": (
            draw_image_pairs(images, image_spec("energy"), label=label, note=kind),
            f"Mean images of bare {kind} and their ratio, from 0.5 to 1.5.",
        ),
        f"geant4_layers_{kind}": (
            _draw_layers(rows, pair, label, kind),
            f"Energy in each layer over the true energy, bare {kind}; points: Geant4, lines: calotools.",
        ),
        f"geant4_lateral_{kind}": (
            _draw_lateral(rows, pair, label, kind),
            f"Lateral profiles of bare {kind}: part of a layer's energy by distance from the centre in it; points: "
            "Geant4, lines: calotools.",
        ),
    }


def _draw_layers(rows: np.ndarray, pair: dict[str, Showers], label: str, kind: str) -> Any:
    edges = np.array([10.0, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    centres = (edges[1:] + edges[:-1]) / 2
    profiles = {}
    for which, showers in pair.items():
        fractions = showers.layer_fractions()
        inside = [rows & (showers.e_true >= low) & (showers.e_true < high) for low, high in itertools.pairwise(edges)]
        profiles[which] = np.array([mean_rows(fractions[one]) for one in inside])
    points = {
        name: (centres, profiles[_NAMES[0]][:, 0, layer], profiles[_NAMES[0]][:, 1, layer])
        for layer, name in enumerate(LAYERS)
    }
    curves = {name: (centres, profiles[_NAMES[1]][:, 0, layer]) for layer, name in enumerate(LAYERS)}
    axes = r"$E_\mathrm{true}$ [GeV]", r"$\langle E_\mathrm{layer} / E_\mathrm{true} \rangle$"
    return draw_series(points, curves=curves, axes=axes, label=label, note=kind)


def _draw_lateral(rows: np.ndarray, pair: dict[str, Showers], label: str, kind: str) -> Any:
    points, curves = {}, {}
    for layer, along, width in ((1, "eta", 0.003125), (2, "eta", 0.0125), (2, "phi", 0.0125)):
        edges = width * np.arange(9)
        for which, showers in pair.items():
            sums = ring_sums(showers.offsets, showers.e, showers.distances(layer, along=along), edges=edges)[rows]
            mean, error = mean_rows(sums / np.maximum(sums.sum(axis=1, keepdims=True), 1e-12))
            name = f"{LAYERS[layer]}, {along}"
            centre = (edges[1:] + edges[:-1]) / 2
            if which == _NAMES[0]:
                points[name] = (centre, mean, error)
            else:
                curves[name] = (centre, mean)
    axes = "Distance from the centre (η, or φ in rad)", "Part of the layer's energy"
    return draw_series(points, curves=curves, axes=axes, scale="logy", label=label, note=kind)
