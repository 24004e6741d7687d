"""The energy regression of 2019: a deep convolutional network on square images, modulated by scalars and tracks.

Frederik Faye, Lukas Ehrke and Troels Petersen (Niels Bohr Institute) showed it with 1.8, 3.5 and 3.6 million
parameters. The defaults are their electron model; every choice that their tool offered is a setting here.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from calotools.errors import ConfigError, nearest
from calotools.models.checks import check_choice
from calotools.models.convolutions import ConvSettings, Stage, activation, after_pooling, downsample
from calotools.models.gate import Gate
from calotools.models.heads import energies, energy_layer
from calotools.models.inputs import ModelInputs, channels, resize_sum

if TYPE_CHECKING:
    from calotools.containers import Batch

__all__ = ["EnergyCNN2019"]

_PLACES = ("film", "top")
_INITIALISATIONS = ("default", "orthogonal")


class EnergyCNN2019(nn.Module):
    """Stages of convolutions, each with half the size and twice the maps, then a dense top.

    ``energy = base_energy * top(...)``. The last layer starts at one, so an untrained network returns the base energy.

    Parameters
    ----------
    inputs : ModelInputs
    size : (int, int)
        (eta, phi) pixels that images are brought to, their energy kept.
    depths : tuple of int
        Units of each stage.
    filters : int
        Maps of the first stage.
    kernel, first_kernel : int
        Of the convolutions; of those of the first stage.
    block : {"simple", "residual", "resnet18"}
    dimensions : {2, 3}
        3: the layers of the calorimeter are an axis.
    downsampling : {"max", "average", "strided"}
    min_size : int
        Maps with a smaller side are not shrunk.
    global_pool : bool
        Average the last maps instead of flattening them.
    squeeze : int
        Reduction of squeeze-and-excite; 0: none.
    groups : int
        Of grouped convolutions; it divides `filters`. Those of the first stage have fewer where its input needs it.
    norm : {"batch", "layer", "instance", "group", "switch", "none"}
    nonlinearity : {"leaky-relu", "relu", "prelu", "elu", "silu", "gelu", "selu"}
    dropout, drop_block : float
        In the top; of blocks of pixels.
    scalar_widths : tuple of int
        Dense layers on the scalars.
    track_widths : (tuple of int, tuple of int)
        Dense layers on each track, and on their sum.
    film_widths : tuple of int
        Dense layers between the scalars and tracks, and FiLM.
    scalars_to, tracks_to : tuple of {"film", "top"}
        What they act on.
    gate : {"none", "multiply", "concatenate"}
        What time, gain and noise images do: channels like the energies, or a gate on every pixel.
    gate_widths : tuple of int
    gate_activation : {"sigmoid", "gauss", "gauss-flipped"}
    network_in_network : tuple of int
        1 x 1 convolutions after the last stage.
    top_widths : tuple of int
    final : {"relu", "linear"}
    initialisation : {"default", "orthogonal"}
        Of the weights: torch's own, or orthogonal ones and no biases, as in 2019.

    Raises
    ------
    ConfigError
        The recipe asks for classes, or a setting has no such choice.

    Notes
    -----
    The published configurations, with their 56 x 11 images of four layers: ``cnn(i)`` has 1.836 M parameters,
    ``cnn(i, s14)`` 3.515 M and ``cnn(i, n, s12, r4)``, with a concatenating gate, 3.632 M. The widths of that gate
    are not published; with the default's, and batch normalisation between the dense layers before FiLM, all three
    numbers come out.

    Examples
    --------
    >>> model = EnergyCNN2019(ModelInputs(shapes={"em": (4, 56, 11)}))
    >>> sum(parameter.numel() for parameter in model.parameters())
    1835697
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        size: tuple[int, int] = (56, 55),
        depths: tuple[int, ...] = (1, 2, 2, 2, 2),
        filters: int = 16,
        kernel: int = 3,
        first_kernel: int = 5,
        block: str = "simple",
        dimensions: int = 2,
        downsampling: str = "max",
        min_size: int = 6,
        global_pool: bool = False,
        squeeze: int = 0,
        groups: int = 1,
        norm: str = "batch",
        nonlinearity: str = "leaky-relu",
        dropout: float = 0.0,
        drop_block: float = 0.0,
        scalar_widths: tuple[int, ...] = (256,),
        track_widths: tuple[tuple[int, ...], tuple[int, ...]] = ((128, 128), (128, 128)),
        film_widths: tuple[int, ...] = (512, 1024),
        scalars_to: tuple[str, ...] = ("film",),
        tracks_to: tuple[str, ...] = ("film",),
        gate: str = "none",
        gate_widths: tuple[int, ...] = (16,),
        gate_activation: str = "sigmoid",
        network_in_network: tuple[int, ...] = (),
        top_widths: tuple[int, ...] = (256, 256),
        final: str = "relu",
        initialisation: str = "default",
    ) -> None:
        super().__init__()
        _check(inputs, {"scalars_to": scalars_to, "tracks_to": tracks_to}, final=final, dimensions=dimensions)
        if groups < 1 or filters % groups:
            raise ConfigError(
                f"energy_cnn_2019 settings filters = {filters}, groups = {groups}: the maps of a stage are divided "
                "into groups equally; give a number that divides filters"
            )
        check_choice("energy_cnn_2019", "initialisation", initialisation, _INITIALISATIONS)
        self.inputs, self.size, self.dimensions, self.final = inputs, (size[0], size[1]), dimensions, final
        self.places = {
            "film": ("film" in scalars_to, "film" in tracks_to),
            "top": ("top" in scalars_to, "top" in tracks_to),
        }
        self.n_layers = sum(shape[0] for shape in inputs.shapes.values())
        self.gate = _gate(inputs, self.n_layers, how=gate, widths=gate_widths, final=gate_activation)
        self.scalars = _dense((inputs.n_scalars, *scalar_widths), nonlinearity) if inputs.n_scalars else None
        self.tracks = _deep_sets(inputs, track_widths, nonlinearity) if inputs.n_track_values else None
        to_film, to_top = (self._told(place, (scalar_widths, track_widths)) for place in ("film", "top"))

        conv = ConvSettings(dimensions, block, norm, to_film > 0, nonlinearity, groups, squeeze, drop_block)
        n_in = (self.gate.n_out if self.gate else inputs.n_channels) // (self.n_layers if dimensions == 3 else 1)
        self.pyramid = Pyramid(
            n_in,
            size=self.size,
            maps=tuple(filters * 2**i for i in range(len(depths))),
            depths=depths,
            kernels=(first_kernel, kernel),
            shrink=(downsampling, min_size),
            settings=conv,
        )
        self.film = _film(to_film, film_widths, self.pyramid.maps, nonlinearity) if to_film else None

        last = (self.pyramid.maps[-1], *network_in_network)
        self.pixelwise = _pixelwise(last, dimensions, nonlinearity)
        self.global_pool = global_pool
        n_pixels = self.pyramid.side[0] * self.pyramid.side[1] * (self.n_layers if dimensions == 3 else 1)
        n_top = last[-1] * (1 if global_pool else n_pixels) + to_top
        self.hidden = nn.Sequential(_dense((n_top, *top_widths), nonlinearity), nn.Dropout(dropout))
        self.out = energy_layer((n_top, *top_widths)[-1], inputs)
        if initialisation == "orthogonal":
            _orthogonal(self)
        # Half as fast again on a CPU; the numbers are the same up to rounding.
        nn.utils.convert_conv2d_weight_memory_format(self, torch.channels_last)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Batch of n candidates -> energies [GeV], as `calotools.models.heads.energies` gives them."""
        scalars = self.scalars(batch.scalars) if self.scalars is not None else None  # (n, 256)
        tracks = self.tracks(batch.tracks, batch.track_mask) if self.tracks is not None else None  # (n, 128)
        maps = self.pyramid(self._images(batch), self._films(scalars, tracks))  # (n, 256, 3, 3)
        maps = self.pixelwise(maps)
        flat = maps.flatten(2).mean(dim=2) if self.global_pool else maps.flatten(1)  # (n, 2304)
        top = torch.cat([flat, *self._parts("top", scalars, tracks)], dim=1)
        return energies(self.out(self.hidden(top)), batch.base_energy, positive=self.final == "relu")  # (n,)

    def _images(self, batch: Batch) -> torch.Tensor:
        image = channels(batch, self.inputs)  # (n, channel, 56, 11): energies first
        energy, other = image[:, : self.n_layers], image[:, self.n_layers :]
        energy = resize_sum(energy, self.size)  # (n, layer, 56, 55)
        if other.shape[1] == 0:
            image = energy
        else:
            other = functional.interpolate(other, size=self.size, mode="nearest")
            image = self.gate(energy, other) if self.gate is not None else torch.cat([energy, other], dim=1)
        if self.dimensions == 3:
            return image.reshape(len(image), -1, self.n_layers, *self.size)  # (n, quantity, layer, 56, 55)
        return image

    def _films(self, scalars: torch.Tensor | None, tracks: torch.Tensor | None) -> list[torch.Tensor | None]:
        if self.film is None:
            return [None] * len(self.pyramid.maps)
        both = self.film(torch.cat(self._parts("film", scalars, tracks), dim=1))  # (n, 992): gamma and beta by stage
        return list(both.split([2 * n for n in self.pyramid.maps], dim=1))

    def _parts(self, place: str, scalars: torch.Tensor | None, tracks: torch.Tensor | None) -> list[torch.Tensor]:
        pairs = zip((scalars, tracks), self.places[place], strict=True)
        return [part for part, told in pairs if told and part is not None]

    def _told(self, place: str, widths: tuple[tuple[int, ...], tuple[tuple[int, ...], tuple[int, ...]]]) -> int:
        """How many numbers the scalars and tracks tell to a place."""
        scalars = (self.inputs.n_scalars, *widths[0])[-1] if self.scalars is not None else 0
        tracks = (self.inputs.n_track_features, *widths[1][0], *widths[1][1])[-1] if self.tracks is not None else 0
        return scalars * self.places[place][0] + tracks * self.places[place][1]


class Pyramid(nn.Module):
    """Stages of convolutions; before each but the first, the maps shrink if they are large enough.

    Parameters
    ----------
    n_in : int
        Maps, or channels, of the input.
    size : (int, int)
        (eta, phi) pixels of the input.
    maps, depths : tuple of int
        Maps and units of each stage.
    kernels : (int, int)
        Of the first stage, and of the others.
    shrink : (str, int)
        How, and the smallest side that still shrinks.
    settings : ConvSettings
    """

    def __init__(
        self,
        n_in: int,
        *,
        size: tuple[int, int],
        maps: tuple[int, ...],
        depths: tuple[int, ...],
        kernels: tuple[int, int],
        shrink: tuple[str, int],
        settings: ConvSettings,
    ) -> None:
        super().__init__()
        self.maps, self.side = maps, size
        self.shrink, self.stages = nn.ModuleList(), nn.ModuleList()
        for i, (depth, n_out) in enumerate(zip(depths, maps, strict=True)):
            self.shrink.append(self._shrink(n_in, shrink, settings.dimensions) if i else nn.Identity())
            self.stages.append(Stage(n_in, n_out, depth=depth, kernel=kernels[min(i, 1)], settings=settings))
            n_in = n_out

    def _shrink(self, n_maps: int, shrink: tuple[str, int], dimensions: int) -> nn.Module:
        if min(self.side) < shrink[1]:
            return nn.Identity()
        self.side, factors = after_pooling(self.side)
        return downsample(shrink[0], factors, n_maps, dimensions)

    def forward(self, maps: torch.Tensor, films: list[torch.Tensor | None]) -> torch.Tensor:
        """(n, n_in, ..., eta, phi) -> (n, maps of the last stage, ..., smaller eta, phi)."""
        for shrink, stage, film in zip(self.shrink, self.stages, films, strict=True):
            maps = stage(shrink(maps), film)
        return maps


class DeepSets(nn.Module):
    """One network for each track, summed over the real ones, and one on the sum.

    Parameters
    ----------
    n_features : int
    each, summed : tuple of int
        Widths of the two.
    nonlinearity : str

    References
    ----------
    Zaheer et al., arXiv:1703.06114.
    """

    def __init__(self, n_features: int, each: tuple[int, ...], summed: tuple[int, ...], *, nonlinearity: str) -> None:
        super().__init__()
        self.each = _dense((n_features, *each), nonlinearity)
        self.summed = _dense(((n_features, *each)[-1], *summed), nonlinearity)

    def forward(self, tracks: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(n, track, feature) and (n, track) bool -> (n, width); what is real comes from the mask alone."""
        values = self.each(torch.where(mask[..., None], tracks, 0.0))  # (n, track, width)
        return self.summed(torch.where(mask[..., None], values, 0.0).sum(dim=1))  # (n, width)


