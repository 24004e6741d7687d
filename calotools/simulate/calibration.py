"""The calibrated layer sum: the energy that a network is asked to improve.

E = s(|eta|, E_T) (w0 e0 + w1 e1 + w2 e2 + w3 e3 + w4 e_tile_gap3), with weights by |eta| for electrons, unconverted
and converted photons, fitted on our own simulation by `benchmarks/tune_reconstruction.py`. The weights are linear in
ln E_T, because what a shower loses before and behind the layers moves with its depth.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np

from calotools.errors import ConfigError

__all__ = ["LAYERS", "LayerCalibration", "calibrate", "fit_calibration", "load_calibration"]

LAYERS = ("e0", "e1", "e2", "e3", "e_tile_gap3")
_PRIOR = (1.0, 1.05, 1.05, 1.05, 1.0)
_PRIOR_WIDTH = 0.5
_SPREAD = 0.05  # typical resolution, which sets what the prior is worth
_ET_PIVOT, _ET_RANGE = 40.0, (8.0, 400.0)  # GeV
_ENOUGH = 50
KINDS = ("electron", "unconverted", "converted")


@dataclass(frozen=True)
class LayerCalibration:
    """Weights of the layer sum for one kind of particle.

    Attributes
    ----------
    eta_edges : (n_eta + 1,) float64
        Of |eta| of the cluster.
    et_nodes : (n_node,) float64 [GeV]
        Where the scale is given; it is interpolated in ln E_T, and constant outside.
    weights, slopes : (n_eta, 5) float64
        In the order of `LAYERS`: the weight of a layer is ``weights + slopes * ln(E_T / 40 GeV)``, with the E_T of the
        plain sum of the layers.
    scale : (n_eta, n_node) float64
    """

    eta_edges: np.ndarray
    et_nodes: np.ndarray
    weights: np.ndarray
    slopes: np.ndarray
    scale: np.ndarray


@cache
def load_calibration() -> dict[str, LayerCalibration]:
    """The shipped calibration, by kind: ``electron``, ``unconverted``, ``converted``.

    Returns
    -------
    dict of str to LayerCalibration

    Examples
    --------
    >>> sorted(load_calibration())
    ['converted', 'electron', 'unconverted']
    """
    text = resources.files("calotools.simulate").joinpath("tables/calibration.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    return {kind: LayerCalibration(**{k: np.array(v) for k, v in tables[kind].items()}) for kind in KINDS}


def calibrate(layers: Mapping[str, np.ndarray], *, eta: np.ndarray, table: LayerCalibration) -> np.ndarray:
    """Calibrated energy of clusters.

    Parameters
    ----------
    layers : mapping of str to (n,) float [GeV]
        The `LAYERS`.
    eta : (n,) float
        Of the cluster, detector frame.
    table : LayerCalibration

    Returns
    -------
    (n,) float64 [GeV]

    Examples
    --------
    >>> table = LayerCalibration(
    ...     np.array([0.0, 2.5]), np.array([10.0, 100.0]), np.ones((1, 5)), np.zeros((1, 5)), np.full((1, 2), 1.1)
    ... )
    >>> layers = {name: np.array([10.0]) for name in LAYERS}
    >>> calibrate(layers, eta=np.array([0.3]), table=table).round(3)
    array([55.])
    """
    row = _bin(eta, table.eta_edges)
    total = _weighted(_matrix(layers), eta, row, table)
    return total * _scale(total / np.cosh(eta), row, table)


def _weighted(matrix: np.ndarray, eta: np.ndarray, row: np.ndarray, table: LayerCalibration) -> np.ndarray:
    weights = table.weights[row] + table.slopes[row] * _log_et(matrix, eta)[:, None]
    return (matrix * weights).sum(axis=1)


def _log_et(matrix: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """ln(E_T / 40 GeV) of the plain sum of layers, kept in the range where weights are fitted."""
    return np.log(np.clip(matrix.sum(axis=1) / np.cosh(eta), *_ET_RANGE) / _ET_PIVOT)


def _matrix(layers: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n, 5) layer energies; a layer that a candidate does not have counts as empty."""
    return np.nan_to_num(np.stack([np.asarray(layers[name], dtype=np.float64) for name in LAYERS], axis=1))


def _bin(eta: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(edges, np.abs(eta), side="right") - 1, 0, len(edges) - 2)


def _scale(et: np.ndarray, row: np.ndarray, table: LayerCalibration) -> np.ndarray:
    nodes = np.log(table.et_nodes)
    x = np.clip(np.log(np.maximum(et, 1.0)), nodes[0], nodes[-1])
    left = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
    part = (x - nodes[left]) / (nodes[left + 1] - nodes[left])
    return (1 - part) * table.scale[row, left] + part * table.scale[row, left + 1]


