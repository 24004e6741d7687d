"""Parts of a network by name: weights that come from another training, and weights that stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors
from safetensors.torch import load_file

from calotools.errors import ConfigError, ModelError, nearest

if TYPE_CHECKING:
    import torch
    from torch import nn

    from calotools.recipe import ModelConfig

__all__ = ["freeze_parts", "load_parts", "rest_frozen"]

_NAME = "model.calo"


def load_parts(network: nn.Module, config: ModelConfig) -> None:
    """Put weights of another training into a network, in place.

    Parameters
    ----------
    network : torch.nn.Module
    config : ModelConfig
        ``start``: a bundle or the folder of a training; ``start_parts``: patterns of the names to take, by default
        all that the network has.

    Raises
    ------
    ModelError
        It cannot be read, lacks a weight, or has it in another shape.
    ConfigError
        A pattern matches nothing.
    """
    if config.start is None:
        return
    found = _read(config.start)
    own = network.state_dict()
    wanted = names_like(config.start_parts or ("*",), own, key="model.start_parts")
    for name in wanted:
        if name not in found:
            raise ModelError(
                f"'{config.start}' has no weight '{name}'; {nearest(name, found)}; choose parts that both networks "
                "have with model.start_parts"
            )
        if found[name].shape != own[name].shape:
            raise ModelError(
                f"weight '{name}' of '{config.start}' has shape {tuple(found[name].shape)}, the network's has "
                f"{tuple(own[name].shape)}; leave it out with model.start_parts"
            )
    network.load_state_dict(own | {name: found[name] for name in wanted})


def freeze_parts(network: nn.Module, patterns: Iterable[str]) -> None:
    """Keep some weights from being trained, in place.

    Parameters
    ----------
    network : torch.nn.Module
    patterns : iterable of str
        Of names, such as ``pyramid.*``; ``pyramid`` means the same.

    Raises
    ------
    ConfigError
        A pattern matches nothing.
    """
    parameters = dict(network.named_parameters())
    for name in names_like(patterns, parameters, key="model.freeze"):
        parameters[name].requires_grad_(False)


def rest_frozen(network: nn.Module) -> None:
    """Put modules whose every weight is frozen into evaluation mode: their running statistics stay, too."""
    for module in network.modules():
        weights = list(module.parameters())
        if weights and not any(one.requires_grad for one in weights):
            module.eval()


def names_like(patterns: Iterable[str], names: Iterable[str], *, key: str) -> list[str]:
    """Names that match any of some patterns.

    Parameters
    ----------
    patterns : iterable of str
        With ``*`` and ``?``; a pattern also stands for everything below it.
    names : iterable of str
    key : str
        Of the recipe, for messages.

    Returns
    -------
    list of str
        In the order of `names`.

    Raises
    ------
    ConfigError
        A pattern matches nothing.

    Examples
    --------
    >>> names_like(["film"], ["film.0.weight", "out.weight"], key="model.freeze")
    ['film.0.weight']
    """
    names, chosen = list(names), set()
    for pattern in patterns:
        matched = [one for one in names if fnmatchcase(one, pattern) or fnmatchcase(one, f"{pattern}.*")]
        if not matched:
            parts = sorted({one.split(".")[0] for one in names})
            raise ConfigError(f"{key} = '{pattern}' is no part of the network; parts: {', '.join(parts)}")
        chosen.update(matched)
    return [one for one in names if one in chosen]


def _read(start: Path) -> dict[str, torch.Tensor]:
    file = start / _NAME if start.is_dir() else start
    try:
        return load_file(file)
    except (OSError, safetensors.SafetensorError) as error:
        raise ModelError(f"model.start = '{start}' cannot be read: {error}; give a model bundle (.calo)") from None
