"""A normalisation that learns over what to normalise: each map, all maps of a candidate, or a map in the batch."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["SwitchNorm"]

_WAYS = 3


class SwitchNorm(nn.Module):
    """Means and variances are mixtures, with learned shares, of those of instance, layer and batch normalisation.

    Parameters
    ----------
    n_maps : int
    affine : bool
        With a learned scale and shift of each map.
    momentum : float
        Share of a batch in the running statistics, which stand in its place in evaluation.
    eps : float

    References
    ----------
    Luo et al., arXiv:1806.10779.

    Examples
    --------
    >>> maps = SwitchNorm(4)(100 + torch.rand(8, 4, 6, 5))
    >>> maps.shape, bool(maps.mean().abs() < 0.1)
    (torch.Size([8, 4, 6, 5]), True)
    """

    running_mean: torch.Tensor
    running_square: torch.Tensor

    def __init__(self, n_maps: int, *, affine: bool = True, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.mean_shares = nn.Parameter(torch.zeros(_WAYS))
        self.variance_shares = nn.Parameter(torch.zeros(_WAYS))
        self.weight = nn.Parameter(torch.ones(n_maps, 1)) if affine else None
        self.bias = nn.Parameter(torch.zeros(n_maps, 1)) if affine else None
        self.register_buffer("running_mean", torch.zeros(1, n_maps, 1))
        self.register_buffer("running_square", torch.ones(1, n_maps, 1))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, map, ...) -> the same shape."""
        flat = maps.flatten(2).float()  # (n, map, pixel): a difference of squares needs more than the 8 bits of bf16
        mean, square = flat.mean(dim=2, keepdim=True), (flat**2).mean(dim=2, keepdim=True)  # (n, map, 1)
        means = [mean, mean.mean(dim=1, keepdim=True)]  # each map; all maps
        squares = [square, square.mean(dim=1, keepdim=True)]
        batch_mean, batch_square = self._of_batch(mean, square)
        means, squares = [*means, batch_mean], [*squares, batch_square]
        variances = [two - one**2 for one, two in zip(means, squares, strict=True)]
        centre = _mixed(means, self.mean_shares)
        scaled = (flat - centre) * torch.rsqrt(_mixed(variances, self.variance_shares).clamp(min=0) + self.eps)
        if self.weight is not None and self.bias is not None:
            scaled = scaled * self.weight + self.bias
        return scaled.reshape(maps.shape).to(maps.dtype)

    def _of_batch(self, mean: torch.Tensor, square: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.training:
            return self.running_mean, self.running_square
        now = mean.mean(dim=0, keepdim=True), square.mean(dim=0, keepdim=True)  # (1, map, 1)
        with torch.no_grad():
            self.running_mean.lerp_(now[0].detach().float(), self.momentum)
            self.running_square.lerp_(now[1].detach().float(), self.momentum)
        return now


def _mixed(ways: list[torch.Tensor], shares: torch.Tensor) -> torch.Tensor:
    parts = torch.softmax(shares, dim=0)
    return sum((part * one for part, one in zip(parts, ways, strict=True)), torch.zeros_like(ways[0]))
