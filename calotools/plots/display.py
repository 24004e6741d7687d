"""One candidate as the detector saw it: its cells layer by layer, with times, gains and tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.errors import BranchError, CellError
from calotools.plots.numbers import format_number
from calotools.plots.style import COLOURS, new_figure, stamp_ends, style

if TYPE_CHECKING:
    import awkward as ak
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Boxes", "boxes_of", "draw_candidate"]

LAYERS: dict[str, tuple[int, ...]] = {
    "presampler": (0, 4),
    "strips": (1, 5),
    "middle": (2, 6),
    "back": (3, 7),
    "hadronic": (8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20),
}
_ROWS = {"e": "Energy [GeV]", "time": "Time [ns]", "gain": "Gain"}
_GAINS = {0: ("high", COLOURS[0]), 1: ("medium", COLOURS[2]), 2: ("low", COLOURS[1])}
# Tile codes are negative.
_OTHER_GAIN = ("Tile", COLOURS[4])


@dataclass(frozen=True)
class Boxes:
    """Cells of one layer as rectangles around the candidate.

    Attributes
    ----------
    eta, phi : (n,) float
        Centres; phi [rad] continues across the candidate, so that it may leave (-pi, pi).
    d_eta, d_phi : (n,) float
        Widths.
    values : dict of str to (n,) float
        ``e`` [GeV], ``time`` [ns], ``gain``, as far as the candidate has them.
    """

    eta: np.ndarray
    phi: np.ndarray
    d_eta: np.ndarray
    d_phi: np.ndarray
    values: dict[str, np.ndarray]


def draw_candidate(candidate: ak.Record, *, label: str = "calotools display", note: str = "") -> Figure:
    """Draw a candidate's cells as they lie in (eta, phi), a column per layer: energy, time and gain; and its tracks.

    Parameters
    ----------
    candidate : ak.Record
        One row of candidates; `cells` with e, eta, phi, sampling, and time and gain where there are any; `tracks`
        with eta and phi where there are any; energies in GeV.
    label, note : str
        Above the first and the last layer; the candidate's E_T, eta and event stand at the right without a note.

    Returns
    -------
    Figure

    Raises
    ------
    BranchError
        The candidate was read without its cells.
    CellError
        It has no finite cell.

    Examples
    --------
    >>> import awkward as ak
    >>> cells = ak.zip({"e": [20.0, 5.0], "eta": [0.1125, 0.1375], "phi": [0.0123, 0.0123], "sampling": [2, 2]})
    >>> len(draw_candidate(ak.Record({"eta": 0.11, "phi": 0.01, "cells": cells})).axes)
    2
    """
    layers = boxes_of(candidate)
    rows = [name for name in _ROWS if any(name in boxes.values for boxes in layers.values())]
    frame = _frame(layers)
    with style():
        figure = new_figure(width=1.2 + 3.0 * max(len(layers), 3), height=0.9 + 2.7 * len(rows))
        grid = figure.subplots(len(rows), len(layers), squeeze=False, sharey="row")
        for row, quantity in enumerate(rows):
            _draw_quantity(grid[row], layers, quantity, frame=frame)
        for ax, (name, boxes) in zip(grid[0], layers.items(), strict=True):
            total = format_number(float(np.nansum(boxes.values["e"])), 3)
            ax.set_title(f"{name}: {total} GeV", fontsize="medium", pad=6)
        _draw_tracks(grid[0], candidate, frame=frame)
        for ax in grid[-1]:
            ax.set_xlabel(r"$\eta$")
        stamp_ends(grid[0][0], grid[0][-1], label, note or _describe(candidate), lift=24)
    return figure


def boxes_of(candidate: ak.Record) -> dict[str, Boxes]:
    """Cells of a candidate by layer, with their true widths; layers without cells are left out.

    Parameters
    ----------
    candidate : ak.Record

    Returns
    -------
    dict of str to Boxes

    Raises
    ------
    BranchError
        The candidate was read without its cells.
    CellError
        It has no finite cell.

    Examples
    --------
    >>> import awkward as ak
    >>> cells = ak.zip({"e": [20.0], "eta": [0.1125], "phi": [3.13], "sampling": [2]})
    >>> boxes = boxes_of(ak.Record({"eta": 0.11, "phi": -3.13, "cells": cells}))["middle"]
    >>> boxes.phi.round(2), boxes.d_eta
    (array([-3.15]), array([0.025]))
    """
    from calotools.detector import cell_size

    cells = _columns(candidate)
    sampling = cells["sampling"].astype(int)
    d_eta, d_phi = cell_size(sampling, cells["eta"])
    phi = centre_of(candidate)[1] + np.remainder(cells["phi"] - centre_of(candidate)[1] + np.pi, 2 * np.pi) - np.pi
    layers = {}
    for name, samplings in LAYERS.items():
        mine = np.isin(sampling, samplings)
        values = {key: cells[key][mine].astype(float) for key in _ROWS if key in cells}
        if mine.any():
            layers[name] = Boxes(cells["eta"][mine], phi[mine], d_eta[mine], d_phi[mine], values)
    return layers


def centre_of(candidate: ak.Record) -> tuple[float, float]:
    """(eta, phi [rad]) of the cluster, or of the candidate where the cluster's is not known."""
    fields = candidate.fields
    suffix = "_cluster" if "eta_cluster" in fields and "phi_cluster" in fields else ""
    return float(candidate[f"eta{suffix}"]), float(candidate[f"phi{suffix}"])


