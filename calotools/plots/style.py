"""One style for every figure: mplhep's ATLAS layout, Petroff's colours, and a label that is the user's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "INVALID",
    "LABEL",
    "axis_label",
    "literal",
    "new_figure",
    "pen_of",
    "settings",
    "stacked",
    "stamp",
    "stamp_ends",
    "style",
    "touching",
]

LABEL = "calotools simulation"
# Petroff, arXiv:2107.02270, ten-colour sequence: told apart with every common colour vision deficiency.
COLOURS = (
    "#3f90da",
    "#bd1f01",
    "#ffa90e",
    "#832db6",
    "#94a4a2",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
_DASHES = ("-", "--", "-.", ":")
INVALID = "#717581"
_OVERRIDES: dict[str, Any] = {
    "font.size": 12,
    "font.sans-serif": ["TeX Gyre Heros", "DejaVu Sans"],
    "font.monospace": ["DejaVu Sans Mono"],
    "axes.formatter.limits": "-4, 5",
    "axes.labelsize": "large",
    "axes.autolimit_mode": "data",
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.labelpad": 5,
    "axes.titlesize": "medium",
    "xtick.labelsize": "medium",
    "ytick.labelsize": "medium",
    "ytick.major.size": 7,
    "ytick.minor.size": 4,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "legend.fontsize": "medium",
    "legend.borderpad": 0.4,
    "hatch.color": "#c4c8cc",
    "hatch.linewidth": 0.8,
    "mathtext.fallback": "cm",
}
_AXES = {
    "eta": r"$|\eta|$",
    "abs_eta": r"$|\eta|$",
    "et": r"$E_\mathrm{T}$ [GeV]",
    "e": r"$E$ [GeV]",
    "e_true": r"$E_\mathrm{true}$ [GeV]",
    "et_true": r"$E_\mathrm{T,true}$ [GeV]",
    "eta_true": r"$|\eta_\mathrm{true}|$",
    "pt": r"$p_\mathrm{T}$ [GeV]",
    "mu": r"$\langle\mu\rangle$",
    "mass": r"$m$ [GeV]",
    "conversion_type": "Tracks of the conversion",
    "gain": "Readout gain of the hottest cell (0 high, 1 medium, 2 low)",
    "relative_sigma": r"Stated $\sigma/E$",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw inside calotools' style; matplotlib's settings are as before afterwards.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> before = mpl.rcParams["xtick.direction"]
    >>> with style():
    ...     mpl.rcParams["xtick.direction"]
    'in'
    >>> mpl.rcParams["xtick.direction"] == before
    True
    """
    import matplotlib as mpl

    with mpl.rc_context(settings()):  # type: ignore[arg-type]
        yield


def settings() -> dict[str, Any]:
    """The style as matplotlib's rcParams: mplhep's ATLAS style with our colours, fonts and sizes.

    Examples
    --------
    >>> settings()["font.sans-serif"][0]
    'TeX Gyre Heros'
    """
    import mplhep
    from cycler import cycler

    return {**mplhep.style.ATLAS, **_OVERRIDES, "axes.prop_cycle": cycler(color=COLOURS)}


def pen_of(which: int) -> tuple[str, str]:
    """Colour and line style of a curve by its number: forty that differ, then again from the first.

    Examples
    --------
    >>> pen_of(0), pen_of(10)
    (('#3f90da', '-'), ('#3f90da', '--'))
    """
    return COLOURS[which % len(COLOURS)], _DASHES[which // len(COLOURS) % len(_DASHES)]


def new_figure(*, width: float = 6.4, height: float = 4.8) -> Figure:
    """An empty figure of a size in inches, outside pyplot's list, that lays itself out."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(rect=(0.01, 0.01, 0.98, 0.98)))


def stacked(figure: Figure, *, heights: tuple[float, ...] = (3, 1)) -> list[Axes]:
    """Axes above each other that share x and touch: a main one and its panels."""
    touching(figure)
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    figure.align_ylabels(axes)
    return list(axes)


def touching(figure: Figure) -> None:
    """Leave no room between axes above each other."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(hspace=0.0, h_pad=0.02)  # type: ignore[call-arg]


def axis_label(name: str) -> str:
    """The label of an axis by its field name; an unknown name stands for itself.

    Examples
    --------
    >>> axis_label("mu"), axis_label("depth")
    ('$\\\\langle\\\\mu\\\\rangle$', 'depth')
    """
    return _AXES.get(name, literal(name))


def literal(text: str) -> str:
    """Text that matplotlib shows as it is, without reading mathematics into it.

    Examples
    --------
    >>> literal("cost in $")
    'cost in \\\\$'
    """
    return text.replace("$", r"\$")


def stamp(ax: Axes, label: str, note: str = "", *, lift: float = 5) -> None:
    """Write the label above the axes, its first word bold, and a note at the right end.

    Parameters
    ----------
    ax : Axes
    label : str
        Such as ``calotools simulation``.
    note : str
        Such as the process or the bin; may hold mathematics.
    lift : float [pt]
        Height above the frame.
    """
    place: dict[str, Any] = {"xytext": (0, lift), "textcoords": "offset points", "va": "bottom"}
    head, _, rest = label.partition(" ")
    first = ax.annotate(literal(head), (0, 1), xycoords="axes fraction", weight="bold", **place)
    second = ax.annotate(literal(rest), (1, 0), xycoords=first, **{**place, "xytext": (4, 0)})
    right = ax.annotate(note, (1, 1), xycoords="axes fraction", ha="right", size="small", **place)
    # The first word makes room above the axes; longer texts must not push small axes apart.
    for text in (second, right):
        text.set_in_layout(False)


def stamp_ends(first: Axes, last: Axes, label: str, note: str = "", *, lift: float = 5) -> None:
    """Write the label above the first axes of a row, and the note above the last; see `stamp`."""
    stamp(first, label, lift=lift)
    stamp(last, "", note, lift=lift)
