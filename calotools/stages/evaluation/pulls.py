"""Coverage and pull of a network's sigma, and whether it tells good candidates from bad ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.analysis import Bootstrap, measure_pulls, measure_resolution
from calotools.containers import Resolution
from calotools.plots import draw_pulls, draw_resolution, draw_series
from calotools.stages.publish import Headline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["measure_uncertainty"]

_TENTHS = np.linspace(0, 1, 11)
Axes = Mapping[str, tuple[np.ndarray, Any]]


def measure_uncertainty(
    energy: np.ndarray,
    sigma: np.ndarray,
    columns: Mapping[str, np.ndarray],
    *,
    axes: Axes,
    bootstrap: Bootstrap,
    label: str,
) -> tuple[tuple[Headline, ...], dict[str, Any], dict[str, tuple[Figure, str]]]:
    """Everything there is to say of a sigma.

    Parameters
    ----------
    energy, sigma : (n,) float [GeV]
    columns : dict of str to (n,) float
        With ``e_true`` and ``weight``.
    axes : dict of str to (values, edges)
    bootstrap : Bootstrap
    label : str
        Above the figures.

    Returns
    -------
    tuple of Headline
    dict
        ``inclusive``, and by axis; ``categories``: resolution in tenths of candidates by relative sigma.
    dict of str to (Figure, str)
    """
    true, weight = columns["e_true"], columns["weight"]
    measure = partial(measure_pulls, energy, sigma, true, bootstrap=bootstrap, weight=weight)
    inclusive = measure()
    binned = {
        axis: measure(axes={axis: values}, edges={axis: np.asarray(edges)}) for axis, (values, edges) in axes.items()
    }
    relative = _tenths(sigma / energy)
    said = measure(axes=relative[0], edges=relative[1])
    found = measure_resolution(
        {"network": energy}, true, axes=relative[0], edges=relative[1], bootstrap=bootstrap, weight=weight
    )["network"]
    figures = {"pull": (draw_pulls({"network": (energy - true) / sigma}, label=label), "Pull, and a unit Gaussian.")}
    for axis, one in binned.items():
        for metric, what in (("coverage68", "Fraction of true energies within σ"), ("pull_width", "Width of the pull")):
            figures[f"{metric}_{axis}"] = (
                draw_resolution([one], metric=metric, panel=None, label=label),
                f"{what}; bootstrap errors over events. An honest σ is at the line.",
            )
    x = said.metrics["relative_sigma"]
    if np.any(np.isfinite(x) & np.isfinite(found.metrics["sigma68"])):  # tenths of few candidates are empty
        figures["sigma_honesty"] = (
            draw_series(
                {"tenths of the candidates": (x, found.metrics["sigma68"], found.errors["sigma68"])},
                axes=(r"Mean of stated $\sigma/E$", r"$\sigma_{68}$ of $E/E_\mathrm{true}$"),
                curves={"equal": (x, x)},
                label=label,
            ),
            "Resolution of candidates sorted by what the network says of it.",
        )
    results = {"inclusive": inclusive, "binned": binned, "categories": {"said": said, "found": found}}
    return _headline(inclusive), results, figures


def _tenths(relative: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Axis and edges that hold a tenth of the candidates each."""
    edges = np.unique(np.quantile(relative[np.isfinite(relative)], _TENTHS))
    edges[-1] = np.nextafter(edges[-1], np.inf)  # the largest is inside
    return {"relative_sigma": relative}, {"relative_sigma": edges}


def _headline(one: Resolution) -> tuple[Headline, ...]:
    return (
        Headline(
            "within σ", 100 * one.metrics["coverage68"][0], 100 * one.errors["coverage68"][0], "%", "68.27 % is honest"
        ),
        Headline("width of the pull", one.metrics["pull_width"][0], one.errors["pull_width"][0], "", "1 is honest"),
    )
