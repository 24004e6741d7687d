"""The nouns: what travels between the rooms.

Units are GeV, rad, mm, ns. Axes are always (candidate, layer, eta, phi). A missing value is NaN, never -999. Every
per-candidate noun carries the index (run, event, candidate), so that nothing has to be looked up again.

The commonest noun, *candidates*, is not a class: it is an awkward record array, one row per candidate, with the
canonical fields of `calotools/ntuple/flavours/native.toml`; only `cells` and `tracks` are ragged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from calotools.errors import ConfigError, ShapeError, nearest

if TYPE_CHECKING:
    import torch

__all__ = [
    "Batch",
    "Closure",
    "Efficiency",
    "ImageGrid",
    "ImageSpec",
    "Images",
    "Index",
    "Layer",
    "PeakFit",
    "Resolution",
    "Roc",
    "ScaleFactors",
    "Scores",
    "TagProbeFit",
    "WidthComparison",
    "WorkingPoints",
]

_FORBID = {"extra": "forbid"}
Quantity = Literal["energy", "time", "gain", "noise"]


@dataclass(frozen=True)
class ImageGrid:
    """The pixels around a candidate: a rectangle in (eta, phi), counted from low eta and low phi.

    Attributes
    ----------
    n_eta, n_phi : int
        Number of pixels along each axis.
    d_eta : float
        Pixel width in eta.
    d_phi : float [rad]
        Pixel width in phi.

    Examples
    --------
    >>> grid = ImageGrid(n_eta=56, n_phi=11, d_eta=0.003125, d_phi=0.02454)
    >>> grid.shape, round(grid.window[0], 3)
    ((56, 11), 0.175)
    """

    __pydantic_config__ = _FORBID
    n_eta: int
    n_phi: int
    d_eta: float
    d_phi: float

    def __post_init__(self) -> None:
        if min(self.n_eta, self.n_phi) < 1 or min(self.d_eta, self.d_phi) <= 0:
            raise ConfigError(f"image grid {self} needs at least one pixel of positive width along each axis")

    @property
    def shape(self) -> tuple[int, int]:
        """(n_eta, n_phi)."""
        return self.n_eta, self.n_phi

    @property
    def window(self) -> tuple[float, float]:
        """Full width of the rectangle in (eta, phi [rad])."""
        return self.n_eta * self.d_eta, self.n_phi * self.d_phi


@dataclass(frozen=True)
class Layer:
    """A logical calorimeter layer: the samplings that are added into one image, and the grid it is drawn on.

    Attributes
    ----------
    name : str
        ``presampler``, ``strips``, ``middle``, ``back``, ``had1`` or the user's own.
    samplings : tuple of int
        Values of `cells.sampling` that belong to the layer; barrel and endcap are added pixel by pixel.
    grid : str
        Name of its grid in the `ImageSpec`.
    cell_size : tuple of float, optional
        (d_eta, d_phi [rad]) of every cell, for a calorimeter that calotools has no table of; None takes the widths
        from the ATLAS granularity table, by sampling and eta.
    share : {"overlap", "centre"}
        A cell's energy and noise go to the pixels it covers in proportion to the overlap, or all to the pixel that
        holds the cell's centre.
    """

    __pydantic_config__ = _FORBID
    name: str
    samplings: tuple[int, ...]
    grid: str = "em"
    cell_size: tuple[float, float] | None = None
    share: Literal["overlap", "centre"] = "overlap"


@dataclass(frozen=True)
class ImageSpec:
    """Which layers and quantities make a model's input, on which grids, centred where.

    Attributes
    ----------
    grids : dict of str to ImageGrid
        Named grids; layers on the same grid are stacked, in the order of `layers`.
    layers : tuple of Layer
    quantities : tuple of {"energy", "time", "gain", "noise"}
    centre : {"hottest", "cluster"}
        The grid's middle: the hottest cell of `centre_layer`, or (eta_cluster, phi_cluster).
    centre_layer : str
        Name of the layer whose hottest cell is the centre.

    Raises
    ------
    ConfigError
        A layer names a grid, or `centre_layer` a layer, that is not there.
    """

    __pydantic_config__ = _FORBID
    grids: dict[str, ImageGrid]
    layers: tuple[Layer, ...]
    quantities: tuple[Quantity, ...] = ("energy",)
    centre: Literal["hottest", "cluster"] = "hottest"
    centre_layer: str = "middle"

    def __post_init__(self) -> None:
        for layer in self.layers:
            if layer.grid not in self.grids:
                raise ConfigError(
                    f"image layer '{layer.name}' is drawn on grid '{layer.grid}', which the image spec does not "
                    f"define; {nearest(layer.grid, self.grids)}"
                )
        names = [layer.name for layer in self.layers]
        if self.centre == "hottest" and self.centre_layer not in names:
            raise ConfigError(f"images are centred on layer '{self.centre_layer}'; {nearest(self.centre_layer, names)}")

    def layers_on(self, grid: str) -> tuple[Layer, ...]:
        """Layers drawn on one grid, in image order."""
        return tuple(layer for layer in self.layers if layer.grid == grid)

    def shapes(self) -> dict[str, tuple[int, int, int]]:
        """(n_layer, n_eta, n_phi) of each grid's stack."""
        return {name: (len(self.layers_on(name)), *grid.shape) for name, grid in self.grids.items()}