def _columns(candidate: ak.Record) -> dict[str, np.ndarray]:
    import awkward as ak

    needed = {"e", "eta", "phi", "sampling"}
    have = set(candidate["cells"].fields) if "cells" in candidate.fields else set()
    if missing := sorted(needed - have):
        raise BranchError(f"a display needs cells.{', cells.'.join(missing)}, which this candidate was read without")
    columns = {name: ak.to_numpy(candidate["cells"][name]) for name in [*needed, *(have & set(_ROWS))]}
    finite = np.isfinite(columns["e"]) & np.isfinite(columns["eta"]) & np.isfinite(columns["phi"])
    if not finite.any():
        raise CellError(f"the candidate has no finite cell among {len(finite)}; there is nothing to draw")
    return {name: values[finite] for name, values in columns.items()}


def _frame(layers: dict[str, Boxes]) -> tuple[float, float, float, float]:
    """Limits that hold the electromagnetic cells; all cells where there are only others."""
    shown = [boxes for name, boxes in layers.items() if name in ("strips", "middle")] or list(layers.values())
    low = [min(float(np.min(getattr(b, k) - getattr(b, f"d_{k}") / 2)) for b in shown) for k in ("eta", "phi")]
    high = [max(float(np.max(getattr(b, k) + getattr(b, f"d_{k}") / 2)) for b in shown) for k in ("eta", "phi")]
    return low[0], high[0], low[1], high[1]


def _draw_quantity(
    axes: np.ndarray, layers: dict[str, Boxes], quantity: str, *, frame: tuple[float, float, float, float]
) -> None:
    norm, cmap = _colours(layers, quantity)
    drawn: Any = None
    for ax, boxes in zip(axes, layers.values(), strict=True):
        if quantity == "gain":
            _draw_gains(ax, boxes)
        else:
            drawn = _draw_boxes(ax, boxes, quantity, norm=norm, cmap=cmap)
        ax.set(xlim=frame[:2], ylim=frame[2:])
        ax.tick_params(top=False, right=False, which="both")
        ax.xaxis.get_major_locator().set_params(nbins=4)
    axes[0].set_ylabel(r"$\phi$ [rad]")
    if quantity == "gain":
        _explain_gains(axes[-1], layers)
    else:
        axes[0].figure.colorbar(drawn, ax=list(axes), pad=0.01, aspect=14).set_label(_ROWS[quantity])


def _colours(layers: dict[str, Boxes], quantity: str) -> tuple[Any, str]:
    from matplotlib.colors import LogNorm, Normalize

    values = np.concatenate([boxes.values.get(quantity, np.empty(0)) for boxes in layers.values()])
    if quantity == "e":
        top = max(float(values.max()), 0.02)
        return LogNorm(min(0.02, top / 10), top), "viridis"
    reach = max(1.0, float(np.quantile(np.abs(values[np.isfinite(values)]), 0.99))) if len(values) else 1.0
    return Normalize(-reach, reach), "RdBu_r"


