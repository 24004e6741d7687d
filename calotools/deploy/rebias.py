"""The bias correction of a bundle, fitted again on other candidates; the network stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np

from calotools.deploy.attribution import iterate_labelled
from calotools.deploy.score import make_scorer
from calotools.errors import ConfigError, EmptyInputError
from calotools.training.calibration import fit_bias, fit_sigma_scale
from calotools.training.sample import target_of

if TYPE_CHECKING:
    from calotools.deploy.bundle import ModelBundle
    from calotools.progress import Progress
    from calotools.recipe import CorrectBiasConfig

__all__ = ["Rebiased", "correct_bias"]

_FEW = 50


@dataclass(frozen=True)
class Rebiased:
    """A bundle with another bias correction, and what it was fitted on.

    Attributes
    ----------
    bundle : ModelBundle
    before, raw, after : (n,) float
        E/E_true with the correction that the bundle had, without any, and with the new one.
    abs_eta, e_true : (n,) float
        Of the same candidates; energies in GeV.
    """

    bundle: ModelBundle
    before: np.ndarray
    raw: np.ndarray
    after: np.ndarray
    abs_eta: np.ndarray
    e_true: np.ndarray


def correct_bias(bundle: ModelBundle, config: CorrectBiasConfig, *, progress: Progress | None = None) -> Rebiased:
    """Fit the bias correction again, and the factor of sigma.

    Parameters
    ----------
    bundle : ModelBundle
        Of an energy. Its own correction is taken off first, so that none is ever applied to another.
    config : CorrectBiasConfig
        Which candidates, and on which grid.
    progress : callable, optional
        ``progress(task, done, total)`` in candidates.

    Returns
    -------
    Rebiased
        The record of its bundle says what it was fitted on (``bias_fitted_on``): files, part, runs and candidates.

    Raises
    ------
    ConfigError
        The bundle tells classes apart, or holds the models of several folds.
    EmptyInputError
        Fewer than 50 candidates are left.
    """
    if bundle.task != "energy":
        raise ConfigError(f"'{config.model}' tells classes apart; a bias correction is for energies")
    if bundle.folds:
        raise ConfigError(f"'{config.model}' holds the models of {len(bundle.folds)} folds; correct each fold's own")
    bare = replace(bundle, bias=None, sigma_scale=1.0)
    values, true, abs_eta, runs = _apply(bare, config, progress)
    raw = values[:, 0]
    grid = config.bias_correction
    bias = None if grid == "none" else fit_bias(raw, true, abs_eta, grid=grid)
    corrected = values if bias is None else values / bias.divisor(raw, abs_eta)[:, None]
    scale = fit_sigma_scale(corrected, true) if values.shape[1] > 1 else 1.0
    facts = {"candidates": len(true), "files": list(config.files), "split": config.split, "runs": runs}
    made = replace(
        bundle,
        bias=bias,
        sigma_scale=scale,
        config=bundle.config.model_copy(update={"bias_correction": grid}),
        record=bundle.record | {"bias_fitted_on": facts},
    )
    before = raw if bundle.bias is None else bundle.bias.correct(raw, abs_eta)
    return Rebiased(made, before / true, raw / true, corrected[:, 0] / true, abs_eta, true)


def _apply(
    bare: ModelBundle, config: CorrectBiasConfig, progress: Progress | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[int]]:
    """(n, output) energies [GeV] as the network gives them, true energies and |eta| of what can be used; its runs."""
    scorer = make_scorer(bare, batch_size=config.batch_size, on_bad="skip")
    # sigma is half of the interval where there is one: the ends are what a network with quantiles gives
    names = [name for name in scorer.names if not (name.endswith("_sigma") and len(scorer.names) > 2)]
    parts, runs, n = [], set[int](), 0
    for candidates in iterate_labelled(bare, config, most=config.n):
        if not len(candidates):
            continue
        passes = [scorer.score(ready) for ready in scorer.make_ready(candidates)]
        true, usable = target_of(bare.config, ak.to_numpy(ak.fill_none(candidates["e_true"], np.nan)))
        values = np.concatenate([np.stack([one[name] for name in names], axis=1) for one in passes]).astype(float)
        abs_eta = np.abs(ak.to_numpy(candidates["eta"]).astype(float))
        used = usable & np.isfinite(values).all(axis=1)
        parts.append((values[used], true[used].astype(float), abs_eta[used]))
        runs |= set(np.unique(ak.to_numpy(candidates["run"])[used]).tolist())
        n += int(used.sum())
        if progress is not None:
            progress("candidates", n, config.n or n)
    if n < _FEW:
        raise EmptyInputError(
            f"{n} candidates of {list(config.files)} are of the {config.split} part, pass the cuts of the training and "
            f"{list(config.selection)} and have a true energy; {_FEW} are needed (--split all: every event)"
        )
    values, true, abs_eta = (np.concatenate(one) for one in zip(*parts, strict=True))
    return values, true, abs_eta, sorted(runs)