@dataclass(frozen=True)
class Index:
    """Where each row came from; what a friend tree is checked against.

    Attributes
    ----------
    run : (n,) uint32
    event : (n,) uint64
    candidate : (n,) int32
        Number of the candidate in its event and tree, from 0.
    """

    run: np.ndarray
    event: np.ndarray
    candidate: np.ndarray

    def __post_init__(self) -> None:
        if not len(self.run) == len(self.event) == len(self.candidate):
            raise ShapeError(
                f"index columns differ in length: run {len(self.run)}, event {len(self.event)}, "
                f"candidate {len(self.candidate)}"
            )

    def __len__(self) -> int:
        return len(self.run)

    def take(self, rows: np.ndarray) -> Index:
        """The index of some rows (an integer or boolean array)."""
        return Index(self.run[rows], self.event[rows], self.candidate[rows])


@dataclass(frozen=True)
class Images:
    """Dense images of some candidates.

    Attributes
    ----------
    values : dict of str to (n, layer, eta, phi) float32
        Keyed ``{quantity}_{grid}``, such as ``energy_em`` [GeV], ``time_em`` [ns], ``gain_em`` (gain code + 1, so
        that 0 is 'no cell'), ``noise_em`` [GeV].
    mask : dict of str to (n, layer, eta, phi) bool
        Keyed by grid: the pixel is covered by a cell. A padded pixel is not a zero cell.
    outside : dict of str to (n,) float32 [GeV]
        Keyed by grid: energy of cells in that grid's layers that fell outside the window.
    centre : (n, 2) float64
        (eta, phi [rad]) of the grid's middle; NaN for a candidate without usable cells.
    dropped : (n,) int32
        Non-finite cells that were left out.
    """

    values: dict[str, np.ndarray]
    mask: dict[str, np.ndarray]
    outside: dict[str, np.ndarray]
    centre: np.ndarray
    dropped: np.ndarray


@dataclass(frozen=True)
class Batch:
    """What a network sees: torch tensors of some candidates.

    Attributes
    ----------
    images : dict of str to (n, layer, eta, phi) float32 tensor
        Keyed as in `Images.values`; energies in GeV.
    scalars : (n, scalar) float32 tensor
        Scaled variables, in the order of the recipe.
    tracks : (n, track, feature) float32 tensor
        Scaled and padded; the matched track first.
    track_mask : (n, track) bool tensor
        True for a real track. It comes from the lengths, never from values.
    base_energy : (n,) float32 tensor [GeV]
        What an energy network corrects.
    target : (n,) tensor
        int64 class, or float32 energy [GeV].
    weight : (n,) float32 tensor
    row : (n,) int64 tensor
        Row in the store, from which the index is looked up once, at the end.
    """

    images: dict[str, torch.Tensor]
    scalars: torch.Tensor
    tracks: torch.Tensor
    track_mask: torch.Tensor
    base_energy: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor
    row: torch.Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return Batch(
            images={key: image.to(device, non_blocking=True) for key, image in self.images.items()},
            **{
                name: getattr(self, name).to(device, non_blocking=True)
                for name in ("scalars", "tracks", "track_mask", "base_energy", "target", "weight", "row")
            },
        )