def fit_calibration(
    layers: Mapping[str, np.ndarray],
    *,
    eta: np.ndarray,
    e_true: np.ndarray,
    eta_edges: np.ndarray,
    et_edges: np.ndarray,
) -> LayerCalibration:
    """Fit the weights by least squares of E/E_true - 1, then the scale to the median response.

    Parameters
    ----------
    layers : mapping of str to (n,) float [GeV]
    eta, e_true : (n,) float [-, GeV]
    eta_edges : (n_eta + 1,) float
    et_edges : (n_et + 1,) float [GeV]
        Bins whose median responses give the scale; nodes at their geometric centres.

    Returns
    -------
    LayerCalibration

    Raises
    ------
    ConfigError
        An |eta| bin and its neighbours have fewer than 50 candidates, or an (|eta|, E_T) bin and its neighbours fewer
        than 10.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> layers = dict(zip(LAYERS, rng.uniform(1, 10, (5, 500))))
    >>> e_true = 2 * layers["e0"] + layers["e1"] + layers["e2"] + layers["e3"] + 0.5 * layers["e_tile_gap3"]
    >>> edges = {"eta_edges": np.array([0.0, 2.5]), "et_edges": np.array([1.0, 25.0, 100.0])}
    >>> fit_calibration(layers, eta=np.zeros(500), e_true=e_true, **edges).weights.round(2)
    array([[1.98, 1.  , 1.  , 1.  , 0.51]])
    """
    row = _bin(eta, eta_edges)
    matrix = _matrix(layers)
    features = np.concatenate([matrix, matrix * _log_et(matrix, eta)[:, None]], axis=1)
    fitted = np.stack(
        [_fit_weights(features[near], e_true[near], i) for i, near in enumerate(_rows_of_bins(row, len(eta_edges) - 1))]
    )
    weights, slopes = np.split(fitted, 2, axis=1)
    nodes = np.sqrt(et_edges[1:] * et_edges[:-1])
    table = LayerCalibration(eta_edges, nodes, weights, slopes, np.ones((len(weights), len(nodes))))
    return replace(table, scale=_fit_scale(matrix, eta, e_true, table, et_edges))


def _rows_of_bins(row: np.ndarray, n: int) -> Iterator[np.ndarray]:
    """Candidates of each bin; of a bin with too few, those of its neighbours too."""
    for i in range(n):
        inside = row == i
        yield inside if inside.sum() >= _ENOUGH else np.abs(row - i) <= 1


def _fit_weights(matrix: np.ndarray, e_true: np.ndarray, number: int) -> np.ndarray:
    """Weights of the five layers, then their slopes in ln E_T."""
    if len(e_true) < _ENOUGH:
        raise ConfigError(
            f"|eta| bin {number} has {len(e_true)} candidates; the weights need {_ENOUGH}: simulate more events"
        )
    ratio = matrix / e_true[:, None]
    keep = np.ones(len(ratio), dtype=bool)
    expected = np.array([*_PRIOR, *np.zeros(len(_PRIOR))])
    # a layer that holds next to nothing has no say: the prior, of width 0.5, decides
    prior = np.eye(len(expected)) * _SPREAD / _PRIOR_WIDTH
    for _ in range(4):
        rows = np.concatenate([ratio[keep], prior])
        weights = np.linalg.lstsq(rows, np.concatenate([np.ones(keep.sum()), prior @ expected]), rcond=None)[0]
        residual = ratio @ weights - 1
        width = 1.4826 * np.median(np.abs(residual - np.median(residual)))
        # tails of energy lost before the calorimeter would pull the core
        keep = np.abs(residual - np.median(residual)) < max(3 * width, 1e-9)
    return weights


def _fit_scale(
    matrix: np.ndarray, eta: np.ndarray, e_true: np.ndarray, table: LayerCalibration, et_edges: np.ndarray
) -> np.ndarray:
    row = _bin(eta, table.eta_edges)
    total = _weighted(matrix, eta, row, table)
    column = np.searchsorted(et_edges, total / np.cosh(eta), side="right") - 1
    scale = np.ones_like(table.scale)
    for i, j in np.ndindex(scale.shape):
        rows = (row == i) & (column == j)
        if rows.sum() < 10:  # too few: those of the neighbouring E_T too
            rows = (row == i) & (np.abs(column - j) <= 1)
        if rows.sum() < 10:
            raise ConfigError(f"(|eta|, E_T) bin ({i}, {j}) has {rows.sum()} candidates; the scale needs 10")
        scale[i, j] = 1 / np.median(total[rows] / e_true[rows])
    return scale
