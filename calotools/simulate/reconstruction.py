"""From cells and tracks to the variables of a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from calotools.simulate.beam import Crossings
from calotools.simulate.calibration import LAYERS, calibrate, load_calibration
from calotools.simulate.charged import CONVERSION_RADIUS_MAX, charged_particles
from calotools.simulate.effects import Effects
from calotools.simulate.generated import Generated
from calotools.simulate.identification import load_cuts, pass_flags
from calotools.simulate.isolation import calorimeter_isolation, track_isolation
from calotools.simulate.kinematics import wrap_phi
from calotools.simulate.matching import Matched, charge_sign, extrapolate, match_tracks, seen_from_vertex
from calotools.simulate.response import Response
from calotools.simulate.tracks import find_tracks, measure_tracks
from calotools.variables import shower_shapes

__all__ = ["Reconstructed", "reconstruct", "response_shapes"]

_MIN_ET = 4.5  # GeV
_MAX_RHAD = 1.0  # at least half of the energy is electromagnetic
_MAX_ETA = 2.5
_STRIPS, _MIDDLE = 1, 2


@dataclass(frozen=True)
class Reconstructed:
    """Candidates as the experiment would see them.

    Attributes
    ----------
    columns : dict of str to (n_candidate,) array
        Canonical fields.
    matched : Matched
        Their tracks.
    found : (n_candidate,) bool
        The candidate passes the thresholds of the reconstruction.
    """

    columns: dict[str, np.ndarray]
    matched: Matched
    found: np.ndarray


def reconstruct(
    generated: Generated,
    response: Response,
    *,
    crossings: Crossings,
    tree: str,
    effects: Effects,
    rng: np.random.Generator,
) -> Reconstructed:
    """Build candidates: cluster, tracks, matching, calibrated energy, isolation, identification.

    Parameters
    ----------
    generated : Generated
        At its vertex.
    response : Response
    crossings : Crossings
        One entry per candidate.
    tree : {"electrons", "photons"}
        Electrons take their direction from the track and need one; photons take it from cluster and vertex.
    effects : Effects
    rng : numpy.random.Generator

    Returns
    -------
    Reconstructed
    """
    particles, finding, measuring, converting, isolating = rng.spawn(5)
    shapes = response_shapes(response)
    # outside the strips' acceptance the middle layer gives the position
    eta_s1 = np.where(np.isfinite(shapes["eta_s1"]), shapes["eta_s1"], shapes["eta_s2"]).astype(np.float64)
    charged = charged_particles(
        generated,
        response,
        mu_actual=crossings.mu_actual,
        spread=effects.vertex_spread,
        underlying=effects.underlying,
        rng=particles,
    )
    matched = match_tracks(
        measure_tracks(
            find_tracks(charged, rng=finding), z_vertex=crossings.z_vertex, field=effects.field, rng=measuring
        ),
        eta_s1=eta_s1,
        phi_s2=shapes["phi_s2"].astype(np.float64),
        et=shapes["e_cluster"] / np.cosh(eta_s1),
        z_vertex=crossings.z_vertex,
        field=effects.field,
        from_vertex=tree == "electrons",
    )
    columns: dict[str, np.ndarray] = {**shapes, **_track_columns(matched), **_conversion(matched, converting)}
    columns |= _kinematics(columns, matched, eta_s1, crossings.z_vertex, tree)
    columns |= _track_to_cluster(columns, matched, crossings.z_vertex, effects.field)
    columns["topoetcone20"] = calorimeter_isolation(
        generated, et=columns["et"], mu_actual=crossings.mu_actual, rng=isolating
    )
    columns["ptvarcone20"] = track_isolation(matched, eta=columns["eta"], phi=columns["phi"], et=columns["et"])
    kind = "electron" if tree == "electrons" else "photon"
    columns |= pass_flags(columns, kind=kind, et=columns["et"], eta=columns["eta_s2"], cuts=load_cuts())
    return Reconstructed(columns, matched, _found(columns, matched, tree))


def response_shapes(response: Response) -> dict[str, np.ndarray]:
    """Shower shapes of the candidates of a response, each about the seed of its window.

    Parameters
    ----------
    response : Response

    Returns
    -------
    dict of str to (n_candidate,) array
        As `calotools.variables.shower_shapes` gives them.

    Examples
    --------
    >>> from calotools.simulate import Particles, simulate_response
    >>> one = Particles(*(np.array([value]) for value in (0, 11, 50.0, 0.3, 1.0, 0.0, 0.0)))
    >>> response = simulate_response(
    ...     one, n_candidates=1, mu=np.zeros(1), mu_average=np.zeros(1), effects=Effects(), rng=np.random.default_rng(1)
    ... )
    >>> bool(0.9 < response_shapes(response)["reta"][0] < 1)
    True
    """
    return shower_shapes(
        response.offsets,
        response.e,
        response.eta,
        response.phi,
        response.sampling,
        eta_cluster=response.seed_eta,
        phi_cluster=response.seed_phi,
    )


def _track_columns(matched: Matched) -> dict[str, np.ndarray]:
    """Variables of the matched track; NaN, or 0 hits, where there is none."""
    tracks = matched.tracks
    columns = {
        "pt_track": matched.first(tracks.pt),
        "d0": matched.first(tracks.d0),
        "d0_significance": matched.first(tracks.d0 / tracks.d0_error),
        "z0": matched.first(tracks.z0),
        "dp_over_p": matched.first(tracks.dp_over_p),
        "trt_pid": matched.first(tracks.trt_pid),
        "n_tracks": np.diff(matched.offsets),
    }
    for name in ("n_innermost", "n_pixel", "n_sct", "n_trt"):
        columns[name] = np.nan_to_num(matched.first(getattr(tracks, name))).astype(np.int32)
    return columns


def _conversion(matched: Matched, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A conversion vertex: the matched track starts late, alone or with a partner born at the same place."""
    tracks, n = matched.tracks, len(matched.matched)
    radius = matched.first(tracks.radius)
    late = (radius > 0) & (radius < CONVERSION_RADIUS_MAX) & (matched.first(tracks.n_innermost) == 0)
    owner = tracks.candidate
    partners = np.bincount(owner[(tracks.radius > 0) & (tracks.radius == radius[owner])], minlength=n)
    measured = radius + np.hypot(5.0, 0.03 * radius) * rng.normal(size=n)
    return {
        "conversion_type": np.where(late, np.minimum(partners, 2), 0).astype(np.int32),
        "conversion_radius": np.where(late, np.abs(measured), np.nan),
    }


