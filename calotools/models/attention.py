"""Attention among the members of a set: cells, tracks and the candidate that they belong to."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

__all__ = ["AttentionBlock"]

_EXPANSION = 2  # of the layers between


class AttentionBlock(nn.Module):
    """Every member of a set looks at the real ones, then at itself; each step is added to what was there.

    It has no notion of an order, and starts as the identity. What is real comes from the mask alone; at least one
    member has to be, for there is nothing to look at otherwise.

    Parameters
    ----------
    width : int
        Of a member; a multiple of `heads`.
    heads : int

    References
    ----------
    Vaswani et al., arXiv:1706.03762, with the norms before the layers: Xiong et al., arXiv:2002.04745.

    Examples
    --------
    >>> tokens, mask = torch.rand(2, 5, 8), torch.tensor([[True] * 5, [True] + [False] * 4])
    >>> bool((AttentionBlock(8, 2)(tokens, mask) == tokens).all())
    True
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_in = nn.LayerNorm(width)
        self.ask = nn.Linear(width, 3 * width)
        self.gather = nn.Linear(width, width)
        self.norm_mid = nn.LayerNorm(width)
        self.think = nn.Linear(width, _EXPANSION * width)
        self.answer = nn.Linear(_EXPANSION * width, width)
        for last in (self.gather, self.answer):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(n, member, width) and (n, member) bool -> (n, member, width)."""
        n, length, width = tokens.shape
        asked = self.ask(self.norm_in(tokens)).reshape(n, length, 3, self.heads, width // self.heads)
        query, key, value = asked.permute(2, 0, 3, 1, 4)  # (n, head, member, width / head) each
        seen = _attend(query, key, value, mask[:, None, None, :])
        tokens = tokens + self.gather(seen.transpose(1, 2).reshape(n, length, width))
        return tokens + self.answer(functional.gelu(self.think(self.norm_mid(tokens))))


def _attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Attention; on a processor with 32 bits always, as its gradient takes five times as long with 16."""
    if query.device.type != "cpu":
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    with torch.autocast("cpu", enabled=False):
        query, key, value = (one.float() if one.dtype == torch.bfloat16 else one for one in (query, key, value))
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
