"""The figure of the chain: from a ROOT ntuple to numbers with uncertainties, room by room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calotools.plots.style import new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_pipeline"]

_FILE, _ROOM, _RESULT, _SOURCE = (
    ("#eef1f4", "#5c6b76"),
    ("#e3effb", "#2d72b5"),
    ("#fdf1dc", "#c97f00"),
    ("#f7e4e0", "#bd1f01"),
)


@dataclass(frozen=True)
class _Box:
    """A box of the figure: centre and size in figure units, heading, lines below it, (fill, edge) colours."""

    x: float
    y: float
    width: float
    height: float
    head: str
    lines: str
    look: tuple[str, str]


_BOXES = {
    "simulate": _Box(1.05, 4.75, 1.9, 1.15, "simulate", "showers, pile-up,\nelectronics, tracks", _SOURCE),
    "data": _Box(1.05, 3.05, 1.9, 1.0, "ROOT ntuple", "cells, tracks, truth\nTTree or RNTuple", _FILE),
    "detector": _Box(1.05, 1.35, 1.9, 1.15, "detector", "granularity, material,\nnoise, gain, pulse", _SOURCE),
    "ntuple": _Box(3.55, 3.05, 1.9, 1.15, "ntuple", "any flavour in,\ncandidates out", _ROOM),
    "images": _Box(6.05, 4.75, 1.9, 1.15, "images", "cells to pixels:\nE, time, gain, noise", _ROOM),
    "variables": _Box(6.05, 3.05, 1.9, 1.15, "variables", "shower shapes,\ncuts, splits, weights", _ROOM),
    "tracks": _Box(6.05, 1.35, 1.9, 1.15, "tracks", "matched first,\npadded with a mask", _ROOM),
    "models": _Box(8.55, 4.05, 1.9, 1.15, "models, training", "networks, losses,\nschedules", _ROOM),
    "deploy": _Box(8.55, 2.05, 1.9, 1.15, "deploy", "scores and energies,\nback in ROOT", _ROOM),
    "analysis": _Box(
        11.05,
        3.05,
        1.95,
        1.75,
        "analysis",
        "performance, peaks,\ntag-and-probe,\nscale factors, each\nwith uncertainties",
        _RESULT,
    ),
    "plots": _Box(13.38, 3.05, 1.75, 1.45, "plots", "figures (PDF, PNG),\nnumbers (JSON),\none HTML report", _RESULT),
}
_STAGES = "calotools simulate · inspect · display · train · predict · evaluate · peaks · tagprobe · report"
_PROMISE = "stages and cli: one recipe for each, the same in Python, in TOML and on the command line"
_ARROWS = (
    ("simulate", "data"),
    ("detector", "data"),
    ("data", "ntuple"),
    ("ntuple", "images"),
    ("ntuple", "variables"),
    ("ntuple", "tracks"),
    ("images", "models"),
    ("variables", "models"),
    ("tracks", "models"),
    ("models", "deploy"),
    ("deploy", "analysis"),
    ("analysis", "plots"),
)


def draw_pipeline() -> Figure:
    """Draw the chain of rooms that data flow through, left to right.

    Returns
    -------
    Figure

    Examples
    --------
    >>> len(draw_pipeline().axes)
    1
    """
    with style():
        figure = new_figure(width=14.6, height=6.3)
        ax = figure.subplots()
        ax.set(xlim=(0, 14.4), ylim=(-0.65, 5.45), aspect="equal")
        ax.set_axis_off()
        for start, end in _ARROWS:
            _draw_arrow(ax, _BOXES[start], _BOXES[end])
        for box in _BOXES.values():
            _draw_box(ax, box)
        _draw_base(ax)
    return figure


def _draw_base(ax: Axes) -> None:
    from matplotlib.patches import FancyBboxPatch

    look: dict[str, Any] = {
        "boxstyle": "round,pad=0,rounding_size=0.12",
        "fc": "white",
        "ec": "#5c6b76",
        "lw": 1.2,
        "ls": (0, (4, 3)),
    }
    ax.add_patch(FancyBboxPatch((0.1, -0.55), 14.15, 0.95, **look))
    ax.text(7.2, 0.14, _STAGES, ha="center", va="center", family="monospace", fontsize=13, color="#1d2730")
    ax.text(7.2, -0.26, _PROMISE, ha="center", va="center", fontsize=12, color="#5c6b76")


def _draw_box(ax: Axes, box: _Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    fill, edge = box.look
    corner = (box.x - box.width / 2, box.y - box.height / 2)
    shape = FancyBboxPatch(
        corner, box.width, box.height, boxstyle="round,pad=0,rounding_size=0.12", fc=fill, ec=edge, lw=1.6
    )
    ax.add_patch(shape)
    top = box.y + box.height / 2
    ax.text(box.x, top - 0.14, box.head, ha="center", va="top", weight="bold", fontsize=15, color=edge)
    ax.text(box.x, top - 0.5, box.lines, ha="center", va="top", fontsize=12, linespacing=1.3, color="#1d2730")


def _draw_arrow(ax: Axes, start: _Box, end: _Box) -> None:
    from matplotlib.patches import FancyArrowPatch

    vertical = abs(start.x - end.x) < 0.1
    sign = 1 if (end.y > start.y if vertical else end.x > start.x) else -1
    if vertical:
        ends = ((start.x, start.y + sign * start.height / 2), (end.x, end.y - sign * end.height / 2))
    else:
        ends = ((start.x + start.width / 2, start.y), (end.x - end.width / 2, end.y))
    ax.add_patch(
        FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=15, lw=1.5, color="#5c6b76", shrinkA=1, shrinkB=2)
    )
