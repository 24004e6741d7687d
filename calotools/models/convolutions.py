"""Stages of a convolutional network, put together from settings: what configurable networks are made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from calotools.errors import ConfigError, nearest
from calotools.models.switch_norm import SwitchNorm

__all__ = [
    "ConvSettings",
    "DropBlock",
    "SqueezeExcite",
    "Stage",
    "activation",
    "after_pooling",
    "downsample",
    "normalisation",
]

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "selu": nn.SELU,
}
_LEAK = 0.3  # of the leaky rectifier, as Keras has it: the published networks were trained with it
_GROUPS = 8  # of group normalisation


@dataclass(frozen=True)
class ConvSettings:
    """What all convolutions of a network have in common.

    Attributes
    ----------
    dimensions : {2, 3}
        3: the layers of the calorimeter are an axis, not channels.
    kind : {"simple", "residual", "resnet18"}
        One convolution; two, pre-activated, added to their input (He et al., arXiv:1603.05027); two, activated after
        the sum (arXiv:1512.03385).
    norm : {"batch", "layer", "instance", "group", "switch", "none"}
    modulated : bool
        FiLM acts on the first unit of each stage: its normalisation has no scale and shift of its own.
    activation : {"relu", "leaky-relu", "prelu", "elu", "silu", "gelu", "selu"}
    groups : int
        Of grouped convolutions.
    squeeze : int
        Reduction of squeeze-and-excite after each unit; 0: none.
    drop_block : float
        Probability that a pixel of a map is dropped, in blocks of 3 pixels.
    """

    dimensions: int = 2
    kind: str = "simple"
    norm: str = "batch"
    modulated: bool = False
    activation: str = "leaky-relu"
    groups: int = 1
    squeeze: int = 0
    drop_block: float = 0.0


def activation(name: str) -> nn.Module:
    """An activation by name.

    Raises
    ------
    ConfigError
        There is none of that name.

    Examples
    --------
    >>> activation("leaky-relu")(torch.tensor([-1.0, 1.0])).tolist()
    [-0.30..., 1.0]
    """
    if name not in _ACTIVATIONS:
        raise ConfigError(f"there is no activation '{name}'; {nearest(name, _ACTIVATIONS)}")
    return nn.LeakyReLU(_LEAK) if name == "leaky-relu" else _ACTIVATIONS[name]()


def normalisation(n_maps: int, settings: ConvSettings, *, affine: bool = True) -> nn.Module:
    """The settings' normalisation of some maps, with or without a learned scale and shift.

    Raises
    ------
    ConfigError
        There is none of that name.

    Examples
    --------
    >>> normalisation(16, ConvSettings(norm="layer"))  # doctest: +ELLIPSIS
    GroupNorm(1, 16, eps=1e-05, affine=True...)
    """
    batch, instance = (
        (nn.BatchNorm3d, nn.InstanceNorm3d) if settings.dimensions == 3 else (nn.BatchNorm2d, nn.InstanceNorm2d)
    )
    choices: dict[str, Callable[[], nn.Module]] = {
        "batch": lambda: batch(n_maps, affine=affine),
        "layer": lambda: nn.GroupNorm(1, n_maps, affine=affine),
        "instance": lambda: instance(n_maps, affine=affine),
        "group": lambda: nn.GroupNorm(math.gcd(_GROUPS, n_maps), n_maps, affine=affine),
        "switch": lambda: SwitchNorm(n_maps, affine=affine),
        "none": nn.Identity,
    }
    if settings.norm not in choices:
        raise ConfigError(f"there is no normalisation '{settings.norm}'; {nearest(settings.norm, choices)}")
    return choices[settings.norm]()


def convolution(n_in: int, n_out: int, kernel: int, settings: ConvSettings) -> nn.Module:
    """A convolution that keeps the size of its maps."""
    groups = math.gcd(settings.groups, math.gcd(n_in, n_out))
    if settings.dimensions == 3:
        return nn.Conv3d(n_in, n_out, (min(kernel, 3), kernel, kernel), padding="same", groups=groups)
    return nn.Conv2d(n_in, n_out, kernel, padding="same", groups=groups)


def modulate(maps: torch.Tensor, film: torch.Tensor | None) -> torch.Tensor:
    """FiLM: maps (n, map, ...) times 1 + gamma plus beta, with (n, 2 map) of them; untouched without."""
    if film is None:
        return maps
    gamma, beta = film.reshape(*film.shape, *(1,) * (maps.dim() - 2)).chunk(2, dim=1)
    return maps * (1 + gamma) + beta


class DropBlock(nn.Module):
    """Drop square blocks of every map in training, and scale the rest up.

    Parameters
    ----------
    probability : float
        That a pixel is dropped.
    block : int
        Side of a block [pixels].

    References
    ----------
    Ghiasi, Lin and Le, arXiv:1810.12890.

    Examples
    --------
    >>> bool((DropBlock(0.5).eval()(torch.ones(1, 1, 6, 6)) == 1).all())
    True
    """

    def __init__(self, probability: float, block: int = 3) -> None:
        super().__init__()
        self.probability = probability
        self.block = block

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, map, ..., eta, phi) -> the same shape."""
        if not self.training or self.probability == 0.0:
            return maps
        flat = maps.reshape(maps.shape[0], -1, *maps.shape[-2:])  # (n, map, eta, phi)
        seeds = (torch.rand_like(flat) < self.probability / self.block**2).to(maps.dtype)
        dropped = functional.max_pool2d(seeds, self.block, stride=1, padding=self.block // 2)
        kept = (1 - dropped).reshape(maps.shape)
        return maps * kept * (kept.numel() / kept.sum().clamp(min=1))


class SqueezeExcite(nn.Module):
    """Scale every map by what the means of all maps say.

    Parameters
    ----------
    n_maps, reduction : int

    References
    ----------
    Hu et al., arXiv:1709.01507.

    Examples
    --------
    >>> SqueezeExcite(8, 4)(torch.ones(2, 8, 3, 3)).shape
    torch.Size([2, 8, 3, 3])
    """

    def __init__(self, n_maps: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, n_maps // reduction)
        self.excite = nn.Sequential(nn.Linear(n_maps, hidden), nn.ReLU(), nn.Linear(hidden, n_maps), nn.Sigmoid())

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, map, ...) -> the same shape."""
        scale = self.excite(maps.flatten(2).mean(dim=2))  # (n, map)
        return maps * scale.reshape(*scale.shape, *(1,) * (maps.dim() - 2))


class ConvUnit(nn.Module):
    """Convolution, normalisation, FiLM, activation."""

    def __init__(self, n_in: int, n_out: int, *, kernel: int, settings: ConvSettings, affine: bool) -> None:
        super().__init__()
        self.convolve = convolution(n_in, n_out, kernel, settings)
        self.normalise = normalisation(n_out, settings, affine=affine)
        self.activate = activation(settings.activation)

    def forward(self, maps: torch.Tensor, film: torch.Tensor | None) -> torch.Tensor:
        """(n, n_in, ...) -> (n, n_out, ...)."""
        return self.activate(modulate(self.normalise(self.convolve(maps)), film))


class ResidualUnit(nn.Module):
    """Two convolutions added to their input; FiLM acts after the first one's normalisation."""

    def __init__(self, n_in: int, n_out: int, *, kernel: int, settings: ConvSettings, affine: bool) -> None:
        super().__init__()
        self.pre_activated = settings.kind == "residual"
        self.first = convolution(n_in, n_out, kernel, settings)
        self.second = convolution(n_out, n_out, kernel, settings)
        self.norm_in = normalisation(n_in, settings) if self.pre_activated else nn.Identity()
        self.norm_mid = normalisation(n_out, settings, affine=affine)
        self.norm_out = nn.Identity() if self.pre_activated else normalisation(n_out, settings)
        self.skip = nn.Identity() if n_in == n_out else convolution(n_in, n_out, 1, settings)
        self.activate = activation(settings.activation)

    def forward(self, maps: torch.Tensor, film: torch.Tensor | None) -> torch.Tensor:
        """(n, n_in, ...) -> (n, n_out, ...)."""
        inner = self.activate(self.norm_in(maps)) if self.pre_activated else maps
        inner = self.activate(modulate(self.norm_mid(self.first(inner)), film))
        summed = self.skip(maps) + self.norm_out(self.second(inner))
        return summed if self.pre_activated else self.activate(summed)


_UNITS: dict[str, type[ConvUnit | ResidualUnit]] = {
    "simple": ConvUnit,
    "residual": ResidualUnit,
    "resnet18": ResidualUnit,
}


class Stage(nn.Module):
    """Units at one size of the maps; FiLM modulates the first of them.

    Parameters
    ----------
    n_in, n_out : int
        Maps.
    depth : int
        Number of units.
    kernel : int
    settings : ConvSettings

    Raises
    ------
    ConfigError
        Unknown kind, activation or normalisation.

    Examples
    --------
    >>> Stage(4, 8, depth=2, kernel=3, settings=ConvSettings())(torch.ones(2, 4, 7, 11), None).shape
    torch.Size([2, 8, 7, 11])
    """

    def __init__(self, n_in: int, n_out: int, *, depth: int, kernel: int, settings: ConvSettings) -> None:
        super().__init__()
        if settings.kind not in _UNITS:
            raise ConfigError(f"there is no block '{settings.kind}'; {nearest(settings.kind, _UNITS)}")
        unit = _UNITS[settings.kind]
        self.units = nn.ModuleList(
            unit(
                n_out if i else n_in,
                n_out,
                kernel=kernel,
                settings=settings,
                affine=i > 0 or not settings.modulated,
            )
            for i in range(depth)
        )
        after: list[nn.Module] = []
        if settings.squeeze:
            after.append(SqueezeExcite(n_out, settings.squeeze))
        if settings.drop_block:
            after.append(DropBlock(settings.drop_block))
        self.after = nn.Sequential(*after)

    def forward(self, maps: torch.Tensor, film: torch.Tensor | None) -> torch.Tensor:
        """(n, n_in, ...) maps and (n, 2 n_out) of FiLM -> (n, n_out, ...)."""
        for i, unit in enumerate(self.units):
            maps = self.after(unit(maps, film if i == 0 else None))
        return maps


def after_pooling(size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """(eta, phi) size of maps after one downsampling, and its factors: 2, or 3 along a side over 1.5 times longer.

    Examples
    --------
    >>> after_pooling((56, 55)), after_pooling((56, 11))
    (((28, 27), (2, 2)), ((18, 5), (3, 2)))
    """
    longer = (size[0] > 1.5 * size[1], size[1] > 1.5 * size[0])
    factors = (3 if longer[0] else 2, 3 if longer[1] else 2)
    return (size[0] // factors[0], size[1] // factors[1]), factors


def downsample(how: str, factors: tuple[int, int], n_maps: int, dimensions: int) -> nn.Module:
    """Shrink maps by (eta, phi) factors; the calorimeter layers of three-dimensional maps stay.

    Raises
    ------
    ConfigError
        Unknown way.
    """
    flat, deep = factors, (1, *factors)
    choices: dict[str, Callable[[], nn.Module]] = {
        "max": lambda: nn.MaxPool3d(deep) if dimensions == 3 else nn.MaxPool2d(flat),
        "average": lambda: nn.AvgPool3d(deep) if dimensions == 3 else nn.AvgPool2d(flat),
        "strided": lambda: (
            nn.Conv3d(n_maps, n_maps, deep, stride=deep)
            if dimensions == 3
            else nn.Conv2d(n_maps, n_maps, flat, stride=flat)
        ),
    }
    if how not in choices:
        raise ConfigError(f"there is no downsampling '{how}'; {nearest(how, choices)}")
    return choices[how]()
