"""Background rejection against signal efficiency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.containers import Efficiency, RejectionRatio, Roc
from calotools.errors import EmptyInputError, ShapeError
from calotools.plots.canvas import stacked_panels
from calotools.plots.numbers import format_number, format_value
from calotools.plots.style import LABEL, literal, pen_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_roc"]

_INSIDE = 9  # lines of a legend that have room above the curves


def draw_roc(
    rocs: Sequence[Roc],
    *,
    ratios: Sequence[RejectionRatio] = (),
    working_points: Sequence[float] = (),
    cuts: Mapping[str, tuple[Efficiency, RejectionRatio]] | None = None,
    start: float = 0.5,
    ratio: bool = True,
    label: str = LABEL,
    note: str = "",
) -> Figure:
    """Draw background rejection against signal efficiency, with 68.3 % bands and the area under each curve.

    Parameters
    ----------
    rocs : sequence of Roc
        In the order of the legend.
    ratios : sequence of RejectionRatio
        Of each curve but the first to the first, for the panel.
    working_points : sequence of float
        Signal efficiencies to mark; the rejection there goes into the legend, for the first curve when there are
        more than two.
    cuts : dict of str to (Efficiency, RejectionRatio), optional
        Cuts made elsewhere, such as a likelihood's: background efficiency (one bin), and the curve's rejection over
        theirs at their signal efficiency. Points beside the only curve, with a panel of the ratios.
    start : float
        Lowest signal efficiency shown.
    ratio : bool
        With more than one curve, a panel shows the rejection of each over that of the first.
    label, note : str
        Above the axes, left and right.

    Returns
    -------
    Figure

    Raises
    ------
    EmptyInputError
        No curve was given.
    ShapeError
        Ratios were given, but not one for each curve but the first; or cuts for more than one curve.

    Notes
    -----
    Without `ratios` those of the panel have no bands: curves of the same candidates are correlated, and they do not
    say how much.

    Examples
    --------
    >>> x = np.linspace(0.01, 1, 100)
    >>> roc = Roc(x, x**4, x**4 * 0.9, x**4 * 1.1, auc=0.8, auc_error=0.01, n_signal=900.0, n_background=900.0)
    >>> len(draw_roc([roc], working_points=[0.8]).axes)
    1
    """
    if not rocs:
        raise EmptyInputError("draw_roc was given no ROC curve; give at least one")
    if ratios and len(ratios) != len(rocs) - 1:
        raise ShapeError(f"{len(ratios)} ratios for {len(rocs)} ROC curves; give one for each but the first")
    if cuts and len(rocs) > 1:
        raise ShapeError(f"ratios to cuts are of one ROC curve, not of {len(rocs)}; draw one")
    cuts = {name: one for name, one in (cuts or {}).items() if one[1].signal[0] >= start}
    compared = ratio and len(rocs) > 1
    with stacked_panels(label, note, heights=(3, 1) if compared or cuts else (1,)) as (figure, axes):
        for which, roc in enumerate(rocs):
            colour, dashes = pen_of(which)
            _draw_curve(axes[0], roc, colour=colour, dashes=dashes, start=start)
            # Two curves' points can be read in a legend; of more, the first one's.
            written = which == 0 or len(rocs) == 2
            _draw_working_points(axes[0], roc, working_points, colour=colour, written=written)
        if compared:
            _draw_ratios(axes[1], _lines(rocs, ratios, start=start))
        if cuts:
            _draw_cuts(axes[0], axes[1], cuts)
        axes[0].set(yscale="log", xlim=(start, 1), ylabel=r"Background rejection 1/$\varepsilon_\mathrm{b}$")
        _add_legend(figure, axes[0], lines=len(rocs) + len(working_points) + len(cuts))
        axes[-1].set_xlabel(r"Signal efficiency $\varepsilon_\mathrm{s}$")
    return figure


def _add_legend(figure: Figure, ax: Axes, *, lines: int) -> None:
    """Above the curves; what has too many lines for that stands beside them."""
    if lines <= _INSIDE:
        ax.set_ylim(1, _headroom(ax.get_ylim()[1], lines=lines))
        ax.legend(loc="upper right")
        return
    ax.set_ylim(1, ax.get_ylim()[1])
    figure.set_figwidth(figure.get_figwidth() + 2.2)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="x-small").set_in_layout(False)
    figure.set_layout_engine("constrained", rect=(0, 0, 1 - 2.2 / figure.get_figwidth(), 1))


def _headroom(top: float, *, lines: int) -> float:
    """Upper end of a logarithmic axis that leaves room for the lines of a legend above `top`."""
    return float(top ** (1 / max(1 - 0.055 * (lines + 1), 0.4)))


def rejection(roc: Roc) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """1 / background efficiency and its band; NaN where no background is left, infinite where the band is open.

    Returns
    -------
    value, low, high : (n,) float
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(roc.background > 0, 1 / roc.background, np.nan)
        return value, 1 / roc.high, 1 / roc.low


