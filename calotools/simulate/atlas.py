"""The ATLAS-like calorimeter as columns of segments, from the detector tables."""

from __future__ import annotations

import math

import numpy as np

from calotools.detector import layer_edges, load_table, material_before, material_inside, shower_position, stack_medium
from calotools.detector.sampling import Sampling
from calotools.simulate.stack import ROW_WIDTH, Column, Segment

__all__ = ["atlas_columns"]

_ETA_MAX = 2.8


def atlas_columns() -> list[Column]:
    """Columns of |eta|, from 0 to 2.8 in steps of 0.025.

    Returns
    -------
    list of Column
        Tracker layers, presampler, strips, middle and back layer, Tile or hadronic endcap, with the dead material
        between them; in 1.375 < |eta| < 1.475 barrel and endcap one after the other.

    Examples
    --------
    >>> columns = atlas_columns()
    >>> [segment.sampling for segment in columns[10].segments]
    [-1, 0, -1, 1, 2, 3, -1, 12, 13, 14]
    """
    return [_column((row + 0.5) * ROW_WIDTH) for row in range(round(_ETA_MAX / ROW_WIDTH))]


def _column(eta: float) -> Column:
    crack = load_table("response")["crack"]["eta"]
    stack = "endcap" if eta >= crack[1] else "barrel_inner" if eta < 0.8 else "barrel_outer"
    medium = stack_medium(stack)
    numbers = (
        medium.z,
        medium.critical_energy,
        medium.moliere_radius,
        medium.sampling_frequency,
        medium.e_over_mip,
    )
    barrel = _barrel(eta, crack[0]) if eta < crack[1] else []
    endcap = _endcap(eta, sum(s.x0 for s in barrel)) if eta >= crack[0] else []
    between = _behind_barrel(eta) if barrel else []
    segments = (*barrel, *between, *endcap, *_hadronic(eta))
    tracker, exit_radius = _tracker(eta)
    return Column(tracker, exit_radius, numbers, tuple(s for s in segments if s.x0 > 0))


def _tracker(eta: float) -> tuple[tuple[tuple[float, float], ...], float]:
    """Layers (radius [mm], X0 along the flight direction), and where the tracker ends."""
    table = load_table("tracker")
    radius = table["radius"]
    trt = np.linspace(float(radius["trt"][0]), float(radius["trt"][1]), 6)
    radii = np.array([radius["beam_pipe"], radius["ibl"], *radius["pixel"], *radius["sct"], *trt, radius["outer"] - 20])
    borders = np.concatenate([[0.0], (radii[1:] + radii[:-1]) / 2, [radius["outer"]]])
    x0 = np.diff(material_inside(borders, eta))
    outer = table["solenoid"]["radius"]
    shrink = min(1.0, table["solenoid"]["half_length"] / math.sinh(eta) / outer)
    return tuple(zip((radii * shrink).tolist(), x0.tolist(), strict=True)), outer * shrink


def _dead(x0: float, position: float, *, forward: bool = False) -> Segment:
    dead, x0 = load_table("response")["dead"], max(x0, 0.0)
    return Segment(-1, x0, x0 / dead["x0_per_length"], (position, position + 1.0), forward, loss=dead["loss"])


def _presampler(number: Sampling, eta: float, path: float) -> Segment:
    forward = number == Sampling.PreSamplerE
    radius, z = shower_position([number], [eta])
    position = float(z[0] if forward else radius[0])
    table = load_table("response")["presampler"]
    return Segment(
        int(number),
        table["x0"] * path,
        0.0,
        (position, position + 11.0),
        forward,
        scale=table["scale"],
        sampling_term=table["sampling_term"],
    )


def _upstream(eta: float) -> tuple[float, float]:
    """X0 from the end of the tracker to the presampler, and from there to the strips."""
    before = [float(material_before(eta, what)) for what in ("id", "presampler", "strips")]
    return before[1] - before[0], before[2] - before[1]


def _barrel(eta: float, crack: float) -> list[Segment]:
    """Barrel layers; from |eta| = `crack` on, what the tables count is in front of the endcap."""
    first, second = _upstream(min(eta, crack))
    path = math.cosh(eta)
    accordion = load_table("position")["accordion"]
    front = accordion["inner_radius"]
    x0 = np.diff(layer_edges(min(eta, 1.424)))
    x0 = np.maximum(x0 - [0.0, _beyond_end_face(eta), 0.0], 0.0)
    length = load_table("material")["barrel"]["x0"][int(eta >= 0.8)]
    nuclear = load_table("material")["hadronic"]["em"] * length / (accordion["outer_radius"] - front)
    active = _accordion((1, 2, 3), x0, front, length / path, eta, nuclear, forward=False)
    edges = [_dead(first, 1170.0), _presampler(Sampling.PreSamplerB, eta, path), _dead(second, 1470.0)]
    return [*edges, *active]


def _beyond_end_face(eta: float) -> float:
    """X0 of the middle layer that the barrel's end face cuts off beyond what `layer_edges` knows."""
    if eta < 1.424:
        return 0.0
    half = load_table("position")["accordion"]["half_length"]
    return (
        (half / math.sinh(1.424) - half / math.sinh(eta)) * math.cosh(eta) / load_table("material")["barrel"]["x0"][1]
    )


