"""The rows of the table: which recipe, from which inputs, on which candidates.

Recipes are those of ``examples/recipes``; what is changed is that they are short, and what a row's name says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calotools.images import image_spec, spec_to_dict
from calotools.recipe import read_toml

RECIPES = Path(__file__).parents[2] / "examples" / "recipes"
SELECTION = ("et > 10", "abs(eta) < 2.47", "class_true == 0")
REGIONS = {"barrel": "abs(eta) < 1.3", "crack": "abs(eta) >= 1.3 & abs(eta) < 1.6", "endcap": "abs(eta) >= 1.6"}
UNCONVERTED, CONVERTED = "conversion_type == 0", "conversion_type > 0"

# The inputs of the experiment's calibration, E_acc among them; a converted photon has three more.
CALIBRATION = (
    "e_acc", "f0", "r12", "shower_depth", "f_tile_gap3", "eta_cluster", "cell_index", "eta_mod", "phi_mod",
    "dphi_tile_gap3",
)  # fmt: skip
CONVERSION = ("conversion_radius_used", "conversion_et_over_pt", "conversion_pt_ratio")
# Nine and twelve variables were published, not which: these are the barrel's, then pile-up and the track.
NINE = tuple(name for name in CALIBRATION if name != "f_tile_gap3")
TWELVE = (*NINE, "mu", "n_vtx", "pt_track")

_ETA_BINS = [0.0, 0.8, 1.37, 1.52, 1.8, 2.2, 2.5]
_ET_BINS = [0, 20, 40, 60, 80, 120, 500]
_SEARCH = {
    "model.settings.learning_rate": {"low": 0.02, "high": 0.2, "log": True},
    "model.settings.leaves": {"low": 4, "high": 63, "log": True},
    "model.settings.min_leaf": {"low": 10, "high": 200, "log": True},
    "model.settings.feature_fraction": {"low": 0.5, "high": 1.0},
    "model.settings.l2": {"low": 0.1, "high": 100.0, "log": True},
    "model.settings.huber": {"low": 0.01, "high": 0.2, "log": True},
}
_SEARCH_BINS = {
    "model.settings.eta_bins": {"choices": [_ETA_BINS, [0.0, 1.37, 1.52, 2.5], [0.0, 2.5]]},
    "model.settings.et_bins": {"choices": [_ET_BINS, [0, 500]]},
}
# Convolutions with 16 bits: half the time; nothing stops early in a training that ends with its one cycle.
_SHORT = {"trainer": {"patience": 100, "precision": "bf16", "mirror": ["eta", "phi"]}}
_SHORT_2019 = {"trainer": _SHORT["trainer"] | {"batch_size": 128}}


@dataclass(frozen=True)
class Part:
    """One training: a recipe with changes, and the candidates that it is for.

    Attributes
    ----------
    changes : dict
        Keys of the recipe that are replaced, nested.
    where : str
        A cut; empty: all of them.
    recipe : str
        Name in ``examples/recipes``.
    share : float
        Of the row's minutes.
    """

    changes: dict[str, Any]
    where: str = ""
    recipe: str = "electron_energy_trees"
    share: float = 1.0


@dataclass(frozen=True)
class Row:
    """One row: its trainings, and what is said of them."""

    name: str
    title: str
    particle: str
    parts: tuple[Part, ...]
    kind: str = "full"
    published: str = ""
    note: str = ""
    sigma: bool = field(default=False)

    @property
    def trees(self) -> bool:
        """Whether it sees variables alone."""
        return all(part.recipe == "electron_energy_trees" for part in self.parts)


def _trees(
    scalars: tuple[str, ...], *, bins: bool = True, base: str = "e_acc", where: str = "", photons: bool = False
) -> Part:
    search = _SEARCH | _SEARCH_BINS if bins else _SEARCH
    changes = {"scalars": scalars, "base_energy": base, "search": search, "sample": _tree(photons)}
    return Part(changes, where=where, share=0.5 if where else 1.0)


def _tree(photons: bool) -> dict[str, str]:
    return {"tree": "photons" if photons else "electrons"}


def _network(recipe: str, changes: dict[str, Any] | None = None, **others: Any) -> Part:
    short = _SHORT_2019 if recipe.startswith("energy_2019") else _SHORT
    return Part(merged(short, changes or {}), recipe=recipe, **others)


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Nested tables, the second winning."""
    both = dict(one)
    for key, value in other.items():
        both[key] = merged(both[key], value) if isinstance(value, dict) and isinstance(both.get(key), dict) else value
    return both


def _scalars(recipe: str) -> tuple[str, ...]:
    return tuple(read_toml(RECIPES / f"{recipe}.toml").get("scalars", ()))


