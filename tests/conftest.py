"""How hypothesis runs; and candidates of the real cells around a point, for the rooms behind the ntuple."""

from __future__ import annotations

from collections.abc import Callable

import awkward as ak
import numpy as np
import pytest
from hypothesis import settings

from calotools.detector import build_cells

# how long an example may take is not what these tests are about: machines are busy, and the first call compiles
settings.register_profile("calotools", deadline=None)
settings.load_profile("calotools")

MIDDLE = (2, 6)
DEPTH = {0: 0.04, 1: 0.25, 2: 0.65, 3: 0.05}


@pytest.fixture(scope="session")
def cell_table() -> np.ndarray:
    """Every cell of the detector."""
    return build_cells()


@pytest.fixture(scope="session")
def make_candidates(cell_table: np.ndarray) -> Callable[..., ak.Array]:
    """Candidates at given (eta, phi): a narrow deposit plus noise in every cell around the point."""

    def make(eta: np.ndarray, phi: np.ndarray, *, seed: int = 1, energy: float = 50.0, noise: float = 0.05) -> ak.Array:
        rng = np.random.default_rng(seed)
        rows = [one_candidate(cell_table, x, y, rng, energy, noise) for x, y in zip(eta, phi, strict=True)]
        n = len(rows)
        return ak.zip(
            {
                "run": np.full(n, 999, dtype=np.uint32),
                "event": np.arange(n, dtype=np.uint64),
                "candidate": np.zeros(n, dtype=np.int32),
                "e": np.full(n, energy, dtype=np.float32),
                "eta_cluster": np.asarray(eta, dtype=np.float32),
                "phi_cluster": np.asarray(phi, dtype=np.float32),
                "cells": ak.concatenate([ak.Array([row]) for row in rows]),
                "tracks": tracks_of(n, rng),
            },
            depth_limit=1,
        )

    return make


def one_candidate(
    table: np.ndarray, eta: float, phi: float, rng: np.random.Generator, energy: float, noise: float
) -> ak.Array:
    d_phi = (table["phi"] - phi + np.pi) % (2 * np.pi) - np.pi
    reach = np.where(table["sampling"] < 8, 0.16, 0.25)
    near = table[(abs(table["eta"] - eta) < reach) & (abs(d_phi) < reach + 0.05)]
    x, y = near["eta"] - eta, (near["phi"] - phi + np.pi) % (2 * np.pi) - np.pi
    shape = np.exp(-np.hypot(x, y) / 0.015) * near["d_eta"] * near["d_phi"]
    deposit = np.zeros(len(near))
    for layer, part in DEPTH.items():
        own = np.isin(near["sampling"], (layer, layer + 4))
        deposit[own] = part * energy * shape[own] / max(shape[own].sum(), 1e-30)
    e = deposit * rng.gamma(20.0, 0.05, len(near)) + noise * rng.standard_normal(len(near))
    return ak.zip(
        {
            "e": e.astype(np.float32),
            "eta": near["eta"].astype(np.float32),
            "phi": ((near["phi"] + np.pi) % (2 * np.pi) - np.pi).astype(np.float32),
            "sampling": near["sampling"].astype(np.uint8),
            "time": rng.normal(0.0, 1.0, len(near)).astype(np.float32),
            "gain": (e > 2.0).astype(np.int8),
            "noise": np.full(len(near), noise, dtype=np.float32),
        }
    )


def tracks_of(n: int, rng: np.random.Generator) -> ak.Array:
    counts = rng.integers(0, 6, n)
    total = counts.sum()
    return ak.zip(
        {
            "pt": ak.unflatten(rng.exponential(20.0, total).astype(np.float32), counts),
            "d0": ak.unflatten(np.zeros(total, dtype=np.float32), counts),
        }
    )
