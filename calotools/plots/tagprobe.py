"""Passing and failing probes of one bin, with the simultaneous fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calotools.containers import TagProbeFit
from calotools.plots.numbers import format_interval, format_value
from calotools.plots.peak import fill_pull_panel, pulls, refuse
from calotools.plots.style import COLOURS, INVALID, LABEL, axis_label, new_figure, stamp_ends, style, touching

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_tagprobe"]


def draw_tagprobe(fit: TagProbeFit, *, xlabel: str = r"$m_{ee}$ [GeV]", label: str = LABEL, note: str = "") -> Figure:
    """Draw the mass spectra of passing and failing probes, the fit, its background and the pulls.

    Parameters
    ----------
    fit : TagProbeFit
        One that is not valid is drawn dashed and grey, with the reason in red and without an efficiency; one that
        was counted has no curve.
    xlabel : str
    label, note : str
        Above the axes, left and right; the bin's edges stand at the right when there is no note.

    Returns
    -------
    Figure

    Examples
    --------
    >>> edges = np.linspace(60, 120, 31)
    >>> signal = 200 * np.exp(-0.5 * (edges[1:] - 92) ** 2 / 9)
    >>> flat = np.full(30, 20.0)
    >>> shapes = (signal + flat, signal / 5 + flat, signal + flat, signal / 5 + flat, flat, flat)
    >>> fit = TagProbeFit(0.83, 0.01, edges, *shapes, 50.0, 52, True, "", {"et": (25.0, 35.0)})
    >>> len(draw_tagprobe(fit).axes)
    4
    """
    with style():
        figure = new_figure(width=9.6, height=4.8)
        axes = figure.subplots(2, 2, sharex=True, height_ratios=(3, 1))
        touching(figure)
        sides = (
            ("Passing probes", fit.passing, fit.passing_model, fit.passing_background),
            ("Failing probes", fit.failing, fit.failing_model, fit.failing_background),
        )
        for column, (name, *spectra) in zip(axes.T, sides, strict=True):
            _draw_side(column, fit, name, spectra)
            column[1].set_xlabel(xlabel)
        _say_result(axes[0][0], fit)
        stamp_ends(axes[0][0], axes[0][1], label, note or _bin_text(fit))
    return figure


def _draw_side(column: np.ndarray, fit: TagProbeFit, name: str, spectra: list[np.ndarray]) -> None:
    counts, model, background = spectra
    main, panel = column
    x = 0.5 * (fit.edges[1:] + fit.edges[:-1])
    main.errorbar(x, counts, np.sqrt(np.maximum(counts, 0)), fmt="o", color="black", ms=4, elinewidth=1.2, label=name)
    if np.isfinite(model).any() and fit.method == "fit":
        curve = {"color": COLOURS[1]} if fit.valid else {"color": INVALID, "ls": "--", "lw": 1}
        main.plot(x, model, label="fit" if fit.valid else "fit (not valid)", **curve)
    if np.isfinite(background).any() and fit.valid and fit.method == "fit":
        main.fill_between(x, 0, background, color=COLOURS[0], alpha=0.35, lw=0, label="background")
    shown = pulls(counts, model, counts) if fit.method == "fit" else np.full(len(counts), np.nan)
    fill_pull_panel(panel, fit.edges, shown, valid=fit.valid)
    main.set(xlim=(fit.edges[0], fit.edges[-1]), ylabel=f"Pairs / {np.mean(np.diff(fit.edges)):.3g} GeV")
    main.set_ylim(0, main.get_ylim()[1] * (1.25 if fit.valid else 1.5))
    main.legend(loc="upper right", fontsize="small")


def _say_result(ax: Axes, fit: TagProbeFit) -> None:
    if not fit.valid:
        refuse(ax, fit.message)
        return
    known = np.isfinite(fit.low) and np.isfinite(fit.high)
    value = format_interval(fit.efficiency, fit.low, fit.high) if known else format_value(fit.efficiency, fit.error)
    quality = rf"$\chi^2$/ndf = {fit.chi2:.1f}/{fit.ndf}" if fit.method == "fit" else "counted, not fitted"
    text = "\n".join([rf"$\varepsilon$ = {value}", quality])
    ax.text(0.04, 0.95, text, transform=ax.transAxes, va="top", fontsize="small", linespacing=1.5)


def _bin_text(fit: TagProbeFit) -> str:
    parts = []
    for name, (low, high) in fit.bin.items():
        text = axis_label(name)
        unit = " GeV" if "[GeV]" in text else ""
        parts.append(f"{low:g} < {text.replace(' [GeV]', '')} < {high:g}{unit}")
    return ", ".join(parts)
