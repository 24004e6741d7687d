"""The mean of networks, in the form in which each of them says it."""

import numpy as np
import pytest
import torch
from torch import nn

from calotools.models import Ensemble


class Says(nn.Module):
    """A network that always says the same."""

    def __init__(self, said):
        super().__init__()
        self.said = torch.tensor(said)

    def forward(self, batch):
        return self.said


def test_classes_have_the_mean_of_the_probabilities():
    logits = [[[0.0, 2.0, -1.0], [3.0, 0.0, 0.0]], [[5.0, 1.0, 1.0], [-20.0, 0.0, 30.0]]]
    found = torch.softmax(Ensemble([Says(one) for one in logits], classes=True)(None), dim=1)
    expected = torch.softmax(torch.tensor(logits), dim=2).mean(dim=0)
    torch.testing.assert_close(found, expected)


def test_a_sigma_is_that_of_the_mixture():
    rng = np.random.default_rng(1)
    energies, sigmas = [40.0, 47.0, 51.0], [1.0, 2.0, 4.0]
    network = Ensemble([Says([[e, s]]) for e, s in zip(energies, sigmas, strict=True)], classes=False)
    drawn = np.concatenate([rng.normal(e, s, 400_000) for e, s in zip(energies, sigmas, strict=True)])
    ((energy, sigma),) = network(None).tolist()
    assert energy == pytest.approx(46.0)
    assert sigma == pytest.approx(drawn.std(), rel=0.005)


def test_one_energy_and_intervals_are_averaged():
    assert Ensemble([Says([50.0, 10.0]), Says([53.0, 20.0])], classes=False)(None).tolist() == [51.5, 15.0]
    intervals = Ensemble([Says([[50.0, 48.0, 51.0]]), Says([[54.0, 50.0, 59.0]])], classes=False)
    assert intervals(None).tolist() == [[52.0, 49.0, 55.0]]
