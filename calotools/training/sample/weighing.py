"""What is counted in one pass over candidates, and the weights and shares of classes that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from calotools.errors import ConfigError, EmptyInputError, nearest
from calotools.training.sample.labels import PARTS, Sample
from calotools.variables import WeightTable, count_bins

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig

__all__ = ["Tally", "Weighing", "class_numbers", "class_shares", "kept_fractions"]


def class_numbers(config: TrainConfig, sample: Sample) -> np.ndarray:
    """Class of each candidate; 0 for all of them where an energy is learnt."""
    return sample.target if config.task == "identification" else np.zeros(len(sample.target), dtype=np.int64)


@dataclass
class Tally:
    """Counts of parts, classes and kinematic bins; those of two samples add up.

    Attributes
    ----------
    config : TrainConfig
    n : (3, n_class) int64
        Candidates by part and class.
    n_unused : int
        Without a target or base energy.
    weight : (n_class,) float64
        Sum of event weights over the training part.
    bins : (n_class, n_et, n_eta) float64
        The same in bins of (E_T, abs(eta)).
    runs : set of int
    """

    config: TrainConfig
    n: np.ndarray = field(init=False)
    n_unused: int = 0
    weight: np.ndarray = field(init=False)
    bins: np.ndarray = field(init=False)
    runs: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        n_class = len(self.names)
        self.n = np.zeros((len(PARTS), n_class), dtype=np.int64)
        self.weight = np.zeros(n_class)
        self.bins = np.stack([count_bins(np.zeros(0), np.zeros(0))] * n_class)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes; ``e_true`` for an energy."""
        return tuple(self.config.classes) if self.config.task == "identification" else ("e_true",)

    def add(self, sample: Sample, column: Callable[[str], np.ndarray], run: np.ndarray) -> np.ndarray:
        """Count some candidates.

        Parameters
        ----------
        sample : Sample
        column : callable
            Name -> (n,) array.
        run : (n,) int

        Returns
        -------
        (n_class,) int64
            Those of the training part among them, by class.
        """
        numbers, n_class = class_numbers(self.config, sample), len(self.names)
        for part in PARTS.values():
            self.n[part] += np.bincount(numbers[sample.split == part], minlength=n_class)
        self.n_unused += int((sample.split < 0).sum())
        self.runs.update(np.unique(run).tolist())
        train = sample.split == PARTS["train"]
        self.weight += np.bincount(numbers[train], weights=sample.weight[train], minlength=n_class)
        if self.config.reweight:
            et, eta = np.asarray(column("et")), np.asarray(column("eta"))
            for number in range(n_class):
                own = train & (numbers == number)
                self.bins[number] += count_bins(et[own], eta[own], weight=sample.weight[own])
        return np.bincount(numbers[train], minlength=n_class)

    def check(self) -> None:
        """Refuse a training or validation part without candidates of a class.

        Raises
        ------
        EmptyInputError
        """
        total = int(self.n.sum()) + self.n_unused
        for part in ("train", "validation"):
            for name, count in zip(self.names, self.n[PARTS[part]], strict=True):
                if count == 0:
                    raise EmptyInputError(
                        f"no candidate of '{name}' in the {part} part of {list(self.config.sample.files)}: "
                        f"{self.n[PARTS[part]].sum()} candidates there, {total} in all; check sample.files, the "
                        "selection and the fractions"
                    )


@dataclass(frozen=True)
class Weighing:
    """Weights that training uses, fitted on the training part.

    Energy: flat in (E_T, eta). Identification: every class gets the (E_T, eta) shape of all classes together and keeps
    its share. Their mean over the training part is 1.

    Attributes
    ----------
    tables : tuple of WeightTable
        By class; empty when the recipe does not reweight.
    scale : float
        What event weights are multiplied by, without tables.
    """

    tables: tuple[WeightTable, ...]
    scale: float

    @classmethod
    def fit(cls, tally: Tally) -> Weighing:
        """From counts.

        Raises
        ------
        EmptyInputError
            The classes have no kinematic bin in common.
        """
        config, n = tally.config, tally.n[PARTS["train"]]
        if not config.reweight:
            return cls((), float(n.sum() / tally.weight.sum()))
        if config.task == "energy":
            return cls((WeightTable.flat(tally.bins[0], n=n[0]),), 1.0)
        common = tally.bins.sum(axis=0)
        tables = [WeightTable.match(own, like=common, n=one) for own, one in zip(tally.bins, n, strict=True)]
        return cls(tuple(tables), 1.0)

    def apply(self, config: TrainConfig, sample: Sample, column: Callable[[str], np.ndarray]) -> Sample:
        """The sample with the weights of training.

        Parameters
        ----------
        config : TrainConfig
        sample : Sample
        column : callable
            Name -> (n,) array.

        Returns
        -------
        Sample
        """
        if not self.tables:
            return replace(sample, weight=sample.weight * np.float32(self.scale))
        et, eta = np.asarray(column("et")), np.asarray(column("eta"))
        numbers, weight = class_numbers(config, sample), np.ones(len(sample.target), dtype=np.float32)
        for number, table in enumerate(self.tables):
            own = (numbers == number) & (sample.split >= 0)
            weight[own] = table.apply(et[own], eta[own], weight=sample.weight[own])
        return replace(sample, weight=weight)


def class_shares(config: TrainConfig) -> dict[str, float]:
    """The shares that a recipe asks for, divided by their sum.

    Parameters
    ----------
    config : TrainConfig

    Returns
    -------
    dict of str to float
        By class, in the order of the recipe's classes; empty when it asks for none.
    """
    shares = {name: config.fractions[name] for name in config.classes} if config.fractions else {}
    return {name: share / sum(shares.values()) for name, share in shares.items()}


def kept_fractions(config: TrainConfig, n_train: np.ndarray) -> np.ndarray:
    """The fraction of each class that an epoch uses, so that classes have the shares that the recipe asks for.

    Parameters
    ----------
    config : TrainConfig
    n_train : (n_class,) int
        Candidates of the training part.

    Returns
    -------
    (n_class,) float64
        1 for the class that is short; all 1 when the recipe asks for no shares.

    Raises
    ------
    ConfigError
        A share is not positive, names no class, or a class has none.
    """
    if not config.fractions:
        return np.ones(len(n_train))
    for name, share in config.fractions.items():
        if name not in config.classes:
            raise ConfigError(f"fractions names '{name}', which is no class; {nearest(name, config.classes)}")
        if not share > 0:
            raise ConfigError(f"fractions.{name} = {share} must be above 0; to leave a class out, do not define it")
    absent = [name for name in config.classes if name not in config.fractions]
    if absent:
        raise ConfigError(f"fractions has no share for {absent}; give one for every class, such as 0.5")
    wanted = np.array(list(class_shares(config).values()))
    kept = wanted * np.min(n_train / wanted) / n_train
    return np.where(kept > 1 - 1e-12, 1.0, kept)
