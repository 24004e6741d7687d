"""Apply a bundle to candidates in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import awkward as ak
import numpy as np
import torch

from calotools.images import build_images, pad_tracks
from calotools.training.batches import make_batch
from calotools.variables.tracks import add_track_variables

if TYPE_CHECKING:
    from calotools.containers import Batch, Images
    from calotools.deploy.bundle import ModelBundle

__all__ = ["Scorer"]


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
    """

    def __init__(
        self,
        bundle: ModelBundle,
        *,
        device: torch.device | str = "cpu",
        batch_size: int = 2000,
        on_bad: Literal["error", "skip"] = "error",
    ) -> None:
        self._bundle = bundle
        self._network = bundle.network().to(device)
        self._device = device
        self._batch_size = batch_size
        self._on_bad = on_bad

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
            ``score_<class>`` of every class, which sum to 1; or ``e_network`` [GeV]. NaN for a candidate that has no
            usable cells or whose base energy is not a positive number.

        Raises
        ------
        CellError
            A candidate without usable cells, unless they are skipped.
        """
        steps = range(0, len(candidates), self._batch_size)
        outputs = [self._step(candidates[start : start + self._batch_size], source=source) for start in steps]
        n_outputs = max(1, len(self._bundle.classes))
        output = np.concatenate(outputs) if outputs else np.zeros((0, n_outputs), dtype=np.float32)  # (n, output)
        return {name: output[:, column] for column, name in enumerate(self.names)}

    @property
    def names(self) -> list[str]:
        """Of the values: ``score_<class>`` of every class, or ``e_network``."""
        return [f"score_{name}" for name in self._bundle.classes] or ["e_network"]

    def _step(self, candidates: ak.Array, *, source: str) -> np.ndarray:
        bundle = self._bundle
        images = build_images(candidates, bundle.image_spec, on_bad=self._on_bad, source=source)
        base = ak.to_numpy(candidates[bundle.config.base_energy]).astype(np.float32)
        usable = np.isfinite(base) & (base > 0) & _has_cells(images)
        batch = self._batch(candidates, images, np.where(usable, base, np.float32(1)))
        with torch.inference_mode():
            raw = self._network(batch.to(self._device))
            output = torch.softmax(raw, dim=1) if bundle.classes else raw[:, None]  # (n, output)
        values = output.cpu().numpy()
        if bundle.bias is not None:
            values = bundle.bias.correct(values[:, 0], np.abs(ak.to_numpy(candidates["eta"])))[:, None]
        return np.where(usable[:, None], values, np.nan).astype(np.float32)

    def _batch(self, candidates: ak.Array, images: Images, base: np.ndarray) -> Batch:
        config, scalers, n = self._bundle.config, self._bundle.scalers, len(candidates)
        columns = {name: ak.to_numpy(candidates[name]) for name in config.scalars}
        tracks = np.zeros((n, 0, 0), np.float32), np.zeros((n, 0), bool)
        if self._bundle.inputs.n_track_values:
            complete = add_track_variables(candidates, config.tracks)
            tracks = scalers.scale_tracks(*pad_tracks(complete, config.tracks, max_tracks=config.max_tracks))
        return make_batch(images.values, scalars=scalers.scale_scalars(columns, n=n), tracks=tracks, base_energy=base)


def _has_cells(images: Images) -> np.ndarray:
    return np.logical_or.reduce([mask.any(axis=(1, 2, 3)) for mask in images.mask.values()])
