"""Target, part and base energy of candidates, as the recipe wants them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calotools.errors import ConfigError
from calotools.models import is_variable_model
from calotools.variables import fold_split, sign_changes, split_of

if TYPE_CHECKING:
    from calotools.containers import Index
    from calotools.recipe import TrainConfig

__all__ = ["PARTS", "Sample", "base_of", "check_inputs", "columns_of", "label", "parts_of", "target_of", "uses_weights"]

PARTS = {"train": 0, "validation": 1, "test": 2}
UNUSED = -1


@dataclass(frozen=True)
class Sample:
    """What is learnt from each of n candidates.

    Attributes
    ----------
    target : (n,) int64 class, or float32 energy [GeV]
    weight : (n,) float32
        That of the event or of a friend tree, or 1; what training uses is made of it by `Weighing`.
    base_energy : (n,) float32 [GeV]
    split : (n,) int8
        0 train, 1 validation, 2 test; -1 for a candidate that has no target or no base energy.
    """

    target: np.ndarray
    weight: np.ndarray
    base_energy: np.ndarray
    split: np.ndarray

    def rows(self, part: str) -> np.ndarray:
        """Rows of ``train``, ``validation`` or ``test``."""
        return np.flatnonzero(self.split == PARTS[part])


_BOOKKEEPING = ("run", "event", "candidate", "lumi_block", "channel", "weight")


def uses_weights(config: TrainConfig) -> bool:
    """Candidates have weights of their own: the ntuple's, or those of a friend tree."""
    return config.event_weight or bool(config.sample.weights)


def check_inputs(config: TrainConfig) -> None:
    """Refuse truth as an input, and what numbers events and samples: that is how files differ, not candidates.

    Raises
    ------
    ConfigError
        A scalar, track variable or the base energy is truth, or one of run, event, candidate, lumi_block, channel,
        weight; classes with an uncertainty, an energy with weights or shares of classes; weights from two places; or a
        mirror of what is not known how it looks there.
    """
    if config.event_weight and config.sample.weights:
        raise ConfigError(
            "event_weight and sample.weights are both given; the weights that reweight writes already hold the "
            "ntuple's: set event_weight = false"
        )
    if config.uncertainty != "none" and config.task != "energy":
        raise ConfigError(f"uncertainty = '{config.uncertainty}' is for energies; task '{config.task}' has none")
    if config.class_weights and config.task != "identification":
        raise ConfigError("class_weights are weights of classes; an energy has none, so take them out")
    if config.fractions and config.task != "identification":
        parts = "which events are kept for stopping and for testing, validation_fraction and test_fraction say"
        raise ConfigError(f"fractions are shares of classes; an energy has none, so take them out ({parts})")
    known = {value for values in config.classes.values() for value in values}
    for value in sorted(config.class_weights.keys() - known):
        raise ConfigError(
            f"class_weights.{value} is a weight of class_true = {value}, which no class collects; those that one does: "
            f"{sorted(known)}"
        )
    for key, names in (("scalars", config.scalars), ("tracks", config.tracks), ("base_energy", (config.base_energy,))):
        for name in names:
            if name.endswith("_true"):
                raise ConfigError(f"{key} holds '{name}': truth cannot be an input of a network; take it out")
            if name in _BOOKKEEPING:
                raise ConfigError(f"{key} holds '{name}': it tells files apart, not candidates; take it out")
    for axis in config.trainer.mirror:
        sign_changes((*config.scalars, *config.tracks), axis, keeps=config.trainer.mirror_keeps)
    if config.trainer.mirror and is_variable_model(config.model.name):
        raise ConfigError(f"model '{config.model.name}' learns without a mirror; take trainer.mirror out")


