"""What a model's classes say of candidates: which are signal and background, and the discriminant between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from calotools.analysis import Bootstrap, event_bootstrap
from calotools.errors import ConfigError, nearest
from calotools.variables import Discriminant, make_discriminant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.recipe import DiscriminantConfig, EvaluateConfig, WorkingPointsConfig
    from calotools.stages.publish import Headline
    from calotools.stages.scored import Scored

__all__ = ["SIGNAL", "Labelled", "Measured", "Rows", "class_masks", "discriminant_of", "edges_of", "rows_of"]

SIGNAL = "signal"


@dataclass(frozen=True)
class Rows:
    """Columns of some candidates.

    Attributes
    ----------
    value : (n,) float64
        Discriminant.
    eta, et, weight : (n,) float64
        E_T in GeV.
    mu : (n,) float64, optional
    """

    value: np.ndarray
    eta: np.ndarray
    et: np.ndarray
    weight: np.ndarray
    mu: np.ndarray | None

    def take(self, rows: np.ndarray) -> Rows:
        """Some of them (an integer or boolean array)."""
        mu = None if self.mu is None else self.mu[rows]
        return Rows(self.value[rows], self.eta[rows], self.et[rows], self.weight[rows], mu)

    @property
    def axes(self) -> dict[str, np.ndarray]:
        """What results are given along: |eta|, E_T [GeV] and, where known, mu."""
        return {"abs_eta": np.abs(self.eta), "et": self.et} | ({} if self.mu is None else {"mu": self.mu})

    @property
    def options(self) -> dict[str, Any]:
        """All but the discriminant, as the functions on working points take it."""
        return {"kinematics": (self.eta, self.et), "weight": self.weight, "mu": self.mu}


@dataclass(frozen=True)
class Labelled:
    """A sample with what is measured on it.

    Attributes
    ----------
    sample : Scored
    config : EvaluateConfig
    rows : Rows
        With the weights of the sample.
    signal, background : (n,) bool
    weight : (n,) float64
        Of the measurement: background in the kinematics of the signal, if that was asked for.
    """

    sample: Scored
    config: EvaluateConfig
    rows: Rows
    signal: np.ndarray
    background: np.ndarray
    weight: np.ndarray

    @property
    def model(self) -> str:
        """Its name, or what is known of it: that it is a score."""
        return str(self.sample.record.get("model", "score"))

    @property
    def bootstrap(self) -> Bootstrap:
        """Over the events of the sample: the same replicas whenever it is asked for, for all scores."""
        rng = np.random.default_rng(self.config.seed)
        return event_bootstrap(self.sample.index, rng=rng, replicas=self.config.replicas)


@dataclass(frozen=True)
class Measured:
    """A part of an outcome.

    Attributes
    ----------
    results : dict
    headline : tuple of Headline
    figures : dict of str to (Figure, caption)
    """

    results: Mapping[str, Any] = field(default_factory=dict)
    headline: tuple[Headline, ...] = ()
    figures: Mapping[str, tuple[Figure, str]] = field(default_factory=dict)


def rows_of(sample: Scored, which: Discriminant, *, unweighted: bool) -> Rows:
    """The columns of a sample.

    Parameters
    ----------
    sample : Scored
        With ``eta``, ``et`` and ``weight``; ``mu`` where known.
    which : Discriminant
    unweighted : bool
        Weights are 1.

    Returns
    -------
    Rows
    """
    eta = sample.column("eta")
    value = which({name: sample.scores[f"score_{name}"] for name in sample.record["classes"]}, eta=eta)
    mu = sample.column("mu") if "mu" in sample else None
    return Rows(value, eta, sample.column("et"), sample.weight(unweighted=unweighted), mu)


def edges_of(config: EvaluateConfig | WorkingPointsConfig) -> dict[str, tuple[float, ...]]:
    """Edges of the bins along each of `Rows.axes`."""
    return {"abs_eta": config.eta_bins, "et": config.et_bins, "mu": config.mu_bins}


def class_masks(sample: Scored) -> tuple[np.ndarray, np.ndarray]:
    """Which candidates are signal, and which are of one of the model's other classes.

    Parameters
    ----------
    sample : Scored
        With ``class_true``.

    Returns
    -------
    signal, background : (n,) bool

    Raises
    ------
    ConfigError
        The model has no class "signal".
    """
    classes = sample.record["classes"]
    if SIGNAL not in classes:
        raise ConfigError(f"the model has no class '{SIGNAL}'; {nearest(SIGNAL, classes)}")
    truth = ak.to_numpy(sample.candidates["class_true"])
    others = [value for name, values in classes.items() if name != SIGNAL for value in values]
    return np.isin(truth, classes[SIGNAL]), np.isin(truth, others)


def discriminant_of(classes: Mapping[str, Any], config: DiscriminantConfig) -> Discriminant:
    """The discriminant that a recipe asks for.

    Parameters
    ----------
    classes : mapping
        Of the model, by name.
    config : DiscriminantConfig

    Returns
    -------
    Discriminant
    """
    return make_discriminant(
        classes, numerator=config.numerator, fractions=config.fractions or None, eta_edges=config.eta_bins
    )