def _draw_boxes(ax: Axes, boxes: Boxes, quantity: str, *, norm: Any, cmap: str) -> Any:
    values = boxes.values.get(quantity, np.full(len(boxes.eta), np.nan))
    # No colour stands for 'not above zero' in the energy and for 'no time was measured' in the time.
    coloured = values > 0 if quantity == "e" else np.isfinite(values) & (values != 0)
    blank = _patches(boxes, ~coloured)
    blank.set(facecolor="#f3f4f5", edgecolor="#d5d8db", linewidth=0.2)
    full = _patches(boxes, coloured)
    full.set(array=values[coloured], norm=norm, cmap=cmap, edgecolor="face", linewidth=0.1)
    ax.add_collection(blank)
    ax.add_collection(full)
    return full


def _patches(boxes: Boxes, rows: np.ndarray) -> Any:
    from matplotlib.collections import PolyCollection

    x, y = boxes.eta[rows], boxes.phi[rows]
    half_x, half_y = boxes.d_eta[rows] / 2, boxes.d_phi[rows] / 2
    corners = [(x - half_x, y - half_y), (x + half_x, y - half_y), (x + half_x, y + half_y), (x - half_x, y + half_y)]
    return PolyCollection(list(np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)))


def _draw_gains(ax: Axes, boxes: Boxes) -> None:
    values = boxes.values.get("gain", np.full(len(boxes.eta), np.nan))
    for gain in np.unique(values[np.isfinite(values)]):
        patches = _patches(boxes, values == gain)
        patches.set(facecolor=_GAINS.get(int(gain), _OTHER_GAIN)[1], edgecolor="white", linewidth=0.2)
        ax.add_collection(patches)


def _explain_gains(ax: Axes, layers: dict[str, Boxes]) -> None:
    from matplotlib.patches import Patch

    found = {
        int(one) for boxes in layers.values() for one in np.unique(boxes.values.get("gain", [])) if np.isfinite(one)
    }
    names = dict.fromkeys(_GAINS.get(gain, _OTHER_GAIN) for gain in sorted(found, key=lambda gain: (gain < 0, gain)))
    handles = [Patch(facecolor=colour, label=name) for name, colour in names]
    ax.legend(
        handles=handles, title="Gain", loc="center left", fontsize="small", handlelength=1, bbox_to_anchor=(1.0, 0.5)
    ).set_in_layout(False)


def _draw_tracks(axes: np.ndarray, candidate: ak.Record, *, frame: tuple[float, float, float, float]) -> None:
    import awkward as ak

    if "tracks" not in candidate.fields or not {"eta", "phi"} <= set(candidate["tracks"].fields):
        return
    eta, phi = (ak.to_numpy(candidate["tracks"][name]).astype(float) for name in ("eta", "phi"))
    middle = 0.5 * (frame[2] + frame[3])
    phi = middle + np.remainder(phi - middle + np.pi, 2 * np.pi) - np.pi
    for ax in axes:
        ax.plot(eta[1:], phi[1:], "x", color=COLOURS[6], ms=6, mew=1.4, label="other tracks")
        ax.plot(eta[:1], phi[:1], "+", color=COLOURS[1], ms=12, mew=2, label="matched track")
    if len(eta):
        names = axes[0].get_legend_handles_labels()
        axes[0].legend(
            *names, loc="lower left", fontsize="x-small", frameon=True, title="at perigee", title_fontsize="x-small"
        )


def _describe(candidate: ak.Record) -> str:
    values = {
        name: format_number(float(candidate[name]), 3) for name in ("et", "eta", "mu") if name in candidate.fields
    }
    texts = {"et": r"$E_\mathrm{T}$ = %s GeV", "eta": r"$\eta$ = %s", "mu": r"$\langle\mu\rangle$ = %s"}
    parts = [texts[name] % value for name, value in values.items()]
    if {"run", "event"} <= set(candidate.fields):
        parts.append(f"run {candidate['run']}, event {candidate['event']}")
    return ", ".join(parts)
