"""Bare showers of a file and of our simulation, in one form."""

from __future__ import annotations

from dataclasses import dataclass

import awkward as ak
import numpy as np

from calotools.errors import ConfigError, EmptyInputError
from calotools.ntuple import read_candidates
from calotools.recipe import ValidateConfig
from calotools.simulate import Effects, Particles, Response
from calotools.stages.validation.gun import hottest_row, shoot_particles
from calotools.variables import shower_shapes
from calotools.variables.rings import ring_sums

__all__ = ["Showers", "read_showers", "simulate_showers"]

BARE = {"electronic_noise": 0, "crosstalk": 0, "pileup": 0, "local_constant": 0, "accordion_phi": 0, "accordion_eta": 0}
LAYERS = ("presampler", "strips", "middle", "back")
# Half widths (eta, phi) of the cells that both samples keep about the hottest middle cell: 9 x 13 middle cells.
_WINDOW = (0.1125, 6.5 * 2 * np.pi / 256)
_FIELDS = ["e_true", "eta_true", "phi_true", "pdg_true", "conversion_radius_true"]
_CELLS = ["e", "eta", "phi", "sampling"]


@dataclass(frozen=True)
class Showers:
    """Cells of showers and what made them.

    Attributes
    ----------
    e_true, eta_true, phi_true, pdg : (n,) float, int
    conversion_radius : (n,) float [mm]
        NaN where the photon did not convert, and for electrons.
    offsets : (n + 1,) int
    e, eta, phi : (n_cell,) float [GeV, 1, rad]
    sampling : (n_cell,) uint8
        0 to 3: presampler, strips, middle, back.
    shapes : dict of str to (n,) float
        Shower shapes, and ``sum``: energy of the accordion cells over the true one.
    """

    e_true: np.ndarray
    eta_true: np.ndarray
    phi_true: np.ndarray
    pdg: np.ndarray
    conversion_radius: np.ndarray
    offsets: np.ndarray
    e: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    sampling: np.ndarray
    shapes: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.e_true)

    def candidates(self, rows: np.ndarray) -> ak.Array:
        """Some showers as candidates, for images."""
        columns = {"e": self.e, "eta": self.eta, "phi": self.phi, "sampling": self.sampling}
        cells = ak.zip({name: ak.unflatten(column, np.diff(self.offsets)) for name, column in columns.items()})
        return ak.zip(
            {"eta_cluster": self.shapes["eta_s2"], "phi_cluster": self.shapes["phi_s2"], "cells": cells}, depth_limit=1
        )[rows]

    def layer_fractions(self) -> np.ndarray:
        """(n, 4) energy of each layer over the true energy."""
        return ring_sums(self.offsets, self.e, self.sampling.astype(float), edges=np.arange(5.0)) / self.e_true[:, None]

    def distances(self, layer: int, *, along: str) -> np.ndarray:
        """Distance of each cell of a layer from the shower's centre in it, along eta or phi; NaN for other cells."""
        centre = {"eta": "eta_s1" if layer == 1 else "eta_s2", "phi": "phi_s2"}[along]
        per_cell = np.repeat(self.shapes[centre], np.diff(self.offsets)).astype(float)
        delta = (self.eta if along == "eta" else self.phi) - per_cell
        delta = (delta + np.pi) % (2 * np.pi) - np.pi
        return np.where(self.sampling == layer, np.abs(delta), np.nan)


def read_showers(config: ValidateConfig) -> tuple[Showers, np.ndarray]:
    """Showers of the file, and the smallest cell energy that it keeps in each layer: (4,) float [GeV].

    Raises
    ------
    ConfigError
        The file is given without the calorimeter that it was made with.
    EmptyInputError
        It has no showers.
    """
    if config.stack is None:
        raise ConfigError(
            f"'{config.geant4}' is compared with showers in the same calorimeter; give its description too (stack)"
        )
    wanted = [*_FIELDS, *(f"cells.{name}" for name in _CELLS)]
    candidates = read_candidates(str(config.geant4), flavour=config.flavour, fields=wanted)
    if not len(candidates):
        raise EmptyInputError(f"'{config.geant4}' holds no showers")
    cells = {name: ak.to_numpy(ak.flatten(candidates.cells[name])) for name in _CELLS}
    offsets = np.concatenate([[0], np.cumsum(ak.to_numpy(ak.num(candidates.cells.e)))])
    least = np.array([cells["e"][cells["sampling"] == layer].min(initial=np.inf) for layer in range(4)])
    truth = [ak.to_numpy(candidates[name]) for name in _FIELDS]
    return _collect(truth, offsets, cells, np.where(np.isfinite(least), least, 0.0)), least


def simulate_showers(like: Showers, config: ValidateConfig, *, least: np.ndarray) -> Showers:
    """Our bare showers of the same particles in the same calorimeter.

    Parameters
    ----------
    like : Showers
    config : ValidateConfig
    least : (4,) float [GeV]
        Cells below it are dropped, as they are in the file.

    Returns
    -------
    Showers
    """
    n = len(like)
    zero = np.zeros(n)
    particles = Particles(np.arange(n, dtype=np.int32), like.pdg, like.e_true, like.eta_true, like.phi_true, zero, zero)
    rng = np.random.default_rng([config.seed, 8])
    response = shoot_particles(particles, n=n, rng=rng, effects=Effects(stack=config.stack, **BARE))
    truth = [like.e_true, like.eta_true, like.phi_true, like.pdg, _converted(response, like.pdg)]
    cells = {name: getattr(response, name) for name in _CELLS}
    return _collect(truth, response.offsets, cells, least)


def _converted(response: Response, pdg: np.ndarray) -> np.ndarray:
    return np.where(pdg == 22, response.conversion_radius, np.nan)


def _collect(truth: list[np.ndarray], offsets: np.ndarray, cells: dict[str, np.ndarray], least: np.ndarray) -> Showers:
    sampling = cells["sampling"].astype(np.int64)
    hot = hottest_row(offsets, np.where(sampling == 2, cells["e"], -np.inf))
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    d_eta = cells["eta"] - cells["eta"][hot][owner]
    d_phi = (cells["phi"] - cells["phi"][hot][owner] + np.pi) % (2 * np.pi) - np.pi
    kept = (sampling < 4) & (np.abs(d_eta) < _WINDOW[0]) & (np.abs(d_phi) < _WINDOW[1])
    kept &= cells["e"] >= least[np.minimum(sampling, 3)] * (1 - 1e-6)
    seeds = cells["eta"][hot].astype(float), cells["phi"][hot].astype(float)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner[kept], minlength=len(offsets) - 1))])
    own = [cells[name][kept] for name in _CELLS]
    shapes = shower_shapes(offsets, *own, eta_cluster=seeds[0], phi_cluster=seeds[1])
    accordion = np.where(own[3] > 0, own[0], 0.0)
    shapes["sum"] = np.add.reduceat(accordion, offsets[:-1]) / truth[0]
    e, eta, phi, pdg, radius = (np.asarray(one, float) for one in truth)
    return Showers(
        e, eta, phi, pdg.astype(np.int32), radius, offsets, own[0], own[1], own[2], own[3].astype(np.uint8), shapes
    )
