"""Apply a bundle to candidates in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import awkward as ak
import numpy as np
import torch

from calotools.containers import Batch, Images, Index
from calotools.deploy.fold_score import AnyScorer, FoldScorer
from calotools.deploy.variable_score import VariableScorer
from calotools.images import build_images, pad_tracks
from calotools.models import check_precision
from calotools.ntuple import index_of
from calotools.training.calibration import ENERGY_NAMES, believed, corrected_energies
from calotools.training.loading import make_batch
from calotools.training.sample import base_of
from calotools.variables import add_derived
from calotools.variables.tracks import add_track_variables

if TYPE_CHECKING:
    from calotools.deploy.bundle import ModelBundle

__all__ = ["ReadyBatch", "Scorer", "make_scorer"]


def make_scorer(
    bundle: ModelBundle,
    *,
    device: torch.device | str = "cpu",
    batch_size: int = 2000,
    on_bad: Literal["error", "skip"] = "error",
    precision: Literal["fp32", "bf16"] = "fp32",
) -> AnyScorer:
    """The scorer of a bundle's kind; arguments as of `Scorer`.

    Parameters
    ----------
    bundle : ModelBundle
    device, batch_size, on_bad, precision
        Of a network.

    Returns
    -------
    Scorer, VariableScorer or FoldScorer
    """
    if bundle.folds:
        options: Any = {"device": device, "batch_size": batch_size, "on_bad": on_bad, "precision": precision}
        scorers = [make_scorer(one, **options) for one in bundle.folds]
        return FoldScorer(scorers, seed=bundle.config.seed, batch_size=batch_size)
    if bundle.sees_variables:
        return VariableScorer(bundle)
    return Scorer(bundle, device=device, batch_size=batch_size, on_bad=on_bad, precision=precision)


@dataclass(frozen=True)
class ReadyBatch:
    """What a network's pass needs, made from candidates.

    Attributes
    ----------
    index : Index
    batch : Batch
    usable : (n,) bool
        It has cells, and a base energy.
    abs_eta : (n,) float32
    """

    index: Index
    batch: Batch
    usable: np.ndarray
    abs_eta: np.ndarray


class Scorer:
    """A bundle's network on a device.

    Parameters
    ----------
    bundle : ModelBundle
    device : torch.device or str
    batch_size : int
        Candidates in one pass.
    on_bad : {"error", "skip"}
        A candidate without usable cells stops the work, or gets NaN.
    precision : {"fp32", "bf16"}
        Of the network's arithmetic.
    """

    def __init__(
        self,
        bundle: ModelBundle,
        *,
        device: torch.device | str = "cpu",
        batch_size: int = 2000,
        on_bad: Literal["error", "skip"] = "error",
        precision: Literal["fp32", "bf16"] = "fp32",
    ) -> None:
        self._bundle = bundle
        self._network = bundle.network().to(device)
        self._device = torch.device(device)
        self._batch_size = batch_size
        self._on_bad = on_bad
        self._halved = precision == "bf16"
        check_precision(precision, on_gpu=self._device.type != "cpu")

    def __call__(self, candidates: ak.Array, *, source: str = "") -> dict[str, np.ndarray]:
        """Score candidates.

        Parameters
        ----------
        candidates : awkward record array
            With the fields of the bundle's recipe.
        source : str
            File and tree, for errors.

        Returns
        -------
        dict of str to (n,) float32
            ``score_<class>`` of every class, which sum to 1; or ``e_network`` [GeV], with ``e_network_sigma`` and
            the ends of its 68 % interval, ``e_network_low`` and ``e_network_high``, where the network gives them. NaN
            for a candidate that has no usable cells or no base energy (see `base_of`), and for an energy that is not
            believed: another factor on the base energy than any that the network learnt from (see `fit_factors`).

        Raises
        ------
        CellError
            A candidate without usable cells, unless they are skipped.
        """
        outputs = [self.score(ready) for ready in self.make_ready(candidates, source=source)]
        return {name: np.concatenate([one[name] for one in outputs]) for name in outputs[0]}

    @property
    def names(self) -> list[str]:
        """Of the values: ``score_<class>`` of every class, or ``e_network`` and what says how sure it is."""
        if self._bundle.classes:
            return [f"score_{name}" for name in self._bundle.classes]
        return list(ENERGY_NAMES[self._bundle.config.uncertainty])

    def count_batches(self, n: int) -> int:
        """Passes that n candidates take: at least one."""
        return max(1, -(-n // self._batch_size))

    def make_ready(self, candidates: ak.Array, *, source: str = "") -> Iterator[ReadyBatch]:
        """What comes before the network: images, tracks and scalars, batch after batch; torch computes nothing here.

        Parameters
        ----------
        candidates, source
            As in a call.

        Yields
        ------
        ReadyBatch
            At least one, which is empty when there is no candidate.

        Raises
        ------
        CellError
            As in a call.
        """
        for number in range(self.count_batches(len(candidates))):
            start = number * self._batch_size
            some = candidates[start : start + self._batch_size]
            images = build_images(some, self._bundle.image_spec, on_bad=self._on_bad, source=source)
            base = ak.to_numpy(some[self._bundle.config.base_energy]).astype(np.float32)
            base, there = base_of(self._bundle.config, base)
            usable = there & np.isfinite(images.centre).all(axis=1)
            batch = self._batch(some, images, base)
            pinned = batch.pin() if self._device.type == "cuda" else batch
            yield ReadyBatch(index_of(some), pinned, usable, np.abs(ak.to_numpy(some["eta"])))

    def score(self, ready: ReadyBatch) -> dict[str, np.ndarray]:
        """The network's pass.

        Parameters
        ----------
        ready : ReadyBatch

        Returns
        -------
        dict of str to (n,) float32
            As of a call.
        """
        bundle, cast = self._bundle, torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._halved)
        with torch.inference_mode(), cast:
            raw = self._network(ready.batch.to(self._device)).float()
            said = torch.softmax(raw / bundle.temperature, dim=1) if bundle.classes else raw
            output = said if said.ndim == 2 else said[:, None]  # (n, output)
        values, usable = output.cpu().numpy(), ready.usable
        if not bundle.classes:
            usable = usable & believed(values[:, 0], ready.batch.base_energy.cpu().numpy(), bundle.factors)
            no_bias = np.ones(len(values))
            divisor = no_bias if bundle.bias is None else bundle.bias.divisor(values[:, 0], ready.abs_eta)
            values = corrected_energies(values, divisor=divisor, sigma_scale=bundle.sigma_scale)
        values = np.where(usable[:, None], values, np.nan).astype(np.float32)
        return {name: values[:, column] for column, name in enumerate(self.names)}

    def _batch(self, candidates: ak.Array, images: Images, base: np.ndarray) -> Batch:
        config, scalers, n = self._bundle.config, self._bundle.scalers, len(candidates)
        derived = add_derived(candidates, config.scalars)
        columns = {name: ak.to_numpy(derived[name]) for name in config.scalars}
        tracks = np.zeros((n, 0, 0), np.float32), np.zeros((n, 0), bool)
        if self._bundle.inputs.n_track_values:
            complete = add_track_variables(candidates, config.tracks)
            tracks = scalers.scale_tracks(*pad_tracks(complete, config.tracks, max_tracks=config.max_tracks))
        return make_batch(images.values, scalars=scalers.scale_scalars(columns, n=n), tracks=tracks, base_energy=base)
