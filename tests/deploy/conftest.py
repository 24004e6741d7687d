"""A small native ntuple, a recipe for it, and a bundle of an untrained network."""

import awkward as ak
import numpy as np
import pytest
import torch

from calotools.deploy import ModelBundle
from calotools.images import image_spec
from calotools.models import build_model
from calotools.ntuple import NtupleWriter
from calotools.recipe import TrainConfig
from calotools.training.fitting.network import model_inputs
from calotools.training.loading.input_scalers import InputScalers
from calotools.variables import fit_scaler

# Cells of the barrel: (sampling, half-width in cells along eta and phi, cell size in eta and phi).
_LAYERS = ((1, 8, 0, 0.003125, 0.0982), (2, 2, 2, 0.025, 0.0245), (3, 1, 2, 0.05, 0.0245))


def _cells(eta, phi, e, rng):
    rows = []
    for sampling, n_eta, n_phi, d_eta, d_phi in _LAYERS:
        steps = np.stack(np.meshgrid(np.arange(-n_eta, n_eta + 1), np.arange(-n_phi, n_phi + 1)), axis=-1).reshape(
            -1, 2
        )
        centre = (np.floor(np.array([eta / d_eta, phi / d_phi])) + 0.5) * (d_eta, d_phi)
        share = np.exp(-0.5 * ((steps * (d_eta, d_phi)) ** 2).sum(axis=1) / 0.015**2)
        energy = e / 3 * share / share.sum() + rng.normal(0, 0.02, len(share))
        rows += [
            {"e": one, "eta": at[0], "phi": at[1], "sampling": sampling}
            for one, at in zip(energy, centre + steps * (d_eta, d_phi), strict=True)
        ]
    return rows


def make_candidates(n, *, seed=0, first=0):
    rng = np.random.default_rng(seed)
    eta, phi = rng.uniform(-0.7, 0.7, n), rng.uniform(-3, 3, n)
    e_true = rng.uniform(30, 100, n)
    e = e_true * rng.normal(1, 0.05, n)
    n_tracks = rng.integers(0, 4, n)
    tracks = {
        name: ak.unflatten(rng.normal(size=n_tracks.sum()).astype("f4"), n_tracks) for name in ("pt", "eta", "d0")
    }
    return {
        "run": np.full(n, 1, "u4"),
        "event": np.arange(first, first + n, dtype="u8"),
        "candidate": np.zeros(n, "i4"),
        "e": e.astype("f4"),
        "et": (e / np.cosh(eta)).astype("f4"),
        "eta": eta.astype("f4"),
        "phi": phi.astype("f4"),
        "eta_cluster": eta.astype("f4"),
        "phi_cluster": phi.astype("f4"),
        "mu": rng.uniform(20, 60, n).astype("f4"),
        "class_true": np.where(rng.random(n) < 0.5, 0, 5).astype("i4"),
        "e_true": e_true.astype("f4"),
        "cells": ak.Array([_cells(*one, rng) for one in zip(eta, phi, e, strict=True)]),
        "tracks": ak.zip(tracks),
    }


def write(path, candidates, *, tree="electrons"):
    with NtupleWriter(path) as writer:
        writer.extend(tree, candidates)
    return str(path)


@pytest.fixture(scope="session")
def ntuple(tmp_path_factory):
    """240 electrons in two files, of which the second has the later events."""
    folder = tmp_path_factory.mktemp("ntuple")
    return [write(folder / f"{k}.root", make_candidates(120, seed=k, first=120 * k)) for k in range(2)]


@pytest.fixture
def recipe(ntuple, tmp_path):
    """A function: task and changes -> TrainConfig of a small network."""

    def make(task, **changes):
        energy = task == "energy"
        settings = {"maps": 4, "condition": 8} if energy else {"reading": "slides"}
        values = {
            "task": task,
            "output": tmp_path / "training",
            "sample": {"files": tuple(ntuple), "tree": "electrons", "selection": ("et > 25",)},
            "images": "energy" if energy else "electron_slides",
            "scalars": ("mu",) if energy else (),
            "tracks": ("e_frac", "d0"),
            "max_tracks": 3,
            "reweight": False,
            "model": {"name": "energy_cnn" if energy else "electron_cnn_2018", "settings": settings},
            "trainer": {"epochs": 1, "threads": 1, "accelerator": "cpu", "batch_size": 60},
        }
        return TrainConfig(**(values | changes))

    return make


@pytest.fixture
def bundle(recipe):
    """A function: task -> bundle whose network has random weights."""

    def make(task):
        config = recipe(task)
        spec = image_spec(config.images)
        inputs = model_inputs(config, spec)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            network = build_model(config.model.name, config.model.settings, inputs)
            if task == "energy":
                torch.nn.init.normal_(network.out.weight, std=0.1)
        rng = np.random.default_rng(0)
        scalers = InputScalers(
            scalars=fit_scaler(rng.uniform(20, 60, (50, 1)), names=config.scalars) if config.scalars else None,
            tracks=fit_scaler(rng.normal(size=(50, 2)), names=config.tracks),
        )
        return ModelBundle(network.state_dict(), config, spec, inputs, scalers, record={"task": task, "runs": [1]})

    return make


@pytest.fixture
def draw_candidates():
    """A function: n, seed -> canonical fields of random electrons."""
    return make_candidates


@pytest.fixture
def write_ntuple():
    """A function: path, candidates -> native ntuple."""
    return write
