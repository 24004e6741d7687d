"""Toy results whose shape is known, for the figures."""

import awkward as ak
import numpy as np
import pytest

from calotools.containers import Efficiency, PeakFit, Resolution, Roc, ScaleFactors, TagProbeFit

ETA = np.array([0.0, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.47])
ET = np.array([15.0, 25.0, 35.0, 45.0, 60.0, 150.0])


def gauss(edges, mean, sigma, n):
    x = 0.5 * (edges[1:] + edges[:-1])
    return n * np.diff(edges) * np.exp(-0.5 * ((x - mean) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


@pytest.fixture
def make_roc():
    def make(power=5.0, name="network", n=4000):
        signal = np.linspace(0.005, 1, 200)
        background = signal * np.exp(-power * (1 - signal))
        error = np.sqrt(background * (1 - background) / n) + 1e-5
        low, high = np.maximum(background - error, 0), np.minimum(background + error, 1)
        return Roc(signal, background, low, high, 0.5 + 0.09 * power, 0.0021, 3000.0, float(n), name)

    return make


@pytest.fixture
def make_efficiency():
    def make(value, *, edges, name="network", valid=None, size=0.02):
        value = np.asarray(value, float)
        low, high = np.clip(value - size, 0, 1), np.clip(value + 0.7 * size, 0, 1)
        valid = np.isfinite(value) if valid is None else valid
        return Efficiency(value, low, high, edges, np.where(np.isfinite(value), 500.0, 0.0), valid, name)

    return make


@pytest.fixture
def make_resolution():
    def make(scale=1.0, name="layer sum", *, compared=False):
        iqr = scale * np.array([0.030, 0.034, 0.037, 0.045, np.nan, 0.047, 0.035, 0.033])
        metrics, errors = {"iqr": iqr, "bias": iqr / 5 - 0.007}, {"iqr": iqr * 0.04, "bias": iqr * 0.03}
        if compared:
            metrics["rel_improvement"], errors["rel_improvement"] = (1 - scale) + iqr - 0.03, iqr * 0 + 0.02
        return Resolution(metrics, errors, {"eta": ETA}, np.where(np.isnan(iqr), 0, 900), name)

    return make


@pytest.fixture
def make_peak():
    def make(sigma=2.5, name="network", *, valid=True, message="", seed=1, notes=""):
        edges = np.linspace(80, 102, 45)
        model = gauss(edges, 90.8, sigma, 4000) + 4.0
        counts = np.random.default_rng(seed).poisson(model).astype(float)
        width = {"sigma68": sigma, "sigma68_error": 0.041, "fwhm": 2.355 * sigma, "fwhm_error": 0.093}
        width |= {"core": 0.6 * sigma, "core_error": 0.05, "sample_sigma68": 1.1 * sigma, "sample_sigma68_error": 0.05}
        values, errors = {"mean": 90.8, "alpha": 1.2}, {"mean": 0.043, "alpha": 0.11}
        return PeakFit(
            values,
            errors,
            width,
            41.7,
            38,
            valid,
            message,
            edges,
            counts,
            counts,
            model,
            name,
            np.full(len(model), 4.0),
            notes,
        )

    return make


@pytest.fixture
def make_tagprobe():
    def make(*, valid=True, message="", seed=2):
        edges = np.linspace(60, 120, 31)
        x = 0.5 * (edges[1:] + edges[:-1])
        background = 60 * np.exp(-0.02 * (x - 60))
        passing, failing = gauss(edges, 90.8, 3.0, 2600), gauss(edges, 90.8, 3.6, 420)
        rng = np.random.default_rng(seed)
        models = (passing + 0.3 * background, failing + background, 0.3 * background, background)
        counts = [rng.poisson(model).astype(float) for model in models[:2]]
        where = {"et": (25.0, 35.0), "eta": (0.8, 1.37)}
        return TagProbeFit(0.861, 0.0093, edges, *counts, *models, 55.2, 52, valid, message, where)

    return make


@pytest.fixture
def make_factors(make_efficiency):
    def make():
        edges = {"et": ET, "eta": np.array([0.0, 0.8, 1.37, 1.52, 2.01, 2.47])}
        rng = np.random.default_rng(3)
        injected = np.repeat([0.97, 0.98, 0.985, 0.99, 0.995], 5) - np.tile([0, 0.01, 0.03, 0.005, 0.0], 5)
        stat, syst = np.full(25, 0.006), np.linspace(0.002, 0.012, 25)
        value = injected + rng.normal(0, 0.007, 25)
        value[7], valid = np.nan, np.ones(25, bool)
        valid[[7, 13]] = False
        data = make_efficiency(0.9 * value, edges=edges, name="data", valid=valid)
        simulation = make_efficiency(np.where(np.isnan(value), np.nan, 0.9), edges=edges, name="simulation")
        return ScaleFactors(value, stat, syst, data, simulation, edges, valid, injected)

    return make


@pytest.fixture
def toy_candidate():
    """An electron at phi near pi, so that its cells lie on both sides of the wrap."""
    rng = np.random.default_rng(11)
    eta0, phi0, step = 0.4, 3.13, 2 * np.pi / 256
    parts = []
    for sampling, d_eta, d_phi, scale in (
        (0, 0.025, 4 * step, 3.0),
        (1, 0.003125, 4 * step, 30.0),
        (2, 0.025, step, 14.0),
        (3, 0.05, step, 1.5),
        (12, 0.1, 4 * step, 0.05),
    ):
        n_eta, n_phi = round(0.2 / d_eta) // 2, max(1, round(0.27 / d_phi) // 2)
        eta = (np.floor(eta0 / d_eta) + np.arange(-n_eta, n_eta + 1) + 0.5) * d_eta
        phi = (np.floor(phi0 / d_phi) + np.arange(-n_phi, n_phi + 1) + 0.5) * d_phi
        eta, phi = (one.ravel() for one in np.meshgrid(eta, phi, indexing="ij"))
        e = scale * d_eta * 40 * np.exp(-np.hypot((eta - eta0) / 0.012, (phi - phi0) / 0.013))
        e = e + rng.normal(0, 0.03, len(e))
        phi = (phi + np.pi) % (2 * np.pi) - np.pi
        time = np.where(e > 0.1, rng.normal(0, 0.4, len(e)), 0.0)
        gain = np.where(e > 3, 1, 0)
        parts.append((e, eta, phi, np.full(len(e), sampling), time, gain))
    names = ("e", "eta", "phi", "sampling", "time", "gain")
    cells = ak.zip({name: np.concatenate(column) for name, column in zip(names, zip(*parts, strict=True), strict=True)})
    tracks = ak.zip({"eta": [0.402, 0.36], "phi": [3.12, -3.1]})
    fields = {"et": 41.3, "eta": 0.4, "phi": 3.13, "mu": 34.2, "run": 999001, "event": 4711}
    return ak.Record({**fields, "cells": cells, "tracks": tracks})