def _accordion(
    samplings: tuple[int, ...],
    x0: np.ndarray,
    front: float,
    length: float,
    eta: float,
    nuclear: float,
    *,
    forward: bool,
) -> list[Segment]:
    """The three accordion layers; `length` is mm of radius (or z) per X0 along the flight direction."""
    table = load_table("response")["accordion"]
    term = float(np.interp(eta, table["eta"], table["sampling_term"]))
    segments, position = [], front
    for k, sampling in enumerate(samplings):
        end = position + float(x0[k]) * length
        segments.append(
            Segment(
                sampling,
                float(x0[k]),
                float(x0[k]) * nuclear,
                (position, end),
                forward,
                joined=k > 0,
                sampling_term=term,
                h_over_e=table["h_over_e"],
            )
        )
        position = end
    return segments


def _endcap(eta: float, behind: float) -> list[Segment]:
    """Endcap layers; `behind` is what the barrel has put in front of them [X0]."""
    seen = max(eta, 1.426)
    first, second = _upstream(seen)
    if behind > 0.0:  # in the crack the tables count the barrel's edge as material
        second += max(first - behind, 1.0)
        first = 0.0
    x0 = np.diff(layer_edges(max(eta, 1.5)))
    if eta < 1.5:  # the particle leaves through the outer cylinder
        x0 = x0 * min(1.0, max((eta - 1.35) / 0.15, 0.1))
    medium = stack_medium("endcap")
    nuclear = load_table("material")["hadronic"]["em"] / 21.5
    front = load_table("response")["accordion"]["endcap_front"]
    active = _accordion((5, 6, 7), x0, front, medium.x0 * math.tanh(eta), max(eta, 1.475), nuclear, forward=True)
    if eta < 1.8:
        presampler = [_presampler(Sampling.PreSamplerE, eta, 1.0 / math.tanh(eta))] if eta >= 1.5 else []
    else:
        presampler = []
    crack = [] if behind > 0.0 else _scintillator(eta)
    edges = [_dead(first, 3300.0, forward=True), *crack, *presampler, _dead(second, 3650.0, forward=True)]
    return [*edges, *active]


def _behind_barrel(eta: float) -> list[Segment]:
    """The cryostat's wall and the scintillators behind the barrel."""
    scintillator = _scintillator(eta)
    if not scintillator:
        return []
    dead = load_table("response")["scintillator"]["dead"]
    return [_dead(dead, scintillator[0].position[0] - 60.0, forward=True), *scintillator]


def _scintillator(eta: float) -> list[Segment]:
    """The gap and crack scintillators between the cryostats."""
    if not 1.0 <= eta < 1.6:
        return []
    z = float(shower_position([Sampling.TileGap3], [eta])[1][0])
    table = load_table("response")["scintillator"]
    x0 = table["x0"] / math.tanh(eta)
    scintillator = Segment(
        int(Sampling.TileGap3),
        x0,
        0.0,
        (z, z + 10.0),
        forward=True,
        scale=table["scale"],
        sampling_term=table["sampling_term"],
    )
    return [scintillator]


def _hadronic(eta: float) -> list[Segment]:
    """Tile or hadronic endcap, with the material before it."""
    lengths, response = load_table("material")["hadronic"], load_table("response")
    hadronic, aluminium = response["hadronic"], response["dead"]["x0_per_length"]
    forward = eta >= 1.5
    samplings: tuple[int, ...]
    if forward:
        samplings, nuclear, per_length = (8, 9, 10, 11), lengths["hec"], hadronic["copper"]
    elif eta < 1.0:
        samplings = (12, 13 if eta < 0.9 else 15, 14 if eta < 0.7 else 16 if eta < 0.9 else 20)
        nuclear, per_length = lengths["tile_barrel"], hadronic["iron"]
    else:
        samplings, nuclear, per_length = (18, 19, 20), lengths["tile_extended"], hadronic["iron"]
    path = 1.0 / math.tanh(eta) if forward else math.cosh(eta)
    centres = np.array(shower_position(samplings, np.full(len(samplings), eta))[1 if forward else 0])
    inner = (centres[1:] + centres[:-1]) / 2
    edges = np.concatenate([[2 * centres[0] - inner[0]], inner, [2 * centres[-1] - inner[-1]]])
    dead = lengths["tile_dead"] * path * (0.5 if forward else 1.0)
    segments = [Segment(-1, dead * aluminium, dead, (float(edges[0]) - 1.0, float(edges[0])), forward)]
    for sampling, length, low, high in zip(samplings, nuclear, edges[:-1], edges[1:], strict=True):
        segments.append(
            Segment(
                int(sampling),
                length * path * per_length,
                length * path,
                (float(low), float(high)),
                forward,
                sampling_term=hadronic["sampling_term"],
                h_over_e=response["accordion"]["h_over_e"] if forward else hadronic["tile_h_over_e"],
                mip=hadronic["tile_mip"],
            )
        )
    return segments
