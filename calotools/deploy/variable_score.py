"""Apply a bundle whose model sees candidate variables alone; no cells are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np
import torch

from calotools.containers import Index
from calotools.ntuple import index_of
from calotools.variables import add_derived, with_temperature

if TYPE_CHECKING:
    from calotools.deploy.bundle import ModelBundle

__all__ = ["Explanation", "ReadyVariables", "VariableScorer", "explain_variables"]

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
        It sees variables alone.
    candidates : awkward record array
        With the fields of the bundle's recipe.

    Returns
    -------
    Explanation
    """
    model, parts, start = bundle.variable_model(), [], 0
    for ready in VariableScorer(bundle).make_ready(candidates):
        rows = np.flatnonzero(np.isfinite(ready.eta) & np.isfinite(ready.et))
        values = ready.values[rows]
        said = model.contributions(values, eta=ready.eta[rows], et=ready.et[rows], threads=torch.get_num_threads())
        parts.append((values, said, start + rows))
        start += len(ready.index)
    return Explanation(*(np.concatenate(one) for one in zip(*parts, strict=True)))


def _numbers(candidates: ak.Array, name: str) -> np.ndarray:
    return ak.to_numpy(ak.fill_none(candidates[name], np.nan)).astype(np.float32)
