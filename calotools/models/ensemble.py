"""The mean of several networks that were trained alike: what each learnt by chance averages out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["Ensemble", "member_name"]


def member_name(number: int) -> str:
    """What the names of a member's weights begin with.

    Examples
    --------
    >>> member_name(1)
    'networks.1.'
    """
    return f"networks.{number}."


class Ensemble(nn.Module):
    """One network of several: what it says is their mean, in the form in which each of them says it.

    Of classes it is the mean of the probabilities, as logits. Of energies it is their mean; of sigma, that of the
    mixture, sqrt(mean(sigma^2) + var(E)), so that candidates of which the networks think differently are less certain;
    of the ends of an interval, their mean.

    Parameters
    ----------
    networks : sequence of torch.nn.Module
        With the same inputs and outputs.
    classes : bool
        They tell classes apart.

    References
    ----------
    Lakshminarayanan, Pritzel and Blundell, "Simple and scalable predictive uncertainty estimation using deep
    ensembles", arXiv:1612.01474.

    Examples
    --------
    >>> def says(energy: float, sigma: float) -> nn.Module:
    ...     network = nn.Linear(1, 2)
    ...     network.weight.data.zero_()
    ...     network.bias.data = torch.tensor([energy, sigma])
    ...     return network
    >>> Ensemble([says(47.0, 2.0), says(53.0, 2.0)], classes=False)(torch.zeros(1, 1)).detach()
    tensor([[50.0000,  3.6056]])
    """

    def __init__(self, networks: Sequence[nn.Module], *, classes: bool) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.classes = classes

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> (n, class) logits, or energies as `calotools.models.heads.energies` gives them."""
        said = torch.stack([network(batch).float() for network in self.networks])  # (member, n) or (member, n, output)
        if self.classes:
            return torch.logsumexp(functional.log_softmax(said, dim=2), dim=0) - math.log(len(said))
        mean = said.mean(dim=0)
        if said.ndim == 2 or said.shape[2] != 2:
            return mean
        sigma = (said[:, :, 1].square().mean(dim=0) + said[:, :, 0].var(dim=0, correction=0)).sqrt()
        return torch.stack([mean[:, 0], sigma], dim=1)