@dataclass(frozen=True)
class Scores:
    """What a model says of each candidate, in the order of the input.

    Attributes
    ----------
    index : Index
    values : dict of str to (n,) array
        ``score_<class>`` probabilities, or ``e_network`` [GeV]; NaN for a candidate that was skipped.
    split : (n,) int8
        0 train, 1 validation, 2 test, by the hash of (run, event) that the model was trained with.
    record : dict
        Task, model, digest of the bundle, versions; written beside the values.
    """

    index: Index
    values: dict[str, np.ndarray]
    split: np.ndarray
    record: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Efficiency:
    """Efficiency, one value per bin, with its interval.

    Attributes
    ----------
    value, low, high : (n_bin,) float
        Efficiency and its 68.3 % interval, low <= value <= high; NaN in an empty bin.
    edges : dict of str to (n + 1,) float
        Bin edges by axis name, in the order in which `value` is flattened (C order).
    n_total : (n_bin,) float
        Sum of weights in the denominator (background subtracted where that applies).
    valid : (n_bin,) bool
        False where a fit failed or nothing was there.
    name : str
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    edges: dict[str, np.ndarray]
    n_total: np.ndarray
    valid: np.ndarray
    name: str = ""


@dataclass(frozen=True)
class Roc:
    """Background against signal efficiency of a score, with its band.

    Attributes
    ----------
    signal : (n,) float
        Signal efficiencies, increasing.
    background, low, high : (n,) float
        Background efficiency at each, and its 68.3 % band.
    auc, auc_error : float
        Area under signal against background efficiency.
    n_signal, n_background : float
        Effective numbers, (sum w)^2 / sum w^2.
    name : str
    """

    signal: np.ndarray
    background: np.ndarray
    low: np.ndarray
    high: np.ndarray
    auc: float
    auc_error: float
    n_signal: float
    n_background: float
    name: str = ""


@dataclass(frozen=True)
class WorkingPoints:
    """Cuts on a score at given signal efficiencies, and what they leave of the background.

    Attributes
    ----------
    target : (n,) float
        Signal efficiencies that were asked for.
    cut : (n,) float
        A candidate is selected when its score is at least this.
    signal, signal_error : (n,) float
        Signal efficiency of the cut and its binomial error.
    background, background_low, background_high : (n,) float
        Background efficiency and its 68.3 % interval, which includes the uncertainty of the cut.
    rejection, rejection_low, rejection_high : (n,) float
        One over background efficiency; inf where no background is left, then the low edge is a lower limit.
    name : str
    """

    target: np.ndarray
    cut: np.ndarray
    signal: np.ndarray
    signal_error: np.ndarray
    background: np.ndarray
    background_low: np.ndarray
    background_high: np.ndarray
    rejection: np.ndarray
    rejection_low: np.ndarray
    rejection_high: np.ndarray
    name: str = ""


@dataclass(frozen=True)
class Resolution:
    """Energy resolution per bin, of one estimate, with bootstrap errors.

    Attributes
    ----------
    metrics : dict of str to (n_bin,) float
        ``bias`` (median of E/E_true - 1), ``iqr``, ``sigma68``, ``mae`` [GeV], and, when compared with a reference,
        ``rel_improvement`` (1 - IQR/IQR_ref), ``ratio`` (IQR_ref/IQR) and ``rel_improvement_corr`` (the first with
        each IQR divided by its 1 + bias, so that a low energy scale does not pass for a good resolution).
    errors : dict of str to (n_bin,) float
        Standard deviation of each over bootstrap replicas of events.
    edges : dict of str to (n + 1,) float
        Bin edges by axis name; empty for the inclusive result.
    n : (n_bin,) int
        Candidates in each bin.
    name : str
        The estimate, such as ``layer sum`` or ``network``.
    """

    metrics: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    edges: dict[str, np.ndarray]
    n: np.ndarray
    name: str = ""


@dataclass(frozen=True)
class PeakFit:
    """A fitted mass peak.

    Attributes
    ----------
    values, errors : dict of str to float
        Parameters by name, masses in GeV.
    width : dict of str to float [GeV]
        ``sigma68`` and ``fwhm`` of the fitted signal, ``core`` (the fitted detector resolution), each with$
        its ``*_error`` from the fit, and ``sample_sigma68`` of the entries, its error from the bootstrap.
    chi2, ndf : float, int
    valid : bool
        The minimum is valid, the covariance accurate and no parameter at a limit.
    message : str
        Why it is not valid; empty when it is.
    edges, counts, variances, model : ndarray
        The binned data [GeV; events] and the fitted expectation in each bin.
    name : str
    background : ndarray
        Fitted background in each bin; zeros without one.
    notes : str
        What a reader should know of a valid fit: shape parameters that were fixed at a limit.
    """

    values: dict[str, float]
    errors: dict[str, float]
    width: dict[str, float]
    chi2: float
    ndf: int
    valid: bool
    message: str
    edges: np.ndarray
    counts: np.ndarray
    variances: np.ndarray
    model: np.ndarray
    name: str = ""
    background: np.ndarray = field(default_factory=lambda: np.zeros(0))
    notes: str = ""


@dataclass(frozen=True)
class WidthComparison:
    """Widths of one peak with two energies, on the same events, so that errors common to both cancel in the ratio.

    Attributes
    ----------
    before, before_error : dict of str to float [GeV]
        ``sigma68`` (half of the shortest interval with 68.3 % of the entries), ``iqr``, and ``sigma68_rel``
        (sigma68 over the median mass: no gain from a lower energy scale).
    after, after_error : dict of str to float [GeV]
        The same with the other energy.
    ratio, ratio_error : dict of str to float
        After over before; below 1 is narrower. The error is the spread over bootstrap replicas of events.
    n : int
        Pairs that both energies have in the window of at least one of them.
    """

    before: dict[str, float]
    before_error: dict[str, float]
    after: dict[str, float]
    after_error: dict[str, float]
    ratio: dict[str, float]
    ratio_error: dict[str, float]
    n: int


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