def columns_of(config: TrainConfig) -> tuple[str, ...]:
    """Candidate variables that a recipe needs in its store, each once, in a fixed order.

    Raises
    ------
    ConfigError
        A truth variable is asked for as an input.
    """
    check_inputs(config)
    target = "class_true" if config.task == "identification" else "e_true"
    shape = ("et",) if config.reweight or is_variable_model(config.model.name) else ()
    weight = ("weight",) if uses_weights(config) else ()
    return tuple(dict.fromkeys((*config.scalars, config.base_energy, "eta", *shape, *weight, target)))


def target_of(config: TrainConfig, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Target of each candidate and whether it has one.

    Parameters
    ----------
    config : TrainConfig
    truth : (n,) array
        ``class_true``, or ``e_true`` [GeV].

    Returns
    -------
    target : (n,) int64 class in the order of `config.classes`, or float32 energy [GeV]
        0 where there is none.
    usable : (n,) bool

    Raises
    ------
    ConfigError
        A value of class_true is in two classes, or fewer than two classes are defined.
    """
    if config.task == "energy":
        usable = np.isfinite(truth) & (truth > 0)
        return np.where(usable, truth, 0).astype(np.float32), usable
    owner: dict[int, str] = {}
    for name, values in config.classes.items():
        for value in values:
            if value in owner:
                raise ConfigError(f"class_true = {value} is in classes '{owner[value]}' and '{name}'; keep it in one")
            owner[value] = name
    if len(config.classes) < 2:
        raise ConfigError(
            f"identification needs at least two classes, got {list(config.classes)}; add one to [classes]"
        )
    target = np.full(len(truth), UNUSED, dtype=np.int64)
    for number, values in enumerate(config.classes.values()):
        target[np.isin(truth, values)] = number
    return np.maximum(target, 0), target >= 0


def parts_of(config: TrainConfig, run: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Training, validation or test, by a hash of the event.

    Parameters
    ----------
    config : TrainConfig
        Its fractions, or its fold.
    run, event : (n,) int

    Returns
    -------
    (n,) int8
        0 train, 1 validation, 2 test.
    """
    if config.folds is not None:  # every candidate is scored by a model that has not seen it
        return np.full(len(run), PARTS["test"], np.int8)
    if config.fold is not None:
        return fold_split(run, event, fold=config.fold, seed=config.seed)
    return split_of(run, event, validation=config.validation_fraction, test=config.test_fraction, seed=config.seed)


def base_of(config: TrainConfig, energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Base energies as networks get them, and which candidates have one.

    An energy network corrects a positive energy. For classes it is only a scale: where noise makes it zero or negative,
    as in the cluster of a muon, the scale is 1 GeV, and the candidate is kept.

    Parameters
    ----------
    config : TrainConfig
    energy : (n,) array [GeV]

    Returns
    -------
    base_energy : (n,) float32 [GeV]
        Positive; 1 where there is none.
    usable : (n,) bool
    """
    finite, positive = np.isfinite(energy), np.nan_to_num(energy) > 0
    usable = finite & positive if config.task == "energy" else finite
    return np.where(finite & positive, energy, 1).astype(np.float32), usable


def label(config: TrainConfig, column: Callable[[str], np.ndarray], index: Index) -> Sample:
    """Target, part and base energy of candidates.

    Parameters
    ----------
    config : TrainConfig
    column : callable
        Name -> (n,) array, of `columns_of`.
    index : Index
        Of the n candidates.

    Returns
    -------
    Sample

    Raises
    ------
    ConfigError
        Classes overlap.
    """
    truth = column("class_true" if config.task == "identification" else "e_true")
    target, usable = target_of(config, np.asarray(truth))
    base = np.asarray(column(config.base_energy), dtype=np.float32)
    base, there = base_of(config, base)
    usable &= there
    weight = np.ones(len(index), dtype=np.float32)
    if uses_weights(config):
        weight = np.nan_to_num(np.asarray(column("weight"), dtype=np.float32))
    for value, factor in config.class_weights.items():
        weight[np.asarray(truth) == value] *= factor
    split = np.where(usable, parts_of(config, index.run, index.event), UNUSED).astype(np.int8)
    return Sample(target=target, weight=weight, base_energy=base, split=split)
