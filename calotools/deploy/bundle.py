"""The model bundle: network, recipe, image spec, scalers and record in one file that runs no code when it is read.

A ``.calo`` file is a safetensors file: the weights as tensors, everything else as JSON in its header.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safetensors
import torch
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import save

from calotools._version import version
from calotools.errors import CalotoolsError, ModelError
from calotools.images import spec_from_dict, spec_to_dict
from calotools.models import VARIABLE_MODELS, ModelInputs, VariableModel, build_model, is_variable_model
from calotools.outputs import new_file
from calotools.recipe import TrainConfig
from calotools.training.calibration import BiasCorrection
from calotools.training.fitting import TrainingResult, variable_inputs
from calotools.training.loading import InputScalers

if TYPE_CHECKING:
    from torch import nn

__all__ = ["FORMAT_VERSION", "ModelBundle", "bundle_of", "fold_name", "load_bundle", "save_bundle"]

FORMAT_VERSION = 2
_ONE_MODEL = 1  # what a bundle without folds says, so that older versions read it
_KEY = "calotools"
_NAME = "model.calo"


@dataclass(frozen=True)
class ModelBundle(TrainingResult):
    """A trained network and everything that is needed to apply it.

    Attributes are those of `TrainingResult`, and one more.

    Attributes
    ----------
    folds : tuple of ModelBundle
        Of cross-validation, one for each fold; then the weights are theirs, with a prefix.
    """

    folds: tuple[ModelBundle, ...] = ()

    @property
    def task(self) -> str:
        """``identification`` or ``energy``."""
        return self.config.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the network's outputs; empty for an energy."""
        return tuple(self.config.classes) if self.task == "identification" else ()

    @property
    def digest(self) -> str:
        """SHA-256 of weights and header: the same bundle, the same digest, whatever version of calotools reads it."""
        content = _content(self, recipe=self.config.model_dump(mode="json", exclude_defaults=True))
        content["folds"] = [one.digest for one in self.folds]
        total = hashlib.sha256(json.dumps(content).encode())
        for name, weight in sorted(self.state_dict.items()):
            total.update(name.encode() + weight.contiguous().numpy().tobytes())
        return total.hexdigest()

    @property
    def sees_variables(self) -> bool:
        """It is a likelihood or trees, which see candidate variables alone, and no network."""
        return is_variable_model(self.config.model.name)

    def uncalibrated(self) -> ModelBundle:
        """The same, with probabilities as the network gives them: no temperature."""
        return replace(self, temperature=1.0, folds=tuple(one.uncalibrated() for one in self.folds))

    def variable_model(self) -> VariableModel:
        """The likelihood or trees, ready to be applied.

        Raises
        ------
        ModelError
            The arrays do not fit the model that the recipe names.
        """
        kind = VARIABLE_MODELS[self.config.model.name]
        arrays = {name: tensor.numpy() for name, tensor in self.state_dict.items()}
        try:
            return kind.from_arrays(variable_inputs(self.config), arrays)
        except (KeyError, UnicodeDecodeError) as error:
            raise ModelError(
                f"the bundle's arrays do not fit model '{self.config.model.name}': {error}; train it again"
            ) from None

    def network(self) -> nn.Module:
        """The network with its weights, ready to be applied.

        Raises
        ------
        ModelError
            The weights do not fit the network that the recipe names.
        """
        network = build_model(
            self.config.model.name, self.config.model.settings, self.inputs, members=self.config.members
        )
        try:
            network.load_state_dict(self.state_dict)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise ModelError(
                f"the bundle's weights do not fit model '{self.config.model.name}': {reason}; "
                "it was made by another version of calotools or changed by hand; train it again"
            ) from None
        return network.eval()


def bundle_of(result: TrainingResult) -> ModelBundle:
    """Bundle what a fit returned.

    Parameters
    ----------
    result : TrainingResult

    Returns
    -------
    ModelBundle
    """
    return ModelBundle(**vars(result))


