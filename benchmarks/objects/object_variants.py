"""What was varied in the study of 2017, one thing at a time, from its first network; and what we add."""

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
        Of ``trainer``, of ``model.settings``, and of what else the shipped recipe has.
    ours : bool
        Not of the study.
    """

    what: str
    changes: dict[str, Any] = field(default_factory=dict)
    ours: bool = False


MIRROR = {"mirror": ["eta", "phi"]}
TRACKS = ["pt", "delta_eta1", "delta_phi2", "d0_significance", "z0", "n_innermost", "n_pixel", "trt_pid"]

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
    "long": Variant("30 epochs", {"trainer": {"epochs": 30}}),
    "mirror": Variant("seen in a mirror along η and φ half of the time", {"trainer": MIRROR}, ours=True),
    "tracks": Variant(
        "the same, and up to ten tracks as a set", {"trainer": MIRROR, "tracks": TRACKS, "max_tracks": 10}, ours=True
    ),
}
"""By name, in the order of the table."""
