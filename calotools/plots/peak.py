"""Mass peaks with their fits and pulls."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.containers import PeakFit
from calotools.plots.canvas import stacked_panels
from calotools.plots.numbers import format_value
from calotools.plots.style import COLOURS, INVALID, LABEL, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_peak", "draw_peak_comparison", "fill_pull_panel", "pulls", "refuse"]

_WIDTHS = {
    "sigma68": r"$\sigma_{68}$",
    "fwhm": "FWHM",
    "core": r"core $\sigma$",
    "sample_sigma68": r"$\sigma_{68}$ of entries",
}
_CENTRES = ("mean", "mu", "m", "mass", "peak", "loc")


def draw_peak(fit: PeakFit, *, xlabel: str = "$m$ [GeV]", label: str = LABEL, note: str = "") -> Figure:
    """Draw a mass spectrum, the fitted curve, its numbers and the pulls.

    Parameters
    ----------
    fit : PeakFit
        One that is not valid is drawn dashed and grey, with the reason in red and without numbers.
    xlabel : str
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Examples
    --------
    >>> edges = np.linspace(80, 100, 21)
    >>> model = 100 * np.exp(-0.5 * (edges[1:] - 90.5) ** 2 / 4)
    >>> width = {"sigma68": 2.0, "sigma68_error": 0.1}
    >>> fit = PeakFit({"mean": 90.0}, {"mean": 0.1}, width, 15.0, 17, True, "", edges, model, model + 1, model, "Z")
    >>> len(draw_peak(fit).axes)
    2
    """
    with stacked_panels(label, note) as (figure, (main, panel)):
        _draw_spectrum(main, fit, colour="black", curve=COLOURS[1])
        if fit.valid:
            text = "\n".join([*_describe(fit), *(_wrapped(fit.notes) if fit.notes else [])])
            main.text(0.04, 0.95, text, transform=main.transAxes, va="top", fontsize="small", linespacing=1.5)
        else:
            refuse(main, fit.message)
        fill_pull_panel(panel, fit.edges, pulls(fit.counts, fit.model, fit.variances), valid=fit.valid)
        _finish(main, panel, fit, xlabel=xlabel)
        main.legend(loc="upper right")
    return figure


def draw_peak_comparison(
    before: PeakFit,
    after: PeakFit,
    *,
    ratio: tuple[float, float] | None = None,
    xlabel: str = "$m$ [GeV]",
    label: str = LABEL,
    note: str = "",
) -> Figure:
    """Draw the same candidates' peak before and after the network, each with its fit, widths and pulls.

    Parameters
    ----------
    before, after : PeakFit
        One that is not valid is drawn dashed and grey, with the reason in red.
    ratio : (float, float), optional
        Width after over before and its error, such as ``ratio["sigma68_rel"]`` and ``ratio_error["sigma68_rel"]`` of a
        `WidthComparison`.
    xlabel : str
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Examples
    --------
    >>> edges = np.linspace(80, 100, 21)
    >>> model = 100 * np.exp(-0.5 * (edges[1:] - 90.5) ** 2 / 4)
    >>> fit = PeakFit({"mean": 90.0}, {"mean": 0.1}, {}, 15.0, 17, True, "", edges, model, model + 1, model, "Z")
    >>> len(draw_peak_comparison(fit, fit).axes)
    3
    """
    with stacked_panels(label, note, heights=(3.4, 1, 1), height=6.0) as (figure, (main, *panels)):
        for which, (fit, panel) in enumerate(zip((before, after), panels, strict=True)):
            _draw_spectrum(main, fit, colour=COLOURS[which], curve=COLOURS[which])
            _draw_block(main, fit, side=which, colour=COLOURS[which])
            values = pulls(fit.counts, fit.model, fit.variances)
            fill_pull_panel(panel, fit.edges, values, valid=fit.valid, colour=COLOURS[which])
        _finish(main, panels[-1], after, xlabel=xlabel)
        if ratio is not None:
            text = f"Width, after / before:\n{format_value(*ratio)}"
            main.text(0.04, 0.58, text, transform=main.transAxes, va="top", linespacing=1.5)
    return figure


def _draw_block(ax: Axes, fit: PeakFit, *, side: int, colour: str) -> None:
    lines = _describe(fit, ("sigma68", "core")) if fit.valid else ["FIT NOT VALID", *_wrapped(fit.message, 22)]
    x, align = ((0.04, "left"), (0.96, "right"))[side]
    place: dict[str, Any] = {"transform": ax.transAxes, "ha": align, "va": "top"}
    ax.text(x, 0.95, literal(fit.name), color=colour, weight="bold", **place)
    text_colour = colour if fit.valid else "#bd1f01"
    ax.text(x, 0.88, "\n".join(lines), color=text_colour, fontsize="small", linespacing=1.5, **place)


def pulls(counts: np.ndarray, model: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """(data - fit) / error in each bin, with the fit's own Poisson error where the data have none.

    Parameters
    ----------
    counts, model, variances : (n,) float

    Returns
    -------
    (n,) float
        NaN where neither gives an error.

    Examples
    --------
    >>> pulls(np.array([12.0, 0.0]), np.array([10.0, 4.0]), np.array([16.0, 0.0]))
    array([ 0.5, -2. ])
    """
    variance = np.where(variances > 0, variances, model)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, (counts - model) / np.sqrt(variance), np.nan)


def fill_pull_panel(ax: Axes, edges: np.ndarray, values: np.ndarray, *, valid: bool, colour: str = "black") -> None:
    """Draw pulls as bars with the one and two sigma bands; arrows where they leave the panel."""
    for reach, shade in ((2, "#eceff1"), (1, "#d5dadd")):
        ax.axhspan(-reach, reach, color=shade, lw=0, zorder=0)
    shown = np.clip(np.nan_to_num(values), -4.2, 4.2)
    ax.stairs(shown, edges, fill=True, color=colour if valid else INVALID, alpha=0.75)
    x = 0.5 * (edges[1:] + edges[:-1])
    for marker, out, y in (("^", values > 4.2, 3.8), ("v", values < -4.2, -3.8)):
        ax.plot(x[out], np.full(out.sum(), y), marker, color="white", ms=3)
    ax.set(ylim=(-4.2, 4.2), yticks=(-3, 0, 3))
    ax.set_ylabel("Pull", loc="center")


def refuse(ax: Axes, message: str) -> None:
    """Write across the axes that the fit is not valid, and why."""
    text = "FIT NOT VALID\n" + "\n".join(_wrapped(message))
    box = {"facecolor": "white", "edgecolor": "#bd1f01", "boxstyle": "round,pad=0.4", "alpha": 0.9}
    ax.text(0.04, 0.94, text, transform=ax.transAxes, va="top", color="#bd1f01", fontsize="small", bbox=box, zorder=5)


def _wrapped(message: str, width: int = 32) -> list[str]:
    lines = textwrap.wrap(message or "no reason given", width)
    kept = lines[:4] + (["..."] if len(lines) > 4 else [])
    return [literal(line) for line in kept]


def _draw_spectrum(ax: Axes, fit: PeakFit, *, colour: str, curve: str) -> None:
    x = 0.5 * (fit.edges[1:] + fit.edges[:-1])
    name = literal(fit.name) or "data"
    ax.errorbar(
        x, fit.counts, np.sqrt(np.maximum(fit.variances, 0)), fmt="o", color=colour, ms=4, elinewidth=1.2, label=name
    )
    if fit.valid and np.any(fit.background > 0):
        ax.plot(x, fit.background, color=curve, ls=":", label="background")
    if fit.valid:
        ax.plot(x, fit.model, color=curve, label="fit")
    elif np.isfinite(fit.model).any():
        ax.plot(x, fit.model, color=INVALID, ls="--", lw=1, label="fit (not valid)")


def _describe(fit: PeakFit, widths: Sequence[str] = tuple(_WIDTHS)) -> list[str]:
    centre = next((name for name in _CENTRES if name in fit.values), None)
    lines = []
    if centre is not None:
        lines.append(rf"$\mu$ = {format_value(fit.values[centre], fit.errors.get(centre), 'GeV')}")
    known = [(_WIDTHS[key], fit.width[key], fit.width.get(f"{key}_error")) for key in widths if key in fit.width]
    lines += [f"{name} = {format_value(width, error, 'GeV')}" for name, width, error in known]
    return [*lines, rf"$\chi^2$/ndf = {fit.chi2:.1f}/{fit.ndf}"]


def _finish(main: Axes, bottom: Axes, fit: PeakFit, *, xlabel: str) -> None:
    step = float(np.mean(np.diff(fit.edges)))
    main.set(xlim=(fit.edges[0], fit.edges[-1]), ylabel=f"Pairs / {step:.3g} GeV")
    main.set_ylim(0, main.get_ylim()[1] * 1.35)
    bottom.set_xlabel(xlabel)
