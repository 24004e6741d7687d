"""What a fit returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from calotools.containers import ImageSpec
    from calotools.models.inputs import ModelInputs
    from calotools.recipe import TrainConfig
    from calotools.training.calibration.bias import BiasCorrection
    from calotools.training.loading.input_scalers import InputScalers

__all__ = ["TrainingResult"]


@dataclass(frozen=True)
class TrainingResult:
    """The best network of a fit, and everything that is needed to apply it.

    Attributes
    ----------
    state_dict : dict of str to tensor
        Weights of the epoch with the lowest validation loss; arrays of a likelihood; trees as text.
    config : TrainConfig
        The recipe: task, classes, scalars, tracks, seed and fractions of the split.
    image_spec : ImageSpec
    inputs : ModelInputs
    scalers : InputScalers
        Fitted on the training part.
    record : dict
        Task, model, numbers of candidates, loss and metric of every epoch, versions.
    bias : BiasCorrection, optional
        Fitted on the validation part (energy).
    sigma_scale : float
        What the network's sigma is multiplied by, likewise.
    factors : (float, float), optional
        Smallest and largest of a network's energy over the base energy that are believed, likewise.
    temperature : float
        What the logits of a classifier are divided by, likewise.
    """

    state_dict: dict[str, torch.Tensor]
    config: TrainConfig
    image_spec: ImageSpec
    inputs: ModelInputs
    scalers: InputScalers
    record: dict[str, Any]
    bias: BiasCorrection | None = None
    sigma_scale: float = 1.0
    factors: tuple[float, float] | None = None
    temperature: float = 1.0