def _kinematics(
    columns: Mapping[str, np.ndarray], matched: Matched, eta_s1: np.ndarray, z_vertex: np.ndarray, tree: str
) -> dict[str, np.ndarray]:
    e = _energy(columns, tree)
    eta = seen_from_vertex(eta_s1, sampling_barrel=_STRIPS, z_vertex=z_vertex)
    phi = columns["phi_cluster"].astype(np.float64)
    charge = np.zeros(len(e))
    if tree == "electrons":
        with_track = matched.matched
        eta = np.where(with_track, matched.first(matched.tracks.eta), eta)
        phi = np.where(with_track, matched.first(matched.tracks.phi), phi)
        charge = np.nan_to_num(matched.first(matched.tracks.charge))
    return {"e": e, "et": e / np.cosh(eta), "eta": eta, "phi": phi, "charge": charge}


def _energy(columns: Mapping[str, np.ndarray], tree: str) -> np.ndarray:
    tables = load_calibration()
    layers = {name: columns[name] for name in LAYERS}
    eta = np.nan_to_num(columns["eta_cluster"].astype(np.float64))
    if tree == "electrons":
        return calibrate(layers, eta=eta, table=tables["electron"])
    converted, unconverted = (calibrate(layers, eta=eta, table=tables[name]) for name in ("converted", "unconverted"))
    return np.where(columns["conversion_type"] > 0, converted, unconverted)


def _track_to_cluster(
    columns: Mapping[str, np.ndarray], matched: Matched, z_vertex: np.ndarray, field: float
) -> dict[str, np.ndarray]:
    tracks = matched.tracks
    eta, phi, charge, pt = (matched.first(getattr(tracks, name)) for name in ("eta", "phi", "charge", "pt"))
    _, phi_rescaled = extrapolate(
        eta,
        phi,
        charge=charge,
        pt=np.maximum(columns["et"], 0.5),
        z=columns["z0"] + z_vertex,
        field=field,
        sampling_barrel=_MIDDLE,
    )
    return {
        "e_over_p": columns["e"] / (pt * np.cosh(eta)),
        "delta_eta1": matched.first(matched.delta_eta1),
        "delta_phi2": matched.first(matched.delta_phi2),
        "delta_phi_res2": -charge_sign(charge) * wrap_phi(columns["phi_s2"] - phi_rescaled),
    }


def _found(columns: Mapping[str, np.ndarray], matched: Matched, tree: str) -> np.ndarray:
    found = np.isfinite(columns["et"]) & (columns["et"] > _MIN_ET) & (np.abs(columns["eta_cluster"]) < _MAX_ETA)
    found &= ~(columns["rhad"] > _MAX_RHAD) & (columns["e_acc"] > 0)
    return found & matched.matched if tree == "electrons" else found
