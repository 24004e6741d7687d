"""The rows of the table: which recipe each is, what it sees, and what a search tries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calotools.recipe import read_toml

__all__ = ["COMBINATIONS", "ROWS", "Combination", "Row", "row_named"]

RECIPES = Path(__file__).parents[2] / "examples" / "recipes"

# The experiment's likelihood: its 13 densities, and the variables that it cuts on.
CALO = ("rhad", "rhad1", "f3", "weta2", "rphi", "reta", "wstot", "eratio", "f1")
SIX_TRACK = ("n_innermost", "n_pixel", "n_sct", "d0", "d0_significance", "dp_over_p")
EIGHT_TRACK = (*SIX_TRACK, "n_trt", "trt_pid")
MATCH = ("delta_eta1", "delta_phi2", "delta_phi_res2", "e_over_p")
OF_22 = (*CALO, *EIGHT_TRACK, *MATCH, "conversion_type")
OF_18 = (*CALO, *SIX_TRACK, "trt_pid", "delta_eta1", "delta_phi_res2")
OF_26 = (*OF_22, "ws3", "fside", "f1core", "f3core")
OF_29 = (*OF_26, "delta_e", "conversion_radius_used", "n_tracks")
ALL = (*OF_29, "z0", "f0", "r12", "shower_depth", "f_tile_gap3", "conversion_et_over_pt", "conversion_pt_ratio")
MORE_CALO = ("ws3", "fside", "f1core", "f3core", "delta_e", "f0", "r12", "shower_depth", "f_tile_gap3")
PLACE = ("eta", "et", "mu")
"""Where the candidate is: every forest gets it, as the likelihood has bins of it."""

TREES = {
    "model.settings.leaves": {"low": 15, "high": 127, "log": True},
    "model.settings.min_leaf": {"low": 20, "high": 500, "log": True},
    "model.settings.learning_rate": {"low": 0.03, "high": 0.15, "log": True},
    "model.settings.feature_fraction": {"low": 0.4, "high": 1.0},
    "model.settings.l2": {"low": 0.1, "high": 30.0, "log": True},
}
DENSITIES = {
    "model.settings.n_bins": {"choices": [25, 50, 100, 200]},
    "model.settings.smoothing": {"low": 0.5, "high": 5.0},
    "model.settings.et_bins": {"choices": [[15, 20, 30, 40, 150], [15, 20, 25, 30, 35, 40, 60, 150], [15, 30, 150]]},
}
FIVE = {"signal": [0], "conversion": [2], "heavy_flavour": [3], "light_egamma": [4], "light_hadron": [5]}
TWO = {"background": [2, 3, 4, 5], "signal": [0]}
BINS = {"eta_bins": [0.0, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.47], "min_candidates": 50}


@dataclass(frozen=True)
class Row:
    """One method.

    Attributes
    ----------
    name, title : str
    recipe : str
        In examples/recipes.
    kind : {"likelihood", "trees", "network"}
    sees : str
        In words, for the page.
    changes : dict
        What differs from the recipe.
    search : dict
        What is tried before, on a part of the sample; empty: nothing.
    search_of : str
        The row whose search is used, if not its own.
    """

    name: str
    title: str
    recipe: str
    kind: str
    sees: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    search: Mapping[str, Any] = field(default_factory=dict)
    search_of: str = ""

    @property
    def path(self) -> Path:
        """Of the recipe."""
        return RECIPES / f"{self.recipe}.toml"

    @property
    def n_variables(self) -> int:
        """Candidate variables that it sees, besides where the candidate is."""
        table = {**read_toml(self.path), **self.changes}
        return sum(name not in (*PLACE, "eta_cluster") for name in table.get("scalars", ()))


def forest(name: str, variables: tuple[str, ...], sees: str, *, own_search: bool = False) -> Row:
    """Boosted trees on some variables, and on where the candidate is."""
    return Row(
        f"trees_{name}",
        f"trees, {sees}",
        "identification_trees",
        "trees",
        f"{len(variables)} variables, η, E_T, ⟨μ⟩",
        {"scalars": [*variables, *PLACE], "model": {"settings": {"rounds": 3000}}},
        TREES if own_search else {},
        "trees_all",
    )


def network(name: str, title: str, recipe: str, sees: str, **changes: Any) -> Row:
    """A network of a recipe; batches of 500 and candidates seen in a mirror half of the time for all."""
    trainer = {"batch_size": 500, "patience": 50, "mirror": ["eta", "phi"]} | changes.pop("trainer", {})
    changes = {"classes": TWO, "trainer": trainer, **changes}
    return Row(name, title, f"identification_{recipe}", "network", sees, changes)


ROWS = (
    Row(
        "likelihood",
        "likelihood",
        "identification_likelihood",
        "likelihood",
        "22 variables in |η| × E_T",
        {"model": {"settings": BINS}},
        DENSITIES,
        "likelihood",
    ),
    Row(
        "likelihood_13",
        "likelihood, the 13 densities of run 2",
        "identification_likelihood_13",
        "likelihood",
        "13 variables in |η| × E_T",
        {"model": {"settings": BINS}},
        {},
        "likelihood",
    ),
    forest("18", OF_18, "18 variables (densities and cuts of the run-2 likelihood)"),
    forest("22", OF_22, "22 variables"),
    forest("26", OF_26, "26 variables"),
    forest("29", OF_29, "29 variables"),
    forest("all", ALL, f"all {len(ALL)} variables", own_search=True),
    forest("calo", (*CALO, *MORE_CALO), "calorimeter alone"),
    forest("track", tuple(one for one in ALL if one not in (*CALO, *MORE_CALO)), "track and match alone"),
    network(
        "compact",
        "electron_compact with variables",
        "compact",
        f"images, 5 tracks × 8, {len(ALL)} variables, η, ⟨μ⟩",
        scalars=["eta_cluster", "mu", *ALL],
    ),
    network(
        "cnn_2018_slides",
        "CNN 2018, the slides' reading",
        "2018",
        "5 images, 15 tracks × 4",
        trainer={"weight_decay": 0},
    ),
    network(
        "cnn_2018_published",
        "CNN 2018, the published reading",
        "2018",
        "5 images, 15 tracks × 4",
        model={"settings": {"reading": "published"}},
    ),
    network("rnn", "recurrent design", "rnn", "5 images, 15 tracks × 8"),
    network("cnn_2020", "design of 2020", "2020", "images, 5 tracks × 8, 10 variables; five classes", classes=FIVE),
    network("compact_images", "electron_compact", "compact", "images, 5 tracks × 8, η, ⟨μ⟩"),
)
"""In the order in which they are filled."""


@dataclass(frozen=True)
class Combination:
    """What is made of the scores of two rows.

    Attributes
    ----------
    name, title : str
    rows : (str, str)
    how : {"product", "fisher"}
        Sum of the two discriminants, or their best linear combination.
    """

    name: str
    title: str
    rows: tuple[str, str]
    how: str


COMBINATIONS = (
    Combination("product", "calorimeter × track, product", ("trees_calo", "trees_track"), "product"),
    Combination("fisher", "calorimeter × track, Fisher", ("trees_calo", "trees_track"), "fisher"),
)


def row_named(name: str) -> Row:
    """A row by its name."""
    return next(row for row in ROWS if row.name == name)
