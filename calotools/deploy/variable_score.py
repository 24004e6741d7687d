"""Apply a bundle whose model sees candidate variables alone; no cells are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np
import torch

from calotools.containers import Index
from calotools.deploy.folds import own_rows
from calotools.deploy.shuffling import Asked, Metric, shuffle_each
from calotools.ntuple import index_of
from calotools.progress import Progress
from calotools.variables import add_derived, with_temperature

if TYPE_CHECKING:
    from calotools.deploy.bundle import ModelBundle

__all__ = ["Explanation", "ReadyVariables", "VariableScorer", "explain_variables", "shuffle_variables"]

_AT_A_TIME = 50_000  # candidates: they hold little memory


@dataclass(frozen=True)
class ReadyVariables:
    """Variables of some candidates.

    Attributes
    ----------
    index : Index
    values : (n, variable) float32
    eta, et, base_energy : (n,) float32
        E_T and energy in GeV.
    """

    index: Index
    values: np.ndarray
    eta: np.ndarray
    et: np.ndarray
    base_energy: np.ndarray


class VariableScorer:
    """The likelihood or trees of a bundle.

    Parameters
    ----------
    bundle : ModelBundle
    """

    def __init__(self, bundle: ModelBundle) -> None:
        self._bundle = bundle
        self._model = bundle.variable_model()

    @property
    def names(self) -> list[str]:
        """Of the values: ``score_<class>`` of every class, or ``e_network``."""
        return [f"score_{name}" for name in self._bundle.classes] or ["e_network"]

    def count_batches(self, n: int) -> int:
        """Passes that n candidates take: at least one."""
        return max(1, -(-n // _AT_A_TIME))

    def make_ready(self, candidates: ak.Array, *, source: str = "") -> Iterator[ReadyVariables]:  # noqa: ARG002
        """Variables, batch after batch.

        Parameters
        ----------
        candidates : awkward record array
            With the fields of the bundle's recipe.
        source : str
            File and tree.

        Yields
        ------
        ReadyVariables
            At least one, which is empty when there is no candidate.
        """
        config = self._bundle.config
        complete = add_derived(candidates, config.scalars)
        for number in range(self.count_batches(len(complete))):
            some = complete[number * _AT_A_TIME : (number + 1) * _AT_A_TIME]
            values = np.column_stack([_numbers(some, name) for name in config.scalars])
            eta, et, base = (_numbers(some, name) for name in ("eta", "et", config.base_energy))
            yield ReadyVariables(index_of(some), values, eta, et, base)

    def score(self, ready: ReadyVariables) -> dict[str, np.ndarray]:
        """What the model says.

        Parameters
        ----------
        ready : ReadyVariables

        Returns
        -------
        dict of str to (n,) float32
            As `Scorer` gives them; NaN for a candidate without E_T or eta, or whose base energy is not positive.
        """
        usable = np.isfinite(ready.eta) & np.isfinite(ready.et) & np.isfinite(ready.base_energy)
        usable &= ready.base_energy > 0
        rows = np.flatnonzero(usable)
        values = np.full((len(usable), len(self.names)), np.nan, np.float32)
        if len(rows):
            values[rows] = self._outputs(ready, rows)
        return {name: values[:, column] for column, name in enumerate(self.names)}

    def _outputs(self, ready: ReadyVariables, rows: np.ndarray) -> np.ndarray:
        eta = ready.eta[rows]
        said = self._model.outputs(ready.values[rows], eta=eta, et=ready.et[rows], threads=torch.get_num_threads())
        if self._bundle.task == "identification":
            temperature = self._bundle.temperature
            return said if temperature == 1.0 else with_temperature(said, temperature)
        energy = said[:, 0] * ready.base_energy[rows]
        bias = self._bundle.bias
        return (energy if bias is None else bias.correct(energy, np.abs(eta)))[:, None]

    def __call__(self, candidates: ak.Array, *, source: str = "") -> dict[str, np.ndarray]:
        """Score candidates: see `score`."""
        outputs = [self.score(ready) for ready in self.make_ready(candidates, source=source)]
        return {name: np.concatenate([one[name] for one in outputs]) for name in outputs[0]}


@dataclass(frozen=True)
class Explanation:
    """What a likelihood or trees make of each variable of some candidates.

    Attributes
    ----------
    values : (n, variable) float32
        NaN where a variable is missing.
    contributions : (n, class, variable) float64
        To the log-odds (two classes: one row), the logits, or the estimate.
    used : (n,) int64
        Rows of the candidates that they are of: those that can be scored.
    """

    values: np.ndarray
    contributions: np.ndarray
    used: np.ndarray


def explain_variables(bundle: ModelBundle, candidates: ak.Array) -> Explanation:
    """How much each variable adds to what a bundle says: exact SHAP values of trees, terms of the likelihood.

    Parameters
    ----------
    bundle : ModelBundle
        It sees variables alone. Of folds, each candidate is explained by the model that did not learn from it.
    candidates : awkward record array
        With the fields of the bundle's recipe.

    Returns
    -------
    Explanation
    """
    parts = []
    for one, rows in own_rows(bundle, candidates):
        model, (values, eta, et, _) = one.variable_model(), _columns(one, candidates[rows])
        there = np.flatnonzero(np.isfinite(eta) & np.isfinite(et))
        said = model.contributions(values[there], eta=eta[there], et=et[there], threads=torch.get_num_threads())
        parts.append((values[there], said, rows[there]))
    return Explanation(*(np.concatenate(one) for one in zip(*parts, strict=True)))


def shuffle_variables(
    bundle: ModelBundle,
    candidates: ak.Array,
    truth: np.ndarray,
    *,
    metric_of: Callable[[np.ndarray], Metric],
    rng: np.random.Generator,
    repeats: int = 10,
    progress: Progress | None = None,
) -> dict[str, tuple[float, float]]:
    """How much worse a bundle is when one of its variables is that of another candidate.

    What a variable is worth beside the others: one that says the same as another is worth nothing. Bins of |eta| and
    E_T stay those of the candidate.

    Parameters
    ----------
    bundle : ModelBundle
        It sees variables alone. Of folds, each model is asked about the candidates that it did not learn from, among
        which the variable is exchanged.
    candidates : (n,) awkward record array
        With the fields of the bundle's recipe.
    truth : (n,) array
        Class in the order of the outputs, or true energy [GeV].
    metric_of : callable
        From the truth of the candidates that can be scored.
    rng : numpy.random.Generator
    repeats, progress
        As of `measure_shuffled`.

    Returns
    -------
    dict of str to (float, float)
        As of `shuffle_each`.
    """
    models = [_asked(one, candidates[rows], truth[rows], metric_of) for one, rows in own_rows(bundle, candidates)]
    return shuffle_each(models, names=bundle.config.scalars, rng=rng, repeats=repeats, progress=progress)


def _asked(
    bundle: ModelBundle, candidates: ak.Array, truth: np.ndarray, metric_of: Callable[[np.ndarray], Metric]
) -> Asked:
    """One model, with those candidates that it can score."""
    model, (values, eta, et, base) = bundle.variable_model(), _columns(bundle, candidates)
    rows = np.flatnonzero(np.isfinite(eta) & np.isfinite(et) & (base > 0))
    values, eta, et, base, names = values[rows], eta[rows], et[rows], base[rows], list(bundle.config.scalars)

    def outputs(name: str | None, order: np.ndarray) -> np.ndarray:
        shuffled = values.copy()
        if name is not None:
            shuffled[:, names.index(name)] = values[order, names.index(name)]
        said = model.outputs(shuffled, eta=eta, et=et, threads=torch.get_num_threads())
        return said if bundle.task == "identification" else said * base[:, None]

    return Asked(len(rows), outputs, metric_of(truth[rows]))


def _columns(bundle: ModelBundle, candidates: ak.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Values (n, variable), eta, E_T and base energy of all candidates."""
    batches = list(VariableScorer(bundle).make_ready(candidates))
    values, eta, et, base = (
        np.concatenate([getattr(one, name) for one in batches]) for name in ("values", "eta", "et", "base_energy")
    )
    return values, eta, et, base


def _numbers(candidates: ak.Array, name: str) -> np.ndarray:
    return ak.to_numpy(ak.fill_none(candidates[name], np.nan)).astype(np.float32)
