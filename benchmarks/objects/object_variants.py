"""What was varied in the study of 2017, one thing at a time, from its first network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["VARIANTS", "Variant"]


@dataclass(frozen=True)
class Variant:
    """A row of the table.

    Attributes
    ----------
    what : str
        In words.
    changes : dict
        Of ``trainer`` and of ``model.settings`` in the shipped recipe.
    """

    what: str
    changes: dict[str, Any] = field(default_factory=dict)


VARIANTS = {
    "baseline": Variant("Adam, cross-entropy, ReLU, dropout 0.25, 0.25, 0.5"),
    "rmsprop": Variant("RMSprop", {"trainer": {"optimizer": "rmsprop", "momentum": 0.0, "learning_rate": 5e-4}}),
    "sgd": Variant("SGD with momentum", {"trainer": {"optimizer": "sgd", "learning_rate": 1e-2}}),
    "mse": Variant("mean squared error", {"trainer": {"loss": "mse"}}),
    "selu": Variant("SELU", {"settings": {"nonlinearity": "selu"}}),
    "dropout_wide": Variant("dropout 0.5, 0.25, 0.5", {"settings": {"dropout": [0.5, 0.25, 0.5]}}),
    "dropout_half": Variant("dropout 0.5, 0.5, 0.5", {"settings": {"dropout": [0.5, 0.5, 0.5]}}),
    "deeper": Variant("a further Conv2D(128)", {"settings": {"stages": [[32, 32], [64, 64, 128]]}}),
    "shallow": Variant(
        "Conv2D(32), Conv2D(64) in one stage", {"settings": {"stages": [[32, 64]], "dropout": [0.25, 0.5]}}
    ),
    "long": Variant("100 epochs", {"trainer": {"epochs": 100, "patience": 30}}),
}
"""By name, in the order of the table."""
