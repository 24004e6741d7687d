"""Figures of the validation: series, shapes and pairs of images."""

import numpy as np
import pytest

from calotools import plots
from calotools.containers import ImageGrid, Images, ImageSpec, Layer
from calotools.errors import ConfigError, EmptyInputError, ShapeError
from calotools.plots.style import settings

baseline = pytest.mark.mpl_image_compare(style=settings(), savefig_kwargs={"dpi": 60, "metadata": {"Software": None}})
X = np.array([10.0, 20.0, 50.0, 100.0, 200.0])
AXES = (r"$E$ [GeV]", r"$\sigma(E)/E$")


@baseline
def test_series():
    barrel = 0.1 / np.sqrt(X)
    missing = np.where(X == 50, np.nan, 1.3 * barrel)
    points = {"barrel": (X, barrel, 0.05 * barrel), "endcap": (X, missing, 0.1 * barrel)}
    curves = {"barrel": (X, 1.05 * barrel), "published": (X, 0.9 * barrel)}
    return plots.draw_series(points, axes=AXES, curves=curves, scale="loglog", note="electrons")


@baseline
def test_shapes():
    rng = np.random.default_rng(3)
    variables = {
        name: {"Geant4": rng.normal(mean, width, 800), "calotools": rng.normal(mean, 1.2 * width, 800)}
        for name, mean, width in (("reta", 0.95, 0.01), ("wstot", 2.0, 0.3), ("f1", 0.25, 0.08))
    }
    return plots.draw_shapes(variables, bins=25, note="photons")


def toy_images(n, *, width):
    eta, phi = np.arange(7) - 3.0, np.arange(5) - 2.0
    shower = np.exp(-np.abs(eta)[:, None] / width - np.abs(phi) / width)
    values = np.stack([shower, 0.1 * shower])[None].repeat(n, 0).astype(np.float32)
    mask = np.ones(values.shape, bool)
    mask[:, 1, :2] = False
    return Images({"energy_em": values}, {"em": mask}, {}, np.zeros((n, 2)), np.zeros(n))


SPEC = ImageSpec({"em": ImageGrid(7, 5, 0.025, 0.02454)}, (Layer("middle", (2,)), Layer("back", (3,))))


@baseline
def test_image_pairs():
    return plots.draw_image_pairs({"Geant4": toy_images(3, width=1.0), "calotools": toy_images(4, width=1.1)}, SPEC)


def test_an_absent_cell_counts_as_zero_energy():
    """A sample that leaves weak cells out has the same mean as one that keeps them at zero."""
    images = toy_images(2, width=1.0)
    sparse = Images(images.values, {"em": images.mask["em"].copy()}, {}, images.centre, images.dropped)
    sparse.mask["em"][0] = False
    figures = [plots.draw_image_pairs({"a": toy_images(2, width=1.0), "b": one}, SPEC) for one in (images, sparse)]
    first, second = (figure.axes[3].images[0].get_array() for figure in figures)
    assert np.ma.allclose(first, second)


def test_nothing_to_draw():
    with pytest.raises(EmptyInputError, match="no point to draw in 1 series: barrel"):
        plots.draw_series({"barrel": (X, X * np.nan, X)}, axes=AXES)
    with pytest.raises(ShapeError, match=r"series 'barrel' has arrays of lengths \[5, 5, 1\]"):
        plots.draw_series({"barrel": (X, X, np.ones(1))}, axes=AXES)
    with pytest.raises(EmptyInputError, match="no variable was given to draw"):
        plots.draw_shapes({})
    with pytest.raises(EmptyInputError, match="'f1' has no finite value in one of a"):
        plots.draw_shapes({"f1": {"a": np.array([np.nan])}})
    with pytest.raises(ConfigError, match="two samples are compared, not 1: a"):
        plots.draw_image_pairs({"a": toy_images(2, width=1.0)}, SPEC)
    with pytest.raises(EmptyInputError, match="no candidates to average images of 'em' over"):
        plots.draw_image_pairs({"a": toy_images(2, width=1.0), "b": toy_images(0, width=1.0)}, SPEC)


@pytest.mark.parametrize(("last", "labels"), [(200.0, ["10", "20", "50", "100", "200"]), (1e6, None)])
def test_a_short_logarithmic_axis_has_plain_numbers(last, labels):
    x = np.geomspace(10, last, 8)
    figure = plots.draw_series({"barrel": (x, 1 / x, 0.1 / x)}, axes=AXES, scale="log")
    figure.canvas.draw()
    low, high = figure.axes[0].get_xlim()
    ticks = figure.axes[0].get_xticklabels()
    shown = [tick.get_text() for tick in ticks if low <= tick.get_position()[0] <= high]
    assert shown == labels if labels else any("10^" in one for one in shown)
    assert not any(tick.get_text() for tick in figure.axes[0].get_xticklabels(minor=True))


@pytest.mark.parametrize(
    "x", [np.array([18.0, 22.0, 26.0, 29.0, 36.0]), np.array([1.0, 2.0, 3.0]), np.arange(5.0) * 60]
)
def test_what_counts_has_ticks_at_whole_numbers(x):
    ax = plots.draw_series({"trees": (x, 1 / (1 + x), 0.1 / (1 + x))}, axes=AXES, whole=True).axes[0]
    for minor in (False, True):
        ticks = ax.get_xticks(minor=minor)
        np.testing.assert_array_equal(ticks, np.round(ticks))
    low, high = ax.get_xlim()
    assert np.sum((ax.get_xticks() >= low) & (ax.get_xticks() <= high)) >= 3
