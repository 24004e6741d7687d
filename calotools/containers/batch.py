"""What a network sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

__all__ = ["Batch"]

_PLAIN = ("scalars", "tracks", "track_mask", "base_energy", "target", "weight", "row")


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
        """The same batch on another device; the copy may still be under way if the batch is pinned."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin(self) -> Batch:
        """The same batch in page-locked memory."""
        return self._each(lambda tensor: tensor.pin_memory())

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        return Batch(
            images={key: change(image) for key, image in self.images.items()},
            **{name: change(getattr(self, name)) for name in _PLAIN},
        )