def _time_images() -> dict[str, Any]:
    """The shipped energy images, with the time of each cell."""
    return {"images": spec_to_dict(image_spec("energy")) | {"quantities": ["energy", "time"]}}


def _three_regions() -> tuple[Part, ...]:
    shares = {"barrel": 1.3 / 2.47, "crack": 0.3 / 2.47, "endcap": 0.87 / 2.47}
    return tuple(_network("energy_compact", where=cut, share=shares[name]) for name, cut in REGIONS.items())


_OF_NETWORK = _scalars("energy_compact")
# Shares of the energy instead of GeV: what a correction of some percent depends on.
_SHARES = ("f0", "f_tile_gap3", "dphi_tile_gap3", "cell_index", "eta_mod", "phi_mod", "shower_depth")
_OF_PHOTONS = (*(one for one in _scalars("photon_energy") if one != "e_tile_gap3"), *_SHARES, *CONVERSION)
_OF_BOTH = tuple(dict.fromkeys((*CALIBRATION, *_OF_PHOTONS)))
_COMPACT_PHOTONS = {"scalars": _OF_PHOTONS, "sample": _tree(True), "tracks": ["e_frac", "delta_eta1", "delta_phi2"]}
_THREE, _MEMBERS = "three compact (i, s, r), their mean", {"members": 3}
_SIGMA = {"uncertainty": "gaussian"}
# Cells' times gate the energies, as in 2018; of the gate's form nothing is published.
_GATED = {"model": {"settings": {"gate": "multiply"}}} | _time_images()

_ROWS = (
    Row("tree", "trees on E_true/E_acc", "electrons", (_trees(CALIBRATION),), published="0 (reference)"),
    Row(
        "tree_photons",
        "trees on E_true/E_acc, unconverted and converted apart",
        "photons",
        (
            _trees(CALIBRATION, where=UNCONVERTED, photons=True),
            _trees((*CALIBRATION, *CONVERSION), where=CONVERTED, photons=True),
        ),
        published="0 (reference)",
    ),
    Row("lgbm_9", "LGBM(9): one forest", "electrons", (_trees(NINE, bins=False),), published="1.4 % (ratio 1.014)"),
    Row("lgbm_12", "LGBM(12): one forest", "electrons", (_trees(TWELVE, bins=False),), published="4.5 % (ratio 1.047)"),
    Row(
        "tree_all",
        "trees on E_true/E with every scalar of the compact network",
        "electrons",
        (_trees(tuple(dict.fromkeys((*CALIBRATION, *_OF_NETWORK))), base="e"),),
    ),
    Row(
        "tree_all_photons",
        "trees on E_true/E with every scalar of the compact network",
        "photons",
        (_trees(_OF_BOTH, base="e", photons=True),),
    ),
    Row("compact", "compact (i, s, r)", "electrons", (_network("energy_compact"),)),
    Row("compact_photons", "compact (i, s, r)", "photons", (_network("energy_compact", _COMPACT_PHOTONS),)),
    Row("ensemble", _THREE, "electrons", (_network("energy_compact", _MEMBERS),)),
    Row("ensemble_photons", _THREE, "photons", (_network("energy_compact", _COMPACT_PHOTONS | _MEMBERS),)),
    Row("cnn_is", "cnn(i, s14)", "electrons", (_network("energy_2019_scalars"),), published="20.5 %"),
    Row("cnn_i", "cnn(i)", "electrons", (_network("energy_2019_images"),), published="11.9 %"),
    Row("cloud", "cells as points, attention", "electrons", (_network("energy_cloud"),)),
    Row(
        "compact_clean",
        "compact, no noise and no pile-up in training and test (ceiling)",
        "electrons",
        (_network("energy_compact"),),
        kind="clean",
    ),
    Row("compact_sigma", "compact with a Gaussian σ", "electrons", (_network("energy_compact", _SIGMA),), sigma=True),
    Row("compact_regions", "compact, one for each of three regions", "electrons", _three_regions()),
    Row("cnn_ist", "cnn(i, s14, t)", "electrons", (_network("energy_2019_scalars", _GATED),), published="ratio 1.138"),
    Row("cnn_insr", "cnn(i, n, s12, r4)", "electrons", (_network("energy_2019_tracks"),), published="21.7 %"),
    Row(
        "cnn_i_photons",
        "cnn(i)",
        "photons",
        (_network("energy_2019_images", {"sample": _tree(True)}),),
        published="by region and conversion, below",
    ),
    Row(
        "compact_clean_photons",
        "compact, no noise and no pile-up in training and test (ceiling)",
        "photons",
        (_network("energy_compact", _COMPACT_PHOTONS),),
        kind="clean",
    ),
)
ROWS = {row.name: row for row in _ROWS}
"""In the order of their value: the first are filled first."""

REFERENCE = {"electrons": "tree", "photons": "tree_photons"}