def _gate(inputs: ModelInputs, n_layers: int, *, how: str, widths: tuple[int, ...], final: str) -> Gate | None:
    if how == "none":
        return None
    return Gate(inputs.n_channels - n_layers, n_layers, how=how, widths=widths, final=final)


def _deep_sets(inputs: ModelInputs, widths: tuple[tuple[int, ...], tuple[int, ...]], nonlinearity: str) -> DeepSets:
    return DeepSets(inputs.n_track_features, widths[0], widths[1], nonlinearity=nonlinearity)


def _dense(widths: tuple[int, ...], nonlinearity: str) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), activation(nonlinearity)]
    return nn.Sequential(*layers)


def _film(n_in: int, widths: tuple[int, ...], maps: tuple[int, ...], nonlinearity: str) -> nn.Sequential:
    """Scalars and tracks -> gamma and beta of every stage; the identity at first."""
    last = nn.Linear((n_in, *widths)[-1], 2 * sum(maps))
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    layers: list[nn.Module] = []
    for before, after in pairwise((n_in, *widths)):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), activation(nonlinearity)]
    return nn.Sequential(*layers, last)


def _orthogonal(network: nn.Module) -> None:
    """Layers that begin at zero (FiLM, the last one) stay there."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.Conv3d) and layer.weight.any():
            nn.init.orthogonal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _pixelwise(widths: tuple[int, ...], dimensions: int, nonlinearity: str) -> nn.Sequential:
    convolve = nn.Conv3d if dimensions == 3 else nn.Conv2d
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [convolve(n_in, n_out, 1), activation(nonlinearity)]
    return nn.Sequential(*layers)


def _check(inputs: ModelInputs, places: dict[str, tuple[str, ...]], *, final: str, dimensions: int) -> None:
    if inputs.n_classes is not None:
        raise ConfigError("energy_cnn_2019 returns an energy; for classes choose model 'electron_cnn_2018'")
    for key, values in places.items():
        for value in values:
            if value not in _PLACES:
                raise ConfigError(f"energy_cnn_2019 setting {key} = '{value}' is no place; {nearest(value, _PLACES)}")
    if final not in ("relu", "linear"):
        raise ConfigError(f"energy_cnn_2019 has no final = '{final}'; {nearest(final, ('relu', 'linear'))}")
    if dimensions not in (2, 3):
        raise ConfigError(f"energy_cnn_2019 setting dimensions = {dimensions} is not allowed; give 2 or 3")