def save_bundle(bundle: ModelBundle, path: Path | str, *, overwrite: bool = False) -> Path:
    """Write a bundle as one file, whole or not at all.

    Parameters
    ----------
    bundle : ModelBundle
    path : path
        Usually ``*.calo``.
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    Path

    Raises
    ------
    OutputExistsError
        The file exists and `overwrite` is false.
    """
    weights = {name: weight.detach().cpu().contiguous() for name, weight in bundle.state_dict.items()}
    with new_file(path, overwrite=overwrite) as temporary:
        # not `save_file`, whose files nobody but their owner can read
        temporary.write_bytes(save(weights, metadata={_KEY: _header(bundle)}))
    return Path(path)


def load_bundle(path: Path | str) -> ModelBundle:
    """Read a bundle; nothing in it is executed.

    Parameters
    ----------
    path : path
        A ``.calo`` file, or a training folder that holds ``model.calo``.

    Returns
    -------
    ModelBundle

    Raises
    ------
    ModelError
        Absent, not a bundle, truncated, or of a newer format.
    """
    path = Path(path)
    file = path / _NAME if path.is_dir() else path
    if not file.is_file():
        hint = f"folder '{path}' holds no {_NAME}; is its training finished?" if path.is_dir() else "check the name"
        raise ModelError(f"model bundle '{file}' does not exist; {hint}")
    try:
        with safetensors.safe_open(file, framework="pt") as opened:
            text = (opened.metadata() or {}).get(_KEY)
            weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise ModelError(
            f"'{file}' is not a model bundle, or is truncated ({error}); give a .calo file that calotools train wrote"
        ) from None
    if text is None:
        raise ModelError(f"'{file}' is a safetensors file without calotools' header; give a .calo file")
    return _from_header(text, weights, file)


def _content(bundle: ModelBundle, *, recipe: dict[str, Any]) -> dict[str, Any]:
    # Bundles of before do not know the factors: nothing is said of them there, so that their digests stay.
    factors = {} if bundle.factors is None else {"factors": list(bundle.factors)}
    return factors | {
        "config": recipe,
        "image_spec": spec_to_dict(bundle.image_spec),
        "inputs": asdict(bundle.inputs),
        "scalers": bundle.scalers.to_dict(),
        "bias": bundle.bias and bundle.bias.to_dict(),
        "sigma_scale": bundle.sigma_scale,
        "temperature": bundle.temperature,
        "record": bundle.record,
    }


def _header(bundle: ModelBundle) -> str:
    made = {"format_version": FORMAT_VERSION if bundle.folds else _ONE_MODEL, "calotools": version}
    content = made | _content(bundle, recipe=bundle.config.model_dump(mode="json"))
    if bundle.folds:
        content["folds"] = [_header(one) for one in bundle.folds]
    # Keys are not sorted: the order of the classes is that of the network's outputs.
    return json.dumps(content)


def _from_header(text: str, weights: dict[str, torch.Tensor], file: Path) -> ModelBundle:
    try:
        content = json.loads(text)
        found = content["format_version"]
        if found > FORMAT_VERSION:
            raise ModelError(
                f"'{file}' has bundle format {found}, made by calotools {content['calotools']}; this calotools "
                f"({version}) reads up to {FORMAT_VERSION}; update it"
            )
        return ModelBundle(
            state_dict=weights,
            config=TrainConfig(**content["config"]),
            image_spec=spec_from_dict(content["image_spec"]),
            inputs=TypeAdapter(ModelInputs).validate_python(content["inputs"]),
            scalers=InputScalers.from_dict(content["scalers"]),
            record=content["record"],
            bias=content["bias"] and BiasCorrection.from_dict(content["bias"]),
            sigma_scale=content.get("sigma_scale", 1.0),
            factors=tuple(content["factors"]) if "factors" in content else None,
            temperature=content.get("temperature", 1.0),
            folds=tuple(
                _from_header(one, _weights_of(weights, number), file)
                for number, one in enumerate(content.get("folds", ()))
            ),
        )
    except ModelError:
        raise
    except (CalotoolsError, ValidationError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the header of '{file}' cannot be understood: {error}; train the model again") from None


def fold_name(number: int) -> str:
    """What the weights of a fold's model begin with."""
    return f"fold_{number:02d}/"


def _weights_of(weights: dict[str, torch.Tensor], number: int) -> dict[str, torch.Tensor]:
    prefix = fold_name(number)
    return {name.removeprefix(prefix): one for name, one in weights.items() if name.startswith(prefix)}
