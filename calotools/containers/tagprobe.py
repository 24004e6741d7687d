"""Results of tag-and-probe."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from calotools.containers.performance import Efficiency

__all__ = ["Closure", "ScaleFactors", "TagProbeFit"]


@dataclass(frozen=True)
class TagProbeFit:
    """The simultaneous fit of passing and failing probes in one bin.

    Attributes
    ----------
    efficiency, error : float
        NaN when the bin is empty.
    edges : (n + 1,) float [GeV]
    passing, failing : (n,) float
        Counts per mass bin.
    passing_model, failing_model : (n,) float
        Fitted expectation, signal + background.
    passing_background, failing_background : (n,) float
    chi2, ndf : float, int
    valid : bool
    message : str
    bin : dict of str to (float, float)
        Low and high edge by axis name.
    low, high : float
        68.3 % interval of the efficiency.
    method : {"fit", "count"}
        ``count``: too few probes to fit, counted at the peak with the sidebands subtracted.
    notes : str
        What a reader should know of a valid fit: backgrounds and shapes that were fixed at a limit.
    """

    efficiency: float
    error: float
    edges: np.ndarray
    passing: np.ndarray
    failing: np.ndarray
    passing_model: np.ndarray
    failing_model: np.ndarray
    passing_background: np.ndarray
    failing_background: np.ndarray
    chi2: float
    ndf: int
    valid: bool
    message: str
    bin: dict[str, tuple[float, float]]
    low: float = float("nan")
    high: float = float("nan")
    method: str = "fit"
    notes: str = ""


@dataclass(frozen=True)
class ScaleFactors:
    """Efficiency in data over efficiency in simulation, per bin.

    Attributes
    ----------
    value, stat, syst : (n_bin,) float
        Scale factor, its statistical and systematic uncertainty.
    data, simulation : Efficiency
    edges : dict of str to (n + 1,) float
    valid : (n_bin,) bool
    injected : (n_bin,) float, optional
        The truth, where pseudo-data tell it.
    variations : dict of str to (n_bin,) float
        Scale factor with each alternative model; NaN where its fit was not valid.
    """

    value: np.ndarray
    stat: np.ndarray
    syst: np.ndarray
    data: Efficiency
    simulation: Efficiency
    edges: dict[str, np.ndarray]
    valid: np.ndarray
    injected: np.ndarray | None = None
    variations: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Closure:
    """Agreement of measured values with the truth that was put in.

    Attributes
    ----------
    pull : (n_bin,) float
        (measured - truth) / uncertainty; NaN in a bin that is not valid.
    chi2, ndf, p_value : float, int, float
        Sum of squared pulls over the valid bins.
    n_invalid : int
        Bins left out because they have no valid measurement.
    """

    pull: np.ndarray
    chi2: float
    ndf: int
    p_value: float
    n_invalid: int