def _draw_curve(ax: Axes, roc: Roc, *, colour: str, dashes: str, start: float) -> None:
    value, low, high = rejection(roc)
    shown = (roc.signal >= start) & np.isfinite(value)
    name = literal(roc.name) or "score"
    text = f"{name}, AUC {format_value(roc.auc, roc.auc_error)}"
    ax.plot(roc.signal[shown], value[shown], color=colour, ls=dashes, label=text)
    # An open band has no upper end: three times the largest value is far above the frame that the curve sets.
    ceiling = 3 * np.max(value[shown], initial=1)
    band = (roc.signal >= start) & np.isfinite(low)
    ax.fill_between(roc.signal[band], low[band], np.minimum(high[band], ceiling), color=colour, alpha=0.25, lw=0)
    ax.set_ylim(top=max(ax.get_ylim()[1], ceiling))


def _draw_working_points(ax: Axes, roc: Roc, points: Sequence[float], *, colour: str, written: bool) -> None:
    value, low, high = rejection(roc)
    for point in points:
        y, down, up = (float(np.interp(point, roc.signal, one)) for one in (value, low, high))
        if np.isfinite(y):
            text = rf"$\varepsilon_\mathrm{{s}}$ = {point:.0%}: " + _asymmetric(y, y - down, up - y)
            ax.plot(point, y, "o", color=colour, mec="white", label=text if written else None, zorder=3)


def _asymmetric(value: float, down: float, up: float) -> str:
    if not np.isfinite(up):
        return f"> {format_number(value - down, 3)}"
    return format_value(value, (down + up) / 2)


def _lines(rocs: Sequence[Roc], ratios: Sequence[RejectionRatio], *, start: float) -> list[RejectionRatio]:
    """The first curve's ratio to itself, and those of the others: as given, or without a band."""
    given = [_shown(one, start=start) for one in ratios]
    x = given[0].signal if given else np.linspace(start, 1, 400)
    base = np.interp(x, rocs[0].signal, rejection(rocs[0])[0])
    alone = [np.interp(x, one.signal, rejection(one)[0]) / base for one in (rocs[:1] if given else rocs)]
    return [*(RejectionRatio(x, one, one, one) for one in alone), *given]


def _shown(ratio: RejectionRatio, *, start: float) -> RejectionRatio:
    there = ratio.signal >= start
    return RejectionRatio(ratio.signal[there], ratio.value[there], ratio.low[there], ratio.high[there])


def _draw_ratios(ax: Axes, lines: Sequence[RejectionRatio]) -> None:
    seen = []
    for which, one in enumerate(lines):
        colour, dashes = pen_of(which)
        ax.plot(one.signal, one.value, color=colour, ls=dashes)
        seen.append(one.value[np.isfinite(one.value)])
        high = np.where(np.isfinite(one.high), one.high, one.value)
        ax.fill_between(one.signal, one.low, high, color=colour, alpha=0.25, lw=0)
    # where the last candidates of the background are, a ratio may be anything: that must not set the scale
    typical = float(np.percentile(np.concatenate(seen), 90))
    if ax.get_ylim()[1] > 5 * typical:
        ax.set_ylim(0, 3 * typical)
    ax.set_ylabel("Ratio to first", loc="center")


def _draw_cuts(main: Axes, panel: Axes, cuts: Mapping[str, tuple[Efficiency, RejectionRatio]]) -> None:
    """Rejection of each cut, and the curve's over it; an interval without an upper end is as long as the value."""
    colour, _ = pen_of(1)
    for number, (name, (background, ratio)) in enumerate(cuts.items()):
        with np.errstate(divide="ignore"):
            value, low, high = (float(1 / one[0]) for one in (background.value, background.high, background.low))
        if not np.isfinite(value):  # nothing of the background passes
            continue
        style: dict[str, Any] = {"color": colour, "marker": "sDv^<>"[number % 6], "ls": "none", "ms": 5, "capsize": 2}
        text = f"{literal(name)}: {_asymmetric(value, value - low, high - value)}"
        main.errorbar(ratio.signal, [value], yerr=_bars([value], [low], [high]), label=text, **style)
        panel.errorbar(ratio.signal, ratio.value, yerr=_bars(ratio.value, ratio.low, ratio.high), **style)
    panel.axhline(1, color="0.6", lw=0.8, zorder=0)
    panel.set_ylim(0, 1.15 * panel.get_ylim()[1])
    panel.set_ylabel("Ratio to cuts", loc="center")


def _bars(
    value: Sequence[float] | np.ndarray, low: Sequence[float] | np.ndarray, high: Sequence[float] | np.ndarray
) -> np.ndarray:
    """(2, n) lengths below and above; what has no end above is as long as the value."""
    centre, upper = np.asarray(value, float), np.asarray(high, float)
    above = np.where(np.isfinite(upper), upper - centre, centre)
    return np.nan_to_num(np.maximum([centre - np.asarray(low, float), above], 0.0))
