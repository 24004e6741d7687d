"""Networks by name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from calotools.errors import ConfigError, nearest
from calotools.models.electron_cnn_2018 import ElectronCNN2018
from calotools.models.electron_cnn_2020 import ElectronCNN2020
from calotools.models.electron_compact import ElectronCompact
from calotools.models.electron_rnn import ElectronRNN
from calotools.models.energy_cloud import EnergyCloud
from calotools.models.energy_cnn import EnergyCNN
from calotools.models.energy_cnn_2019 import EnergyCNN2019
from calotools.models.energy_compact import EnergyCompact
from calotools.models.energy_scalars import EnergyScalars
from calotools.models.ensemble import Ensemble
from calotools.models.object_cnn import ObjectCNN
from calotools.models.variable_models import VARIABLE_MODELS

if TYPE_CHECKING:
    from torch import nn

    from calotools.models.inputs import ModelInputs

__all__ = ["MODELS", "build_model"]

MODELS: dict[str, type[nn.Module]] = {
    "electron_cnn_2018": ElectronCNN2018,
    "electron_cnn_2020": ElectronCNN2020,
    "electron_compact": ElectronCompact,
    "electron_rnn": ElectronRNN,
    "energy_cloud": EnergyCloud,
    "energy_cnn": EnergyCNN,
    "energy_cnn_2019": EnergyCNN2019,
    "energy_compact": EnergyCompact,
    "energy_scalars": EnergyScalars,
    "object_cnn": ObjectCNN,
}


def build_model(name: str, settings: dict[str, Any], inputs: ModelInputs, *, members: int = 1) -> nn.Module:
    """Build a network with fresh weights.

    Parameters
    ----------
    name : str
        A key of `MODELS`.
    settings : dict
        Keywords of the network, as its class documents them.
    inputs : ModelInputs
        Shapes of what it will see.
    members : int
        More than one: an `Ensemble` of so many.

    Returns
    -------
    torch.nn.Module
        ``forward(batch: Batch)`` gives (n, class) logits, or energies [GeV] (see `calotools.models.heads.energies`).

    Raises
    ------
    ConfigError
        Unknown name or setting, with the nearest that exist; or a value that the network refuses.

    Examples
    --------
    >>> from calotools.models import ModelInputs
    >>> type(build_model("energy_cnn", {"maps": 8}, ModelInputs(shapes={"em": (4, 56, 11)}))).__name__
    'EnergyCNN'
    """
    if name in VARIABLE_MODELS:
        raise ConfigError(f"model '{name}' is no network: it sees no images; calotools train fits it by itself")
    if name not in MODELS:
        raise ConfigError(f"there is no model '{name}'; {nearest(name, [*MODELS, *VARIABLE_MODELS])}")
    allowed = [key for key in inspect.signature(MODELS[name]).parameters if key != "inputs"]
    for key in settings:
        if key not in allowed:
            raise ConfigError(f"model '{name}' has no setting '{key}'; {nearest(key, allowed)}")
    if members > 1:
        return Ensemble([MODELS[name](inputs, **settings) for _ in range(members)], classes=bool(inputs.n_classes))
    return MODELS[name](inputs, **settings)
