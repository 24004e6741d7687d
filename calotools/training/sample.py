"""Targets, parts and weights of a store's candidates, as the recipe wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calotools.errors import ConfigError, EmptyInputError
from calotools.variables import flatten_weights, match_weights, split_of

if TYPE_CHECKING:
    from calotools.images import ImageStore
    from calotools.recipe import TrainConfig

__all__ = ["PARTS", "Sample", "check_inputs", "columns_of", "read_sample", "target_of"]

PARTS = {"train": 0, "validation": 1, "test": 2}
UNUSED = -1


@dataclass(frozen=True)
class Sample:
    """What is learnt from each row of a store.

    Attributes
    ----------
    target : (n,) int64 class, or float32 energy [GeV]
    weight : (n,) float32
        Energy: flat in (E_T, eta). Identification: every class gets the (E_T, eta) shape of all classes together and
        keeps its share. Mean 1 over the training part; 1 everywhere when the recipe does not reweight.
    base_energy : (n,) float32 [GeV]
    split : (n,) int8
        0 train, 1 validation, 2 test; -1 for a row that has no target, no base energy or no cells.
    """

    target: np.ndarray
    weight: np.ndarray
    base_energy: np.ndarray
    split: np.ndarray

    def rows(self, part: str) -> np.ndarray:
        """Rows of ``train``, ``validation`` or ``test``."""
        return np.flatnonzero(self.split == PARTS[part])


_BOOKKEEPING = ("run", "event", "candidate", "lumi_block", "channel", "weight")


def check_inputs(config: TrainConfig) -> None:
    """Refuse truth as an input, and what numbers events and samples: that is how files differ, not candidates.

    Raises
    ------
    ConfigError
        A scalar, track variable or the base energy is truth, or one of run, event, candidate, lumi_block, channel,
        weight.
    """
    for key, names in (("scalars", config.scalars), ("tracks", config.tracks), ("base_energy", (config.base_energy,))):
        for name in names:
            if name.endswith("_true"):
                raise ConfigError(f"{key} holds '{name}': truth cannot be an input of a network; take it out")
            if name in _BOOKKEEPING:
                raise ConfigError(f"{key} holds '{name}': it tells files apart, not candidates; take it out")


def columns_of(config: TrainConfig) -> tuple[str, ...]:
    """Candidate variables that a recipe needs in its store, each once, in a fixed order.

    Raises
    ------
    ConfigError
        A truth variable is asked for as an input.
    """
    check_inputs(config)
    target = "class_true" if config.task == "identification" else "e_true"
    shape = ("et",) if config.reweight else ()
    return tuple(dict.fromkeys((*config.scalars, config.base_energy, "eta", *shape, target)))


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


def read_sample(config: TrainConfig, store: ImageStore) -> Sample:
    """Targets, weights and parts of every row of a store.

    Parts come from a hash of (run, event); weights are fitted on the training part alone.

    Parameters
    ----------
    config : TrainConfig
    store : ImageStore

    Returns
    -------
    Sample

    Raises
    ------
    ConfigError
        A truth variable is asked for as an input, or classes overlap.
    EmptyInputError
        No candidate of a class, or none at all, in the training or validation part.
    """
    check_inputs(config)
    truth = store.column("class_true" if config.task == "identification" else "e_true")
    target, usable = target_of(config, np.asarray(truth))
    base = np.asarray(store.column(config.base_energy), dtype=np.float32)
    usable &= np.isfinite(base) & (base > 0) & store.usable
    split = split_of(
        store.index.run,
        store.index.event,
        validation=config.validation_fraction,
        test=config.test_fraction,
        seed=config.seed,
    )
    split = np.where(usable, split, UNUSED).astype(np.int8)
    _check_parts(config, target, split)
    weight = _weights(config, store, target, split)
    return Sample(target=target, weight=weight, base_energy=np.where(usable, base, 1).astype(np.float32), split=split)


def _check_parts(config: TrainConfig, target: np.ndarray, split: np.ndarray) -> None:
    for part in ("train", "validation"):
        chosen = split == PARTS[part]
        found = np.bincount(target[chosen], minlength=len(config.classes)) if config.task == "identification" else None
        counts = (
            dict(zip(config.classes, found.tolist(), strict=True)) if found is not None else {"e_true": chosen.sum()}
        )
        for name, count in counts.items():
            if count == 0:
                raise EmptyInputError(
                    f"no candidate of '{name}' in the {part} part of {list(config.sample.files)}: {int(chosen.sum())} "
                    f"candidates there, {len(split)} in all; check sample.files, the selection and the fractions"
                )


def _weights(config: TrainConfig, store: ImageStore, target: np.ndarray, split: np.ndarray) -> np.ndarray:
    weight = np.ones(len(target), dtype=np.float32)
    if not config.reweight:
        return weight
    et, eta = np.asarray(store.column("et")), np.asarray(store.column("eta"))
    train = split == PARTS["train"]
    if config.task == "energy":
        used = np.flatnonzero(split >= 0)
        weight[used] = flatten_weights(et[used], eta[used], train=train[used])
        return weight
    common = et[train], eta[train]
    for number in range(len(config.classes)):
        own = np.flatnonzero((target == number) & (split >= 0))
        weight[own] = match_weights(et[own], eta[own], like=common, train=train[own])
    return weight
